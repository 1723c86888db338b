"""What operators and supervisors do, one function per use case, one transaction each.

The console decides nothing: each command asks the rules, and raises `Refused` with the clause
when they say no. Only the holder works an incident; taking, holding and working all leave it with
an owner and a due time (M12.2).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from meldkamer.incidents.carry_out import Docket
from meldkamer.incidents.due import lock_docket, owner_of
from meldkamer.incidents.faults import Gone, NotYours, Refused
from meldkamer.incidents.models import Incident, Notice
from meldkamer.journal import commands as journal
from meldkamer.notify import commands as notify
from meldkamer.people import identification
from meldkamer.people.models import Staff
from meldkamer.rules import calls, procedures, queue, running_call, verification
from meldkamer.rules.acts import Close, Enqueue
from meldkamer.rules.facts import PREMISES, IncidentFacts
from meldkamer.rules.procedures import Step
from meldkamer.rules.settle import settle
from meldkamer.terms.loader import load

_NOT_REACHED = {"busy": "no_answer", "wrong_number": "no_answer"}
#: what begins or ends a call; whoever takes the incident calls anew


def visible_to(staff: Staff) -> list[int]:
    """The providers whose sites a member of staff may see."""
    return list(staff.providers.values_list("id", flat=True))


def in_order(staff: Staff, now: datetime) -> list[Incident]:
    """The queued incidents this operator may take, in the order of S15.1."""
    rows = Incident.objects.filter(
        state=Incident.State.QUEUED, provider_id__in=visible_to(staff)
    ).select_related("provider")
    return sorted(
        rows,
        key=lambda i: queue.place(
            queue.Waiting(i.pk, i.type, i.priority, i.opened_at), load(i.provider.terms), now
        ),
    )


def take_next(staff: Staff, now: datetime) -> Incident | None:
    """Take the first of the queue (S15.1); None when there is nothing to take."""
    for candidate in in_order(staff, now):
        try:
            return take(staff, candidate.pk, now)
        except NotYours:
            continue  # another operator was first: the next one
    return None


@transaction.atomic
def take(staff: Staff, incident_id: int, now: datetime) -> Incident:
    """Take an incident that nobody has; first to accept wins."""
    docket = _docket(staff, incident_id, now)
    incident = docket.opened
    if incident.state in (Incident.State.TAKEN, Incident.State.HELD):
        if incident.holder_id == staff.pk:
            _hand_to(docket, staff)
            return incident
        raise NotYours("M12.2", "taken by another", holder=str(incident.holder))
    if incident.state != Incident.State.QUEUED:
        raise Refused("S15.1", "not in the queue", state=incident.state)
    _hand_to(docket, staff)
    return incident


@transaction.atomic
def take_over(staff: Staff, incident_id: int, reason: str, now: datetime) -> Incident:
    """Take an incident from its holder, with a reason; a waiting one may be taken up early."""
    docket = _docket(staff, incident_id, now)
    if not reason.strip():
        raise Refused("M12.3", "a take-over has a reason")
    docket.say("incident.taken_over", "M12.3", reason, to=str(docket.opened.holder or ""))
    _hand_to(docket, staff)
    return docket.opened


def _hand_to(docket: Docket, staff: Staff) -> None:
    incident = docket.opened
    if incident.holder_id != staff.pk or incident.state != Incident.State.TAKEN:
        docket.say("incident.taken", "S15.1", to=str(staff))
    incident.taken_at = docket.now
    if incident.first_taken_at is None:
        # who takes it has all that came so far before him: nothing of it is new
        incident.first_taken_at, incident.unseen = docket.now, 0
    incident.save(update_fields=["taken_at", "first_taken_at", "unseen"])
    _keep(docket, staff)
    docket.carry_out(settle(docket.facts(), docket.now))


def _keep(docket: Docket, staff: Staff) -> None:
    due = docket.now + timedelta(seconds=docket.site_facts.terms.queue.idle_s)
    docket.move(Incident.State.TAKEN, owner_of(staff), due, holder=staff)


@transaction.atomic
def stay(staff: Staff, incident_id: int, now: datetime) -> None:
    """A sign of life from the holder: the incident stays with him for another while."""
    docket = _mine(staff, incident_id, now)
    if docket.opened.state == Incident.State.TAKEN:
        _keep(docket, staff)


@transaction.atomic
def release(staff: Staff, incident_id: int, now: datetime) -> None:
    """Back into the queue."""
    docket = _mine(staff, incident_id, now)
    docket.carry_out([Enqueue("M12.2", "released")])


@transaction.atomic
def hold(staff: Staff, incident_id: int, minutes: int, reason: str, now: datetime) -> None:
    """On hold with a reason, at most the ceiling of the terms; it comes back by itself."""
    docket = _mine(staff, incident_id, now)
    ceiling_s = docket.site_facts.terms.queue.hold_ceiling_s
    if not reason.strip():
        raise Refused("M12.2", "holding has a reason")
    if not 0 < minutes * 60 <= ceiling_s:
        raise Refused("M12.2", "hold is bounded", ceiling_min=ceiling_s // 60)
    until = now + timedelta(minutes=minutes)
    docket.say("incident.held", "M12.2", reason, data={"until": until.isoformat()})
    docket.move(Incident.State.HELD, owner_of(staff), until, "hold", holder=staff)


@transaction.atomic
def dial(
    staff: Staff, incident_id: int, step_id: str, now: datetime, *, since: datetime | None = None
) -> Step:
    """Place the call of a step, once: a second press of the key gives no new tries (S19.1)."""
    docket = _mine(staff, incident_id, now)
    facts = docket.facts()
    step = _call_step(facts, step_id, now, since)
    if not running_call.runs(facts, step):
        docket.carry_out(calls.dialled(facts, step, calls.step_to(step, step.name)))
    _keep(docket, staff)
    return step


@transaction.atomic
def check_code(
    staff: Staff, incident_id: int, contact_key: str, code: str, now: datetime
) -> identification.Checked:
    """Name and code together (S19.1); at most so many tries a call, all journaled."""
    docket = _mine(staff, incident_id, now)
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
    _keep(docket, staff)
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
    docket = _mine(staff, incident_id, now)
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
    _after_step(docket, staff)


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
            return Step(
                id=target.id,
                do="call",
                clause=target.clause,
                to=target.to,
                name=target.name,
                phone=target.phone,
                round=facts.case.round,
                leave_message=target.leave_message,
            )
    raise Refused("M3.1", "no such call in this procedure", step=step_id)


def _after_step(docket: Docket, staff: Staff) -> None:
    """What follows by itself from a step, and the incident stays with its holder otherwise."""
    for _ in range(4):
        acts = settle(docket.facts(), docket.now)
        if not acts:
            break
        docket.carry_out(acts)
        if docket.opened.state != Incident.State.TAKEN:
            return
    if docket.opened.state == Incident.State.TAKEN:
        _keep(docket, staff)


@transaction.atomic
def request_service(
    staff: Staff,
    incident_id: int,
    service: str,
    now: datetime,
    attends: str = "",
    eta: str = "",
    clause: str = "",
) -> bool:
    """Ask for police, fire brigade or medical help; False when a rule forbade it (R13, B1)."""
    docket = _mine(staff, incident_id, now)
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
    _after_step(docket, staff)
    return asked


@transaction.atomic
def send_patrol(staff: Staff, incident_id: int, now: datetime) -> bool:
    """Send the nearest free patrol; False when none goes (S6.1)."""
    docket = _mine(staff, incident_id, now)
    went = dispatch(docket)
    _after_step(docket, staff)
    return went


def dispatch(docket: Docket) -> bool:
    """The nearest free unit goes, or the refusal is told (S6.1)."""
    facts = docket.facts()
    if not docket.site_facts.takes("patrol") or not facts.free_patrols:
        docket.carry_out(calls.patrol(facts, ""))
        return False
    position = docket.site_facts.position
    unit = notify.send_unit(docket.site.provider_id, position, docket.opened.pk, docket.now)
    # without one the facts are read again: who was free may have been sent elsewhere meanwhile
    docket.carry_out(calls.patrol(facts, unit.name) if unit else calls.patrol(docket.facts(), ""))
    return unit is not None


@transaction.atomic
def judge_images(staff: Staff | None, incident_id: int, found: str, now: datetime) -> None:
    """What the images show: an intruder verifies, "nothing" is noted (S9.1)."""
    docket = _docket(staff, incident_id, now)
    if found not in ("intruder", "nothing"):
        raise Refused("S9.1", "unknown judgement of images", expected=["intruder", "nothing"])
    docket.say("images.judged", "S9.1", data={"images": found})
    verified = verification.by_camera(found)
    types = docket.site_facts.terms.verification.types
    if verified and not docket.opened.verified_by and docket.opened.type in types:
        docket.carry_out([verified])
        docket.call_in_supervisor()


@transaction.atomic
def note(staff: Staff, incident_id: int, text: str, now: datetime) -> None:
    """A note in the incident's course."""
    docket = _docket(staff, incident_id, now)
    if not text.strip():
        raise Refused("M12.3", "an empty note")
    docket.say("note", "M12.3", data={"text": text.replace("\0", "").strip()})
    docket.save()


