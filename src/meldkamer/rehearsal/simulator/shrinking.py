"""Makes a failing story short: what can go while the same checker still fails, goes.

Greedy and bounded: it takes the first smaller story that fails alike, and stops when nothing can
be taken away or the time is over. What is left is still a story that anybody can play.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from typing import Any

from meldkamer.rehearsal.faults import StoryFault
from meldkamer.rehearsal.simulator.observed import Broken

Tables = dict[str, Any]
_KEPT = ("title", "clauses", "terms", "start", "site")
_PLAIN: dict[str, Any] = {"operators": 1, "operator_pace": "20s"}


def shrink(
    tables: Tables, broken: Broken, play: Callable[[Tables], object], longest_s: float = 60.0
) -> tuple[Tables, Broken]:
    """The shortest story found in that time, and what it breaks.

    play: raises Broken when the story fails.
    """
    until_s = time.monotonic() + longest_s
    found = broken
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(tables):
            if time.monotonic() > until_s:
                return tables, found
            again = _fails(candidate, found, play)
            if again is not None:
                tables, found, smaller = candidate, again, True
                break
    return tables, found


def _fails(tables: Tables, like: Broken, play: Callable[[Tables], object]) -> Broken | None:
    try:
        play(tables)
    except Broken as broken:
        return broken if _alike(broken, like) else None
    except StoryFault:
        return None
    return None


def _alike(one: Broken, other: Broken) -> bool:
    """The same checker; of what a step raised, also the same place."""
    if one.checker != "no step fails":
        return one.checker == other.checker
    return one.sentence.partition(":")[0] == other.sentence.partition(":")[0]


def _smaller(tables: Tables) -> Iterator[Tables]:
    """Smaller stories, the much smaller ones first."""
    yield from _parts(tables, "event")
    for number in range(len(tables["site"]) - 1, -1, -1):
        if len(tables["site"]) > 1:
            yield _without_site(tables, number)
    for key in ("carrier", "crash_at_commits"):
        yield from _parts(tables, key)
    for key in list(tables):
        if key not in _KEPT and key not in ("event", *_PLAIN):
            yield {name: value for name, value in tables.items() if name != key}
    for key in tables.get("terms_changes", {}):
        changes = {k: v for k, v in tables["terms_changes"].items() if k != key}
        yield {**tables, "terms_changes": changes}
    for number in range(len(tables["site"])):
        yield from _smaller_site(tables, number)
    for key, value in _PLAIN.items():
        if tables.get(key, value) != value:
            yield {**tables, key: value}


def _parts(tables: Tables, key: str) -> Iterator[Tables]:
    """Without a half, a quarter, … one of a list."""
    rows = tables.get(key, [])
    size = len(rows)
    while size >= 1:
        for begin in range(0, len(rows), size):
            left = [*rows[:begin], *rows[begin + size :]]
            if len(left) < len(rows):
                yield {**tables, key: left}
        size //= 2


def _without_site(tables: Tables, number: int) -> Tables:
    name = tables["site"][number]["name"]
    left = [site for site in tables["site"] if site["name"] != name]
    events = [event for event in tables.get("event", []) if event.get("site") != name]
    return {**tables, "site": left, "event": events}


def _smaller_site(tables: Tables, number: int) -> Iterator[Tables]:
    site = tables["site"][number]

    def changed(new: Tables) -> Tables:
        sites = copy.copy(tables["site"])
        sites[number] = new
        return {**tables, "site": sites}

    for key in ("contact", "zone", "open_close", "options", "types"):
        for row in range(len(site.get(key, [])) - 1, -1, -1):
            left = [one for place, one in enumerate(site[key]) if place != row]
            yield changed({**site, key: left})
    for key in site:
        if key not in ("name", "plan", "formula", "contact", "zone", "account"):
            yield changed({name: value for name, value in site.items() if name != key})
    for row, contact in enumerate(site.get("contact", [])):
        for key in contact:
            if key != "name":
                contacts = copy.copy(site["contact"])
                contacts[row] = {name: v for name, v in contact.items() if name != key}
                yield changed({**site, "contact": contacts})
