"""Durations as people write them: 90s, 15m, 24h, 7d. Pure."""

from __future__ import annotations

import re

_FORM = re.compile(r"\s*(\d{1,6})\s*([smhdw])\s*\Z")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class DurationFault(ValueError):
    """Not a duration; the message says what was expected."""


def read_s(text: str) -> int:
    """Seconds of a duration; DurationFault names the form."""
    found = _FORM.match(text.lower())
    if found is None or int(found[1]) == 0:
        raise DurationFault(f"{text!r} is no duration; expected e.g. 90m, 24h or 7d")
    return int(found[1]) * _UNIT_S[found[2]]


def write_s(seconds: int | None) -> str:
    """The shortest form that says it: 24h, 90m, 7d; "" for None."""
    if seconds is None:
        return ""
    for unit in ("d", "h", "m"):
        if seconds % _UNIT_S[unit] == 0 and seconds >= (2 if unit == "d" else 1) * _UNIT_S[unit]:
            return f"{seconds // _UNIT_S[unit]}{unit}"
    return f"{seconds}s"
