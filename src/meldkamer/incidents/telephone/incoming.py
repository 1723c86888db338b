"""Somebody calls the centre (S12.1, S19.1, S20.1, S24.1), or something is opened by hand.

Name and code first. Without them a caller can never stand an alarm down, learn or change anything;
he may always raise an alarm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from meldkamer.contracts import commands as contracts
from meldkamer.contracts.models import TestMode
from meldkamer.incidents import notices
from meldkamer.incidents.deciding.carry_out import Docket
from meldkamer.incidents.deciding.facts import site_facts
from meldkamer.incidents.faults import Refused
from meldkamer.incidents.locking import lock_site
from meldkamer.incidents.models import Incident
from meldkamer.incidents.operating import dispatching
from meldkamer.incidents.operating.calling import dispatch
from meldkamer.incidents.service.testing import end_test, known
from meldkamer.journal import commands as journal
from meldkamer.notify.models import PatrolUnit
from meldkamer.people import callers, identification
from meldkamer.people.models import Staff
from meldkamer.rules import calls, verification
from meldkamer.rules.acts import Close, Enqueue, Open, Say
from meldkamer.sites.faults import Refused as SheetRefused
from meldkamer.sites.models import Site

WISHES = ("false_alarm", "start_test", "end_test", "send_patrol", "help")
_ALARMS = ("intrusion", "sabotage", "holdup", "fire", "medical")
_OTHERS = ("open_close", "external_technical")
_PATROLLED = ("intrusion", "sabotage")
_LIFE = ("holdup", "fire", "medical")
_TECHNICAL = (*_OTHERS, "battery", "power", "line_test", "undefined")
_UNHELD = (Incident.State.WAITING, Incident.State.TEXTING)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a test is about; all empty: the whole site (S20.1)."""

    areas: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


@transaction.atomic
def someone_calls(
    staff: Staff | None,
    site_id: int,
    contact_key: str,
    code: str,
    says: str,
    now: datetime,
    *,
    duration_s: int | None = None,
    identity: str | None = None,
    caller: str = "",
    number: str = "",
    scope: Scope | None = None,
    reason: str = "",
) -> str:
    """A call that comes in: identification, then the wish; returns the identity found.

    identity: given by a rehearsal; None checks name and code. number: the caller's, as the
    telephone shows it; after so many failures it is locked for a while ("locked", S19.1). scope and
    reason: of a test.
    """
    if says not in WISHES:
        raise Refused("S19.1", "unknown wish", expected=list(WISHES))
    site = lock_site(site_id)
    if staff is not None and not staff.providers.filter(pk=site.provider_id).exists():
        raise Refused("M12.3", "another provider's")
    call = _IncomingCall(site, contact_key, staff, now, caller)
    found = identity or call.identity(code, number)
    if found in ("wrong", "none", "locked"):
        call.failed(found, number)
        if says == "help":
            call.help(identified=False)
        return found
    call.identified()
    if found == "duress":
        call.duress()
    else:
        call.do(says, duration_s, scope or Scope(), reason)
    return found


