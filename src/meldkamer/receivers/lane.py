"""A database connection of the writer, and the two ways a batch goes over it.

Why: at thousands of frames a second the waiting costs more than the storing. `burst` sends a
whole batch as one message and feeds its COPYs as the server asks for them, on libpq itself;
`link` is the careful way, for batches with retries. Never: use a connection that was not seen to
be durable, or go on using one after an answer was cut off. Invariant: either way a batch is one
transaction, and returning means that it is committed.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import AsyncConnection, AsyncCursor, pq

from meldkamer.journal import store
from meldkamer.journal.records import FrameRecord, Stored

Connect = Callable[[], Awaitable[AsyncConnection[Any]]]
Check = Callable[[AsyncConnection[Any]], Awaitable[None]]

_FAILED = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE)


class Lane:
    """A connection that is made again when it breaks."""

    def __init__(self, connect: Connect, check: Check) -> None:
        self._connect = connect
        self._check = check
        self._connection: AsyncConnection[Any] | None = None

    async def ensure_connected(self) -> AsyncConnection[Any]:
        """The connection; a new one is used only after `check` let it pass."""
        if self._connection is None or self._connection.closed:
            connection = await self._connect()
            try:
                await self._check(connection)
            except BaseException:
                await connection.close()
                raise
            self._connection = connection
        return self._connection

    async def disconnect(self) -> None:
        """Drop the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error, OSError):
                await connection.close()


async def link(
    connection: AsyncConnection[Any], records: Sequence[FrameRecord], lifetime: timedelta
) -> list[Stored]:
    """Store a batch that may hold retries; they are linked to their first frame."""
    async with connection.transaction(), connection.cursor() as cursor:
        return await _drive(cursor, store.plan(records, lifetime))


async def _drive(cursor: AsyncCursor[Any], steps: store.Plan) -> list[Stored]:
    rows: Sequence[Sequence[Any]] = ()
    step = next(steps)
    while True:
        if isinstance(step, store.Copy):
            async with cursor.copy(step.text) as copy:
                await copy.write(step.body)
            rows = ()
        else:
            await cursor.execute(step.text, step.values or None)
            rows = await cursor.fetchall() if step.has_rows else ()
        try:
            step = steps.send(rows)
        except StopIteration as done:
            stored: list[Stored] = done.value
            return stored


async def burst(connection: AsyncConnection[Any], records: Sequence[FrameRecord]) -> list[Stored]:
    """Store a batch without retries. Raises UniqueViolation when there is one; nothing is kept."""
    async with connection.lock:
        talk = _Talk(connection)
        try:
            [ids] = await talk.say(store.reserve(records), ())
            frame_ids, signal_ids = (_numbers(ids.get_value(0, column)) for column in (0, 1))
            batch = store.burst(records, frame_ids, signal_ids)
            await talk.say(batch.text, batch.bodies)
        finally:
            talk.end()
    return batch.stored


def _numbers(array: bytes | None) -> list[int]:
    """A bigint[] as PostgreSQL prints it."""
    inside = (array or b"{}")[1:-1]
    return [int(number) for number in inside.split(b",")] if inside else []


class _Talk:
    """Simple queries on a connection whose lock is held; waits on the socket, nothing else."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._pg = connection.pgconn
        self._loop = asyncio.get_running_loop()
        self._turn: asyncio.Future[None] | None = None
        self._loop.add_reader(self._pg.socket, self._wake)
        self._socket = self._pg.socket

    def end(self) -> None:
        """Leave the socket to others."""
        self._loop.remove_reader(self._socket)

    async def say(self, text: str, bodies: Sequence[bytes]) -> list[Any]:
        """Send one message (one transaction), feed its COPYs; its results. Raises psycopg.Error."""
        feed: Iterator[bytes] = iter(bodies)
        results: list[Any] = []
        failed = None
        self._pg.send_query(text.encode())
        while True:
            await self._flush()
            while self._pg.is_busy():
                await self._readable()
                self._pg.consume_input()
            result = self._pg.get_result()
            if result is None:
                break
            if result.status == pq.ExecStatus.COPY_IN:
                self._pg.put_copy_data(next(feed))
                self._pg.put_copy_end()
            elif result.status in _FAILED:
                failed = failed or result
            else:
                results.append(result)
        if failed is not None:
            raise psycopg.errors.error_from_result(failed)
        return results

    async def _flush(self) -> None:
        """Hand everything to the kernel; reading on meanwhile, so that neither side blocks."""
        while self._pg.flush():
            writable = self._loop.create_future()
            self._loop.add_writer(self._socket, _done, writable)
            try:
                await writable
            finally:
                self._loop.remove_writer(self._socket)
            self._pg.consume_input()

    async def _readable(self) -> None:
        self._turn = self._loop.create_future()
        await self._turn

    def _wake(self) -> None:
        if self._turn is not None and not self._turn.done():
            self._turn.set_result(None)


def _done(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
