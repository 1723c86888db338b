"""Where a field of a TOML file stands: TOML's reader forgets lines, a person needs them. Pure.

It follows the headers [[site]], [site.customer], [[site.zone]] and the first word of each line; an
inline table is found by the line of its own name.
"""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\s\"'-]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*(\.[A-Za-z0-9_.-]+\s*)?=")


class Lines:
    """Line numbers of a TOML text by place: site.2.contact.1.phone."""

    def __init__(self, text: str) -> None:
        self._lines: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        here = ""
        for number, line in enumerate(text.splitlines(), start=1):
            header = _HEADER.match(line)
            key = _KEY.match(line)
            if header is not None and key is None:
                here = self._enter(header[2].replace(" ", ""), header[1] == "[[")
                self._lines.setdefault(here, number)
            elif key is not None:
                self._lines.setdefault(f"{here}.{key[1]}" if here else key[1], number)

    def _enter(self, name: str, one_of_many: bool) -> str:
        """The place a header opens: each part of many gets the number it has now."""
        parts = name.split(".")
        place = ""
        for index, part in enumerate(parts):
            place = f"{place}.{part}" if place else part
            last = index == len(parts) - 1
            if last and one_of_many:
                self._counts[place] = self._counts.get(place, 0) + 1
            if place in self._counts:
                place = f"{place}.{self._counts[place]}"
        return place

    def of(self, place: str) -> int:
        """The line of a place, or of what holds it."""
        while place:
            if place in self._lines:
                return self._lines[place]
            place = place.rpartition(".")[0]
        return 1
