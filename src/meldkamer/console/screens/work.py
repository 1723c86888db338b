"""The work panel: what the current step asks of the operator, and nothing else.

One filled button, one key. Kinds: call, ringing, service, sheet (of a service that was asked for),
patrol, closing, waiting, take, done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _

from meldkamer.console import wording
from meldkamer.console.screens import steps as step_rows
from meldkamer.console.screens.call_sheet import CallSheet, call_sheet
from meldkamer.console.screens.exchange import Hint, hint
from meldkamer.console.screens.steps import Ringing, StepRow
from meldkamer.console.timing import clock
from meldkamer.incidents.models import Incident
from meldkamer.notify import fault_words
from meldkamer.notify.desk import queries as desk_queries
from meldkamer.people.models import Staff
from meldkamer.rules import calls, procedures, running_call
from meldkamer.rules.acts import Close
from meldkamer.rules.facts import NUMBER, PREMISES, IncidentFacts
from meldkamer.rules.procedures import Step
from meldkamer.sites.models import Zone
from meldkamer.sites.service_numbers import SERVICES

#: what a digit means after a call: (digit, result, says)
REACHED = (
    ("1", "reached", "real"),
    ("2", "reached", "false_alarm"),
    ("3", "reached", "coming"),
    ("4", "reached", "send_patrol"),
    ("9", "reached", "nothing"),
)
NOT_REACHED = (
    ("5", "no_answer", ""),
    ("6", "voicemail", ""),
    ("7", "busy", ""),
    ("8", "wrong_number", ""),
)
#: in a call that only informs there is nothing to decide
INFORMED = (("1", "reached", "nothing"),)


@dataclass(frozen=True, slots=True)
class Choice:
    """A result under a digit."""

    digit: str
    result: str
    says: str
    words: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may identify himself."""

    key: str
    name: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """The name and code check of the call that runs (S19.1)."""

    people: tuple[Person, ...]
    outcome: str
    name: str
    at: str
    left: int


@dataclass(frozen=True, slots=True)
class Work:
    """The panel."""

    kind: str
    step: Step | None = None
    who: str = ""
    sub: str = ""
    number: str = ""
    since: datetime | None = None
    reached: tuple[Choice, ...] = ()
    not_reached: tuple[Choice, ...] = ()
    say: str = ""
    identity: Identity | None = None
    sheet: CallSheet | None = None
    proposed: Close | None = None
    until: datetime | None = None
    why: str = ""
    out_of_turn: bool = False
    may_override: bool = False
    # of an external technical alarm: each device, and whom to call about it (D904.2)
    devices: tuple[tuple[str, str], ...] = ()
    # what the exchange says of the call that runs
    hint: Hint | None = None
    # in practice nobody outside is called, by no telephone
    practice: bool = False


def work(
    incident: Incident,
    facts: IncidentFacts,
    rows: Sequence[StepRow],
    staff: Staff,
    now: datetime,
    wanted: str = "",
) -> Work:
    """The panel for one person; `wanted` is a step that he chose out of turn."""
    if incident.state == Incident.State.CLOSED:
        return Work("done", why=wording.word(wording.OUTCOMES, str(incident.outcome)))
    override = _may_override(facts, staff)
    if incident.state in (Incident.State.WAITING, Incident.State.TEXTING):
        why = wording.word(wording.WAITS, incident.wait_for or "")
        return Work("waiting", until=incident.due, why=why, may_override=override)
    if incident.holder_id != staff.pk:
        return Work("take", may_override=override)
    found = replace(
        _open(incident, facts, rows, staff, now, wanted),
        practice=incident.site.provider.practice,
        may_override=override,
        devices=_devices(incident, facts),
    )
    return replace(found, until=incident.due) if incident.state == Incident.State.HELD else found


def _devices(incident: Incident, facts: IncidentFacts) -> tuple[tuple[str, str], ...]:
    """What the zones of an external technical alarm watch, and their service (S10.4, D904.2).

    At the house these are carriers: all that failed in this incident, each with its own help desk.
    """
    if incident.type != "external_technical" or not incident.zone:
        return ()
    house = bool(facts.site.help_desks)
    numbers = {s.zone for s in facts.signals if s.zone} if house else {incident.zone}
    zones = Zone.objects.filter(site_id=incident.site_id, number__in=numbers).order_by("pk")
    return tuple(
        (
            ", ".join(
                part
                for part in (zone.name, fault_words.said(zone.detector) if house else zone.detector)
                if part
            ),
            zone.service_phone,
        )
        for zone in zones
    )


def _open(
    incident: Incident,
    facts: IncidentFacts,
    rows: Sequence[StepRow],
    staff: Staff,
    now: datetime,
    wanted: str,
) -> Work:
    rings = step_rows.ringing(facts.history)
    if rings is not None:
        step = _step_of(rows, rings.key)
        if step is not None:
            return _ringing(facts, step, rings, staff)
    chosen = next((row.step for row in rows if wanted and row.step.id == wanted), None)
    service = wanted.removeprefix("request:")
    if wanted != service and service in SERVICES and chosen is None:
        chosen = Step(id=wanted, do="request", clause="B1", service=service, state="allowed")
    due = procedures.current(facts, now)
    step = chosen or due
    if step is None:
        return Work("closing", proposed=procedures.proposed_close(facts, now))
    turn = due is None or step.id != due.id
    if step.do == "patrol":
        return Work("patrol", step, wording.word(wording.SERVICES, "patrol"), out_of_turn=turn)
    if step.do == "request":
        return replace(_service(incident, facts, step, staff, now), out_of_turn=turn)
    return Work(
        "call",
        step,
        who=step_rows.title(facts, step),
        sub=_language(facts, step),
        number=step.phone,
        say=_say(facts, step, staff),
        out_of_turn=turn,
    )


