"""The live line: one LISTEN connection per web process, fanned out to every open console.

Why: a console must see a change at once and must never be older than it looks. The database says
only *which* incident changed; the console fetches what it may see. Nothing is lost over a gap: a
console that comes back asks for everything since its last event id (an entry of the journal) and
reads the state anew. Never: hold a database connection per console, or block the stop of the
process (`close_all`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary, WeakSet

import psycopg
from django.db import connections
from psycopg.conninfo import make_conninfo

CHANNEL = "meldkamer_incident"
BEAT_S = 2.0
#: after this a console comes again, so that a session that ended does not listen for ever
LONGEST_S = 900.0
#: a transaction may commit after a later one: what is older than this is surely committed
OVERLAP_S = 30
#: an audit older than this is red: every console must learn of it, though nobody can tell them
STALE_S = 90
_STALE = (
    "SELECT coalesce(min(checked_at) < now() - make_interval(secs => %s), true)"
    " FROM incidents_housecheck"
)
_RETRY_S = (0.2, 0.5, 1.0, 2.0)
#: a console this far behind does not read: it is dropped, comes back and reads everything anew
_BACKLOG = 500
#: more changes than that at once are told as one ("everything"), but for security and safety
_MANY, _URGENT = 100, 2

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """Something changed about an incident or a site; ids only."""

    entry: int
    provider: int | None
    incident: int | None = None
    site: int | None = None
    urgent: bool = False
    # too many to be told one by one: the console reads its screen anew
    everything: bool = False


@dataclass(eq=False)
class Listener:
    """One console: what it may hear of, and what waits for it."""

    providers: frozenset[int]
    waiting: asyncio.Queue[Change | None] = field(
        default_factory=lambda: asyncio.Queue(maxsize=_BACKLOG)
    )

    def hears(self, change: Change) -> bool:
        """Whether a change is of one of its providers, or of none."""
        return change.provider is None or change.provider in self.providers

    def put(self, change: Change | None) -> None:
        """Hand a change over; a console that does not read is dropped and comes back."""
        try:
            self.waiting.put_nowait(change)
        except asyncio.QueueFull:
            while not self.waiting.empty():
                self.waiting.get_nowait()
            self.waiting.put_nowait(None)


class Feed:
    """The fan-out of one event loop. `up` is False while the database does not answer."""

    def __init__(self) -> None:
        self.listeners: set[Listener] = set()
        self.up = False
        self.last_entry = 0
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    async def subscribe(self, providers: Collection[int]) -> Listener:
        """Listen from now on; returns once the line to the database stands (or 2 s passed)."""
        listener = Listener(frozenset(providers))
        self.listeners.add(listener)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="console feed")
        try:
            await asyncio.wait_for(self._ready.wait(), 2.0)
        except TimeoutError:
            log.warning("console feed: the database does not answer")
        return listener

    def leave(self, listener: Listener) -> None:
        """A console went; with the last one the connection is given up."""
        self.listeners.discard(listener)
        if not self.listeners and self._task is not None:
            self._task.cancel()
            self._task = None
            self._ready.clear()

    def close(self) -> None:
        """End every stream at once: the process stops."""
        for listener in list(self.listeners):
            listener.put(None)

    async def _run(self) -> None:
        tries = 0
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    _conninfo(), autocommit=True
                ) as connection:
                    tries = 0
                    await self._listen(connection)
            except psycopg.Error as fault:
                # not swallowed: every console sees that the line is down (no beats), then retries
                log.warning("console feed: %s", str(fault).strip().splitlines()[0:1])
                self._down()
            await asyncio.sleep(_RETRY_S[min(tries, len(_RETRY_S) - 1)])
            tries += 1

    def _down(self) -> None:
        self.up = False
        self._ready.clear()
        self.close()

    async def _listen(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        await connection.execute(f"LISTEN {CHANNEL}")
        await self._look_up(connection, set())
        self.up = True
        self._ready.set()
        house_stale = await self._house_is_stale(connection)
        while True:
            named: set[str] = set()
            async for notice in connection.notifies(timeout=BEAT_S, stop_after=1):
                named.add(notice.payload)
            if named:
                for change in _gist(await self._look_up(connection, named)):
                    self._tell(change)
            # a dead connection looks like a silent one: ask, and ask what nobody announces
            stale = await self._house_is_stale(connection)
            if stale != house_stale:
                house_stale = stale
                self._tell(Change(0, None))

    async def _house_is_stale(
        self, connection: psycopg.AsyncConnection[tuple[object, ...]]
    ) -> bool:
        """Whether the auditor has been silent too long: a worker that is dead announces nothing."""
        cursor = await connection.execute(_STALE, [STALE_S])
        found = await cursor.fetchone()
        return found is None or bool(found[0])

    def _tell(self, change: Change) -> None:
        for listener in self.listeners:
            if listener.hears(change):
                listener.put(change)

    async def _look_up(
        self, connection: psycopg.AsyncConnection[tuple[object, ...]], named: set[str]
    ) -> list[Change]:
        incidents, sites, others = _parse(named)
        cursor = await connection.execute(
            "SELECT 'entry', max(id), NULL, NULL, false FROM journal_entry"
            " UNION ALL SELECT 'incident', id, provider_id, site_id, priority <= %s"
            " FROM incidents_incident WHERE id = ANY(%s)"
            " UNION ALL SELECT 'site', id, provider_id, id, false FROM sites_site"
            " WHERE id = ANY(%s)",
            [_URGENT, incidents, sites],
        )
        rows: list[tuple[object, ...]] = await cursor.fetchall()
        changes = [Change(0, None)] if others else []
        for kind, number, provider, site, urgent in rows:
            if kind == "entry":
                self.last_entry = max(self.last_entry, int(str(number or 0)))
            else:
                changes.append(
                    Change(
                        self.last_entry,
                        int(str(provider)),
                        int(str(number)) if kind == "incident" else None,
                        int(str(site)),
                        bool(urgent),
                    )
                )
        return changes


def _gist(changes: list[Change]) -> list[Change]:
    """The changes as a console is told them: of very many, the urgent ones and one for the rest."""
    if len(changes) <= _MANY:
        return changes
    urgent = [change for change in changes if change.urgent]
    newest = max(change.entry for change in changes)
    rest = {change.provider for change in changes if not change.urgent}
    return [*urgent, *(Change(newest, provider, everything=True) for provider in rest)]


def _parse(named: set[str]) -> tuple[list[int], list[int], bool]:
    """Payloads "incident:7", "7", "site:3"; anything else means "something changed"."""
    incidents, sites, others = [], [], False
    for payload in sorted(named):
        kind, _, number = payload.rpartition(":")
        if number.isdigit() and kind in ("", "incident"):
            incidents.append(int(number))
        elif number.isdigit() and kind == "site":
            sites.append(int(number))
        else:
            others = True
    return incidents, sites, others


def _conninfo() -> str:
    found = connections["default"].settings_dict
    options = {k: v for k, v in found["OPTIONS"].items() if k != "pool"}
    named = {
        "dbname": found["NAME"],
        "user": found["USER"],
        "password": found["PASSWORD"],
        "host": found["HOST"],
        "port": found["PORT"],
    }
    return make_conninfo(
        "", **{k: v for k, v in named.items() if v}, **options, application_name="console feed"
    )


_feeds: WeakKeyDictionary[asyncio.AbstractEventLoop, Feed] = WeakKeyDictionary()
_all: WeakSet[Feed] = WeakSet()


def feed() -> Feed:
    """The feed of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _feeds:
        _feeds[loop] = Feed()
        _all.add(_feeds[loop])
    return _feeds[loop]


def close_all() -> None:
    """The process stops: end the streams of this thread's loops now."""
    for one in list(_all):
        one.close()


async def changes(listener: Listener) -> AsyncIterator[list[Change] | None]:
    """Batches of changes; an empty list is a beat; None once, when the stream is to end."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_S
    beat_at = loop.time() + BEAT_S
    while loop.time() < until:
        try:
            first = await asyncio.wait_for(listener.waiting.get(), max(0, beat_at - loop.time()))
        except TimeoutError:
            beat_at = loop.time() + BEAT_S
            yield []
            continue
        batch: list[Change | None] = [first]
        while not listener.waiting.empty():
            batch.append(listener.waiting.get_nowait())
        if None in batch:
            yield None
            return
        yield [change for change in batch if change is not None]
    yield None
