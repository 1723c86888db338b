"""What a unit enters on its own page: taken once, however often its phone sends it (S6.1, M12.1).

Every entry carries a number that the phone made. It is stored with what came of it in the
transaction that carries it out; sent again it changes nothing and gets the same answer. The phone's
clock is kept beside the time of receipt and never believed. Codes are shown on site alone, as long
as the job runs; that they were shown is in the journal, they are not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from meldkamer.incidents import notices
from meldkamer.incidents.deciding.carry_out import Docket
from meldkamer.incidents.faults import Refused
from meldkamer.incidents.models import Incident
from meldkamer.incidents.operating import dispatching, patrols
from meldkamer.journal import commands as journal
from meldkamer.notify.models import PatrolEntry, PatrolJob
from meldkamer.notify.patrol import jobs, photos
from meldkamer.rules import calls, verification
from meldkamer.rules.acts import Enqueue, Open
from meldkamer.sites import site_codes

KINDS = ("accept", "cannot", "arrived", "finding", "photo", "done")
#: why a unit cannot; another reason is written out
REASONS = ("busy", "too_far", "no_car", "not_safe", "other")
NOTE_MOST = 1_000
#: photos of one job: more than anybody takes by hand
PHOTOS_MOST = 40
#: a place told longer ago says nothing about where it happened
_PLACE_FRESH = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Said:
    """One entry as the phone sent it; said_at is the phone's clock."""

    client_id: UUID
    job_id: int
    kind: str
    said_at: datetime | None = None
    reason: str = ""
    finding: str = ""
    note: str = ""
    photo: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an entry: refused is "" or a reason; again: it was here before."""

    refused: str = ""
    again: bool = False
    unit: str = ""


@transaction.atomic
def take(unit_id: int, said: Said, now: datetime) -> Answer:
    """Store an entry and carry it out. Refused for one that cannot be stored at all.

    An entry that comes too late is stored and answered with the reason: the phone need not keep it.
    """
    _shape(said)
    job = PatrolJob.objects.filter(pk=said.job_id, unit_id=unit_id).first()
    if job is None:
        raise Refused("S6.1", "no job of this unit")
    docket = dispatching.docket_of_job(job, now, "")
    known = PatrolEntry.objects.filter(unit_id=unit_id, client_id=said.client_id).first()
    if known is not None:
        return Answer(known.refused, again=True)
    job = dispatching.locked(job)
    docket.actor = f"patrol:{job.unit.name}"
    content = {key: value for key in ("reason", "finding", "note") if (value := getattr(said, key))}
    entry = jobs.keep_entry(unit_id, job, said.client_id, said.kind, said.said_at, content, now)
    try:
        _ACTS[said.kind](docket, job, entry, said)
    except Refused as fault:
        jobs.refuse_entry(entry, fault.reason)
        docket.say(
            "patrol.too_late", fault.clause, fault.reason, to=job.unit.name,
            data={"unit": job.unit.name, "kind": said.kind, **content, **_clock(said)},
        )  # fmt: skip
        return Answer(fault.reason, unit=str(fault.detail.get("unit", "")))
    return Answer()


def _shape(said: Said) -> None:
    if said.kind not in KINDS:
        raise Refused("S6.1", "unknown word of a patrol", expected=list(KINDS))
    if len(said.note) > NOTE_MOST:
        raise Refused("S6.1", "note too long", expected=[NOTE_MOST])
    if said.kind == "cannot" and said.reason not in REASONS:
        raise Refused("S6.1", "why it cannot is missing", expected=list(REASONS))
    if said.kind == "finding" and said.finding not in calls.FINDINGS:
        raise Refused("S6.1", "unknown finding", expected=list(calls.FINDINGS))
    if said.kind == "photo":
        try:
            photos.shown(said.photo, photos.kind_of(said.photo))
        except photos.PhotoFault as fault:
            raise Refused("S6.1", f"photo {fault}", expected=sorted(photos.KINDS)) from None


def _clock(said: Said) -> dict[str, str]:
    """The phone's own time, named as what it is."""
    return {"phone_said_at": said.said_at.isoformat()} if said.said_at else {}


def _where(docket: Docket, job: PatrolJob) -> dict[str, Any]:
    """Where its phone was a moment ago, if it shares that: kept with what happens in a job."""
    unit = job.unit
    told = unit.positioned_at
    if not unit.place_shared or told is None or docket.now - told > _PLACE_FRESH:
        return {}
    return {"place": [unit.latitude, unit.longitude]}


def _accept(docket: Docket, job: PatrolJob, entry: PatrolEntry, said: Said) -> None:
    dispatching.accept(docket, job, _clock(said) | _where(docket, job))


def _cannot(docket: Docket, job: PatrolJob, entry: PatrolEntry, said: Said) -> None:
    data = _clock(said) | ({"note": said.note} if said.note else {})
    dispatching.decline(docket, job, said.reason, data)


def _arrived(docket: Docket, job: PatrolJob, entry: PatrolEntry, said: Said) -> None:
    if job.state != PatrolJob.State.ACCEPTED:
        raise Refused("S6.1", _why_not(job))
    jobs.move(job, PatrolJob.State.ARRIVED, docket.now)
    told = {"unit": job.unit.name, **_clock(said), **_where(docket, job)}
    docket.say("patrol.arrived", "S6.1", to=job.unit.name, data=told)
    _wake(docket)


