"""Acts into rows: the one place where a decision becomes state, journal, agenda and outbox.

Everything here runs in the caller's transaction, with the site locked. `Docket` is one incident
being worked on; its history grows with what it writes, so the next decision sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, TypedDict

import msgspec

from meldkamer.agenda import commands as agenda
from meldkamer.contracts import commands as contracts
from meldkamer.incidents import notices
from meldkamer.incidents.deciding import floods, gathering
from meldkamer.incidents.deciding.facts import history, incident_facts
from meldkamer.incidents.messages import papers
from meldkamer.incidents.models import Incident
from meldkamer.incidents.service import needless
from meldkamer.journal import commands as journal
from meldkamer.notify import commands as notify
from meldkamer.notify.models import OutboxMessage
from meldkamer.people.models import Staff
from meldkamer.rules import queue
from meldkamer.rules.acts import (
    Act,
    Announce,
    BecomeHoldup,
    Close,
    Enqueue,
    HoldBack,
    LadderWait,
    Mail,
    Open,
    Push,
    Say,
    Text,
    Verify,
    Wait,
)
from meldkamer.rules.facts import IncidentFacts, Past, SiteFacts
from meldkamer.rules.settle import settle
from meldkamer.sites.models import Site

DUE = "incident.due"
#: a message of the app that no carrier took for too long (see `another_way`)
APP_DUE = "app.unsent"
#: the lines of the journal that a rung of the ladder leaves
RUNG_LINES = ("sms.sent", "call.announced")
#: a call that nobody answered with a key (S7.2)
UNANSWERED = "message.unanswered"
_WRITTEN = (*RUNG_LINES, "app.sent", "mail.sent", "letter.sent")
_OPERATORS, _SYSTEM = "operators", "system"
# what a transmitter sends may be of any length; the journal keeps it whole
_LONGEST = 64


class Docket:
    """A site, and where there is one its incident, within one transaction."""

    def __init__(
        self,
        site: Site,
        facts: SiteFacts,
        now: datetime,
        *,
        incident: Incident | None = None,
        actor: str = journal.SYSTEM,
        signal_id: int | None = None,
        past: list[Past] | None = None,
    ) -> None:
        """past: the incident's history when it was read already; it grows with this docket."""
        self.site = site
        self.site_facts = facts
        self.now = now
        self.actor = actor
        self.signal_id = signal_id
        self.incident = incident
        self._past: list[Past] | None = past if incident else []

    @property
    def opened(self) -> Incident:
        """The incident; a programming error when there is none."""
        if self.incident is None:
            raise LookupError("this docket has no incident")
        return self.incident

    def facts(self) -> IncidentFacts:
        """The incident as the rules see it at this moment of the transaction."""
        return incident_facts(self.opened, self.now, self.site_facts, self._history())

    def _history(self) -> list[Past]:
        if self._past is None:
            gathering.put_down()
            self._past = list(history(self.opened.pk))
        return self._past

    def wrote(self) -> bool:
        """Whether somebody was written to in this incident already."""
        return any(past.what in _WRITTEN for past in self._history())

    def say(
        self,
        what: str,
        clause: str = "",
        reason: str = "",
        to: str = "",
        data: dict[str, Any] | None = None,
    ) -> None:
        """Write an entry about this incident, or about the site alone."""
        journal.write(
            what,
            self.now,
            provider_id=self.site.provider_id,
            site_id=self.site.pk,
            incident_id=self.incident.pk if self.incident else None,
            signal_id=self.signal_id,
            incident_type=self.incident.type if self.incident else "",
            to=to,
            clause=clause,
            reason=reason,
            actor=self.actor,
            data=data,
        )
        if self._past is not None:
            self._past.append(Past(self.now, what, to, clause, data or {}))

    def carry_out(self, acts: Iterable[Act]) -> None:
        """Carry out decisions in order."""
        for act in acts:
            _CARRIERS[type(act)](self, act)

    def save(self, *fields: str) -> None:
        """Store changed fields of the incident, count its version, wake the consoles."""
        incident = self.opened
        incident.version += 1
        gathering.changed(incident, (*fields, "version"))
        journal.announce(f"incident:{incident.pk}")

    def call_in_supervisor(self) -> None:
        """Verified after the first pass: the supervisor is called in at once (S15.3)."""
        if self.opened.state in (Incident.State.WAITING, Incident.State.TAKEN):
            self.carry_out(act for act in settle(self.facts(), self.now) if isinstance(act, Say))

    def move(
        self,
        state: str,
        owner: str,
        due: datetime,
        wait_for: str = "",
        holder: Staff | None = None,
        also: Iterable[str] = (),
    ) -> None:
        """Into a state, with its owner and due time; the deadline is put on the agenda (M12.2)."""
        incident = self.opened
        incident.state, incident.owner, incident.due = state, owner, due
        incident.wait_for = wait_for
        incident.holder = holder
        self.save("state", "owner", "due", "wait_for", "holder", *also)
        subject = f"incident:{incident.pk}"
        payload = {"incident": incident.pk}
        agenda.schedule(DUE, subject, due, self.now, urgency=incident.priority, payload=payload)


