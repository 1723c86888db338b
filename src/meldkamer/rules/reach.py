"""When a contact can be reached: "mon-fri 08:00-18:00, sat 09:00-12:00"; nothing said is always.

Local times of the site. Used for the check that somebody can be reached at every hour, and shown to
the operator, who calls all the same: it never takes anybody off the list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MIN = 24 * 60
WEEK_MIN = 7 * _DAY_MIN
_PART = re.compile(
    r"(?:(?P<days>[a-z]{3}(?:-[a-z]{3})?)\s+)?"
    r"(?P<from>(?:[01]\d|2[0-3]):[0-5]\d)-(?P<to>(?:[01]\d|2[0-3]):[0-5]\d|24:00)"
)
_DAY_ALONE = re.compile(r"[a-z]{3}(?:-[a-z]{3})?")


class ReachFault(ValueError):
    """Not hours of a week; says what was expected."""


@lru_cache(maxsize=4096)
def minutes(text: str) -> frozenset[int]:
    """The minutes of the week, Monday 00:00 being 0, in quarters; ReachFault names the part.

    Each part: days, times or both; times that end before they begin run past midnight.
    """
    if not text.strip():
        return frozenset(range(0, WEEK_MIN, 15))
    found: set[int] = set()
    for part in text.lower().split(","):
        found |= _part(part.strip())
    return frozenset(found)


def _part(text: str) -> set[int]:
    matched = _PART.fullmatch(text)
    if matched:
        days, begin, end = matched["days"] or "mon-sun", matched["from"], matched["to"]
    elif _DAY_ALONE.fullmatch(text):
        days, begin, end = text, "00:00", "24:00"
    else:
        raise ReachFault(f"{text!r}; expected e.g. mon-fri 08:00-18:00, sat, 20:00-06:00")
    first, _, last = days.partition("-")
    if first not in DAYS or (last and last not in DAYS):
        raise ReachFault(f"{days!r}; expected days as mon or mon-fri: {', '.join(DAYS)}")
    start, length = _clock(begin), (_clock(end) - _clock(begin)) % _DAY_MIN or _DAY_MIN
    number, until = DAYS.index(first), DAYS.index(last or first)
    wanted = [(number + step) % 7 for step in range((until - number) % 7 + 1)]
    return {
        (day * _DAY_MIN + start + minute) % WEEK_MIN // 15 * 15
        for day in wanted
        for minute in range(0, length, 15)
    }


def _clock(text: str) -> int:
    hours, _, rest = text.partition(":")
    return int(hours) * 60 + int(rest)


def gaps(texts: Iterable[str]) -> list[tuple[int, int]]:
    """The stretches of the week, in minutes, in which none of these can be reached."""
    covered: set[int] = set()
    for text in texts:
        covered |= minutes(text)
    missing = [minute for minute in range(0, WEEK_MIN, 15) if minute not in covered]
    found: list[tuple[int, int]] = []
    for minute in missing:
        if found and found[-1][1] == minute:
            found[-1] = (found[-1][0], minute + 15)
        else:
            found.append((minute, minute + 15))
    if len(found) > 1 and found[0][0] == 0 and found[-1][1] == WEEK_MIN:
        found[0] = (found.pop()[0], found[0][1])  # Sunday night goes on on Monday
    return found


def at(minute: int) -> tuple[str, str]:
    """A minute of the week as day and clock: ("mon", "18:00")."""
    minute %= WEEK_MIN
    return DAYS[minute // _DAY_MIN], f"{minute % _DAY_MIN // 60:02}:{minute % 60:02}"
