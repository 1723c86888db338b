"""What is expected when: periods, clock times, hours; both changes of the clock (S10.3, S11.1)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from meldkamer.terms.holidays import HolidayFault, check, easter, is_holiday
from meldkamer.terms.loader import load
from meldkamer.watch.commands import wait_by_period_s
from meldkamer.watch.expectations import (
    CLOSE,
    HOLIDAY,
    OPEN,
    Hours,
    Plan,
    TestSchedule,
    shortest_gap_s,
)

ZONE = ZoneInfo("Europe/Brussels")
SECURITAS = load("securitas-2022-05")
HOLIDAYS = partial(is_holiday, rules=SECURITAS.open_close.holidays)
NEVER = partial(is_holiday, rules=())


def local(text: str) -> datetime:
    """A moment of the wall clock in Brussels; a trailing * is the second of two."""
    moment = datetime.fromisoformat(text.rstrip("*")).replace(tzinfo=ZONE)
    return moment.replace(fold=int(text.endswith("*"))).astimezone(UTC)


def week(opens: str = "08:00", closes: str = "17:00", days: int = 5) -> tuple[Hours, ...]:
    times = time.fromisoformat(opens), time.fromisoformat(closes)
    return tuple(Hours(day, None, *times, 900) for day in range(days))


@pytest.mark.clause("S10.3")
@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24"])
def test_a_period_is_elapsed_time_when_the_clock_is_changed(day: str) -> None:
    schedule = TestSchedule(ZONE, 5400, 86400)
    before = local(f"{day} 12:00")
    assert schedule.after_test(before) - before == timedelta(hours=24)
    assert schedule.after_miss(before) - before == timedelta(hours=24)


@pytest.mark.clause("S10.3")
def test_a_clock_time_stays_where_the_wall_clock_has_it() -> None:
    schedule = TestSchedule(ZONE, 5400, None, (time(3, 30),))
    expected = local("2026-03-27 03:30")
    for day in ("2026-03-28", "2026-03-29", "2026-03-30"):
        expected = schedule.after_miss(expected)
        assert expected == local(f"{day} 03:30")
    autumn = local("2026-10-24 03:30")
    assert schedule.after_miss(autumn) == local("2026-10-25 03:30")
    assert schedule.after_miss(autumn) - autumn == timedelta(hours=25)


@pytest.mark.clause("S10.3")
def test_a_clock_time_that_is_leapt_over_is_expected_once() -> None:
    schedule = TestSchedule(ZONE, 900, None, (time(2, 30),))
    first = schedule.after_miss(local("2026-03-28 02:30"))
    assert first == local("2026-03-29 03:30")  # 02:30 as the clock went before
    assert schedule.after_miss(first) == local("2026-03-30 02:30")


@pytest.mark.clause("S10.3")
def test_a_clock_time_that_comes_twice_is_missed_after_the_second_alone() -> None:
    schedule = TestSchedule(ZONE, 900, None, (time(2, 30),))
    expected = schedule.after_miss(local("2026-10-24 02:30"))
    assert expected == local("2026-10-25 02:30*")
    # a panel that tests at the first of the two is in time as well, and is not expected again
    for came in (local("2026-10-25 02:30"), local("2026-10-25 02:30*")):
        assert schedule.after_test(came) in (expected, local("2026-10-26 02:30"))
        assert schedule.missed_at(schedule.after_test(came)) > came


@pytest.mark.clause("S10.3")
def test_a_test_a_little_early_is_that_one_and_a_test_at_noon_is_not_tomorrows() -> None:
    schedule = TestSchedule(ZONE, 5400, None, (time(3),))
    assert schedule.after_test(local("2026-03-02 02:50")) == local("2026-03-03 03:00")
    assert schedule.after_test(local("2026-03-02 12:00")) == local("2026-03-03 03:00")
    assert schedule.after_test(local("2026-03-02 03:40")) == local("2026-03-03 03:00")


@pytest.mark.clause("S10.3")
def test_the_waiting_time_goes_by_the_period_of_the_table() -> None:
    assert [wait_by_period_s(p, SECURITAS) for p in (3600, 3601, 86400, 604800, 2_000_000)] == [
        900, 5400, 5400, 21600, 21600,
    ]  # fmt: skip
    assert shortest_gap_s((time(3),)) == 86400
    assert shortest_gap_s((time(3), time(23), time(11))) == 4 * 3600


@pytest.mark.clause("S11.1")
def test_the_margin_counts_on_both_sides_to_the_second() -> None:
    plan = Plan(week(), ZONE, NEVER)
    assert plan.wrong(local("2026-03-02 07:45"), OPEN) is None
    assert plan.wrong(local("2026-03-02 07:44:59"), OPEN) == (OPEN, "early")
    assert plan.wrong(local("2026-03-02 16:45"), CLOSE) is None
    assert plan.wrong(local("2026-03-02 16:44:59"), CLOSE) == (CLOSE, "early")
    assert plan.wrong(local("2026-03-07 10:00"), OPEN) == (OPEN, "off_schedule")
    assert plan.next_deadline(local("2026-03-02 16:00")) == (local("2026-03-02 17:15"), CLOSE)
    assert plan.next_deadline(local("2026-03-02 17:15")) == (local("2026-03-03 08:15"), OPEN)


@pytest.mark.clause("S11.1")
def test_a_date_goes_before_a_holiday_and_a_holiday_before_the_weekday() -> None:
    closed = Hours(HOLIDAY, None, None, None, 900)
    plan = Plan((*week(), closed), ZONE, HOLIDAYS)
    assert plan.windows(date(2026, 5, 1)) == []  # a Friday, and Labour Day
    assert plan.wrong(local("2026-05-01 08:00"), OPEN) == (OPEN, "off_schedule")
    assert len(plan.windows(date(2026, 4, 30))) == 1
    once = Hours(None, date(2026, 5, 1), time(9), time(12), 900)
    assert Plan((*week(), closed, once), ZONE, HOLIDAYS).windows(date(2026, 5, 1))[
        0
    ].opens == local("2026-05-01 09:00")
    # without a row for holidays they are days like others
    assert len(Plan(week(), ZONE, HOLIDAYS).windows(date(2026, 5, 1))) == 1


@pytest.mark.clause("S11.1")
def test_the_ten_holidays_of_belgium_are_found_in_any_year() -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    assert [day.isoformat()[5:] for day in days if HOLIDAYS(day)] == [
        "01-01", "04-06", "05-01", "05-14", "05-25", "07-21", "08-15", "11-01", "11-11", "12-25",
    ]  # fmt: skip
    assert easter(2038) == date(2038, 4, 25)
    for rule in ("13-01", "02-30", "pasen", "easter+1000"):
        with pytest.raises(HolidayFault):
            check(rule)


@pytest.mark.clause("S11.1")
def test_two_openings_of_one_day_are_watched_apart() -> None:
    morning, afternoon = week("08:00", "12:00"), week("13:00", "17:00")
    plan = Plan((*morning, *afternoon), ZONE, NEVER)
    due = local("2026-03-02 06:00")
    found = []
    for _ in range(4):
        due, expected = plan.next_deadline(due) or (due, "")
        found.append((due, expected))
    assert found == [
        (local("2026-03-02 08:15"), OPEN), (local("2026-03-02 12:15"), CLOSE),
        (local("2026-03-02 13:15"), OPEN), (local("2026-03-02 17:15"), CLOSE),
    ]  # fmt: skip


@pytest.mark.clause("S11.1")
def test_hours_over_midnight_are_in_time_on_both_changes_of_the_clock() -> None:
    plan = Plan(week("20:00", "02:30", days=7), ZONE, NEVER)
    # put back: 02:30 comes twice, and only after the second it is late
    assert plan.next_deadline(local("2026-10-25 01:00")) == (local("2026-10-25 02:45*"), CLOSE)
    assert plan.wrong(local("2026-10-25 02:20"), CLOSE) is None
    # put forward: 02:30 is leapt over
    assert plan.next_deadline(local("2026-03-29 01:00")) == (local("2026-03-29 03:45"), CLOSE)
    for day in ("2026-03-29", "2026-10-25"):
        assert plan.next_deadline(local(f"{day} 12:00")) == (local(f"{day} 20:15"), OPEN)
