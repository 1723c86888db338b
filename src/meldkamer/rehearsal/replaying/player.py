"""Plays a site's past: the production code decides, people do what they did, as fast as they did.

One play is one transaction in a scratch database, rolled back when it is over.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from meldkamer.incidents import commands
from meldkamer.incidents.faults import Refused
from meldkamer.incidents.models import Incident
from meldkamer.incidents.operating import patrols
from meldkamer.incidents.telephone import incoming
from meldkamer.journal.synthetic import store_synthetic
from meldkamer.notify.models import OutboxMessage
from meldkamer.people.models import Staff
from meldkamer.rehearsal import happenings, operators
from meldkamer.rehearsal.operators import Operator
from meldkamer.rehearsal.player import Player
from meldkamer.rehearsal.replaying.past import Happened, PastIncident, Sent, SitePast, told
from meldkamer.rehearsal.replaying.retelling import (
    Doing,
    Record,
    by_hand,
    furnish,
    outside,
)
from meldkamer.rehearsal.story import EventPart
from meldkamer.rehearsal.world import World
from meldkamer.sites.models import ProcedureVersion
from meldkamer.watch import commands as watch

_SIA, _CONTACT_ID = 2, 4


class Paced(Operator):
    """An operator who takes as long for each step as somebody took then."""

    def __init__(self, staff: Staff, record: Record) -> None:
        self.record = record
        super().__init__(staff, timedelta(0))

    @property
    def pace(self) -> timedelta:
        """The time of the step at hand."""
        played = Incident.objects.filter(pk=self.incident or 0).first()
        return self.record.pace(played) if played else self.record.usual()

    @pace.setter
    def pace(self, _value: timedelta) -> None:
        """What the story says of the pace counts for nothing here."""


class Replayer(Player):
    """A past being played."""

    def __init__(self, world: World, record: Record) -> None:
        super().__init__(world)
        self.record = record
        self.operators = [Paced(staff, record) for staff in world.operators]
        self.doings = _doings(record)
        world.answers = record.answer

    def _next(self) -> datetime | None:
        waiting = [self.record.taken_at(incident) for incident in self._queued()]
        times = [at for at in (super()._next(), *(at for at, _do in self.doings[:1])) if at]
        times += [at for at in waiting if at > self.now]
        return min(times, default=None)

    def _event(self) -> bool:
        if not self.doings or self.doings[0][0] > self.now:
            return False
        _at, do = self.doings.pop(0)
        with transaction.atomic():
            do(self.world, self.now)
        self.stirred = True
        return True

    def _queued(self) -> list[Incident]:
        return list(Incident.objects.filter(state=Incident.State.QUEUED).order_by("id"))

    def _take(self) -> bool:
        """Each incident is taken when it was taken then, by whoever is free."""
        self._look_up()
        for operator in self.operators:
            if operator.incident is not None and operator.until is None:
                operators.take(operator, self.now)
                return True
        free = next((o for o in self.operators if o.incident is None), None)
        ready = [i for i in self._queued() if self.record.taken_at(i) <= self.now]
        if free is None or not ready:
            return False
        commands.take(free.staff, ready[0].pk, self.now)
        free.incident = ready[0].pk
        operators.take(free, self.now)
        self.stirred = True
        return True

    def _note_texts(self) -> None:
        """Each text is answered as the same text was answered then."""
        texts = OutboxMessage.objects.filter(
            channel="sms", state=OutboxMessage.State.HANDED_OVER, incident_id__isnull=False,
            pk__gt=self.answered_to,
        ).order_by("id")  # fmt: skip
        for text in texts:
            self.answered_to = text.pk
            played = Incident.objects.get(pk=text.incident_id or 0)
            for delay, words in self.record.replies(text, played):
                at = (text.handed_over_at or self.now) + delay
                self.replies.append((at, text.pk, text.address, words))


@dataclass(frozen=True, slots=True)
class Played:
    """One incident as it was played; `then` is the recorded one, None when there was none."""

    then: PastIncident | None
    now: PastIncident
    assumed: tuple[str, ...]


def play(past: SitePast, terms: str, draft: ProcedureVersion | None = None) -> list[Played]:
    """The incidents that the past gives under these terms, in order of opening."""
    with transaction.atomic():
        world = furnish(past, terms, draft)
        record = Record(past, world)
        Replayer(world, record).play()
        rows = Incident.objects.filter(provider=world.provider).order_by("opened_at", "id")
        told = [_told(row, record) for row in rows]
        transaction.set_rollback(True)
    return told


def _told(row: Incident, record: Record) -> Played:
    assumed = tuple(dict.fromkeys(record.assumed.get(row.pk, [])))
    return Played(record.incident(row), told(row), assumed)


# --- what happened outside, through the doors that production has for it


def _doings(record: Record) -> list[tuple[datetime, Doing]]:
    past = record.past
    found: list[tuple[datetime, Doing]] = [(past.start, _asked_for_in_writing(past))]
    for sent in past.signals:
        doing = _signal(sent)
        if doing is None:
            past.notes.append(f"a signal {sent.code!r} cannot be sent again")
        else:
            found.append((sent.at, doing))
    for at, by, from_premises in past.foretold:
        found.append((at, _foretold(record, by, from_premises)))
    found += [(i.opened_at, _by_hand(i)) for i in past.incidents if by_hand(i)]
    said: set[tuple[datetime, str]] = set()
    for entry in outside(past):
        doing = _outside(record, entry, said)
        if doing is not None:
            found.append((entry.at, doing))
    return sorted(found, key=lambda one: one[0])


def _asked_for_in_writing(past: SitePast) -> Doing:
    """Unknown codes that were handled then are handled again (S10.5)."""
    codes = {s.code for s in past.signals if s.type == "undefined"}

    def do(world: World, now: datetime) -> None:
        for code in sorted(codes):
            watch.handle_undefined(next(iter(world.sites.values())), code, now)

    return do


def _signal(sent: Sent) -> Doing | None:
    if sent.watch:
        return lambda world, now: _watch_signal(world, sent, now)
    letters = len(sent.code) == _SIA and sent.code.isalnum()
    if not letters and not (len(sent.code) == _CONTACT_ID and sent.code[0] in "136"):
        return None
    event = EventPart(
        at=sent.at, signal=sent.code, zone=sent.zone or None, area=sent.area or None,
        user=sent.user or None,
    )  # fmt: skip
    return lambda world, now: happenings.signal(world, event, now)


def _watch_signal(world: World, sent: Sent, now: datetime) -> None:
    found = {k: v for k, v in sent.detail.items() if k in ("count", "expected", "how")}
    store_synthetic(
        site_id=next(iter(world.sites.values())).pk, at=now, code=sent.code, role=sent.role,
        signal_type=sent.type, area=sent.area or None,
        restores_type=sent.detail.get("restores_type"), found=found,
    )  # fmt: skip


def _foretold(record: Record, by: str, from_premises: bool) -> Doing:
    key = "premises"
    if not from_premises:
        known = next((f"c{id_}" for id_, name, *_ in record.past.contacts if name == by), "")
        key = record.played_key(known)
    return _phone(key, "false_alarm", "right")


def _outside(record: Record, entry: Happened, said: set[tuple[datetime, str]]) -> Doing | None:
    what, data = entry.what, entry.data
    key = record.played_key(str(data.get("key", "")))
    if what == "images.judged":
        event = EventPart(at=entry.at, camera=data.get("images", "nothing"))
        return lambda world, now: happenings.camera(world, event, now)
    if what == "police.requested":
        override = EventPart(at=entry.at, operator="override_police", reason=entry.reason)
        return lambda world, now: happenings.operator(world, override, now)
    if what in ("patrol.arrived", "patrol.done"):
        unit, finding = str(data.get("unit", entry.to)), str(data.get("finding", ""))
        state = what.partition(".")[2]
        return lambda world, now: patrols.report(
            world.provider.pk, unit, state, now, finding=finding
        )
    says = {"S12.1": "false_alarm", "S6.1": "send_patrol"}.get(entry.clause, "help")
    if (entry.at, says) in said:
        return None  # one call, told in several incidents
    said.add((entry.at, says))
    if what == "incident.opened":
        return _phone(key, "help", "duress")
    identity = "right" if data.get("says") else "none"
    return _phone(key, says, identity)


def _by_hand(past: PastIncident) -> Doing:
    def do(world: World, now: datetime) -> None:
        site = next(iter(world.sites.values()))
        with suppress(Refused):
            incoming.open_by_hand(world.operators[0], site.pk, past.type, by_hand(past), now)

    return do


def _phone(key: str, says: str, identity: str) -> Doing:
    def do(world: World, now: datetime) -> None:
        site = next(iter(world.sites.values()))
        with suppress(Refused):
            incoming.someone_calls(None, site.pk, key, "", says, now, identity=identity)

    return do
