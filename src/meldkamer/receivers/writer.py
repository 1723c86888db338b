"""Group commit: what is queued is stored in one transaction, then each sender gets its answer.

Why: "acknowledged when, and only when, committed", at many times the rate of one commit each.
Never: answer before the commit has returned, or let one broken connection, one bad row or a
dead database end the writer. Invariant: a frame leaves the queue only into a committed
transaction; while the database is away frames wait (bounded) and nobody is answered.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import psycopg
from psycopg import AsyncConnection

from meldkamer.journal import store
from meldkamer.journal.records import NOISE, FrameRecord, SignalRecord, Stored, detail
from meldkamer.receivers.guard import NotDurable, check_durable
from meldkamer.receivers.lane import Connect, Lane, burst, link

log = logging.getLogger(__name__)

Answer = Callable[[bytes], None]

MOST_PER_BATCH = 500
ROOM = 20_000
#: reading pauses above, goes on below
HIGH_WATER = 4_000
LOW_WATER = 1_000
KEYS_REMEMBERED = 100_000
BACK_OFF_S = (0.02, 0.1, 0.25, 0.5, 1.0)
#: a database that says nothing for so long is treated as gone
BATCH_LIMIT_S = 15.0
#: an answer later than this is not given: its time is stale and the panel asks again
ANSWER_LIMIT_S = 10.0


class Waiting(NamedTuple):
    """A frame that waits for its commit, with who is to be told."""

    record: FrameRecord
    reply: bytes | None
    answer: Answer
    since_s: float


class GroupCommit:
    """The queue and the task that empties it. One per process.

    One batch at a time: a panel's frames are stored and answered in the order they came in. While
    a batch waits for its commit the next one gathers; more processes are the way to more.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        most: int = MOST_PER_BATCH,
        room: int = ROOM,
        lifetime: timedelta = store.DUPLICATE_LIFETIME,
    ) -> None:
        self._most = most
        self._room = room
        self._lifetime = lifetime
        self._queue: deque[Waiting] = deque()
        self._filled = asyncio.Event()
        self._seen: set[bytes] = set()
        self._closing = False
        self._lane = Lane(connect, self.check)
        self._resume: list[Callable[[], None]] = []
        self.stored = 0
        self.batches = 0
        self.dropped = 0
        self.away = False

    # --- for the transports

    def submit(self, record: FrameRecord, reply: bytes | None, answer: Answer) -> bool:
        """Queue a frame. False when there is no room: it is dropped and nobody is answered."""
        if len(self._queue) >= self._room:
            self.dropped += 1
            return False
        now_s = asyncio.get_running_loop().time()
        self._queue.append(Waiting(record, reply, answer, now_s))
        if not self._filled.is_set():
            self._filled.set()
        return True

    @property
    def crowded(self) -> bool:
        """Whether a stream should stop reading until `when_calm`."""
        return len(self._queue) > HIGH_WATER

    def when_calm(self, resume: Callable[[], None]) -> None:
        """Call once when the queue is short again."""
        self._resume.append(resume)

    # --- life

    async def run(self) -> None:
        """Store until `close` and the queue is empty, or until cancelled."""
        while not (self._closing and not self._queue):
            if not self._queue:
                self._filled.clear()
                await self._filled.wait()
                continue
            batch = [self._queue.popleft() for _ in range(min(self._most, len(self._queue)))]
            await self._store(batch)
            if self._resume and len(self._queue) < LOW_WATER:
                calm, self._resume = self._resume, []
                for resume in calm:
                    resume()

    def close(self) -> None:
        """No more frames come: `run` returns when the queue is empty."""
        self._closing = True
        self._filled.set()

    async def disconnect(self) -> None:
        """Drop the connection."""
        await self._lane.disconnect()

    async def ensure_connected(self) -> AsyncConnection[Any]:
        """A durable connection; raises psycopg.Error, OSError or NotDurable."""
        return await self._lane.ensure_connected()

    async def check(self, connection: AsyncConnection[Any]) -> None:
        """Raise NotDurable unless the database keeps what it commits."""
        await check_durable(connection)

    # --- storing

    async def _store(self, batch: list[Waiting]) -> None:
        """Commit a batch, however long it takes, then answer. A batch with a bad row is split."""
        tries = 0
        while True:
            try:
                async with asyncio.timeout(BATCH_LIMIT_S):
                    connection = await self._lane.ensure_connected()
                    stored = await self._commit(connection, [item.record for item in batch])
            except (psycopg.Error, OSError, NotDurable, ValueError) as fault:
                if is_bad_row(fault):
                    await self._split(batch, fault)
                    return
                self._note_away(fault)
                await self._lane.disconnect()
                await asyncio.sleep(BACK_OFF_S[min(tries, len(BACK_OFF_S) - 1)])
                tries += 1
            else:
                self._note_back()
                self.batches += 1
                self.stored += len(stored)
                self.answer(batch)
                return

    async def _commit(
        self, connection: AsyncConnection[Any], records: Sequence[FrameRecord]
    ) -> list[Stored]:
        """One transaction; returns after the commit. Retries are rare: first without them."""
        keys = [record.dedup_key for record in records if record.dedup_key is not None]
        if len(set(keys)) == len(keys) and self._seen.isdisjoint(keys):
            try:
                stored = await burst(connection, records)
            except psycopg.errors.UniqueViolation:
                stored = await link(connection, records, self._lifetime)
        else:
            stored = await link(connection, records, self._lifetime)
        self._remember(records)
        return stored

    def _remember(self, records: Sequence[FrameRecord]) -> None:
        """Keys seen of late by this process: a guess at retries, the table decides."""
        if len(self._seen) > KEYS_REMEMBERED:
            self._seen.clear()
        self._seen.update(record.dedup_key for record in records if record.dedup_key is not None)

    async def _split(self, batch: list[Waiting], fault: Exception) -> None:
        """Halve until the bad row stands alone; that one is kept as bytes for an operator."""
        if len(batch) > 1:
            half = len(batch) // 2
            await self._store(batch[:half])
            await self._store(batch[half:])
            return
        only = batch[0]
        if only.record.protocol == "":
            log.critical("a frame from %s cannot be stored at all: %s", only.record.source, fault)
            self.dropped += 1
            return
        log.error("a frame from %s is stored as bytes alone: %s", only.record.source, fault)
        await self._store([only._replace(record=bare(only.record, fault))])

    def answer(self, batch: Sequence[Waiting]) -> None:
        """Tell every sender; one whose connection is gone must not keep the others waiting."""
        now_s = asyncio.get_running_loop().time()
        for item in batch:
            if item.reply is None or now_s - item.since_s > ANSWER_LIMIT_S:
                continue
            try:
                item.answer(item.reply)
            except (OSError, RuntimeError):
                # the panel hung up; it asks again and is linked to what is stored
                continue

    def _note_away(self, fault: Exception) -> None:
        if not self.away:
            self.away = True
            log.critical("storage is away, nothing is acknowledged: %s", _first_line(fault))

    def _note_back(self) -> None:
        if self.away:
            self.away = False
            log.warning("storage is back, %d frames waited", len(self._queue))


def is_bad_row(fault: Exception) -> bool:
    """Whether a value was refused (its batch must be split), rather than the database away."""
    if isinstance(fault, psycopg.Error):
        return (fault.sqlstate or "")[:2] in ("22", "23", "54") or isinstance(
            fault, psycopg.DataError
        )
    return isinstance(fault, ValueError)


def bare(record: FrameRecord, fault: Exception) -> FrameRecord:
    """What is left of a frame that the database refuses: its bytes, and a signal to be seen."""
    reason = f"not storable as read: {_first_line(fault)}"
    signal = SignalRecord(
        "?",
        "unparsed",
        "undefined",
        detail=detail("Message that could not be stored as read", disposition=NOISE),
        site_id=record.site_id,
        transmitter_id=record.transmitter_id,
    )
    return FrameRecord(
        record.received_at,
        record.transport,
        record.source,
        record.raw,
        record.disposition,
        protocol="",
        reasons=[reason.replace("\0", "")],
        reply=record.reply,
        transmitter_id=record.transmitter_id,
        site_id=record.site_id,
        signals=(signal,) if record.signals else (),
    )


def _first_line(fault: Exception) -> str:
    return (str(fault).strip() or type(fault).__name__).splitlines()[0]