@transaction.atomic
def see_signals(staff: Staff, incident_id: int, now: datetime) -> None:
    """The new signals of the site were seen; before that nothing is closed."""
    docket = _mine(staff, incident_id, now)
    docket.opened.unseen = 0
    docket.say("signals.seen", "M3.1")
    docket.save("unseen")
    _keep(docket, staff)


@transaction.atomic
def call_supervisor(staff: Staff, incident_id: int, reason: str, now: datetime) -> None:
    """Call a supervisor in."""
    docket = _docket(staff, incident_id, now)
    docket.say("supervisor.notified", "S15.3", reason or "asked for by the operator")
    Notice.objects.create(
        provider=docket.site.provider,
        at=now,
        kind="supervisor",
        clause="S15.3",
        text=reason or docket.site.name,
        site=docket.site,
        incident=docket.opened,
    )
    journal.announce("notices")
    docket.save()


@transaction.atomic
def override_police(staff: Staff | None, incident_id: int, reason: str, now: datetime) -> bool:
    """A supervisor calls police with a written reason, and closes handled (S15.3, S4.3, B1)."""
    docket = _docket(staff, incident_id, now)
    if staff is not None and not staff.is_supervisor:
        raise Refused("S15.3", "only a supervisor may override")
    if not reason.strip():
        raise Refused("B1", "an override has a written reason")
    docket.carry_out(calls.overridden(docket.facts(), reason, now))
    if "police" not in docket.facts().case.requested:
        return False
    docket.carry_out([Close("handled", "S15.3", reason)])
    return True


