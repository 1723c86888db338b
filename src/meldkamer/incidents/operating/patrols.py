"""Reports of patrol units by radio or telephone: where they are, what they found (S6.1).

What a unit enters on its own page comes in by `patrol_replies`. Both move the job of the unit,
where it has one, and tell the incident the same way. The site is locked before the unit.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from meldkamer.incidents.deciding.carry_out import Docket
from meldkamer.incidents.deciding.due import lock_docket
from meldkamer.incidents.faults import Refused
from meldkamer.incidents.operating import dispatching
from meldkamer.journal import commands as journal
from meldkamer.notify.models import PatrolJob, PatrolUnit
from meldkamer.notify.patrol import jobs
from meldkamer.people.models import Staff
from meldkamer.rules import calls

_STATES = {
    "free": PatrolUnit.State.FREE,
    "arrived": PatrolUnit.State.ARRIVED,
    "done": PatrolUnit.State.FREE,
    "off": PatrolUnit.State.OFF,
}
#: what a unit may report next, by where it stands
NEXT = {
    PatrolUnit.State.FREE: ("off",),
    PatrolUnit.State.OFFERED: ("accepted", "cannot"),
    PatrolUnit.State.SENT: ("arrived", "done"),
    PatrolUnit.State.ARRIVED: ("intruder", "nothing", "done"),
    PatrolUnit.State.OFF: ("free",),
}
_FINDINGS = ("intruder", "nothing")
_ANSWERS = ("accepted", "cannot")


@transaction.atomic
def report(
    provider_id: int,
    name: str,
    state: str,
    now: datetime,
    *,
    position: tuple[float, float] | None = None,
    finding: str = "",
    actor: str = "",
) -> None:
    """A unit reports; a finding of an intruder verifies its incident (R12)."""
    if state not in _STATES:
        raise Refused("S6.1", "unknown state of a patrol", expected=sorted(_STATES))
    known, _ = PatrolUnit.objects.get_or_create(
        provider_id=provider_id, name=name, defaults={"reported_at": now}
    )
    job = jobs.standing_of(known.pk)
    docket = _docket(known, job, now, actor or f"patrol:{known.name}")
    unit = PatrolUnit.objects.select_for_update().get(pk=known.pk)
    if docket is not None and docket.incident and unit.incident_id != docket.incident.pk:
        # sent elsewhere since we looked: what it says is not about this incident
        raise Refused("S6.1", "not from where the patrol stands", expected=[])
    unit.state, unit.reported_at = _STATES[state], now
    if position is not None:
        unit.latitude, unit.longitude = position
        unit.positioned_at, unit.place_shared = now, False
    if state != "arrived":
        unit.incident_id = None
    unit.save()
    if job is not None and docket is not None:
        _move(docket, job, state, finding)
    if docket is not None:
        _tell(docket, unit, state, finding)


def _docket(unit: PatrolUnit, job: PatrolJob | None, now: datetime, actor: str) -> Docket | None:
    """What it is about, with its site locked; None for a unit that is nowhere."""
    if job is not None:
        return dispatching.docket_of_job(job, now, actor)
    return lock_docket(unit.incident_id, now, actor) if unit.incident_id is not None else None


def _move(docket: Docket, job: PatrolJob, state: str, finding: str) -> None:
    """The job goes where the radio says that the unit is."""
    job = dispatching.locked(job)
    if job.state not in jobs.STANDING:
        return
    if state == "arrived" and job.state != PatrolJob.State.ARRIVED:
        jobs.move(job, PatrolJob.State.ARRIVED, docket.now)
    elif state in ("done", "free", "off"):
        jobs.move(job, PatrolJob.State.DONE, docket.now, "by radio")
    if finding:
        jobs.found(job, "person" if finding == "intruder" else finding, docket.now)


@transaction.atomic
def pass_on(staff: Staff, unit_id: int, word: str, now: datetime) -> None:
    """What a unit says by radio or telephone, written down by who heard it (S6.1, M12.3).

    word: one of NEXT for where the unit stands; a finding is reported from on site.
    """
    unit = PatrolUnit.objects.get(pk=unit_id)
    if not staff.providers.filter(pk=unit.provider_id).exists():
        raise Refused("M12.3", "another provider's")
    actor = f"staff:{staff.pk}"
    job = jobs.standing_of(unit_id)
    docket = _docket(unit, job, now, actor)
    # locked: two desks hear the same radio, and one of them writes it down
    unit = PatrolUnit.objects.select_for_update().get(pk=unit_id)
    allowed = NEXT[PatrolUnit.State(unit.state)]
    if word not in allowed:
        raise Refused("S6.1", "not from where the patrol stands", expected=list(allowed))
    if word in _ANSWERS:
        if job is None or docket is None:
            raise Refused("S6.1", "not from where the patrol stands", expected=[])
        answer = dispatching.locked(job)
        if word == "accepted":
            dispatching.accept(docket, answer)
        else:
            dispatching.decline(docket, answer, "said by radio")
        return
    state = "arrived" if word in _FINDINGS else word
    finding = word if word in _FINDINGS else ""
    report(unit.provider_id, unit.name, state, now, finding=finding, actor=actor)
    if unit.incident_id is None:
        # of no incident, so in no incident's course
        journal.write(
            "patrol.reported",
            now,
            provider_id=unit.provider_id,
            clause="S6.1",
            to=unit.name,
            actor=actor,
            data={"unit": unit.name, "word": word},
        )
    journal.announce("patrols")


def _tell(docket: Docket, unit: PatrolUnit, state: str, finding: str) -> None:
    data = {"unit": unit.name, **({"finding": finding} if finding else {})}
    if state in ("arrived", "done"):
        docket.say(f"patrol.{state}", "S6.1", to=unit.name, data=data)
    verify(docket, unit.name, finding)


def verify(docket: Docket, unit: str, means: str) -> None:
    """What a unit on site found, to the rules: an intruder verifies (R12, S9.1)."""
    incident, types = docket.incident, docket.site_facts.terms.verification.types
    if incident is None or incident.closed_at is not None or incident.type not in types:
        return
    verified = calls.finding(docket.facts(), unit, means)
    docket.carry_out(verified)
    if verified:
        docket.call_in_supervisor()
