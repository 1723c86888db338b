"""Calling: people, services, the patrol, and what the images show.

The rules say what may be asked for; a refusal is written down with its clause, never hidden (R13).
Unidentified words never stand an alarm down (S19.1).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from meldkamer.incidents.deciding.carry_out import Docket
from meldkamer.incidents.faults import Refused
from meldkamer.incidents.operating import dispatching
from meldkamer.incidents.operating.hands import after_step, docket_of, keep, mine
from meldkamer.incidents.telephone.handing_over import Accepted, tell_service
from meldkamer.people import identification
from meldkamer.people.models import Staff
from meldkamer.rules import calls, procedures, running_call, verification
from meldkamer.rules.facts import PREMISES, IncidentFacts
from meldkamer.rules.procedures import Step
from meldkamer.sites import service_numbers

_NOT_REACHED = {"busy": "no_answer", "wrong_number": "no_answer"}


def dial(
    staff: Staff, incident_id: int, step_id: str, now: datetime, *, since: datetime | None = None
) -> Step:
    """Place the call of a step, once: a second press of the key gives no new tries (S19.1)."""
    return place(staff, incident_id, step_id, now, since=since)[0]


@transaction.atomic
def place(
    staff: Staff, incident_id: int, step_id: str, now: datetime, *, since: datetime | None = None
) -> tuple[Step, bool]:
    """`dial`, and whether the call is a new one: an exchange is asked for that alone."""
    docket = mine(staff, incident_id, now)
    facts = docket.facts()
    step = _call_step(facts, step_id, now, since)
    fresh = not running_call.runs(facts, step)
    if fresh:
        docket.carry_out(calls.dialled(facts, step, calls.step_to(step, step.name)))
    keep(docket, staff)
    return step, fresh


@transaction.atomic
def check_code(
    staff: Staff, incident_id: int, contact_key: str, code: str, now: datetime
) -> identification.Checked:
    """Name and code together (S19.1); at most so many tries a call, all journaled."""
    docket = mine(staff, incident_id, now)
    facts = docket.facts()
    most = facts.terms.identification.tries
    tried = running_call.tries(facts)
    if tried >= most:
        raise Refused("S19.1", "no tries left")
    outcome = identification.check(docket.site, contact_key, code)
    left = most - tried - 1
    docket.say(
        "identity.checked",
        "S19.1",
        to=identification.name_of(docket.site, contact_key),
        data={"key": contact_key, "outcome": outcome, "left": left},
    )
    keep(docket, staff)
    return identification.Checked(outcome, left)


@transaction.atomic
def call_result(
    staff: Staff,
    incident_id: int,
    step_id: str,
    result: str,
    says: str,
    now: datetime,
    *,
    identity: str | None = None,
    person: str = "",
    since: datetime | None = None,
) -> None:
    """What came of the call that runs (R7, R10–R12).

    identity: right, wrong, none, duress; None takes what `check_code` found in this call.
    """
    docket = mine(staff, incident_id, now)
    facts = docket.facts()
    step = _call_step(facts, step_id, now, since)
    if not running_call.runs(facts, step):
        raise Refused("M3.1", "nobody was called yet")
    if result == "reached" and says not in calls.SAYS:
        raise Refused("M3.1", "what the person said is missing", expected=list(calls.SAYS))
    key = step.to
    if identity is None:
        identity, key = running_call.identity(facts)
        if key:
            person = person or identification.name_of(docket.site, key)
    name = person or step.name or PREMISES
    plain = _NOT_REACHED.get(result, result)
    if plain not in calls.RESULTS:
        raise Refused("M3.1", "unknown result", expected=list(calls.RESULTS))
    docket.carry_out(calls.answered(facts, step, name, plain, identity, says, now))
    after_step(docket, staff)


def _call_step(
    facts: IncidentFacts, step_id: str, now: datetime, since: datetime | None = None
) -> Step:
    """The call step of that id: the current one, or another of the list out of turn."""
    step = procedures.current(facts, now, since)
    if step is not None and step.id == step_id and step.do in ("call", "inform"):
        return step
    if step is not None and step.do == "inform" and step_id.endswith(f":{step.to}"):
        return step
    for target in procedures.targets(facts):
        if target.id == step_id:
            if facts.case.duress or facts.case.called_for_help:
                raise Refused("M7.1", "no further call")
            return replace(target, round=facts.case.round)
    raise Refused("M3.1", "no such call in this procedure", step=step_id)


@transaction.atomic
def request_service(
    staff: Staff,
    incident_id: int,
    service: str,
    now: datetime,
    attends: str = "",
    eta: str = "",
    clause: str = "",
    *,
    accepted: Accepted | None = None,
) -> bool:
    """Ask for police, fire brigade or medical help; False when a rule forbade it (R13, B1).

    accepted: what the service said when it took it on.
    """
    docket = mine(staff, incident_id, now)
    facts = docket.facts()
    if service not in ("police", "fire", "medical"):
        raise Refused("M3.1", "unknown service", expected=["police", "fire", "medical"])
    step = procedures.current(facts, now)
    if service in facts.case.requested:
        raise Refused("M3.1", "already asked for", service=service)
    clause = clause or (step.clause if step and step.service == service else "") or "B1"
    if facts.procedure is not None and not clause.startswith(("M7", "S24")):
        request = procedures.service_step(facts.procedure)
        clause = request.clause if request and request.service == service else clause
    in_turn = step is not None and step.service == service
    docket.carry_out(calls.requested(facts, service, clause, now, in_turn=in_turn))
    asked = service in docket.facts().case.requested
    if asked and (attends or eta):
        docket.say("service.attended", "M3.1", to=service, data={"attends": attends, "eta": eta})
    if asked:
        tell_service(docket, service, accepted, attends, eta)
    after_step(docket, staff)
    return asked


@transaction.atomic
def call_service(staff: Staff, incident_id: int, service: str, now: datetime) -> str:
    """The number that is dialled for a service: of the site's zone, never free text (B1).

    Refused with the rule that forbids it now: nobody is called without a verification.
    """
    docket = mine(staff, incident_id, now)
    refusal = procedures.request_refusal(docket.facts(), service, now)
    if refusal is not None:
        raise Refused(refusal.clause, refusal.reason, missing=list(refusal.missing))
    today = now.astimezone(docket.site_facts.timezone).date()
    dialled = service_numbers.number_for(docket.site, service, today)
    data = {"number": dialled.number, "zone": dialled.zone}
    docket.say("service.dialled", "B1", to=service, data=data)
    keep(docket, staff)
    return dialled.number


@transaction.atomic
def send_patrol(staff: Staff, incident_id: int, now: datetime) -> bool:
    """Send or ask the nearest free patrol; False when there is none (S6.1)."""
    docket = mine(staff, incident_id, now)
    went = dispatch(docket)
    after_step(docket, staff)
    return went


def dispatch(docket: Docket) -> bool:
    """The nearest free unit goes or is asked, or the refusal is told (S6.1)."""
    facts = docket.facts()
    if not docket.site_facts.takes("patrol") or not facts.free_patrols:
        docket.carry_out(calls.patrol(facts, ""))
        return False
    if dispatching.send(docket) is not None:
        return True
    # read again: who was free has been sent elsewhere meanwhile
    docket.carry_out(calls.patrol(docket.facts(), ""))
    return False


@transaction.atomic
def judge_images(staff: Staff | None, incident_id: int, found: str, now: datetime) -> None:
    """What the images show: an intruder verifies, "nothing" is noted (S9.1)."""
    docket = docket_of(staff, incident_id, now)
    if found not in ("intruder", "nothing"):
        raise Refused("S9.1", "unknown judgement of images", expected=["intruder", "nothing"])
    docket.say("images.judged", "S9.1", data={"images": found})
    verified = verification.by_camera(found)
    types = docket.site_facts.terms.verification.types
    if verified and not docket.opened.verified_by and docket.opened.type in types:
        docket.carry_out([verified])
        docket.call_in_supervisor()