def _say(docket: Docket, act: Say) -> None:
    docket.say(act.what, act.clause, act.reason, act.to, dict(act.data))
    if act.what == "supervisor.notified" and docket.incident is not None:
        # a line in the course alone is read by nobody who has not opened it
        notices.add(
            "supervisor", act.clause, act.reason, docket.now, site=docket.site,
            incident=docket.incident,
        )  # fmt: skip


def _open(docket: Docket, act: Open) -> None:
    facts = docket.site_facts
    terms = facts.terms
    procedure = terms.procedure(act.type)
    first_due = queue.first_due(docket.now, terms)
    docket.incident = Incident(
        provider_id=docket.site.provider_id,
        site=docket.site,
        type=act.type,
        area=act.area[:_LONGEST],
        priority=act.priority,
        opened_at=docket.now,
        state=Incident.State.QUEUED,
        owner=_OPERATORS,
        due=first_due,
        in_trial=facts.in_trial(docket.now),
        origin=act.origin,
        zone=(act.zone or "")[:_LONGEST],
        code=act.code[:_LONGEST],
        terms=terms.name,
        procedure=msgspec.to_builtins(procedure),
    )
    gathering.opened(docket.incident)
    # whatever happens next moves this; nothing is ever open without it
    agenda.schedule(
        DUE,
        f"incident:{docket.incident.pk}",
        first_due,
        docket.now,
        urgency=act.priority,
        payload={"incident": docket.incident.pk},
    )
    docket._past = []
    data = {"type": act.type, "priority": act.priority, **act.line}
    if act.area:
        data["area"] = act.area
    if procedure.version:  # changed by sheet or provider (S14.1)
        data["procedure"] = f"{procedure.name}, {procedure.scope} v{procedure.version}"
    docket.say("incident.opened", act.clause, act.reason, data=data)


def _verify(docket: Docket, act: Verify) -> None:
    docket.opened.verified_by = act.by
    docket.say("incident.verified", act.clause, data={"by": act.by, **act.evidence})
    docket.save("verified_by")


def _wait(docket: Docket, act: Wait) -> None:
    docket.say(
        "incident.waiting",
        act.clause,
        data={"until": act.until.isoformat(), "for": act.purpose},
    )
    docket.move(Incident.State.WAITING, _SYSTEM, act.until, act.purpose)


def _enqueue(docket: Docket, act: Enqueue) -> None:
    incident = docket.opened
    docket.say("incident.queued", act.clause, act.reason)
    incident.rung, incident.queued_at = 0, docket.now
    due = queue.first_due(docket.now, docket.site_facts.terms)
    docket.move(Incident.State.QUEUED, _OPERATORS, due, also=("rung", "queued_at"))


