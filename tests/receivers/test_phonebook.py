"""Who may dial in follows the table of transmitters."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import AsyncConnection

from meldkamer.receivers.dc09 import Intake
from meldkamer.receivers.phonebook import Phonebook
from meldkamer.sites.sealing import seal
from tests.receivers.conftest import KEY, InMemory, Story

OnLoop = Callable[[Story], None]
SEALING = b"s" * 32


def enter(dsn: str, account: str, sealed: bytes | None = None, **more: Any) -> None:
    row = {"receiver": "", "line": "", "active": True, "protocol": "dc09"} | more
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # no sites needed here
        connection.execute(
            "INSERT INTO sites_transmitter (site_id, protocol, receiver, line, account,"
            " key_sealed, clock_offset_s, label, active, supervised)"
            " VALUES (5, %s, %s, %s, %s, %s, 60, '', %s, true)",
            [row["protocol"], row["receiver"], row["line"], account, sealed, row["active"]],
        )
        connection.execute("NOTIFY meldkamer_transmitters")


def book(dsn: str) -> tuple[Phonebook, Intake]:
    async def connect() -> AsyncConnection[Any]:
        return await AsyncConnection.connect(dsn, autocommit=True)

    intake = Intake(InMemory())
    return Phonebook(connect, SEALING, intake), intake


def test_active_transmitters_are_found_with_their_keys_opened(
    on_loop: OnLoop, own_dsn: str
) -> None:
    async def story() -> None:
        enter(own_dsn, "0012AB", seal(KEY, SEALING))
        enter(own_dsn, "77", receiver="0001", line="2")
        enter(own_dsn, "88", active=False)
        enter(own_dsn, "99", protocol="vds2465")
        phonebook, intake = book(own_dsn)
        async with await AsyncConnection.connect(own_dsn, autocommit=True) as connection:
            assert await phonebook.refresh(connection) is True
            assert await phonebook.refresh(connection) is False
        assert len(intake.directory) == 2
        found = intake.directory.find(("5", "6", "12AB"))
        assert found is not None
        assert (found.site_id, found.key, found.clock_offset_s) == (5, KEY, 60)
        assert intake.directory.find(("1", "2", "77")) is not None
        assert intake.directory.find(("1", "3", "77")) is None

    on_loop(story)


def test_a_key_of_another_installation_is_never_believed_in_plain(
    on_loop: OnLoop, own_dsn: str
) -> None:
    async def story() -> None:
        enter(own_dsn, "1234", seal(KEY, b"o" * 32))
        phonebook, intake = book(own_dsn)
        async with await AsyncConnection.connect(own_dsn, autocommit=True) as connection:
            await phonebook.refresh(connection)
        found = intake.directory.find(("0", "0", "1234"))
        assert found is not None
        assert found.key is not None
        assert found.key != KEY

    on_loop(story)


def test_a_site_that_is_entered_may_dial_in_at_once_and_a_lost_connection_is_made_again(
    on_loop: OnLoop, own_dsn: str
) -> None:
    async def until(intake: Intake, count: int) -> None:
        async with asyncio.timeout(8):
            while len(intake.directory) != count:  # noqa: ASYNC110 - nothing tells a test
                await asyncio.sleep(0.02)

    async def story() -> None:
        phonebook, intake = book(own_dsn)
        following = asyncio.create_task(phonebook.run())
        await asyncio.sleep(0.3)
        enter(own_dsn, "1")
        await until(intake, 1)
        with psycopg.connect(own_dsn, autocommit=True) as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchall()
        assert ended == [(True,)]
        assert len(intake.directory) == 1, "what was known is kept"
        enter(own_dsn, "2")
        await until(intake, 2)
        following.cancel()

    on_loop(story)
