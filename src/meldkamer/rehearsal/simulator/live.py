"""The same story on the live path: real commits, the worker's own cycle, the application's rights.

Why: a rehearsal plays inside one transaction, one thing at a time; what it shows must be what the
running centre does. Time alone is virtual here, and who calls and answers. Never: in a database
that anybody uses; its tables are emptied before and after.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from meldkamer.engine import cycle
from meldkamer.journal.seal import seal_all
from meldkamer.journal.verify import verify_all
from meldkamer.notify.commands import Inside
from meldkamer.rehearsal import timeline
from meldkamer.rehearsal.player import House, Player
from meldkamer.rehearsal.simulator.observed import Broken, Run, observe
from meldkamer.rehearsal.simulator.watching import Watcher
from meldkamer.rehearsal.story import Story
from meldkamer.rehearsal.world import build

_TABLES = (
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    " AND tablename NOT LIKE 'django\\_%' AND tablename NOT LIKE 'auth\\_%'"
)
Line = Mapping[str, Any]


class LiveHouse(House):
    """The steps of the working process's cycle, as it takes them."""

    def act(self, ranks: tuple[int, ...], now: datetime) -> bool:
        """All that is due, claimed and locked as between several processes."""
        step = cycle.end_states if ranks == (0,) else cycle.act_on_due
        return bool(step(now))

    def follow(self, carriers: dict[str, Inside], now: datetime) -> None:
        """Judge, take replies, hand over, until nothing is left."""
        while cycle.judge_all(now) or cycle.consume_all(now):
            pass
        cycle.hand_over(carriers, now)

    def restart(self, now: datetime) -> None:
        """A new process: nothing is carried over."""


def play(story: Story) -> tuple[Run, list[dict[str, Any]]]:
    """Play a story for good, check the chain, and leave the tables empty again."""
    if connection.in_atomic_block:
        raise RuntimeError("the live path commits; it cannot run inside a transaction")
    emptied()
    try:
        with transaction.atomic():
            world = build(story)
        with _Application():
            end = Player(world, LiveHouse(), Watcher(world).look).play()
            connection.ensure_connection()
            seal_all(connection, end, alone=True)
        _whole()
        return observe(world, end), list(timeline.lines(world, end))
    finally:
        emptied()


def _whole() -> None:
    for table in verify_all(connection):
        if table.broken is not None:
            raise Broken("the chain holds", str(table.broken))
        if table.unsealed:
            raise Broken("the chain holds", f"{table.table}: {table.unsealed} rows are not sealed")


class _Application:
    """The role of the running centre: what it may not do fails here as well."""

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE meldkamer_app")

    def __exit__(self, *fault: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")


def emptied() -> None:
    """Take every row out of every table of the product."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        tables = ", ".join(f'"{row[0]}"' for row in cursor.fetchall())
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")


def difference(expected: Sequence[Line], found: Sequence[Line]) -> str:
    """The first line that differs, "" when the timelines agree.

    At one instant what happens at two sites has no order of its own between several processes.
    """
    mine, other = list(_in_order(expected)), list(_in_order(found))
    for number in range(max(len(mine), len(other))):
        one = mine[number] if number < len(mine) else None
        two = other[number] if number < len(other) else None
        if one != two:
            return f"line {number + 1}: expected {_shown(one)}, found {_shown(two)}"
    return ""


def _shown(line: Line | None) -> str:
    return "nothing" if line is None else str({k: v for k, v in line.items() if v})


def _in_order(lines: Iterable[Line]) -> Iterator[Line]:
    numbers: dict[tuple[str, Any], int] = {}
    counts: dict[str, int] = {}
    marked = []
    for place, line in enumerate(lines):
        site = str(line.get("site", ""))
        kept = dict(line)
        if "incident" in line:
            key = (site, line["incident"])
            if key not in numbers:
                counts[site] = counts.get(site, 0) + 1
                numbers[key] = counts[site]
            kept["incident"] = numbers[key]
        marked.append((datetime.fromisoformat(str(line["at"])), site, place, kept))
    for _, _, _, kept in sorted(marked, key=lambda one: one[:3]):
        yield kept