def wait_until(incident: Incident, due: datetime, now: datetime) -> None:
    """An incident that waits for an answer waits until then; its row on the agenda moves with it.

    The caller holds the lock of its site. Nothing is said of it: the wait began with the text.
    """
    incident.due = due
    incident.version += 1
    gathering.changed(incident, ("due", "version"))
    journal.announce(f"incident:{incident.pk}")
    subject, payload = f"incident:{incident.pk}", {"incident": incident.pk}
    agenda.schedule(DUE, subject, due, now, urgency=incident.priority, payload=payload)


def _ladder_wait(docket: Docket, act: LadderWait) -> None:
    docket.move(Incident.State.TEXTING, _SYSTEM, act.until)


def message_facts(docket: Docket) -> dict[str, object]:
    """What a message about this incident may name."""
    incident, facts = docket.incident, docket.site_facts
    number = incident.zone if incident else ""
    zone = facts.zones.get(number)
    return {
        "provider": docket.site.provider.name,
        "phone": docket.site.provider.emergency_phone,
        "site": facts.name,
        "type": incident.type if incident else "",
        "zone": (zone.name if zone and zone.name else number) or "",
    }


class _OfIncident(TypedDict):
    provider_id: int
    incident_id: int | None
    first_of_incident: bool
    urgency: int


def of_incident(docket: Docket) -> _OfIncident:
    """What its way out has to know: whose message it is, and whether an alarm waits for it."""
    incident = docket.incident
    return {
        "provider_id": docket.site.provider_id,
        "incident_id": incident.pk if incident else None,
        "first_of_incident": incident is not None and not docket.wrote(),
        "urgency": incident.priority if incident else agenda.OF_NO_CLASS,
    }


_LINE = {"sms": "sms.sent", "voice": "call.announced", "app": "app.sent", "mail": "mail.sent"}


def _to_contact(
    docket: Docket,
    channel: str,
    key: str,
    template: str,
    clause: str,
    data: dict[str, Any],
) -> OutboxMessage:
    contact = docket.site_facts.contact(key)
    if contact is None:
        raise LookupError(f"no contact {key} at site {docket.site.pk}")
    facts = {**message_facts(docket), **data}
    message = notify.send(
        channel,
        template,
        address=contact.email if channel == "mail" else contact.phone or contact.email,
        recipient=contact.name,
        language=contact.language,
        clause=clause,
        now=docket.now,
        facts=facts,
        site_id=docket.site.pk,
        contact_id=contact.id,
        cloud=data.get("cloud", ""),
        **of_incident(docket),
    )
    line = {"key": key, "message": message.pk, **data}
    if channel == "mail":
        line["subject"] = message.subject
    # a mail to the first contact is one to the customer (R9)
    customer = channel == "mail" and contact == docket.site_facts.contacts[0]
    docket.say(_LINE[channel], clause, to="customer" if customer else contact.name, data=line)
    return message


def _text(docket: Docket, act: Text) -> None:
    data: dict[str, Any] = {"purpose": act.purpose, "round": act.round}
    _to_contact(docket, "sms", act.contact_key, act.purpose, act.clause, data)


def _announce(docket: Docket, act: Announce) -> None:
    data: dict[str, Any] = {"purpose": "ladder", "round": act.round}
    _to_contact(docket, "voice", act.contact_key, "announced", act.clause, data)


def _push(docket: Docket, act: Push) -> None:
    facts = docket.site_facts
    # S8.3, S8.5: through which cloud, and who manages it there; our own app says nothing of it
    via = {"cloud": facts.app_cloud, "managed_by": facts.app_managed_by}
    data = via if facts.app_cloud else {}
    message = _to_contact(docket, "app", act.contact_key, "app", act.clause, data)
    app = facts.terms.app
    if app.instead and docket.incident is not None:
        due = docket.now + timedelta(seconds=app.after_s)
        payload = {"message": message.pk, "incident": docket.incident.pk}
        agenda.schedule(APP_DUE, f"message:{message.pk}", due, docket.now, payload=payload)


def address_of(site: Site) -> str:
    """Where letters to a customer go."""
    return f"{site.street}, {site.postal_code} {site.town}".strip(", ")


