"""The group commit against a real database: batches, retries, bad rows, broken panels."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from meldkamer.journal.records import FrameRecord
from meldkamer.receivers.guard import NotDurable, judge
from meldkamer.receivers.writer import GroupCommit
from tests.journal.samples import NOW, frame, signal
from tests.receivers.conftest import Story

OnLoop = Callable[[Story], None]


class OnScratch(GroupCommit):
    """The scratch database forgets, and these tests do not mind."""

    async def check(self, connection: AsyncConnection[Any]) -> None:
        """Not asked here."""


@asynccontextmanager
async def writing(dsn: str, **more: Any) -> AsyncIterator[GroupCommit]:
    async def connect() -> AsyncConnection[Any]:
        return await AsyncConnection.connect(dsn, autocommit=True)

    writer = OnScratch(connect, **more)
    task = asyncio.create_task(writer.run())
    try:
        yield writer
        writer.close()
        await task
    finally:
        task.cancel()
        await writer.disconnect()


async def put(writer: GroupCommit, *records: FrameRecord) -> list[int]:
    """Submit all at once; which were answered, in order of their answers."""
    answered: list[int] = []
    for number, record in enumerate(records):
        assert writer.submit(record, b"x", lambda _, number=number: answered.append(number))
    for _ in range(500):
        await asyncio.sleep(0.01)
        if len(answered) == len(records):
            break
    return answered


def ask(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.clause("M12.1")
def test_all_of_a_crowd_is_stored_in_few_batches_and_answered(
    on_loop: OnLoop, own_dsn: str
) -> None:
    async def story() -> None:
        async with writing(own_dsn) as writer:
            records = [frame(b"%06d" % number, after_s=number) for number in range(1200)]
            assert await put(writer, *records) == list(range(1200))
            assert writer.stored == 1200
            assert writer.batches < 12

    on_loop(story)
    assert ask(
        own_dsn,
        "SELECT count(*), count(DISTINCT s.frame_id), count(p.signal_id)"
        " FROM journal_signal s JOIN journal_frame f ON f.id = s.frame_id"
        " LEFT JOIN journal_pending p ON p.signal_id = s.id",
    ) == [(1200, 1200, 1200)]
    assert ask(own_dsn, "SELECT count(*) FROM journal_first") == [(1200,)]


@pytest.mark.clause("M12.1")
@pytest.mark.parametrize("forget", [False, True])
def test_retries_are_answered_and_linked_also_those_another_process_stored(
    on_loop: OnLoop, own_dsn: str, forget: bool
) -> None:
    async def story() -> None:
        async with writing(own_dsn) as writer:
            await put(writer, frame(b"a"), frame(b"b"))
            if forget:
                writer._seen.clear()  # as a process that was started anew
            again = [frame(b"a", 5), frame(b"c", 5), frame(b"b", 6), frame(b"c", 7)]
            assert sorted(await put(writer, *again)) == [0, 1, 2, 3]

    on_loop(story)
    assert ask(own_dsn, "SELECT disposition FROM journal_frame ORDER BY id") == [
        ("accepted",), ("accepted",), ("duplicate",), ("accepted",), ("duplicate",), ("duplicate",),
    ]  # fmt: skip
    assert ask(own_dsn, "SELECT count(*) FROM journal_signal") == [(3,)]


def test_a_row_that_the_database_refuses_takes_no_other_with_it(
    on_loop: OnLoop, own_dsn: str
) -> None:
    async def story() -> None:
        async with writing(own_dsn) as writer:
            bad = frame(b"bad", clock_skew_s=2**40, raw=b"the bad one")
            records = [frame(b"%d" % number) for number in range(5)]
            answered = await put(writer, *records[:3], bad, *records[3:])
            assert sorted(answered) == [0, 1, 2, 3, 4, 5]

    on_loop(story)
    assert ask(own_dsn, "SELECT count(*) FROM journal_frame") == [(6,)]
    assert ask(
        own_dsn,
        "SELECT f.raw, f.site_id, f.reasons[1], s.type, s.role, s.site_id FROM journal_frame f"
        " JOIN journal_signal s ON s.frame_id = f.id WHERE f.protocol = ''",
    ) == [
        (
            b"the bad one",
            1,
            'not storable as read: value "1099511627776" is out of range for type integer',
            "undefined",
            "unparsed",
            1,
        )
    ]


def test_a_panel_that_hung_up_keeps_no_other_from_its_answer(on_loop: OnLoop, own_dsn: str) -> None:
    async def story() -> None:
        answered: list[bytes] = []

        def broken(_: bytes) -> None:
            raise RuntimeError("the handle is closed")

        async with writing(own_dsn) as writer:
            writer.submit(frame(b"1"), b"x", broken)
            writer.submit(frame(b"2"), b"x", answered.append)
            await asyncio.sleep(0.5)
            assert answered == [b"x"]
            assert await put(writer, frame(b"3")) == [0]

    on_loop(story)


def test_without_room_a_frame_is_dropped_and_not_answered(on_loop: OnLoop, own_dsn: str) -> None:
    async def story() -> None:
        async def never() -> AsyncConnection[Any]:
            raise OSError("away")

        writer = GroupCommit(never, room=3)
        answered: list[bytes] = []
        taken = [writer.submit(frame(b"%d" % n), b"x", answered.append) for n in range(5)]
        assert taken == [True, True, True, False, False]
        assert writer.dropped == 2
        running = asyncio.create_task(writer.run())
        await asyncio.sleep(0.3)
        assert writer.away
        assert answered == []
        running.cancel()

    on_loop(story)


def test_an_answer_that_comes_too_late_is_not_given(
    on_loop: OnLoop, own_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meldkamer.receivers.writer.ANSWER_LIMIT_S", -1.0)

    async def story() -> None:
        async with writing(own_dsn) as writer:
            answered: list[bytes] = []
            writer.submit(frame(b"late"), b"x", answered.append)
            await asyncio.sleep(0.3)
            assert answered == []

    on_loop(story)
    assert ask(own_dsn, "SELECT count(*) FROM journal_frame") == [(1,)]


def test_a_large_batch_goes_over_in_one_message(on_loop: OnLoop, own_dsn: str) -> None:
    """More than the socket's buffers hold: neither side may wait for the other for ever."""

    async def story() -> None:
        async with writing(own_dsn) as writer:
            big = [
                frame(b"%d" % n, raw=b"x" * 4000, content="y" * 4000, signals=(signal(),) * 3)
                for n in range(500)
            ]
            assert len(await put(writer, *big)) == 500

    on_loop(story)
    assert ask(own_dsn, "SELECT count(*) FROM journal_pending") == [(1500,)]


def test_workers_hear_of_a_batch(on_loop: OnLoop, own_dsn: str) -> None:
    with psycopg.connect(own_dsn, autocommit=True) as listener:
        listener.execute("LISTEN meldkamer_signal")

        async def story() -> None:
            async with writing(own_dsn) as writer:
                await put(writer, frame(b"1", received_at=NOW + timedelta(days=1)))

        on_loop(story)
        assert len(list(listener.notifies(timeout=1, stop_after=1))) == 1


def test_the_guard_names_every_setting_that_is_off() -> None:
    good = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "remote_apply"}
    judge(good)
    for name in good:
        with pytest.raises(NotDurable, match=f"{name} is off, set {name} = on"):
            judge(good | {name: "off"})
    with pytest.raises(NotDurable, match=r"fsync is off.*; synchronous_commit is off"):
        judge(good | {"fsync": "off", "synchronous_commit": "off"})
