"""Sending a patrol: the nearest free one is asked, then the next, until one goes (S6.1).

A unit with a page is offered the job and may think for so many seconds (terms data); one without is
told by radio and counts as sent at once. Never: ask the road over the network (that was done before
the transaction, `notify.patrol.roads`), or let an offer end silently: nobody going is told at once.
Invariant: an offer that stands has its row on the agenda.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.models import AgendaRow
from meldkamer.incidents import notices
from meldkamer.incidents.deciding.carry_out import Docket
from meldkamer.incidents.deciding.due import lock_docket
from meldkamer.incidents.deciding.facts import site_facts
from meldkamer.incidents.faults import Refused
from meldkamer.incidents.locking import lock_site
from meldkamer.incidents.models import Incident
from meldkamer.journal import commands as journal
from meldkamer.notify.models import PatrolJob, PatrolUnit
from meldkamer.notify.patrol import jobs, roads
from meldkamer.notify.queries import free_units
from meldkamer.people.models import Staff
from meldkamer.rules import calls, nearest

OFFER_END = "patrol.offer_end"
#: of a holdup, a fire: as urgent as what it is for
_URGENCY = 1
#: closed so, nobody need go there any more
_STOOD_DOWN = (Incident.Outcome.FALSE_ALARM, Incident.Outcome.RESTORED)


def ask_roads(provider_id: int, position: nearest.Position | None) -> None:
    """Before the transaction that sends: how long would the free units take."""
    roads.ask(provider_id, position)


def send(
    docket: Docket,
    *,
    passed: Sequence[int] = (),
    known_roads: Mapping[str, float] | None = None,
    reason: str = "",
) -> PatrolUnit | None:
    """The nearest free unit that was not asked yet is sent or asked; None when there is none left.

    known_roads: of a search that goes on; None reads what was asked for before this transaction.
    """
    facts, incident = docket.site_facts, docket.incident
    units = free_units(
        facts.provider_id, facts.position, docket.now, stale_s=facts.terms.patrol.stale_s,
        roads=None if known_roads is None else {int(k): v for k, v in known_roads.items()},
    )  # fmt: skip
    if known_roads is None:
        found = roads.known(units, facts.position)
        known_roads = {str(number): seconds for number, seconds in found.items()}
    for unit in units:
        if unit.pk in passed:
            continue
        if not unit.has_page:
            if jobs.take(
                unit, PatrolUnit.State.SENT, incident.pk if incident else None, docket.now
            ):
                docket.say("patrol.sent", "S6.1", reason, to=unit.name, data={"unit": unit.name})
                return unit
        elif _offer(docket, unit, passed, known_roads):
            return unit
    return None


def _offer(
    docket: Docket, unit: PatrolUnit, passed: Sequence[int], known_roads: Mapping[str, float]
) -> bool:
    until = docket.now + timedelta(seconds=docket.site_facts.terms.patrol.answer_s)
    incident_id = docket.incident.pk if docket.incident else None
    km = nearest.km(unit, docket.site_facts.position)
    job = jobs.offer(
        unit, docket.site.pk, incident_id, docket.now, until, km=km, roads=known_roads,
        passed=passed,
    )  # fmt: skip
    if job is None:
        return False
    agenda.schedule(
        OFFER_END, _subject(job), until, docket.now, urgency=_URGENCY,
        payload={"job": job.pk, "site": docket.site.pk},
    )  # fmt: skip
    docket.carry_out([calls.patrol_offered(unit.name, until, km)])
    journal.announce("patrols")
    return True


def _subject(job: PatrolJob) -> str:
    return f"patrol-job:{job.pk}"


def docket_of_job(job: PatrolJob, now: datetime, actor: str) -> Docket:
    """The incident of a job, or its site alone; the site is locked first, as everywhere."""
    if job.incident_id is not None:
        return lock_docket(job.incident_id, now, actor)
    site = lock_site(job.site_id)
    return Docket(site, site_facts(site, now), now, actor=actor)


def locked(job: PatrolJob) -> PatrolJob:
    """The job as it is now; its site is locked already."""
    return PatrolJob.objects.select_related("unit").select_for_update(of=("self",)).get(pk=job.pk)


def accept(docket: Docket, job: PatrolJob, data: Mapping[str, Any] | None = None) -> None:
    """The unit goes. Refused when the offer no longer stands: passed on, or withdrawn."""
    if job.state != PatrolJob.State.OFFERED:
        raise Refused("S6.1", over_reason(job), unit=_who_has_it(job))
    jobs.move(job, PatrolJob.State.ACCEPTED, docket.now)
    agenda.strike(OFFER_END, _subject(job), docket.now)
    told = {"unit": job.unit.name, "accepted": True, **(data or {})}
    docket.say("patrol.sent", "S6.1", "accepted", to=job.unit.name, data=told)
    _wake(docket)


def decline(
    docket: Docket, job: PatrolJob, reason: str, data: Mapping[str, Any] | None = None
) -> None:
    """The unit cannot, or cannot any more: the next one is asked at once."""
    if job.state not in (PatrolJob.State.OFFERED, PatrolJob.State.ACCEPTED):
        raise Refused("S6.1", over_reason(job), unit=_who_has_it(job))
    jobs.move(job, PatrolJob.State.DECLINED, docket.now, reason)
    agenda.strike(OFFER_END, _subject(job), docket.now)
    told = {"unit": job.unit.name, **(data or {})}
    docket.say("patrol.declined", "S6.1", reason, to=job.unit.name, data=told)
    _next(docket, job)


def offer_end(row: AgendaRow, now: datetime) -> None:
    """No answer in time: the next unit. The row's site is locked by whoever acts on it."""
    job = PatrolJob.objects.get(pk=row.payload["job"])
    docket = docket_of_job(job, now, journal.SYSTEM)
    job = locked(job)
    if job.state != PatrolJob.State.OFFERED:
        return
    jobs.move(job, PatrolJob.State.UNANSWERED, now, "no answer")
    told = {"unit": job.unit.name, "wait_s": docket.site_facts.terms.patrol.answer_s}
    docket.say("patrol.unanswered", "S6.1", "no answer", to=job.unit.name, data=told)
    _next(docket, job)


