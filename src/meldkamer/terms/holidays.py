"""Public holidays as data: "05-01" is a fixed date, "easter+39" so many days after Easter (S11.1).

Pure. Which days they are is said by the terms; how Easter moves is no provider's choice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache

_FIXED = re.compile(r"(\d\d)-(\d\d)\Z")
_MOVING = re.compile(r"easter([+-]\d{1,3})?\Z")
_LEAP_YEAR = 2024


class HolidayFault(ValueError):
    """Neither MM-DD nor easter+N; the message says what was found."""


def check(rule: str) -> None:
    """HolidayFault unless the rule can be read."""
    _day(rule, _LEAP_YEAR)


def is_holiday(day: date, rules: Sequence[str]) -> bool:
    """Whether a day is one of these holidays."""
    return day in _days(tuple(rules), day.year)


@lru_cache(maxsize=64)
def _days(rules: tuple[str, ...], year: int) -> frozenset[date]:
    return frozenset(day for rule in rules if (day := _day(rule, year)) is not None)


def _day(rule: str, year: int) -> date | None:
    """The day of a rule in a year; None for 29 February where there is none."""
    fixed = _FIXED.match(rule)
    if fixed:
        month, number = int(fixed[1]), int(fixed[2])
        try:
            date(_LEAP_YEAR, month, number)
        except ValueError:
            raise _fault(rule) from None
        try:
            return date(year, month, number)
        except ValueError:
            return None
    moving = _MOVING.match(rule)
    if not moving:
        raise _fault(rule)
    return easter(year) + timedelta(days=int(moving[1] or 0))


def _fault(rule: str) -> HolidayFault:
    return HolidayFault(f"{rule!r} is no holiday; expected MM-DD, easter or easter+39")


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = b // 4, b % 4
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    m = (a + 11 * h) // 319
    n = (2 * e + 2 * i - k - h + m + 32) % 7
    month = (h - m + n + 90) // 25
    return date(year, month, (h - m + n + month + 19) % 32)
