"""Keeps the directory in step with the table of transmitters.

Why: a site entered in the office must be able to dial in at once (NOTIFY), and a lost notice
must not keep it out (every 30 s the table is compared). Never: drop what is known because the
database is away, or load a million rows that did not change. A key that cannot be unsealed
leaves its transmitter in the directory with a key nobody has, so that its frames are stored as
"wrong key" and not believed in plain.
"""

import asyncio
import contextlib
import logging
import os
from typing import Any

import psycopg
from psycopg import AsyncConnection

from meldkamer.receivers.dc09 import Intake
from meldkamer.receivers.directory import Directory, Transmitter, Triple, triple
from meldkamer.receivers.lane import Connect
from meldkamer.sites.sealing import KeyFault, unseal

log = logging.getLogger(__name__)

CHANNEL = "meldkamer_transmitters"
LOOK_S = 30.0
RETRY_S = 1.0
CHUNK = 5000

_COLUMNS = "id, site_id, receiver, line, account, key_sealed, clock_offset_s"
_FROM = "FROM sites_transmitter WHERE active AND protocol = 'dc09'"
_MARK = f"SELECT count(*), coalesce(bit_xor(hashtextextended(ROW({_COLUMNS})::text, 0)), 0) {_FROM}"
_ROWS = f"SELECT {_COLUMNS} {_FROM}"


class Phonebook:
    """Loads the directory into an Intake, and again whenever it changed."""

    def __init__(self, connect: Connect, sealing_key: bytes, intake: Intake) -> None:
        self._connect = connect
        self._sealing_key = sealing_key
        self._intake = intake
        self._mark: tuple[int, int] | None = None
        self._keys: dict[bytes, bytes] = {}

    async def run(self) -> None:
        """Follow the table for ever; through any number of database restarts."""
        while True:
            try:
                connection = await self._connect()
                try:
                    await self._follow(connection)
                finally:
                    with contextlib.suppress(psycopg.Error, OSError):
                        await connection.close()
            except (psycopg.Error, OSError) as fault:
                log.info("transmitters as known before: %s", str(fault).partition("\n")[0])
            await asyncio.sleep(RETRY_S)

    async def _follow(self, connection: AsyncConnection[Any]) -> None:
        await connection.execute(f"LISTEN {CHANNEL}")
        while True:
            await self.refresh(connection)
            async for _ in connection.notifies(timeout=LOOK_S, stop_after=1):
                pass  # what changed is read from the table
            await asyncio.sleep(0.05)  # an import changes many at once

    async def refresh(self, connection: AsyncConnection[Any]) -> bool:
        """Load the table when it changed; True when it did."""
        row = await (await connection.execute(_MARK)).fetchone()
        assert row is not None
        mark = (int(row[0]), int(row[1]))
        if mark == self._mark:
            return False
        entries: list[tuple[Triple, Transmitter]] = []
        keys: dict[bytes, bytes] = {}
        async with connection.transaction(), connection.cursor("transmitters") as cursor:
            await cursor.execute(_ROWS)
            while rows := await cursor.fetchmany(CHUNK):
                entries += [self._entry(row, keys) for row in rows]
        self._intake.directory = Directory(entries)
        self._mark, self._keys = mark, keys
        log.info("%d transmitters may dial in", len(entries))
        return True

    def _entry(self, row: Any, keys: dict[bytes, bytes]) -> tuple[Triple, Transmitter]:
        number, site_id, receiver, line, account, sealed, offset_s = row
        key = None
        if sealed is not None:
            key = keys[bytes(sealed)] = self._unsealed(bytes(sealed), number)
        return triple(receiver, line, account), Transmitter(number, site_id, key, offset_s)

    def _unsealed(self, sealed: bytes, number: int) -> bytes:
        known = self._keys.get(sealed)
        if known is not None:
            return known
        try:
            return unseal(sealed, self._sealing_key)
        except KeyFault as fault:
            log.error("the key of transmitter %d cannot be used: %s", number, fault)
            return os.urandom(16)
