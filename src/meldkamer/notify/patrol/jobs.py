"""The only writer of a patrol's jobs and of what a unit's state says beside them (S6.1).

Every function runs in its caller's transaction, with the site of the job locked: that is the lock
under which a job changes. What the journal says of it is the caller's, who has the incident.
Invariant: the state of a unit with a job follows from the job.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from meldkamer.notify.models import PatrolEntry, PatrolJob, PatrolPhoto, PatrolUnit

STANDING = (PatrolJob.State.OFFERED, PatrolJob.State.ACCEPTED, PatrolJob.State.ARRIVED)
_UNIT_STATE = {
    PatrolJob.State.OFFERED: PatrolUnit.State.OFFERED,
    PatrolJob.State.ACCEPTED: PatrolUnit.State.SENT,
    PatrolJob.State.ARRIVED: PatrolUnit.State.ARRIVED,
}


def take(unit: PatrolUnit, state: str, incident_id: int | None, now: datetime) -> bool:
    """Take a free unit; False when another desk was first: the row decides who has it."""
    return bool(
        PatrolUnit.objects.filter(pk=unit.pk, state=PatrolUnit.State.FREE).update(
            state=state, incident_id=incident_id, reported_at=now
        )
    )


def offer(
    unit: PatrolUnit,
    site_id: int,
    incident_id: int | None,
    now: datetime,
    answer_by: datetime,
    *,
    km: float | None,
    roads: Mapping[str, float],
    passed: Sequence[int],
) -> PatrolJob | None:
    """Offer it to a unit that is free; None when it no longer is."""
    if not take(unit, PatrolUnit.State.OFFERED, incident_id, now):
        return None
    took = roads.get(str(unit.pk))
    return PatrolJob.objects.create(
        provider_id=unit.provider_id, unit=unit, site_id=site_id, incident_id=incident_id,
        offered_at=now, answer_by=answer_by, km=km, road_s=None if took is None else round(took),
        roads=dict(roads), passed=list(passed),
    )  # fmt: skip


def move(job: PatrolJob, state: str, now: datetime, reason: str = "") -> None:
    """The job's next state, with its time, and the unit's with it."""
    job.state, job.reason = state, reason or job.reason
    if state in (PatrolJob.State.ACCEPTED, PatrolJob.State.DECLINED):
        job.answered_at = job.answered_at or now
    if state == PatrolJob.State.ARRIVED:
        job.arrived_at = now
    if state not in STANDING:
        job.ended_at = now
    job.save()
    unit_state = _UNIT_STATE.get(PatrolJob.State(state), PatrolUnit.State.FREE)
    standing = state in STANDING
    # a unit that went off duty by radio meanwhile stays so
    row = PatrolUnit.objects.filter(pk=job.unit_id).exclude(state=PatrolUnit.State.OFF)
    row.update(state=unit_state, incident_id=job.incident_id if standing else None, reported_at=now)


def found(job: PatrolJob, finding: str, now: datetime) -> None:
    """What the unit says it sees; a later word replaces an earlier one, the journal has both."""
    job.finding, job.found_at = finding, now
    job.save(update_fields=["finding", "found_at"])


def codes_shown(job: PatrolJob, now: datetime) -> None:
    """The codes were shown on its page."""
    job.codes_shown_at = now
    job.save(update_fields=["codes_shown_at"])


def keep_entry(
    unit_id: int, job: PatrolJob, client_id: UUID, kind: str, said_at: datetime | None,
    content: Mapping[str, object], now: datetime,
) -> PatrolEntry:  # fmt: skip
    """What a phone sent, stored before anything reacts to it."""
    return PatrolEntry.objects.create(
        unit_id=unit_id, job=job, client_id=client_id, kind=kind, said_at=said_at,
        content=dict(content), received_at=now,
    )  # fmt: skip


def refuse_entry(entry: PatrolEntry, reason: str) -> None:
    """It could not be carried out; the phone is told why, now and each time it asks."""
    entry.refused = reason
    entry.save(update_fields=["refused"])


def keep_photo(
    job: PatrolJob, entry: PatrolEntry, content: bytes, kind: str, digest: str, now: datetime
) -> PatrolPhoto:
    """A photo, byte for byte."""
    return PatrolPhoto.objects.create(
        job=job, entry=entry, content_type=kind, size=len(content), sha256=digest,
        content=content, received_at=now,
    )  # fmt: skip


def standing_of(unit_id: int) -> PatrolJob | None:
    """The one job that a unit has now."""
    return PatrolJob.objects.filter(unit_id=unit_id, state__in=STANDING).first()