@transaction.atomic
def close(
    staff: Staff,
    incident_id: int,
    outcome: str,
    now: datetime,
    attends: str = "",
    waive_reason: str = "",
) -> None:
    """Close with an outcome, once no required step is open or it was waived (M3.1)."""
    docket = _mine(staff, incident_id, now)
    facts = docket.facts()
    if docket.opened.unseen:
        raise Refused("M3.1", "new signals were not seen", unseen=docket.opened.unseen)
    if outcome not in Incident.Outcome.values:
        raise Refused("M3.1", "unknown outcome", expected=list(Incident.Outcome.values))
    proposed = procedures.proposed_close(facts, now)
    if (proposed is None or proposed.outcome != outcome) and not waive_reason.strip():
        step = procedures.current(facts, now)
        raise Refused(
            "M3.1",
            "a required step is open" if step else "another outcome follows from the course",
            step=step.id if step else "",
            proposed=proposed.outcome if proposed else "",
        )
    said_false = facts.case.false_alarm and not facts.case.duress
    if outcome == Incident.Outcome.FALSE_ALARM and not said_false:
        raise Refused("S19.1", "nobody identified said false alarm")
    if facts.case.requested and not attends.strip() and not _attendance_known(facts):
        raise Refused("M3.1", "who attends, and when, or nobody")
    if attends.strip():
        docket.say("service.attended", "M3.1", data={"attends": attends})
    clause = proposed.clause if proposed else "M3.1"
    docket.carry_out([Close(outcome, clause, waive_reason)])


def _attendance_known(facts: IncidentFacts) -> bool:
    return any(past.what == "service.attended" for past in facts.history)


@transaction.atomic
def close_as_proposed(staff: Staff, incident_id: int, now: datetime) -> bool:
    """Close with the outcome that the course leads to, if it does (R7: costs no step)."""
    docket = _mine(staff, incident_id, now)
    proposed = procedures.proposed_close(docket.facts(), now)
    if proposed is None:
        return False
    docket.carry_out([proposed])
    return True


@transaction.atomic
def see_notice(staff: Staff, notice_id: int, now: datetime) -> None:
    """Somebody looked at a notice and takes care of it."""
    notice = Notice.objects.select_for_update().get(pk=notice_id)
    if notice.provider_id is not None and notice.provider_id not in visible_to(staff):
        raise Refused("M12.3", "another provider's")
    if notice.seen_at is None:
        notice.seen_by, notice.seen_at = staff, now
        notice.save(update_fields=["seen_by", "seen_at"])
        journal.announce("notices")


def _actor(staff: Staff | None) -> str:
    return f"staff:{staff.pk}" if staff else journal.SYSTEM


def _docket(staff: Staff | None, incident_id: int, now: datetime) -> Docket:
    """The incident, open and of a provider this person works for; None is a rehearsal's event."""
    docket = lock_docket(incident_id, now, _actor(staff))
    if staff is not None and docket.site.provider_id not in visible_to(staff):
        raise Refused("M12.3", "another provider's")
    _still_open(docket)
    return docket


def _still_open(docket: Docket) -> None:
    incident = docket.opened
    if incident.closed_at is not None:
        raise Gone("M3.1", "already closed", outcome=incident.outcome)


def _mine(staff: Staff, incident_id: int, now: datetime) -> Docket:
    docket = _docket(staff, incident_id, now)
    if docket.opened.holder_id != staff.pk:
        holder = docket.opened.holder
        raise NotYours("M12.2", "not in your hands", holder=str(holder) if holder else "")
    return docket