def _finding(docket: Docket, job: PatrolJob, entry: PatrolEntry, said: Said) -> None:
    _was_there(job)
    means = calls.FINDINGS[said.finding]
    jobs.found(job, said.finding, docket.now)
    told: dict[str, Any] = {"unit": job.unit.name, "finding": said.finding, "means": means}
    told |= _clock(said) | _where(docket, job)
    if said.note:
        told["note"] = said.note
    docket.say("patrol.found", "S6.1", to=job.unit.name, data=told)
    if docket.incident is not None and docket.incident.closed_at is None:
        patrols.verify(docket, job.unit.name, means)
    elif means == "intruder":
        _nobody_looks(docket, job)
    _wake(docket)


def _photo(docket: Docket, job: PatrolJob, entry: PatrolEntry, said: Said) -> None:
    _was_there(job)
    if job.photos.count() >= PHOTOS_MOST:
        raise Refused("S6.1", "too many photos", expected=[PHOTOS_MOST])
    digest = sha256(said.photo).hexdigest()
    kind = photos.kind_of(said.photo)
    row = jobs.keep_photo(job, entry, said.photo, kind, digest, docket.now)
    told = {"unit": job.unit.name, "photo": row.pk, "size": row.size, "sha256": digest}
    docket.say("patrol.photo", "S6.1", to=job.unit.name, data=told | _clock(said))
    _wake(docket)


def _done(docket: Docket, job: PatrolJob, entry: PatrolEntry, said: Said) -> None:
    if job.state != PatrolJob.State.ARRIVED:
        raise Refused("S6.1", _why_not(job))
    if not job.finding:
        raise Refused("S6.1", "nothing found yet")
    jobs.move(job, PatrolJob.State.DONE, docket.now)
    told = {"unit": job.unit.name, **_clock(said), **_where(docket, job)}
    docket.say("patrol.done", "S6.1", to=job.unit.name, data=told)
    _wake(docket)


def _was_there(job: PatrolJob) -> None:
    """What was seen on site counts also when the unit was called off or is done since."""
    if job.arrived_at is None:
        raise Refused("S6.1", _why_not(job))


def _why_not(job: PatrolJob) -> str:
    return {
        PatrolJob.State.OFFERED: "not accepted yet",
        PatrolJob.State.ACCEPTED: "not arrived yet",
        PatrolJob.State.ARRIVED: "arrived before",
    }.get(PatrolJob.State(job.state)) or dispatching.over_reason(job)


def _nobody_looks(docket: Docket, job: PatrolJob) -> None:
    """An intruder at a site whose incident is over, or that had none: it becomes one (S9.1, R12).

    An incident of the site that is open is verified instead of opening another one.
    """
    was = docket.incident
    kind = (
        was.type if was and was.type in docket.site_facts.terms.verification.types else "intrusion"
    )
    running = Incident.objects.filter(site=docket.site, type=kind, area="", closed_at=None)
    docket = Docket(
        docket.site, docket.site_facts, docket.now, actor=docket.actor,
        incident=running.select_related("holder").order_by("pk").first(),
    )  # fmt: skip
    if docket.incident is None:
        priority = docket.site_facts.terms.priority(kind)
        docket.carry_out([Open(kind, priority, "S9.1", "found by the patrol", origin="person")])
        docket.carry_out([verification.by_person(job.unit.name), Enqueue("S9.1")])
    else:
        patrols.verify(docket, job.unit.name, "intruder")
    text = f"{job.unit.name}: {docket.site.name}"
    notices.add(
        "patrol_found", "S9.1", text, docket.now, site=docket.site, incident=docket.incident
    )


def _wake(docket: Docket) -> None:
    if docket.incident is not None:
        docket.save()
    journal.announce("patrols")


_ACTS: Mapping[str, Callable[[Docket, PatrolJob, PatrolEntry, Said], None]] = {
    "accept": _accept,
    "cannot": _cannot,
    "arrived": _arrived,
    "finding": _finding,
    "photo": _photo,
    "done": _done,
}


@transaction.atomic
def show_codes(unit_id: int, job_id: int, now: datetime) -> dict[str, str]:
    """The codes of the site for the unit that is on site now, by kind; each look is journaled.

    Refused before it arrived and after the job ended. What is returned must never be stored.
    """
    job = PatrolJob.objects.filter(pk=job_id, unit_id=unit_id).first()
    if job is None:
        raise Refused("S6.1", "no job of this unit")
    docket = dispatching.docket_of_job(job, now, "")
    job = dispatching.locked(job)
    docket.actor = f"patrol:{job.unit.name}"
    if job.state != PatrolJob.State.ARRIVED:
        raise Refused("S6.1", _why_not(job))
    codes = site_codes.opened(docket.site.pk, settings.MELDKAMER_SEALING_KEY)
    if codes:
        jobs.codes_shown(job, now)
        data: dict[str, Any] = {"unit": job.unit.name, "kinds": sorted(codes)}
        docket.say("patrol.codes_shown", "S6.1", to=job.unit.name, data=data)
    return codes