class _IncomingCall:
    """One call, within one transaction with the site locked."""

    def __init__(
        self, site: Site, key: str, staff: Staff | None, now: datetime, caller: str = ""
    ) -> None:
        self.site, self.key, self.now = site, key, now
        self.actor = f"staff:{staff.pk}" if staff else journal.SYSTEM
        self.facts = site_facts(site, now)
        self.person = identification.name_of(site, key) if key else caller

    def _docket(self, incident: Incident | None = None) -> Docket:
        return Docket(self.site, self.facts, self.now, incident=incident, actor=self.actor)

    def _open_incidents(self, types: tuple[str, ...]) -> list[Incident]:
        return list(
            Incident.objects.filter(site=self.site, closed_at=None, type__in=types)
            .select_related("site__provider", "holder")
            .order_by("id")
        )

    def identified(self) -> None:
        """Name and code fit."""
        self._docket().say("identified", "S19.1", to=self.person, data={"key": self.key})

    def identity(self, code: str, number: str) -> str:
        """right, wrong, none, duress; locked when the number failed too often (S19.1)."""
        rules = self.facts.terms.identification
        if number and callers.is_locked(number, self.now):
            return "locked"
        found = identification.check(self.site, self.key, code)
        if number and found in ("right", "duress"):
            callers.cleared(number)
        elif number and found == "wrong":
            callers.failed(number, rules.tries, rules.lock_s, self.now)
        return found

    def failed(self, found: str, number: str) -> None:
        """Name or code is wrong or missing: nothing is told or changed."""
        reason = {"wrong": "wrong code", "none": "no code"}.get(found, "number locked")
        data = {"key": self.key, **({"number": number} if number else {})}
        self._docket().say("identification.failed", "S19.1", reason, to=self.person, data=data)

    def do(self, says: str, duration_s: int | None, scope: Scope, reason: str) -> None:
        """What an identified caller asks for."""
        if says == "false_alarm":
            self.false_alarm()
        elif says == "start_test":
            self.start_test(duration_s, scope, reason)
        elif says == "end_test":
            self.end_tests()
        elif says == "send_patrol":
            self.patrol()
        else:
            self.help(identified=True)

    def false_alarm(self) -> None:
        """S12.1: the open incidents are closed false; with none open it is remembered 5 min.

        Where only technical ones are open the words are about those: told, so handled (R11).
        """
        at_premises = self.key == identification.PREMISES
        incidents = self._open_incidents(_ALARMS) or self._open_incidents(_TECHNICAL)
        for incident in incidents:
            docket = self._docket(incident)
            enough = calls.may_cancel(docket.facts(), at_premises)
            data = {"key": self.key, "says": "false_alarm", "not_enough": not enough}
            docket.carry_out([Say("phoned.in", "S12.1", to=self.person, data=data)])
            if not enough:
                reason = "false alarm not said at the premises"
                docket.carry_out([Say("supervisor.notified", "S15.5", reason)])
            elif incident.type in _ALARMS:
                docket.carry_out([Close("false_alarm", "S12.1")])
            else:
                docket.carry_out([Close("handled", "S12.1")])
        if not incidents:
            until = self.now + timedelta(seconds=self.facts.terms.identification.foretold_s)
            contracts.foretell(self.site, self.person, at_premises, until, self.now)

    def start_test(self, duration_s: int | None, scope: Scope, reason: str) -> None:
        """S20.1: by phone at most 24 h in a row; the whole site, or areas, zones, types."""
        until, shortened = contracts.phone_test_until(
            self.site, duration_s, self.facts.terms, self.now
        )
        if until <= self.now:
            raise Refused("S20.1", "the 24 hours by phone are used; longer in writing")
        try:
            known(self.site, scope.areas, scope.zones)
        except SheetRefused as refused:
            fault = refused.faults[0]
            raise Refused("S20.1", "not on the sheet", **dict(fault.numbers)) from None
        how = "by phone at most 24 h; longer in writing" if shortened else "by phone"
        contracts.start_test(
            self.site, until, self.now, by=self.person, reason=reason.strip() or how,
            areas=scope.areas, zones=scope.zones, types=scope.types, actor=self.actor,
        )  # fmt: skip

    def end_tests(self) -> None:
        """S20.1: ended on request."""
        for test in TestMode.objects.filter(site=self.site, ended_at=None).order_by("id"):
            end_test(test, self.now, by=self.person, actor=self.actor)

    def patrol(self) -> None:
        """S6.1, R11: his words are those of a person consulted in the call of an incident.

        Security and technical: the patrol goes, and what is unverified is closed handled without
        police. Where a patrol is no help (hold-up, fire, medical) the service is next.
        """
        wanted = (*_PATROLLED, *_TECHNICAL, *_LIFE)
        incidents = sorted(self._open_incidents(wanted), key=lambda i: wanted.index(i.type))
        if not incidents:
            self._patrol_without_incident()
            return
        docket = self._docket(incidents[0])
        data = {"key": self.key, "says": "send_patrol"}
        docket.carry_out([Say("phoned.in", "S6.1", to=self.person, data=data)])
        kind = docket.opened.type
        if kind in _LIFE:
            return
        sent = PatrolUnit.objects.filter(incident_id=incidents[0].pk).exists()
        if self.facts.takes("patrol") and not sent:
            dispatch(docket)  # one on its way already is enough
        at_premises = self.key == identification.PREMISES
        facts = docket.facts()
        docket.carry_out(calls.spoken(facts, at_premises, "send_patrol", self.person, self.now))
        # verified, police is the operator's next step; a unit that thinks may yet say no
        verified = kind in _PATROLLED and docket.opened.verified_by
        if not verified and not docket.facts().case.patrol_asked:
            docket.carry_out([Close("handled", "S6.1")])

    def _patrol_without_incident(self) -> None:
        unit = self._send_patrol()
        if unit:
            # no incident follows it, so somebody must
            text = f"{unit}: {self.site.name}"
            notices.add("patrol", "S6.1", text, self.now, site=self.site)

    def _send_patrol(self) -> str:
        """The nearest free unit goes to the site, or the refusal is told; the unit's name."""
        docket = self._docket()
        if not self.facts.takes("patrol"):
            docket.say("patrol.refused", "S6.1", "patrol not taken", to="patrol")
            return ""
        unit = dispatching.send(docket, reason="asked for by phone")
        if unit is None:
            docket.say("patrol.refused", "S6.1", "no patrol free", to="patrol")
            return ""
        return unit.name

    def help(self, *, identified: bool) -> None:
        """S24.1: a hold-up, verified by person, police next; also without a right code."""
        docket = self._holdup("S24.1", "help asked for by phone")
        says = {"key": self.key, "says": "real"} if identified else {"key": self.key}
        if identified:
            docket.carry_out([Say("phoned.in", "S24.1", to=self.person, data=says)])
        docket.carry_out([Say("incident.help", "S24.1", to=self.person, data=says)])
        if not docket.opened.verified_by:
            docket.carry_out([verification.by_person(self.person)])
        self._enqueue(docket, "S24.1")

    def duress(self) -> None:
        """M7.1: sounds accepted; what was asked is not done; police at once."""
        docket = self._holdup("M7.1", "duress code by phone")
        docket.carry_out([Say("incident.duress", "M7.1")])
        self._enqueue(docket, "M7.1")

    def _holdup(self, clause: str, reason: str) -> Docket:
        running = self._open_incidents(("holdup",))
        docket = self._docket(running[0] if running else None)
        if not running:
            priority = self.facts.terms.priority("holdup")
            docket.carry_out([Open("holdup", priority, clause, reason, origin="person")])
            docket.opened.state = Incident.State.WAITING
        return docket

    def _enqueue(self, docket: Docket, clause: str) -> None:
        if docket.opened.state in _UNHELD:
            docket.carry_out([Enqueue(clause)])


