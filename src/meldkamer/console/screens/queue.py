"""The queue as it is shown: free, in work, on hold; each row with its age against the norm.

Never sorts: the order is the rules' (S15.1). On time is silent: an age gets a colour only when it
passes the norm.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from meldkamer.console import wording
from meldkamer.console.norms import Norm, norm_of
from meldkamer.console.timing import day, span
from meldkamer.incidents.queries import FreeClass, Queue, QueueRow
from meldkamer.people.models import Staff
from meldkamer.sites import house

_MARKS = {"camera": "camera", "person": "user"}


@dataclass(frozen=True, slots=True)
class Mark:
    """How sure we are: an icon and a word, or nothing."""

    icon: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Tag:
    """trial, test or new."""

    kind: str
    words: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A row of the queue."""

    id: int
    type: str
    klass: str
    what: str
    detail: str
    where: str
    mark: Mark
    tags: tuple[Tag, ...]
    since: datetime
    until: datetime | None
    state: str
    norm: Norm | None
    sla: str
    mine: bool
    holder: str
    loud: bool

    @property
    def norm_words(self) -> str:
        """ "norm 1:30" under the age of a free row."""
        if self.norm is None:
            return _("no norm")
        return _("norm %(span)s") % {"span": span(self.norm.aim_s)}


@dataclass(frozen=True, slots=True)
class ClassCount:
    """The top bar: how many of a class are free, and the oldest of them."""

    klass: str
    words: str
    count: int
    oldest: datetime
    sla: str
    aim_s: int
    limit_s: int


@dataclass(frozen=True, slots=True)
class QueueScreen:
    """The left column."""

    free: list[Job]
    taken: list[Job]
    held: list[Job]
    free_count: int
    more: int
    classes: list[ClassCount]


def screen(
    queue: Queue, staff: Staff, now: datetime, practising: Collection[int] = ()
) -> QueueScreen:
    """The queue for one person.

    practising: providers whose alarms are exercises, where others of the same desk are real: each
    of their rows says so.
    """
    jobs = [_job(row, staff, now, practising) for row in queue.rows]
    free = [job for job in jobs if job.state == "queued"]
    return QueueScreen(
        free=free,
        taken=[job for job in jobs if job.state == "taken"],
        held=[job for job in jobs if job.state in ("held", "waiting")],
        free_count=queue.free,
        more=queue.free - len(free),
        classes=_classes(queue.classes, now),
    )


def _job(row: QueueRow, staff: Staff, now: datetime, practising: Collection[int] = ()) -> Job:
    incident = row.incident
    exercise = _("Practice") if incident.provider_id in practising else ""
    norm = norm_of(incident.type, now.date())
    free = incident.state == "queued"
    age_s = (now - row.since).total_seconds()
    holder = incident.holder
    return Job(
        id=incident.pk,
        type=incident.type,
        klass=wording.class_of(incident.type),
        what=wording.word(wording.TYPES, incident.type),
        detail=_detail(row),
        where=", ".join(
            part for part in (exercise, incident.site.name, incident.site.town) if part
        ),
        mark=_mark(row),
        tags=tuple(_tags(row, staff)),
        since=row.since,
        until=incident.due if incident.state in ("held", "waiting") else None,
        state=incident.state,
        norm=norm if free else None,
        sla=norm.state(age_s) if norm and free else "",
        mine=holder is not None and holder.pk == staff.pk,
        holder=short_name(holder) if holder else "",
        loud=free and incident.priority == 1,
    )


def _detail(row: QueueRow) -> str:
    incident = row.incident
    if incident.wait_for and incident.state in ("waiting", "held"):
        return wording.word(wording.WAITS, incident.wait_for)
    parts = []
    if incident.zone.startswith(house.ZONE) and row.zone_name:
        parts.append(row.zone_name)  # a carrier: its number says nothing to an operator
    elif incident.zone:
        parts.append(f"z{incident.zone} {row.zone_name}".strip())
    elif incident.type == "undefined":
        parts.append(incident.code)
    elif incident.origin in ("person", "duress"):
        parts.append(_("by telephone"))
    if row.signals > 1:
        parts.append(f"+{row.signals - 1}")
    return " ".join(parts)


def _mark(row: QueueRow) -> Mark:
    incident = row.incident
    if incident.verified_by in _MARKS:
        word = wording.word(wording.VERIFIED_BY, incident.verified_by)
        return Mark(_MARKS[incident.verified_by], word)
    if incident.type not in ("intrusion", "sabotage"):
        return Mark()
    if row.detectors > 1 or incident.verified_by:
        return Mark("checks", _("%(count)s det.") % {"count": max(row.detectors, 1)})
    if row.detectors == 1:
        return Mark("check", _("1 det."))
    words = ngettext("%(count)s signal", "%(count)s signals", row.signals)
    return Mark("", words % {"count": row.signals})


def _tags(row: QueueRow, staff: Staff) -> list[Tag]:
    incident, tags = row.incident, []
    if row.called_in and staff.is_supervisor:  # first: a row has room for one
        return [Tag("new", _("Supervisor"), _("S15.3: called in"))]
    if incident.unseen:
        tags.append(Tag("new", _("new")))
    if incident.in_trial:
        tags.append(Tag("trial", _("trial"), _("S4.3: no police, no fire brigade")))
    if row.test is not None:
        zone = ZoneInfo(incident.site.timezone)
        until = row.test.until.astimezone(zone).strftime("%H:%M")
        what = " ".join(f"z{number}" for number in row.test.zones[:2])
        why = _("in test until %(until)s, %(day)s") % {
            "until": until,
            "day": day(row.test.until, zone),
        }
        words = _("test")  # not inside the f-string: there the catalogues do not find it
        tags.append(Tag("test", f"{words} {what}".strip(), why))
    return tags[:1] if incident.unseen else tags[:2]


def _classes(classes: list[FreeClass], now: datetime) -> list[ClassCount]:
    found: list[ClassCount] = []
    for klass, words in wording.CLASSES.items():
        of_class = [c for c in classes if wording.class_of(c.type) == klass]
        if not of_class:
            continue
        worst, aim_s, limit_s = "", 0, 0
        for one in of_class:
            norm = norm_of(one.type, now.date())
            if norm is None:
                continue
            state = norm.state((now - one.oldest).total_seconds())
            if not worst or ("ok", "warn", "late").index(state) >= ("ok", "warn", "late").index(
                worst
            ):
                worst, aim_s, limit_s = state, norm.aim_s, norm.limit_s
        found.append(
            ClassCount(
                klass,
                str(words),
                sum(c.count for c in of_class),
                min(c.oldest for c in of_class),
                worst,
                aim_s,
                limit_s,
            )
        )
    return found


def short_name(staff: Staff) -> str:
    """J. Dubois; the login name when no other is known."""
    if staff.last_name:
        return f"{staff.first_name[:1]}. {staff.last_name}".strip(". ")
    return staff.get_full_name() or staff.username
