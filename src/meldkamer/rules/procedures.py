"""What an operator does next, derived from what happened (M3.1); never a stored program counter.

`current` is the one step with the one key; `offered` shows all of them with state, reason and
clause. A forbidden step keeps its place and says why. The procedure is data, frozen into the
incident when it opened.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain

from meldkamer.rules import services
from meldkamer.rules.acts import Close
from meldkamer.rules.facts import NUMBER, PREMISES, CallMade, IncidentFacts
from meldkamer.terms import model

# types in which "send a patrol" means a patrol; in the others it means the service (R11)
_SERVICE_FIRST = ("holdup", "fire", "medical")


@dataclass(frozen=True, slots=True)
class Step:
    """A step as the console shows it and a rehearsal's operator does it.

    do: call, inform, request, patrol. state: done, now, next, allowed, waived, not_allowed.
    `to` is a key of the history: premises or c<id>.
    """

    id: str
    do: str
    clause: str
    to: str = ""
    name: str = ""
    phone: str = ""
    service: str = ""
    state: str = "next"
    reason: str = ""
    missing: tuple[str, ...] = ()
    conditions: tuple[tuple[str, bool], ...] = ()
    result: str = ""
    says: str = ""
    at: datetime | None = None
    round: int = 1
    leave_message: bool = False
    identify: str = ""


def current(incident: IncidentFacts, now: datetime, since: datetime | None = None) -> Step | None:
    """The step that is due now; None when nothing is left for an operator to do.

    `since` is when the step begins: 120 s after a fire it is the request of the service (R31).
    """
    case, procedure = incident.case, incident.procedure
    if case.false_alarm and not case.duress:
        return None
    if case.duress or case.called_for_help:
        if "police" in case.requested | case.refused:
            return None
        return _request_step("police", "M7.1" if case.duress else "S24.1")
    if procedure is None:
        return None
    request = service_step(procedure)
    if request is not None and request.service in case.requested:
        return _inform(incident, procedure)
    if case.patrol_wanted and not case.patrol_settled and incident.type not in _SERVICE_FIRST:
        return _patrol_step()
    target = next_target(incident)
    if request is not None and _ready(incident, request, target is None):
        return _request_step(str(request.service), request.clause)
    if case.consulted:
        return _desk_to_call(incident)
    if target is not None:
        if request is not None and _overdue(incident, request, since or now, now):
            return _request_step(str(request.service), request.clause)
        return _patrol_step() if _patrol_in_turn(incident, now) else target
    return _patrol_step() if _patrol_unasked(incident, now) else None


def service_step(procedure: model.Procedure) -> model.Step | None:
    """The procedure's request of a service, if it has one."""
    return next((step for step in procedure.steps if step.do == "request"), None)


def request_refusal(
    incident: IncidentFacts, service: str, now: datetime
) -> services.Refusal | None:
    """Why an operator may not ask for a service now; None when he may (M3.1, B1).

    Out of turn it takes somebody consulted: before 101 or 112 is called, the alarm is verified.
    """
    refusal = services.refusal(incident, service, now)
    if refusal is not None:
        return refusal
    case, step = incident.case, current(incident, now)
    if step is not None and step.do == "request" and step.service == service:
        return None
    if case.consulted or case.duress or case.called_for_help or incident.verified_by == "person":
        return None
    return services.Refusal("B1", "not consulted", ("consulted",))


def _request_step(service: str, clause: str) -> Step:
    return Step(id=f"request:{service}", do="request", clause=clause, service=service, state="now")


def _patrol_step() -> Step:
    return Step(id="patrol", do="patrol", clause="S6.1", service="patrol", state="now")


def _ready(incident: IncidentFacts, request: model.Step, exhausted: bool) -> bool:
    case = incident.case
    if request.service in case.refused:
        return False
    if request.when == "verified_and_consulted":
        return bool(incident.verified_by) and case.consulted
    return case.consulted or exhausted


def _overdue(incident: IncidentFacts, request: model.Step, since: datetime, now: datetime) -> bool:
    """R31: so long after opening, the service is asked for before anybody else is called."""
    if not request.after_s or request.service in incident.case.refused:
        return False
    if services.forbidden(incident.site, str(request.service), now):
        return False
    return since >= incident.opened_at + timedelta(seconds=request.after_s)


def _patrol_unasked(incident: IncidentFacts, now: datetime) -> bool:
    procedure = incident.procedure
    return (
        procedure is not None
        and any(step.do == "patrol" for step in procedure.steps)
        and incident.case.round == 1
        and not incident.case.patrol_settled
        and incident.type in incident.terms.patrol.unasked_types
        and incident.site.takes("patrol")
        and not incident.site.in_trial(now)
    )


