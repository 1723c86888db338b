"""Are they open now, and until when: the agreed hours of a site (S11.1), for the facts block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from meldkamer.console.timing import weekday_and_time
from meldkamer.sites.models import OpeningHours


@dataclass(frozen=True, slots=True)
class Schedule:
    """`open` is None without agreed hours."""

    open: bool | None
    words: str


def schedule(hours: Sequence[OpeningHours], now: datetime, zone: ZoneInfo) -> Schedule:
    """Open or closed at `now`, and until when."""
    if not hours:
        return Schedule(None, _("no hours agreed"))
    here = now.astimezone(zone)
    moments = sorted(moment for days in range(-1, 8) for moment in _of_day(hours, here, days, zone))
    before = [moment for moment in moments if moment[0] <= here]
    after = [moment for moment in moments if moment[0] > here]
    is_open = bool(before) and before[-1][1]
    if not after:
        return Schedule(is_open, _("open") if is_open else _("closed"))
    until = {"until": weekday_and_time(after[0][0], zone)}
    words = _("Open until %(until)s") if is_open else _("Closed until %(until)s")
    return Schedule(is_open, words % until)


def _of_day(
    hours: Sequence[OpeningHours], here: datetime, days: int, zone: ZoneInfo
) -> list[tuple[datetime, bool]]:
    day: date = here.date() + timedelta(days=days)
    of_date = [row for row in hours if row.on_date == day]
    rows = of_date or [row for row in hours if row.on_date is None and row.weekday == day.weekday()]
    found = []
    for row in rows:
        if row.opens is not None:
            found.append((datetime.combine(day, row.opens, zone), True))
        if row.closes is not None:
            found.append((datetime.combine(day, row.closes, zone), False))
    return found
