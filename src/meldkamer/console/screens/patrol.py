"""The patrols of an incident at the desk: who was asked, who goes, what was found, with photos.

Reads and arranges; decides nothing. Never: a code of the site. The phone's own clock is shown as
what it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from meldkamer.console import wording
from meldkamer.console.timing import clock
from meldkamer.journal.models import Entry
from meldkamer.notify.models import PatrolJob, PatrolPhoto, PatrolUnit
from meldkamer.notify.patrol.jobs import STANDING


@dataclass(frozen=True, slots=True)
class Moment:
    """A step of a job and when it was; the phone's own time where it says another one."""

    words: str
    time: str
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One unit: the state of its job, its moments, and whether it can be called off."""

    unit_id: int
    unit: str
    phone: str
    state: str
    standing: bool
    away: str
    moments: tuple[Moment, ...]
    finding: str
    note: str
    photos: tuple[int, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """The patrols of one incident; `nobody`: all were asked, and none goes."""

    rows: tuple[Row, ...]
    nobody: bool


#: words of the journal that say that a patrol has to do with it
_MARKS = ("patrol.offered", "patrol.sent")


def panel(incident_id: int, entries: Iterable[Entry], zone: ZoneInfo) -> Panel:
    """The panel; nothing is read for an incident that no patrol has to do with."""
    told = [entry for entry in entries if entry.what.startswith("patrol.")]
    if not any(entry.what in _MARKS for entry in told):
        return Panel((), False)
    jobs = list(
        PatrolJob.objects.filter(incident_id=incident_id).select_related("unit").order_by("-pk")
    )
    shots: dict[int, list[int]] = {}
    photos = PatrolPhoto.objects.filter(job__incident_id=incident_id).order_by("pk")
    for job_id, photo_id in photos.values_list("job_id", "pk") if jobs else ():
        shots.setdefault(job_id, []).append(photo_id)
    rows = [_row(job, told, tuple(shots.get(job.pk, ())), zone) for job in jobs]
    rows += _by_radio(incident_id, {job.unit_id for job in jobs if job.state in STANDING})
    last = next((e.what for e in reversed(told) if e.what in _SETTLES), "")
    return Panel(tuple(rows), last == "patrol.refused" and bool(jobs))


#: states whose reason a person gave
_SAID_WHY = ("declined", "withdrawn")
_SETTLES = ("patrol.offered", "patrol.sent", "patrol.refused", "patrol.withdrawn")


def _row(job: PatrolJob, told: list[Entry], photos: tuple[int, ...], zone: ZoneInfo) -> Row:
    mine = [entry for entry in told if entry.data.get("unit") == job.unit.name]
    mine = [entry for entry in mine if entry.at >= job.offered_at]
    notes = [str(e.data["note"]) for e in mine if e.what == "patrol.found" and e.data.get("note")]
    away = [_("%(km)s km") % {"km": f"{job.km:.1f}"}] if job.km is not None else []
    if job.road_s is not None:
        away.append(_("%(n)s min by road") % {"n": max(1, round(job.road_s / 60))})
    return Row(
        unit_id=job.unit_id,
        unit=job.unit.name,
        phone=job.unit.phone,
        state=wording.word(wording.PATROL_JOBS, job.state),
        standing=job.state in STANDING,
        away=", ".join(away),
        moments=tuple(_moments(job, mine, zone)),
        finding=wording.word(wording.PATROL_FINDINGS, job.finding) if job.finding else "",
        note=notes[-1] if notes else "",
        photos=photos,
        reason=_why(job),
    )


def _why(job: PatrolJob) -> str:
    """Why it cannot, or why it was called off; what a person wrote stays as it was written."""
    known = wording.PATROL_REASONS.get(job.reason, job.reason)
    return str(known) if job.state in _SAID_WHY else ""


def _moments(job: PatrolJob, told: list[Entry], zone: ZoneInfo) -> Iterable[Moment]:
    steps: tuple[tuple[str, datetime | None, str], ...] = (
        (_("asked"), job.offered_at, ""),
        (_("on the way"), None if job.state == "declined" else job.answered_at, "patrol.sent"),
        (_("on site"), job.arrived_at, "patrol.arrived"),
        (_("finding"), job.found_at, "patrol.found"),
        (wording.word(wording.PATROL_JOBS, job.state),
         job.ended_at, "patrol.done" if job.state == "done" else ""),
    )  # fmt: skip
    for words, at, what in steps:
        if at is not None:
            yield Moment(str(words), clock(at, zone), _on_the_phone(what, at, told, zone))


def _on_the_phone(what: str, at: datetime, told: list[Entry], zone: ZoneInfo) -> str:
    """The phone's time of it, when it lies a minute or more from when we had it."""
    for entry in reversed(told):
        said = entry.data.get("phone_said_at")
        if entry.what == what and said:
            moment = datetime.fromisoformat(str(said))
            return clock(moment, zone) if abs((at - moment).total_seconds()) >= 60 else ""
    return ""


def _by_radio(incident_id: int, shown: set[int]) -> list[Row]:
    """Units without a page, or sent by radio: what is known is where they stand."""
    units = PatrolUnit.objects.filter(incident_id=incident_id).exclude(pk__in=shown)
    return [
        Row(
            unit.pk, unit.name, unit.phone, wording.word(wording.PATROL_STATES, unit.state),
            True, "", (), "", "", (),
        )
        for unit in units.order_by("name")
    ]  # fmt: skip