def _patrol_in_turn(incident: IncidentFacts, now: datetime) -> bool:
    """A sheet may send the patrol before the list is through: after the calls that stand first."""
    procedure = incident.procedure
    steps = procedure.steps if procedure else ()
    place = next((n for n, s in enumerate(steps) if s.do == "patrol" and s.when == "in_turn"), None)
    if place is None or not _patrol_unasked(incident, now):
        return False
    before = chain.from_iterable(called_by(incident, s) for s in steps[:place] if s.do == "call")
    return {step.to for step in before} <= incident.case.tried(1)


def targets(incident: IncidentFacts) -> list[Step]:
    """Everyone the procedure calls, in order, each once; the sender of a reply first (S7.4)."""
    procedure = incident.procedure
    if procedure is None:
        return []
    once: dict[str, Step] = {}
    for step in procedure.steps:
        for target in called_by(incident, step) if step.do == "call" else ():
            once.setdefault(target.to, target)
    steps = list(once.values())
    first = incident.case.reply_from
    if first:
        steps.sort(key=lambda step: step.to != first)
    return steps


def called_by(incident: IncidentFacts, step: model.Step) -> list[Step]:
    """Whom a step calls, as the sheet stands now; nobody without a number."""
    site = incident.site
    if step.who == PREMISES and site.help_desks:
        return _desks(incident, step)
    premises = _call(step, PREMISES, site.premises_person, site.premises_phone)
    if step.who == PREMISES or (step.who == "premises_or_first" and site.premises_phone):
        return [premises] if site.premises_phone else []
    if step.who == "number":
        return [_call(step, f"{NUMBER}{step.id}", step.name, step.phone)]
    contacts = [_call(step, c.key, c.name, c.phone) for c in site.contacts if c.phone]
    if step.who == "contact":
        return [target for target in contacts if target.name == step.name]
    return contacts[:1] if step.who == "premises_or_first" else contacts


def _desks(incident: IncidentFacts, step: model.Step) -> list[Step]:
    """At the house: who mends each thing that failed; of what works again whoever was called."""
    called = {str(past.data.get("key", "")) for past in incident.history}
    last = {s.zone: s.role for s in sorted(incident.signals, key=lambda s: s.id) if s.zone}
    found = []
    for zone, role in last.items():
        name, phone = incident.site.help_desks.get(zone, ("", ""))
        key = f"{NUMBER}{zone}"
        if phone and (role != "restore" or key in called):
            found.append(_call(step, key, name, phone))
    return found


def _desk_to_call(incident: IncidentFacts) -> Step | None:
    """Who mends one thing knows nothing of another: each is called, whoever was told (S16.2)."""
    if not incident.site.help_desks:
        return None
    tried = incident.case.tried(incident.case.round)
    desks = (step for step in targets(incident) if step.to.startswith(NUMBER))
    found = next((step for step in desks if step.to not in tried), None)
    return replace(found, state="now", round=incident.case.round) if found else None


def _call(step: model.Step, to: str, name: str, phone: str) -> Step:
    return Step(
        id=f"call:{to}",
        do="call",
        clause=step.clause,
        to=to,
        name=name,
        phone=phone,
        leave_message=step.leave_message,
        identify=step.identify,
    )


def next_target(incident: IncidentFacts) -> Step | None:
    """Whom to call next in the present round; None when the list is exhausted."""
    case = incident.case
    tried = case.tried(case.round)
    for step in targets(incident):
        if step.to not in tried:
            return replace(step, state="now", round=case.round)
    return None


def _inform(incident: IncidentFacts, procedure: model.Procedure) -> Step | None:
    """After the request: the contacts not yet tried, for information (S15.5, R31)."""
    inform = next((step for step in procedure.steps if step.do == "inform"), None)
    if inform is None:
        return None
    for contact in incident.site.contacts:
        if contact.phone and contact.key not in incident.case.ever_tried:
            return Step(
                id=f"inform:{contact.key}",
                do="inform",
                clause=inform.clause,
                to=contact.key,
                name=contact.name,
                phone=contact.phone,
                state="now",
                round=incident.case.round,
            )
    return None


def again_step(procedure: model.Procedure, passes: int = 1) -> model.Step | None:
    """What follows so many passes: the next "again" of the procedure, if it has one (M3.2)."""
    again = [step for step in procedure.steps if step.do == "again"]
    return again[passes - 1] if passes <= len(again) else None


def tells(procedure: model.Procedure) -> bool:
    """Whether everybody is told at the end when nobody was reached (M3.2)."""
    return any(step.do == "tell" for step in procedure.steps)


def ends_untold(incident: IncidentFacts) -> bool:
    """The list is through for the last time, and the sheet has nobody told (S14.1)."""
    procedure = incident.procedure
    return (
        procedure is not None
        and not tells(procedure)
        and next_target(incident) is None
        and again_step(procedure, incident.case.round) is None
    )


