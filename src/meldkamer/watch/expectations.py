"""Pure: when is the next test message, arming or disarming expected at a site? (S10.3, S11.1)

Clock times are the site's: a change of the clock moves neither 08:00 nor a period in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

OPEN, CLOSE = "open", "close"


def next_test(expected_at: datetime, period_s: int) -> datetime:
    """Next expected = last expected + period (S10.3)."""
    return expected_at + timedelta(seconds=period_s)


def expected_after(test_at: datetime, period_s: int) -> datetime:
    """A test message arrived: the next one is due a period later (R20)."""
    return test_at + timedelta(seconds=period_s)


@dataclass(frozen=True, slots=True)
class Hours:
    """Agreed hours of one weekday (0 Monday) or one date; opens None on a day without hours."""

    weekday: int | None
    on_date: date | None
    opens: time | None
    closes: time | None
    margin_s: int


@dataclass(frozen=True, slots=True)
class Day:
    """One day's opening and closing at a site, as instants."""

    opens: datetime
    closes: datetime
    margin: timedelta


def day_of(hours: Sequence[Hours], day: date, zone: ZoneInfo) -> Day | None:
    """The agreed hours of a day; a date overrides its weekday; None on a day without hours."""
    found = [h for h in hours if h.on_date == day] or [
        h for h in hours if h.on_date is None and h.weekday == day.weekday()
    ]
    for row in found:
        if row.opens is not None and row.closes is not None:
            closing_day = day if row.closes > row.opens else day + timedelta(days=1)
            return Day(
                datetime.combine(day, row.opens, zone),
                datetime.combine(closing_day, row.closes, zone),
                timedelta(seconds=row.margin_s),
            )
    return None


def deadlines(
    hours: Sequence[Hours], zone: ZoneInfo, after: datetime
) -> tuple[datetime, str] | None:
    """The next instant at which the site must have been opened or closed, strictly after."""
    today = after.astimezone(zone).date()
    for offset in range(-1, 400):
        day = day_of(hours, today + timedelta(days=offset), zone)
        if day is None:
            continue
        for moment, expected in ((day.opens, OPEN), (day.closes, CLOSE)):
            # by the clock of the wall, then as an instant
            due = (moment + day.margin).astimezone(zone)
            if due > after:
                return due, expected
    return None


def open_at(hours: Sequence[Hours], zone: ZoneInfo, at: datetime) -> bool:
    """Whether the site is inside its hours (R22: so it stands at the start)."""
    today = at.astimezone(zone).date()
    days = (day_of(hours, today + timedelta(days=offset), zone) for offset in (-1, 0))
    return any(day is not None and day.opens <= at < day.closes for day in days)


def off_schedule(
    hours: Sequence[Hours], zone: ZoneInfo, at: datetime, change: str
) -> tuple[str, str] | None:
    """What is wrong with an opening or closing at `at`: (expected, how), None when it is in order.

    early: opened before open − margin, closed before close − margin. off_schedule: opened on a
    day without hours. Late is found by the watch, not by a signal.
    """
    local = at.astimezone(zone)
    near = [
        day
        for offset in (-1, 0)
        if (day := day_of(hours, local.date() + timedelta(days=offset), zone)) is not None
    ]
    if change == OPEN:
        if any(day.opens - day.margin <= at <= day.closes + day.margin for day in near):
            return None
        today = day_of(hours, local.date(), zone)
        return (OPEN, "early") if today is not None else (OPEN, "off_schedule")
    if any(day.opens <= at < day.closes - day.margin for day in near):
        return CLOSE, "early"
    return None
