"""What a check of the auditor is: a name, the clause it guards, and a bounded look.

A look returns what does not hold, the oldest first, at most MOST of it. Looks that go through the
tables piece by piece keep a mark: where they stopped. What was found before is looked at again, so
that a finding stays until it is mended, and goes when it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from meldkamer.incidents.house_checks import MOST


class Finding(NamedTuple):
    """One thing that does not hold: `kind` is signal, incident, agenda, message, test, …"""

    kind: str
    id: int
    site_id: int | None
    at: datetime | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look is given: the time, where the last one stopped, and what it had found."""

    now: datetime
    mark: int = 0
    before: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look saw: what does not hold, and where the next one begins."""

    findings: tuple[Finding, ...] = ()
    mark: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """A check: `look` runs in a savepoint with a time limit, and writes nothing."""

    name: str
    clause: str
    look: Callable[[Look], Seen]
    #: the tables' own statements, for the test that none of them reads a big table whole
    statements: tuple[tuple[str, dict[str, Any]], ...] = field(default=())


def standing(name: str, clause: str, sql: str, **limits: Any) -> Check:
    """A check by one statement that sees everything at once.

    It selects (kind, id, site, at, note) of what does not hold; %(now)s and the limits are given.
    """

    def look(given: Look) -> Seen:
        return Seen(tuple(rows(sql, {**limits, "now": given.now, "most": MOST})))

    return Check(name, clause, look, ((sql, {**limits, "most": MOST}),))


def walking(name: str, clause: str, sql: str, *, step: int, **limits: Any) -> Check:
    """A check that goes round and round through open incidents, `step` of them at a time.

    It selects (kind, id, site, at, note) among the incidents %(ids)s.
    """

    def look(given: Look) -> Seen:
        ids = _next_open(given.mark, step)
        mark = ids[-1] if len(ids) == step else 0
        again = [finding.id for finding in given.before]
        wanted = {**limits, "now": given.now, "most": MOST, "ids": [*ids, *again]}
        return Seen(tuple(rows(sql, wanted)), mark)

    numbers = list(range(1, step + 1))
    return Check(
        name,
        clause,
        look,
        (
            (NEXT_OPEN, {"mark": 0, "step": step}),
            (sql, {**limits, "most": MOST, "ids": numbers}),
        ),
    )


NEXT_OPEN = (
    "SELECT id FROM incidents_incident WHERE closed_at IS NULL AND id > %(mark)s"
    " ORDER BY id LIMIT %(step)s"
)


def _next_open(mark: int, step: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(NEXT_OPEN, {"mark": mark, "step": step})
        return [row[0] for row in cursor.fetchall()]


def rows(sql: str, parameters: dict[str, Any]) -> Sequence[Finding]:
    """The findings of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [Finding(*row) for row in cursor.fetchall()]
