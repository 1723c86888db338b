"""Ten days of past work, so that no screen of a new demo is empty.

It is played by the production code at past times: frames are encoded, received, stored, judged, and
handled step by step by an operator who does what the procedure offers. Nothing is written past the
commands, and at the end no past incident is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from django.db import connection

from meldkamer.engine import cycle
from meldkamer.incidents import commands
from meldkamer.incidents.deciding.facts import incident_facts
from meldkamer.incidents.models import Incident
from meldkamer.journal.store import store
from meldkamer.notify.sandbox import all_sandbox
from meldkamer.office.sandbox.people import answer
from meldkamer.people.models import Staff
from meldkamer.project.city import day, register
from meldkamer.project.city.codes import Beat, contact_id, sia
from meldkamer.project.city.fleet import Dialler
from meldkamer.receivers.directory import Directory, Transmitter, triple
from meldkamer.receivers.intake import Origin, receive
from meldkamer.rules import procedures
from meldkamer.rules.procedures import Step
from meldkamer.sites.models import Transmitter as TransmitterRow
from meldkamer.wire.encoder import encode

INCIDENTS = 16
DAYS = 10
SEED = 2018
STEP_S, TAKEN_AFTER_S = 35, 18
_MOST_STEPS = 60
_NOT_LONG_S = 1500.0
#: what happens, in turn
_TURNS: tuple[tuple[day.Happening, tuple[str, ...], int], ...] = (
    (day.needless, ("contact", "pir"), 1),
    (day.power, (), 0),
    (day.needless, ("contact", "pir"), 1),
    (day.fire, ("smoke",), 1),
    (day.burglary, ("contact", "pir"), 2),
    (day.battery, (), 0),
    (day.needless, ("contact", "pir"), 1),
    (day.medical, ("pendant",), 1),
    (day.device, ("flood", "temperature"), 1),
    (day.tamper, ("contact", "pir"), 1),
    (day.holdup, ("button_fixed",), 1),
)


def play(now: datetime, staff: Sequence[Staff]) -> int:
    """Play the past; how many incidents it had."""
    dice = Random(SEED)  # noqa: S311 - a story, no secret
    panels = register.panels()
    before = Incident.objects.count()
    for number in range(INCIDENTS):
        happening, kinds, count = _TURNS[number % len(_TURNS)]
        fit = [p for p in panels if len(p.place.of(*kinds)) >= count]
        panel = dice.choice(fit)
        panels.remove(panel)  # each site once
        ago = timedelta(days=DAYS) * (1 - number / INCIDENTS) - timedelta(
            minutes=dice.random() * 300
        )
        at = now - max(ago, timedelta(hours=3))
        beats = [beat for beat in happening(panel.place, dice) if beat.after_s < _NOT_LONG_S]
        _Past(panel, dice.choice(staff), at, dice).live(beats)
    return Incident.objects.count() - before


class _Past:
    """One site for an hour or so of the past."""

    def __init__(self, panel: Dialler, operator: Staff, at: datetime, dice: Random) -> None:
        self.panel, self.operator, self.now, self.dice = panel, operator, at, dice
        self.seq = dice.randrange(1, 9000)

    def live(self, beats: Sequence[Beat]) -> None:
        """Send the beats at their times; between them the operator works."""
        at = self.now
        coming = []
        for beat in beats:
            at += timedelta(seconds=beat.after_s)
            coming.append((at, beat))
        self._send(coming.pop(0)[1])
        self.now += timedelta(seconds=TAKEN_AFTER_S)
        for _ in range(_MOST_STEPS):
            while coming and coming[0][0] <= self.now:
                at, beat = coming.pop(0)
                self._send(beat)
            cycle.act_on_due(self.now)
            cycle.hand_over(all_sandbox(), self.now)
            if not self._work() and not coming:
                return
            self.now += timedelta(seconds=STEP_S)
        raise RuntimeError(f"the past of {self.panel.place.name} does not end")

    def _send(self, beat: Beat) -> None:
        """From the panel into the journal, and before the judge."""
        who = self.panel.account
        self.seq += 1
        cid = self.panel.dialect == "cid"
        text = contact_id(beat) if cid else sia(beat)
        raw = encode(
            "ADM-CID" if cid else "SIA-DCS", self.seq, who.account, who.receiver, who.line,
            f"#{who.account}|{text}", who.key, self.now,
        )  # fmt: skip
        row = TransmitterRow.objects.get(account=who.account, active=True)
        known = Transmitter(row.pk, row.site_id, who.key)
        directory = Directory([(triple(row.receiver, row.line, row.account), known)])
        origin = Origin(self.panel.transport, "127.0.0.1", 40_000 + self.dice.randrange(9000))
        received = receive(raw, origin, directory, self.now)
        if received is None or received.record.disposition != "accepted":
            raise RuntimeError(f"the frame of {who.account} was not accepted")
        with connection.cursor() as cursor:
            store(cursor, [received.record])
        cycle.judge_all(self.now)

    def _work(self) -> bool:
        """One step at the site's incident; False when there is none open."""
        incident = (
            Incident.objects.filter(site_id=self.panel.place.site_id, closed_at=None)
            .select_related("site__provider")
            .first()
        )
        if incident is None:
            return False
        if incident.state == Incident.State.QUEUED:
            commands.take(self.operator, incident.pk, self.now)
            return True
        if incident.state != Incident.State.TAKEN:
            self.now = max(self.now, (incident.due or self.now) - timedelta(seconds=STEP_S))
            return True
        if incident.unseen:
            commands.see_signals(self.operator, incident.pk, self.now)
            return True
        step = procedures.current(incident_facts(incident, self.now), self.now)
        if step is not None:
            self._do(incident, step)
        still_his = Incident.objects.filter(
            pk=incident.pk, state=Incident.State.TAKEN, holder=self.operator
        )
        if still_his.exists():
            commands.close_as_proposed(self.operator, incident.pk, self.now)
        return True

    def _do(self, incident: Incident, step: Step) -> None:
        if step.do == "request":
            commands.request_service(
                self.operator, incident.pk, step.service, self.now,
                attends="the first contact, 10 min", clause=step.clause,
            )  # fmt: skip
        elif step.do == "patrol":
            commands.send_patrol(self.operator, incident.pk, self.now)
        else:
            self._call(incident, step)

    def _call(self, incident: Incident, step: Step) -> None:
        """The person does what the sandbox would say he does."""
        commands.dial(self.operator, incident.pk, step.id, self.now)
        does = answer(step.to, incident.pk, incident.type, bool(incident.verified_by))
        result = {"yes": "reached", "voicemail": "voicemail"}.get(does.picks_up, "no_answer")
        self.now += timedelta(seconds=20)
        commands.call_result(
            self.operator, incident.pk, step.id, result, does.says, self.now,
            identity=does.gives_code,
        )  # fmt: skip
