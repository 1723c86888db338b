"""One table of a site file: takes its fields one by one and notes every fault. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, TypeVar

from meldkamer.office import durations

Found = TypeVar("Found")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\Z")


@dataclass(slots=True)
class Table:
    """A table being read: takes fields one by one, notes faults, and what was left over."""

    values: dict[str, Any]
    place: str
    faults: list[tuple[str, str]]
    taken: set[str] = field(default_factory=set)

    def fault(self, name: str, reason: str) -> None:
        """Note a fault of a field."""
        self.faults.append((f"{self.place}.{name}" if name else self.place, reason))

    def take(
        self, name: str, expected: str, read: Callable[[Any], Found | None], default: Found
    ) -> Found:
        """A field's value; `default` where it is left out or faulty (`read` gives None)."""
        self.taken.add(name)
        if name not in self.values or self.values[name] == "":
            return default
        value = read(self.values[name])
        if value is None:
            self.fault(name, f"{self.values[name]!r}; expected {expected}")
            return default
        return value

    def text(self, name: str, default: str = "") -> str:
        """A text; a whole number counts as one (accounts, zones, postal codes)."""
        return self.take(name, "a text", as_text, default)

    def needed(self, name: str) -> str:
        """A text that must be there."""
        if not self.values.get(name):
            self.fault(name, "is missing")
        return self.text(name)

    def flag(self, name: str, default: bool) -> bool:
        """true or false."""
        return self.take(name, "true or false", _flag, default)

    def words(self, name: str) -> tuple[str, ...] | None:
        """A list of words, or one text parted by "|"."""
        return self.take(name, 'a list of words, e.g. ["fire", "holdup"]', _words, None)

    def span_s(self, name: str) -> int | None:
        """A duration as 24h."""
        return self.take(name, "a duration, e.g. 90m, 24h or 7d", _span_s, None)

    def number(self, name: str) -> int | None:
        """A whole number from 0."""
        return self.take(name, "a whole number", _whole_number, None)

    def degrees(self, name: str) -> float | None:
        """A decimal number."""
        return self.take(name, "a number, e.g. 51.2178", _decimal, None)

    def day(self, name: str) -> date | None:
        """A date."""
        return self.take(name, "a date, e.g. 2026-01-31", _day, None)

    def table(self, name: str) -> Table | None:
        """A table within; None when it is not there."""
        self.taken.add(name)
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.fault(name, f"expected a table [site.{name}]")
            return None
        return Table(value, f"{self.place}.{name}", self.faults)

    def tables(self, name: str) -> list[Table]:
        """The tables of a list."""
        self.taken.add(name)
        value = self.values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.fault(name, f"expected tables [[site.{name}]]")
            return []
        where = f"{self.place}.{name}"
        return [Table(one, f"{where}.{n + 1}", self.faults) for n, one in enumerate(value)]

    def nothing_left(self) -> None:
        """Fields that are not known are faults: they are mostly misspelt."""
        for name in sorted(set(self.values) - self.taken):
            self.fault(name, f"is not known; expected one of {', '.join(sorted(self.taken))}")


def as_text(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def _flag(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(
        str(value).strip().lower()
    )


def _words(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, str):
        value = [word.strip() for word in value.split("|") if word.strip()]
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        return None
    return tuple(value)


def _span_s(value: Any) -> int | None:
    try:
        return durations.read_s(value) if isinstance(value, str) else None
    except durations.DurationFault:
        return None


def _whole_number(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    return value if isinstance(value, int) and 0 <= value <= 32767 else None


def _decimal(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        return None


def as_clock(value: Any) -> time | None:
    if isinstance(value, time):
        return value
    found = _TIME.match(str(value).strip())
    return time(int(found[1]), int(found[2])) if found else None