def _step_of(rows: Sequence[StepRow], key: str) -> Step | None:
    return next(
        (r.step for r in rows if r.step.to == key and r.step.do in ("call", "inform")), None
    )


def _ringing(facts: IncidentFacts, step: Step, rings: Ringing, staff: Staff) -> Work:
    inform = step.do == "inform"
    return Work(
        "ringing",
        step,
        who=step_rows.title(facts, step),
        sub=_language(facts, step),
        number=step.phone,
        since=rings.since,
        hint=_hint(facts, step.to, rings.since),
        reached=_choices(INFORMED if inform else REACHED, inform),
        not_reached=_choices(NOT_REACHED, inform),
        say=_say(facts, step, staff),
        identity=_identity(facts, step) if calls.needs_identification(facts, step) else None,
    )


def _choices(rows: Sequence[tuple[str, str, str]], inform: bool) -> tuple[Choice, ...]:
    words = {
        "real": _("Real alarm"),
        "false_alarm": _("False alarm, code"),
        "coming": _("Comes to the site"),
        "send_patrol": _("Asks for a patrol"),
        "nothing": _("Informed") if inform else _("Nothing of use"),
        "no_answer": _("No answer"),
        "voicemail": _("Voicemail"),
        "busy": _("Engaged"),
        "wrong_number": _("Wrong number"),
    }
    return tuple(Choice(digit, result, says, words[says or result]) for digit, result, says in rows)


def _language(facts: IncidentFacts, step: Step) -> str:
    contact = facts.site.contact(step.to)
    return (contact.language if contact else facts.site.language).upper()


def _say(facts: IncidentFacts, step: Step, staff: Staff) -> str:
    """What to say, in the language of who is called."""
    named = [step.to.removeprefix(NUMBER)] if step.to.startswith(NUMBER) else []
    # whoever mends one thing is not told of the others
    of_it = named if named and named[0] in facts.site.help_desks else ()
    zones = [
        zone.name or number
        for number in of_it or dict.fromkeys(s.zone for s in facts.signals if s.zone)
        if (zone := facts.site.zones.get(number))
    ]
    contact = facts.site.contact(step.to)
    with translation.override((contact.language if contact else facts.site.language) or "en"):
        what = wording.within(wording.word(wording.TYPES, facts.type))
        if step.do == "inform" or not calls.needs_identification(facts, step):
            text = _(
                "“%(me)s of the %(house)s alarm centre."
                " A message from %(site)s: %(what)s%(zones)s.”"
            )
        else:
            text = _(
                "“%(me)s of the %(house)s alarm centre. An alarm at %(site)s: %(what)s%(zones)s."
                " Your name and your code, may I ask?”"
            )
        return text % {
            "me": staff.get_full_name() or staff.username,
            "house": facts.terms.house.name,
            "site": facts.site.name,
            "what": what,
            "zones": f" ({', '.join(zones)})" if zones else "",
        }


def _identity(facts: IncidentFacts, step: Step) -> Identity:
    outcome, name, at, tries, left = "", "", "", 0, facts.terms.identification.tries
    for past in facts.history:
        if past.what in running_call.BEGINS:
            outcome, name, at, tries = "", "", "", 0
        elif past.what == "identity.checked":
            outcome = str(past.data.get("outcome", ""))
            name, at = past.to, clock(past.at, facts.site.timezone)
            tries += outcome in ("wrong", "none")
    people = [Person(c.key, c.name, c.key == step.to) for c in facts.site.contacts]
    if step.to == PREMISES:
        person = facts.site.premises_person or _("somebody at the premises")
        people.insert(0, Person(PREMISES, person, True))
    return Identity(tuple(people), outcome, name, at, max(0, left - tries))


def _service(
    incident: Incident, facts: IncidentFacts, step: Step, staff: Staff, now: datetime
) -> Work:
    refused = procedures.request_refusal(facts, step.service, now)
    asked = step.service in facts.case.requested
    sheet = call_sheet(incident, facts, step.service, staff, now)
    dialled = [p for p in facts.history if p.what == "service.dialled" and p.to == step.service]
    return Work(
        "sheet" if asked else "service",
        step,
        who=wording.word(wording.SERVICES, step.service),
        number=sheet.number,
        sheet=sheet,
        why=wording.reason(refused.reason) if refused and not asked else "",
        hint=_hint(facts, step.service, dialled[-1].at) if dialled else None,
    )


def _hint(facts: IncidentFacts, key: str, since: datetime) -> Hint | None:
    """What the exchange says of this call."""
    call = desk_queries.last_call(incident_id=facts.id)
    return hint(call, key, since, facts.site.timezone)


def _may_override(facts: IncidentFacts, staff: Staff) -> bool:
    return (
        staff.is_supervisor
        and "police" not in facts.case.requested
        and facts.type in (*facts.terms.verification.types, "holdup")
    )
