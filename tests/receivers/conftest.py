"""A receiver in this process: real sockets on uvloop, a writer that stores in memory."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop

from meldkamer.journal.records import FrameRecord
from meldkamer.receivers import tcp, udp
from meldkamer.receivers.dc09 import Intake
from meldkamer.receivers.directory import Directory, Transmitter, triple
from meldkamer.receivers.limits import Limits
from meldkamer.receivers.sockets import bound_pair
from meldkamer.receivers.writer import Answer, GroupCommit

KEY = b"0123456789abcdef"


class InMemory(GroupCommit):
    """Stores at once and answers in the next turn of the loop; or, told so, only collects."""

    def __init__(self) -> None:
        super().__init__(_no_database)
        self.records: list[FrameRecord] = []
        self.silent = False

    def submit(self, record: FrameRecord, reply: bytes | None, answer: Answer) -> bool:
        self.records.append(record)
        if reply is not None and not self.silent:
            asyncio.get_running_loop().call_soon(answer, reply)
        return True


async def _no_database() -> object:
    raise OSError("there is no database in this test")


class Running:
    """A listening receiver."""

    def __init__(self, intake: Intake, port: int, table: set[tcp.Connection]) -> None:
        self.intake = intake
        self.port = port
        self.table = table

    @property
    def writer(self) -> InMemory:
        assert isinstance(self.intake.writer, InMemory)
        return self.intake.writer


@asynccontextmanager
async def running(
    limits: Limits | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Running]:
    """TCP and UDP on a free port; accounts 1234 (plain) and 5678 (with KEY) may dial in."""
    intake = Intake(InMemory(), limits=limits)
    intake.directory = Directory(
        [
            (triple("", "", "1234"), Transmitter(1, 11)),
            (triple("", "", "5678"), Transmitter(2, 12, KEY)),
        ]
    )
    table: set[tcp.Connection] = set()
    pair = bound_pair("127.0.0.1", 0)
    server = await tcp.listen(intake, pair[0], table, tls)
    datagrams = await udp.listen(intake, pair[1])
    try:
        yield Running(intake, pair[0].getsockname()[1], table)
    finally:
        server.close()
        for connection in list(table):
            connection.close()
        assert datagrams.transport is not None
        datagrams.transport.close()
        await asyncio.sleep(0)


Story = Callable[[], Awaitable[None]]


@pytest.fixture
def on_loop() -> Callable[[Story], None]:
    """Run a coroutine on the loop that production uses; an exception in a callback fails it."""

    def run(story: Story) -> None:
        faults: list[dict[str, object]] = []

        async def watched() -> None:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _, context: faults.append(context))
            async with asyncio.timeout(20):
                await story()

        uvloop.run(watched())
        assert not faults

    return run