def under_duress(site: Site, key: str, staff: Staff, now: datetime) -> None:
    """A duress code in a call that is of no incident: the site's hold-up, police next (M7.1)."""
    _IncomingCall(site, key, staff, now).duress()


@transaction.atomic
def open_by_hand(
    staff: Staff, site_id: int, incident_type: str, reason: str, now: datetime, caller: str = ""
) -> Incident:
    """An incident without any signal, verified by the person who calls (S24.1).

    caller: who says so; the operator himself when nobody is named. A hold-up is a cry for help:
    police is the next step, nobody is called before.
    """
    site = lock_site(site_id)
    if not staff.providers.filter(pk=site.provider_id).exists():
        raise Refused("M12.3", "another provider's")
    if not reason.strip():
        raise Refused("S24.1", "opening by hand has a reason")
    facts = site_facts(site, now)
    if incident_type not in (*_ALARMS, *_OTHERS):
        raise Refused("S24.1", "unknown type", expected=[*_ALARMS, *_OTHERS])
    running = Incident.objects.filter(site=site, type=incident_type, closed_at=None).first()
    if running is not None:
        raise Refused("S24.1", "this incident is open already", incident=running.pk)
    docket = Docket(site, facts, now, actor=f"staff:{staff.pk}")
    priority = facts.terms.priority(incident_type)
    who = caller.strip()[:120] or str(staff)
    docket.carry_out([Open(incident_type, priority, "S24.1", reason, origin="person")])
    if incident_type == "holdup":
        docket.carry_out([Say("incident.help", "S24.1", to=who)])
    docket.carry_out([verification.by_person(who), Enqueue("S24.1")])
    return docket.opened