def _mail(docket: Docket, act: Mail) -> None:
    if act.to not in ("customer", "installer"):
        _to_contact(docket, "mail", act.to, act.template, act.clause, dict(act.data))
        return
    site = docket.site
    to = site.customer if act.to == "customer" else site.installer
    # a customer without an address for mail is written to at the site
    by_letter = act.to == "customer" and not site.customer.email
    home = address_of(site)
    message = notify.send(
        "letter" if by_letter else "mail",
        act.template,
        address=home if by_letter else to.email if to else site.provider.office_email,
        recipient=to.name if to else "installer",
        language=to.language if to else site.language,
        clause=act.clause,
        now=docket.now,
        facts={**message_facts(docket), **act.data},
        site_id=site.pk,
        **of_incident(docket),
    )
    data = {"subject": message.subject, "message": message.pk, **act.data}
    if act.papers:
        data |= papers.go_with(message, act.papers)
    docket.say("letter.sent" if by_letter else "mail.sent", act.clause, to=act.to, data=data)


def _become_holdup(docket: Docket, act: BecomeHoldup) -> None:
    incident, terms = docket.opened, docket.site_facts.terms
    if incident.type != "holdup":
        # beside a hold-up that is open already: each is an incident of its own (R10)
        incident.type, incident.area, incident.origin = "holdup", "", "duress"
        incident.priority = terms.priority("holdup")
        incident.procedure = msgspec.to_builtins(terms.procedure("holdup"))
        docket.save("type", "area", "priority", "procedure", "origin")
    docket.say("incident.duress", act.clause)


def _close(docket: Docket, act: Close) -> None:
    incident = docket.opened
    outcome = act.outcome
    if _third_missed_test(docket):
        if outcome == Incident.Outcome.NOTIFIED:
            outcome = Incident.Outcome.UNWATCHED
        data = {"count": docket.site_facts.terms.line_test.handled}
        for to in ("customer", "installer"):
            _mail(docket, Mail(to, "line_test_unwatched", "S10.3", data))
    if outcome == Incident.Outcome.FALSE_ALARM:
        # here, because it writes by this module's docket
        from meldkamer.incidents.telephone import handing_over

        handing_over.take_back(docket)
    docket.say("incident.closed", act.clause, act.reason, data={"outcome": outcome})
    counted = docket.facts().case.operator_called and not incident.in_trial
    incident.closed_at, incident.outcome = docket.now, outcome
    incident.unseen = 0
    incident.state, incident.owner, incident.due = Incident.State.CLOSED, None, None
    incident.holder, incident.wait_for = None, ""
    docket.save("closed_at", "outcome", "unseen", "state", "owner", "due", "holder", "wait_for")
    agenda.strike(DUE, f"incident:{incident.pk}", docket.now)
    if counted:
        _count(docket)
    if outcome == Incident.Outcome.FALSE_ALARM:
        needless.count(docket)


def _third_missed_test(docket: Docket) -> bool:
    """Whether the incident holds the last missed test that is handled (S10.3, R20)."""
    if docket.opened.type != "line_test":
        return False
    handled = docket.site_facts.terms.line_test.handled
    return any(
        past.what in ("line_test.missed", "incident.opened") and past.data.get("count") == handled
        for past in docket.facts().history
    )


def _count(docket: Docket) -> None:
    incident, terms = docket.opened, docket.site_facts.terms
    handling = contracts.count_handling(docket.site, incident.pk, incident.type, terms, docket.now)
    if handling is None:
        return
    clause = "D904.3" if terms.plans[docket.site.plan].counted_types else "S13.1"
    docket.say(
        "handling.counted",
        clause,
        data={
            "used": handling.used,
            "included": handling.included,
            "billable": handling.billable,
        },
    )


_CARRIERS: dict[type, Callable[[Docket, Any], None]] = {
    Say: _say,
    Open: _open,
    Verify: _verify,
    Wait: _wait,
    Enqueue: _enqueue,
    Text: _text,
    Announce: _announce,
    LadderWait: _ladder_wait,
    Push: _push,
    Mail: _mail,
    BecomeHoldup: _become_holdup,
    HoldBack: floods.begin,
    Close: _close,
}
