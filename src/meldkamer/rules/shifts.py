"""When a patrol may be asked to go: its shifts (S6.1). Pure: the time and the zone are passed in.

A shift is repeated ({"days": [0, 4], "from": "22:00", "until": "06:00"}, days on which it begins,
0 is Monday) or planned ({"from": "2026-03-02T22:00+01:00", "until": "…"}). A unit without any shift
may be asked at any time: it says by radio when it is off duty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Shift = Mapping[str, Any]
MOST = 20


class ShiftFault(ValueError):
    """A shift that cannot be read; the message says what was expected."""


def repeated(days: Iterable[int], begins: time, ends: time) -> dict[str, Any]:
    """A shift on these days of the week; one that ends before it begins ends the next day."""
    chosen = sorted(set(days))
    if not chosen or not set(chosen) <= set(range(7)):
        raise ShiftFault("at least one day of the week")
    if begins == ends:
        raise ShiftFault("an end other than the beginning")
    return {"days": chosen, "from": f"{begins:%H:%M}", "until": f"{ends:%H:%M}"}


def planned(begins: datetime, ends: datetime) -> dict[str, Any]:
    """A shift at a date; both times know their zone."""
    if begins >= ends:
        raise ShiftFault("an end after the beginning")
    return {"from": begins.isoformat(), "until": ends.isoformat()}


def on_shift(shifts: Iterable[Shift], zone: ZoneInfo, now: datetime) -> bool:
    """Whether one of them runs at `now`; the moment of its end is no longer of it."""
    rows = list(shifts)
    return not rows or any(_runs(row, zone, now) for row in rows)


def ended(shift: Shift, now: datetime) -> bool:
    """Whether a planned shift is over for good; a repeated one never is."""
    return "days" not in shift and datetime.fromisoformat(shift["until"]) <= now


def _runs(shift: Shift, zone: ZoneInfo, now: datetime) -> bool:
    if "days" not in shift:
        begins = datetime.fromisoformat(shift["from"])
        return begins <= now < datetime.fromisoformat(shift["until"])
    begins_at, ends_at = time.fromisoformat(shift["from"]), time.fromisoformat(shift["until"])
    today = now.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        if day.weekday() not in shift["days"]:
            continue
        last = day if ends_at > begins_at else day + timedelta(days=1)
        begins = datetime.combine(day, begins_at, zone)
        if begins <= now < datetime.combine(last, ends_at, zone):
            return True
    return False
