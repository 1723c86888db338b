"""Pure: when is the next test message, arming or disarming expected at a site? (S10.3, S11.1)

Clock times are those of the wall at the site; a period is elapsed time. Where the clock is put
back a time comes twice: nothing is late before the second, nothing early after the first. A time
that the clock leaps over is taken at the instant it would have been.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

OPEN, CLOSE = "open", "close"
#: the weekday of a row that is about public holidays
HOLIDAY = 7
_DAY = timedelta(days=1)
_FARTHEST_DAYS = 400


@dataclass(frozen=True, slots=True)
class TestSchedule:
    """When a transmitter tests: at clock times of its site, else every `period_s` (S10.3)."""

    __test__ = False

    zone: ZoneInfo
    wait_s: int
    period_s: int | None = None
    times: tuple[time, ...] = ()

    def after_test(self, at: datetime) -> datetime:
        """A test message came (or the watch begins): when the next one is expected.

        By a period: so long after it (R20). By clock times: the first time after it that it is not
        itself, a little early; what comes at noon is not tomorrow's test of three o'clock.
        """
        if not self.times:
            return at + timedelta(seconds=self.period_s or 0)
        early_s = min(self.wait_s, shortest_gap_s(self.times) // 2)
        return self._time_after(at + timedelta(seconds=early_s))

    def after_miss(self, expected: datetime) -> datetime:
        """Next expected = last expected + period, or the next clock time (S10.3)."""
        if not self.times:
            return expected + timedelta(seconds=self.period_s or 0)
        return self._time_after(expected)

    def missed_at(self, expected: datetime) -> datetime:
        """When a test message that was expected then is missed."""
        return expected + timedelta(seconds=self.wait_s)

    def _time_after(self, after: datetime) -> datetime:
        first = after.astimezone(self.zone).date() - _DAY
        for offset in range(_FARTHEST_DAYS):
            for clock in sorted(self.times):
                moment = late(first + offset * _DAY, clock, self.zone)
                if moment > after:
                    return moment
        raise ValueError("a schedule of clock times has a next one")


def shortest_gap_s(times: Sequence[time]) -> int:
    """The shortest time between two clock times of a daily schedule; a day for one alone."""
    minutes = sorted({clock.hour * 60 + clock.minute for clock in times})
    gaps = [b - a for a, b in zip(minutes, [*minutes[1:], minutes[0] + 24 * 60], strict=True)]
    return min(gaps) * 60


def early(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """A time of the wall clock as an instant; the first of two."""
    return datetime.combine(day, clock, zone).replace(fold=0).astimezone(UTC)


def late(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """A time of the wall clock as an instant; the second of two."""
    moment = datetime.combine(day, clock, zone)
    first, second = moment.replace(fold=0), moment.replace(fold=1)
    # where the clock leaps forward, "the second" would be an hour before the first
    return max(first.astimezone(UTC), second.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class Hours:
    """Agreed hours of one weekday (0 Monday, 7 a public holiday) or of one date.

    `opens` and `closes` None: that day has no hours.
    """

    weekday: int | None
    on_date: date | None
    opens: time | None
    closes: time | None
    margin_s: int
    repeat_s: int | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """One opening and closing as instants, each the first and the last that it can be meant."""

    opens: datetime
    opens_by: datetime
    closes_from: datetime
    closes: datetime
    margin: timedelta
    repeat_s: int | None = None


IsHoliday = Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class Plan:
    """The agreed hours of a site or of one area, with the calendar that they are read by."""

    hours: tuple[Hours, ...]
    zone: ZoneInfo
    is_holiday: IsHoliday

    def rows_of(self, day: date) -> list[Hours]:
        """The rows that say something of a day: a date before a holiday before a weekday."""
        dated = [row for row in self.hours if row.on_date == day]
        if dated:
            return dated
        if self.is_holiday(day):
            rows = [row for row in self.hours if row.weekday == HOLIDAY]
            if rows:
                return rows
        return [row for row in self.hours if row.weekday == day.weekday()]

    def windows(self, day: date) -> list[Window]:
        """The openings of a day, earliest first; empty on a day without hours."""
        found = []
        for row in self.rows_of(day):
            if row.opens is None or row.closes is None:
                continue
            closing_day = day if row.closes > row.opens else day + _DAY
            found.append(
                Window(
                    early(day, row.opens, self.zone),
                    late(day, row.opens, self.zone),
                    early(closing_day, row.closes, self.zone),
                    late(closing_day, row.closes, self.zone),
                    timedelta(seconds=row.margin_s),
                    row.repeat_s,
                )
            )
        return sorted(found, key=lambda window: window.opens)

    def around(self, at: datetime, before: int = 1, after: int = 1) -> Iterator[Window]:
        """The windows of the days near an instant, earliest first."""
        today = at.astimezone(self.zone).date()
        for offset in range(-before, after + 1):
            yield from self.windows(today + offset * _DAY)

    def next_deadline(self, after: datetime) -> tuple[datetime, str] | None:
        """The next instant at which it must have been opened or closed, strictly after."""
        today = after.astimezone(self.zone).date()
        for offset in range(-1, _FARTHEST_DAYS):
            # a day's last closing may come after the next day's first opening is due
            days = (today + offset * _DAY, today + (offset + 1) * _DAY)
            dues = [
                due for day in days for window in self.windows(day) for due in _deadlines(window)
            ]
            found = min((due for due in dues if due[0] > after), default=None)
            if found is not None:
                return found
        return None

    def is_open(self, at: datetime) -> bool:
        """Whether an instant lies inside the hours (R22: so it stands at the start)."""
        return any(window.opens <= at < window.closes for window in self.around(at))

    def latest_closing(self, at: datetime) -> Window | None:
        """The window that was to be closed last before an instant."""
        ended = [w for w in self.around(at, before=_FARTHEST_DAYS // 8) if w.closes <= at]
        return max(ended, key=lambda window: window.closes, default=None)

    def wrong(self, at: datetime, change: str) -> tuple[str, str] | None:
        """What is wrong with an opening or closing at `at`: (expected, how); None: in order.

        early: opened before open − margin, closed before close − margin. off_schedule: opened on a
        day without hours. Late is found by the watch, not by a signal.
        """
        near = list(self.around(at))
        if change == OPEN:
            if any(w.opens - w.margin <= at <= w.closes + w.margin for w in near):
                return None
            today = self.windows(at.astimezone(self.zone).date())
            return (OPEN, "early") if today else (OPEN, "off_schedule")
        if any(w.opens <= at < w.closes_from - w.margin for w in near):
            return CLOSE, "early"
        return None


def _deadlines(window: Window) -> tuple[tuple[datetime, str], tuple[datetime, str]]:
    return (
        (window.opens_by + window.margin, OPEN),
        (window.closes + window.margin, CLOSE),
    )