def proposed_close(incident: IncidentFacts, now: datetime) -> Close | None:
    """The outcome that the history calls for, once no step is open; None before (M3.1, R24)."""
    case, procedure = incident.case, incident.procedure
    clause = procedure.clause if procedure else "M3.2"
    if case.false_alarm and not case.duress:
        alarm = incident.type in ("intrusion", "sabotage", *_SERVICE_FIRST)
        return Close("false_alarm" if alarm else "handled", clause)
    if current(incident, now) is not None or case.patrol_asked:
        return None
    if case.requested:
        return Close("handled", clause)
    if (case.duress or case.called_for_help) and not case.consulted:
        return Close("nobody_reached", "S4.3") if case.override_lapsed else None
    if case.consulted:
        return Close("handled", clause)
    if procedure is not None and procedure.exhausted == "notified":
        return Close("notified", clause)
    through = case.told_all or ends_untold(incident)
    return Close("nobody_reached", "M3.2") if through else None


def offered(incident: IncidentFacts, now: datetime) -> list[Step]:
    """Every step of the procedure with its state, in the order of the procedure (M3.1)."""
    step_now = current(incident, now)
    case = incident.case
    rows = [_call_row(incident, target, step_now) for target in targets(incident)]
    procedure = incident.procedure
    request = service_step(procedure) if procedure else None
    service = "police" if case.duress or case.called_for_help else str(request and request.service)
    if request is not None or case.duress or case.called_for_help:
        rows.append(_service_row(incident, service, step_now, now, request))
    rows.append(_patrol_row(incident, step_now))
    if step_now is not None and step_now.do == "inform" and step_now not in rows:
        rows.append(step_now)
    if case.duress or case.called_for_help:
        rows.sort(key=lambda row: row.do != "request")
    return rows


def _last_call(incident: IncidentFacts, to: str) -> CallMade | None:
    return next((call for call in reversed(incident.case.calls) if call.to == to), None)


def _call_row(incident: IncidentFacts, target: Step, step_now: Step | None) -> Step:
    case = incident.case
    if step_now is not None and step_now.do in ("call", "inform") and step_now.to == target.to:
        return replace(step_now, id=target.id) if step_now.do == "call" else step_now
    call = _last_call(incident, target.to)
    if call is not None and (call.round == case.round or step_now is None):
        return replace(
            target,
            state="done",
            result=call.result if call.accepted or call.result != "reached" else "not_identified",
            says=call.says,
            at=call.at,
            round=call.round,
        )
    if case.duress or case.called_for_help:
        return replace(target, state="not_allowed", reason="no further call", missing=())
    if case.false_alarm or case.consulted or case.requested:
        return replace(target, state="waived", reason="somebody was consulted")
    return replace(target, state="next", round=case.round)


def _service_row(
    incident: IncidentFacts,
    service: str,
    step_now: Step | None,
    now: datetime,
    request: model.Step | None,
) -> Step:
    if step_now is not None and step_now.do == "request":
        return replace(step_now, conditions=_conditions(incident, service))
    clause = request.clause if request else "M7.1"
    row = Step(id=f"request:{service}", do="request", clause=clause, service=service)
    row = replace(row, conditions=_conditions(incident, service))
    if service in incident.case.requested:
        return replace(row, state="done", result="requested")
    if incident.case.false_alarm:
        return replace(row, state="waived", reason="false alarm")
    refusal = services.refusal(incident, service, now)
    if refusal is not None:
        return replace(
            row,
            state="not_allowed",
            clause=refusal.clause,
            reason=refusal.reason,
            missing=refusal.missing,
        )
    return replace(row, state="allowed" if incident.case.consulted else "next")


def _conditions(incident: IncidentFacts, service: str) -> tuple[tuple[str, bool], ...]:
    if service == "police" and incident.type in incident.terms.verification.types:
        return (
            ("verified", bool(incident.verified_by)),
            ("consulted", incident.case.consulted),
        )
    return ()


def _patrol_row(incident: IncidentFacts, step_now: Step | None) -> Step:
    row = Step(id="patrol", do="patrol", clause="S6.1", service="patrol")
    if step_now is not None and step_now.do == "patrol":
        return step_now
    if incident.case.patrol_settled:
        return replace(row, state="done")
    refusal = services.patrol_refusal(incident)
    if refusal is not None:
        return replace(row, state="not_allowed", clause=refusal.clause, reason=refusal.reason)
    if next_target(incident) is not None and not incident.case.consulted:
        return replace(
            row, state="not_allowed", reason="the call list is still running", missing=("asked",)
        )
    return replace(row, state="allowed")
