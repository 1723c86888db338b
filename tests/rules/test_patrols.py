"""When a unit may be asked, and in which order (S6.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from meldkamer.rules.nearest import ranked
from meldkamer.rules.shifts import ShiftFault, on_shift, planned, repeated

BRUSSELS = ZoneInfo("Europe/Brussels")
NOW = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)
HERE = (51.2, 4.4)


def local(day: int, clock: str, month: int = 3) -> datetime:
    return datetime.combine(datetime(2026, month, day).date(), time.fromisoformat(clock), BRUSSELS)


@pytest.mark.clause("S6.1")
@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        (2, "21:59", False), (2, "22:00", True), (3, "05:59", True), (3, "06:00", False),
        (3, "22:30", False), (9, "23:00", True),
    ],
)  # fmt: skip
def test_a_night_shift_begins_on_its_day_and_ends_the_next(
    day: int, clock: str, expected: bool
) -> None:
    mondays = repeated([0], time(22), time(6))
    assert on_shift([mondays], BRUSSELS, local(day, clock)) is expected


@pytest.mark.clause("S6.1")
def test_shifts_keep_the_wall_clock_when_the_clocks_change() -> None:
    # on 29 March 2026 two o'clock becomes three
    saturday = repeated([5], time(22), time(6))
    assert on_shift([saturday], BRUSSELS, local(29, "05:59"))
    assert not on_shift([saturday], BRUSSELS, local(29, "06:00"))


@pytest.mark.clause("S6.1")
def test_planned_shifts_and_none_at_all() -> None:
    shift = planned(NOW, NOW + timedelta(hours=8))
    assert on_shift([shift], BRUSSELS, NOW)
    assert not on_shift([shift], BRUSSELS, NOW + timedelta(hours=8))
    assert not on_shift([shift], BRUSSELS, NOW - timedelta(seconds=1))
    assert on_shift([], BRUSSELS, NOW)


def test_a_shift_that_is_none_is_refused() -> None:
    for make in (
        lambda: repeated([], time(8), time(9)), lambda: repeated([7], time(8), time(9)),
        lambda: repeated([1], time(8), time(8)), lambda: planned(NOW, NOW),
    ):  # fmt: skip
        with pytest.raises(ShiftFault):
            make()


@dataclass(frozen=True)
class Unit:
    pk: int
    name: str
    latitude: float | None
    longitude: float | None
    has_page: bool = True
    positioned_at: datetime | None = NOW


def unit(number: int, name: str, km: float | None, **more: Any) -> Unit:
    place = (None, None) if km is None else (HERE[0] + km / 111.2, HERE[1])
    return Unit(number, name, *place, **more)


@pytest.mark.clause("S6.1")
def test_road_time_goes_before_distance_and_fresh_before_stale() -> None:
    old = NOW - timedelta(seconds=601)
    units = [
        unit(1, "across the water", 1.0),
        unit(2, "near by road", 3.0),
        unit(3, "no road asked", 2.0),
        unit(4, "stale", 0.1, positioned_at=old),
        unit(5, "by radio", 4.0, has_page=False, positioned_at=None),
        unit(6, "nowhere", None),
    ]
    roads = {1: 1500.0, 2: 200.0}
    names = [one.name for one in ranked(units, HERE, NOW, 600, roads)]
    assert names == [
        "near by road", "no road asked", "by radio", "across the water", "nowhere", "stale",
    ]  # fmt: skip
