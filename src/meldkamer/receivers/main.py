"""The receiving process: listeners, one group commit, and an orderly end.

Why: `meldkamer receive`; several of them may share a port. Never: start listening before the
database was seen to be durable and the transmitters are known; exit without having answered
what was committed. Invariant: after SIGTERM no frame is taken any more, what was taken is
committed and answered, within 3 s; what could not be, was never answered.
"""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import psycopg
from psycopg import AsyncConnection

from meldkamer.receivers import tcp, udp
from meldkamer.receivers.dc09 import Intake
from meldkamer.receivers.guard import NotDurable
from meldkamer.receivers.limits import Limits
from meldkamer.receivers.phonebook import Phonebook
from meldkamer.receivers.policy import Policy
from meldkamer.receivers.sockets import PortTaken, bound, bound_pair
from meldkamer.receivers.writer import BACK_OFF_S, GroupCommit

log = logging.getLogger(__name__)

DRAIN_LIMIT_S = 2.5
REPORT_S = 60.0
CONNECT_TIMEOUT_S = 5


@dataclass(frozen=True, slots=True)
class Settings:
    """What a receiving process is told. `ready` is called once every port listens."""

    conninfo: str = field(repr=False)
    sealing_key: bytes = field(repr=False)
    host: str = "127.0.0.1"
    dc09_port: int = 12000
    shared_port: bool = False
    tls_port: int | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    policy: Policy = field(default_factory=Policy)
    limits: Limits = field(default_factory=Limits)
    ready: Callable[[], None] = lambda: None
    make_writer: Callable[..., GroupCommit] = GroupCommit


class Listening:
    """What this process listens on, to be closed before the queue is emptied."""

    def __init__(self) -> None:
        self.servers: list[asyncio.Server] = []
        self.datagrams: list[udp.Datagrams] = []
        self.connections: set[tcp.Connection] = set()

    def stop_taking(self) -> None:
        """No new connections, no new frames; answers still go out."""
        for server in self.servers:
            server.close()
        for protocol in self.datagrams:
            protocol.closing = True
        for connection in self.connections:
            connection.stop_taking()

    def close(self) -> None:
        """Hang up."""
        for connection in list(self.connections):
            connection.hang_up()
        for protocol in self.datagrams:
            if protocol.transport is not None:
                protocol.transport.close()


def run(options: Any) -> int:
    """Run until SIGTERM or SIGINT; the process's exit code.

    `options` are Settings, or a namespace that has attributes of their names.
    """
    settings = options if isinstance(options, Settings) else _settings(options)
    # frames and rows live for milliseconds and hold no cycles: look for garbage less often
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    try:
        import uvloop

        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    except ImportError:
        runner = asyncio.Runner()
    with runner:
        return runner.run(serve(settings))


def _settings(options: Any) -> Settings:
    known = {one.name for one in fields(Settings)}
    return Settings(**{name: value for name, value in vars(options).items() if name in known})


async def serve(settings: Settings) -> int:
    """The process: 0 after an orderly end, 2 when it must not or cannot start."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for order in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(order, stop.set)

    async def connect() -> AsyncConnection[Any]:
        return await AsyncConnection.connect(
            settings.conninfo,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name="meldkamer receive",
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=10_000,
        )

    writer = settings.make_writer(connect)
    intake = Intake(writer, policy=settings.policy, limits=settings.limits)
    phonebook = Phonebook(connect, settings.sealing_key, intake)
    try:
        if not await _prepared(writer, phonebook, stop):
            return 0
        async with asyncio.TaskGroup() as tasks:
            await _serve(settings, intake, phonebook, stop, tasks)
    except (NotDurable, PortTaken, ssl.SSLError, FileNotFoundError) as fault:
        log.critical("%s", fault)
        return 2
    finally:
        await writer.disconnect()
    return 0


async def _prepared(writer: GroupCommit, phonebook: Phonebook, stop: asyncio.Event) -> bool:
    """Wait for a durable database and load the transmitters; False when told to stop."""
    tries = 0
    while not stop.is_set():
        try:
            await phonebook.refresh(await writer.ensure_connected())
        except (psycopg.Error, OSError) as fault:
            if tries == 0:
                log.warning("waiting for the database: %s", str(fault).partition("\n")[0])
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), BACK_OFF_S[min(tries, len(BACK_OFF_S) - 1)])
            tries += 1
        else:
            return True
    return False


async def _serve(
    settings: Settings,
    intake: Intake,
    phonebook: Phonebook,
    stop: asyncio.Event,
    tasks: asyncio.TaskGroup,
) -> None:
    writer = intake.writer
    writing = tasks.create_task(writer.run())
    async with _listening(settings, intake) as listening:
        background = [
            tasks.create_task(phonebook.run()),
            tasks.create_task(tcp.sweep(listening.connections)),
            tasks.create_task(_report(intake)),
        ]
        settings.ready()
        await stop.wait()
        listening.stop_taking()
        writer.close()
        done, _ = await asyncio.wait([writing], timeout=DRAIN_LIMIT_S)
        if not done:
            log.warning("the queue could not be emptied in time; those panels will ask again")
            writing.cancel()
        for task in background:
            task.cancel()
    log.info("stopped: %d frames stored in %d batches", writer.stored, writer.batches)


@contextlib.asynccontextmanager
async def _listening(settings: Settings, intake: Intake) -> AsyncIterator[Listening]:
    listening = Listening()
    try:
        pair = bound_pair(settings.host, settings.dc09_port, shared=settings.shared_port)
        await _listen_dc09(listening, intake, pair)
        if settings.tls_port is not None:
            sock = bound(settings.host, settings.tls_port, udp=False, shared=settings.shared_port)
            server = await tcp.listen(intake, sock, listening.connections, _tls(settings))
            listening.servers.append(server)
            log.info("DC-09 inside TLS on %s:%d", *sock.getsockname()[:2])
        yield listening
        # let the last answers leave before the connections are closed
        await asyncio.sleep(0.02)
    finally:
        listening.close()


async def _listen_dc09(listening: Listening, intake: Intake, pair: list[socket.socket]) -> None:
    listening.servers.append(await tcp.listen(intake, pair[0], listening.connections))
    listening.datagrams.append(await udp.listen(intake, pair[1]))
    log.info("DC-09 on %s:%d, TCP and UDP", *pair[0].getsockname()[:2])


def _tls(settings: Settings) -> ssl.SSLContext:
    if settings.tls_cert is None or settings.tls_key is None:
        raise FileNotFoundError("a TLS port needs a certificate and its key, two PEM files")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # panels in the field: nothing older, and they cannot do better than this
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.tls_cert, settings.tls_key)
    return context


async def _report(intake: Intake) -> None:
    """What came in, one line a minute when anything did."""
    while True:
        await asyncio.sleep(REPORT_S)
        if intake.counts or intake.writer.dropped:
            counted = ", ".join(f"{word} {n}" for word, n in sorted(intake.counts.items()))
            log.info("in %d s: %s; dropped %d", REPORT_S, counted, intake.writer.dropped)
            intake.counts.clear()
            intake.writer.dropped = 0
