"""`meldkamer mail`: a small mail server that takes back what could not be delivered.

It takes mail for bounce addresses of ours alone (see `verp`), hands on none, and asks no name for
it. Never: 250 before COMMIT. When the database is away it says 451, and the server that brings the
mail keeps it and comes again.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import DatabaseError, connection

from meldkamer.agenda.faults import is_passing
from meldkamer.notify.mail import coming_back
from meldkamer.notify.mail.verp import message_of

log = logging.getLogger(__name__)
#: a report may carry our whole mail back
SIZE_MOST = 12_000_000
_CONNECTIONS_MOST, _RECIPIENTS_MOST, _COMMANDS_MOST = 20, 50, 100
_IDLE_S = 60.0
#: threads that store; each has a connection to the database
_THREADS = 2
_LATER = "451 4.3.0 the mail could not be stored now; come again"
_BUSY = b"421 4.3.2 too many connections; come again\r\n"


@dataclass(frozen=True)
class Where:
    """Where to listen, under which name, and with which certificate (none: without STARTTLS)."""

    host: str
    port: int
    name: str = ""
    tls: ssl.SSLContext | None = None


class Handler:
    """What is done with a mail."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """A bounce address of ours, or nothing."""
        if message_of(address) is None:
            return "550 5.1.1 no such address here; this server takes back our own mail alone"
        if len(envelope.rcpt_tos) >= _RECIPIENTS_MOST:
            return "452 4.5.3 too many recipients at once"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Stored for each message it came back to; then, and only then, 250."""
        content = envelope.content
        assert isinstance(content, bytes)
        numbers = [number for to in envelope.rcpt_tos if (number := message_of(to)) is not None]
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, _store, numbers, content)


def _store(numbers: list[int], content: bytes) -> str:
    """In a thread of the pool: what the server is answered."""
    unknown = 0
    for number in numbers:
        try:
            found = coming_back.store(number, content, datetime.now(UTC))
            log.info("mail %d came back: %s %s", number, found.kind, found.code)
        except coming_back.NoSuchMessage:
            unknown += 1
        except (DatabaseError, psycopg.Error) as fault:
            connection.close()
            if not is_passing(fault):
                # it would never be stored, and it must not be lost: its server keeps it meanwhile
                log.exception("what came back to mail %d cannot be stored", number)
            else:
                log.warning("the database is away; what came back is asked for again")
            return _LATER
    if unknown == len(numbers):
        return "550 5.1.1 no such message here"
    return "250 2.0.0 stored"


class _Protocol(SMTP):
    """One connection; told to come again when there are too many."""

    def __init__(self, open_now: set[_Protocol], handler: Handler, **more: Any) -> None:
        self._open_now = open_now
        super().__init__(handler, **more)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Also called a second time, when TLS begins on it."""
        super().connection_made(transport)
        self._open_now.add(self)
        if len(self._open_now) > _CONNECTIONS_MOST and isinstance(transport, asyncio.Transport):
            transport.write(_BUSY)
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Gone, however it ended."""
        self._open_now.discard(self)
        super().connection_lost(error)


async def listen(where: Where, pool: ThreadPoolExecutor) -> asyncio.Server:
    """A server that listens; its port is in its sockets."""
    handler = Handler(pool)
    open_now: set[_Protocol] = set()

    def made() -> SMTP:
        return _Protocol(
            open_now,
            handler,
            data_size_limit=SIZE_MOST,
            enable_SMTPUTF8=True,
            hostname=where.name or None,
            ident="meldkamer",
            tls_context=where.tls,
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
            timeout=_IDLE_S,
            command_call_limit=_COMMANDS_MOST,
            loop=asyncio.get_running_loop(),
        )

    return await asyncio.get_running_loop().create_server(made, where.host, where.port)


def serve(where: Where, ready: Callable[[], None]) -> int:
    """Until SIGTERM or SIGINT; `ready` is called when it listens. OSError: the port is taken."""
    # who brings what is the installation's own business and fills the log
    logging.getLogger("mail.log").setLevel(logging.ERROR)

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for order in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(order, stop.set)
        with ThreadPoolExecutor(_THREADS, "mail-store") as pool:
            server = await listen(where, pool)
            ready()
            await stop.wait()
            server.close()

    asyncio.run(run())
    return 0