@transaction.atomic
def withdraw(staff: Staff, unit_id: int, reason: str, now: datetime) -> None:
    """The desk calls a unit off: one that was asked, is on its way or is on site."""
    unit = PatrolUnit.objects.get(pk=unit_id)
    if not staff.providers.filter(pk=unit.provider_id).exists():
        raise Refused("M12.3", "another provider's")
    if not reason.strip():
        raise Refused("S6.1", "why it is called off is missing")
    job, actor = jobs.standing_of(unit_id), f"staff:{staff.pk}"
    if job is None and unit.incident_id is None:
        raise Refused("S6.1", "not from where the patrol stands", expected=[])
    docket = (
        docket_of_job(job, now, actor)
        if job is not None
        else lock_docket(int(unit.incident_id or 0), now, actor)
    )
    unit = PatrolUnit.objects.select_for_update().get(pk=unit_id)
    if job is not None:
        job = locked(job)
        if job.state not in jobs.STANDING:
            raise Refused("S6.1", over_reason(job), unit=_who_has_it(job))
        jobs.move(job, PatrolJob.State.WITHDRAWN, now, reason.strip()[:200])
        agenda.strike(OFFER_END, _subject(job), now)
    elif unit.incident_id == docket.opened.pk:
        unit.state, unit.incident_id, unit.reported_at = PatrolUnit.State.FREE, None, now
        unit.save(update_fields=["state", "incident_id", "reported_at"])
    else:
        raise Refused("S6.1", "not from where the patrol stands", expected=[])
    docket.say("patrol.withdrawn", "S6.1", reason.strip(), to=unit.name, data={"unit": unit.name})
    _wake(docket)


def _next(docket: Docket, job: PatrolJob) -> None:
    """The next unit; when none is left the operator is told at once, and the procedure goes on."""
    incident = docket.incident
    if incident is not None and incident.outcome in _STOOD_DOWN:
        _wake(docket)
        return
    passed = [*job.passed, job.unit_id]
    if send(docket, passed=passed, known_roads=job.roads) is None:
        none_left(docket)
    _wake(docket)


def none_left(docket: Docket) -> None:
    """Nobody goes: in the incident, and on the supervisors' list for who has it not open."""
    docket.say("patrol.refused", "S6.1", "no patrol free", to="patrol")
    notices.add(
        "patrol_none", "S6.1", docket.site.name, docket.now, site=docket.site,
        incident=docket.incident,
    )  # fmt: skip


def _wake(docket: Docket) -> None:
    if docket.incident is not None:
        docket.save()
    journal.announce("patrols")


def over_reason(job: PatrolJob) -> str:
    """Why a job can no longer be answered, as the phone and the desk say it."""
    return {
        PatrolJob.State.UNANSWERED: "passed on",
        PatrolJob.State.DECLINED: "declined before",
        PatrolJob.State.WITHDRAWN: "called off",
        PatrolJob.State.DONE: "done before",
    }.get(PatrolJob.State(job.state), "accepted before")


def _who_has_it(job: PatrolJob) -> str:
    """Which unit has the incident now, "" when none."""
    if job.incident_id is None:
        return ""
    other = PatrolJob.objects.filter(incident_id=job.incident_id, state__in=jobs.STANDING)
    found = other.exclude(pk=job.pk).select_related("unit").order_by("-pk").first()
    return found.unit.name if found else ""
