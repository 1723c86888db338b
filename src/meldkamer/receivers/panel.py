"""The sending side: dials a DC-09 receiver as a panel does, for the demo city, tests and bench.

It knows a receiver only by address and port. Never: count a message as delivered without an
acknowledgement that carries its own sequence, account and (for a key) encryption. Invariant: a
message keeps its sequence over all its tries; its timestamp is new in each (as panels do).
"""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from meldkamer.wire.encoder import encode
from meldkamer.wire.faults import WireFault
from meldkamer.wire.framing import Frame, Framer, split_datagram
from meldkamer.wire.replies import Reply, read_reply

RETRY_S = (1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True)
class Account:
    """What a panel is set up with. `key`: 16, 24 or 32 bytes, None for plain."""

    account: str
    key: bytes | None = field(default=None, repr=False)
    receiver: str | None = None
    line: str = "0"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a message ended: "ack", "duh" (given up as asked) or "none"; and after how many tries.

    `frames` are the bytes of every try; `took_s` from the first byte sent to the answer.
    """

    answer: Literal["ack", "duh", "none"]
    tries: int
    seq: str
    frames: tuple[bytes, ...]
    took_s: float


class Panel:
    """One panel with one path. Not for use by two tasks at once: a panel sends one by one."""

    def __init__(
        self,
        host: str,
        port: int,
        account: Account,
        *,
        transport: Literal["tcp", "udp"] = "tcp",
        answer_s: float = 5.0,
        retry_s: tuple[float, ...] = RETRY_S,
        seq: int = 0,
        keep_open: bool = True,
    ) -> None:
        self.host, self.port, self.account = host, port, account
        self.transport = transport
        self.answer_s = answer_s
        self.retry_s = retry_s
        self.keep_open = keep_open
        self.clock_error = timedelta(0)
        self._seq = seq
        self._line: _Stream | _Datagrams | None = None

    async def sia(self, text: str, **xdata: str) -> Outcome:
        """Send DC-03 text, as "Nri1/BA5"."""
        return await self.send("SIA-DCS", f"#{self.account.account}|{text}", **xdata)

    async def cid(self, text: str, **xdata: str) -> Outcome:
        """Send a Contact ID block, as "1130 01 005"."""
        return await self.send("ADM-CID", f"#{self.account.account}|{text}", **xdata)

    async def null(self) -> Outcome:
        """A link test: one with sequence 0000 and no data."""
        return await self._deliver("NULL", "0000", "", {})

    async def send(self, token: str, data: str, **xdata: str) -> Outcome:
        """Send one message under the next sequence, with retries; xdata by letter."""
        self._seq = self._seq % 9999 + 1
        return await self._deliver(token, f"{self._seq:04d}", data, xdata)

    def encode(self, token: str, seq: str, data: str, xdata: dict[str, str]) -> bytes:
        """The bytes of one try, stamped with the panel's own clock."""
        who = self.account
        return encode(
            token,
            seq,
            who.account,
            who.receiver,
            who.line,
            data,
            who.key,
            self.now(),
            tuple(xdata.items()),
        )

    def now(self) -> datetime:
        """The panel's clock, wrong by `clock_error` until a NAK sets it."""
        return datetime.now(UTC) + self.clock_error

    async def close(self) -> None:
        """Hang up."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    async def _deliver(self, token: str, seq: str, data: str, xdata: dict[str, str]) -> Outcome:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        frames: list[bytes] = []
        waits = iter((*self.retry_s, None))
        while True:
            frame = self.encode(token, seq, data, xdata)
            frames.append(frame)
            reply = await self._try(frame, seq)
            if reply is not None and reply.kind in ("ACK", "RSP", "DUH"):
                answer: Literal["ack", "duh"] = "duh" if reply.kind == "DUH" else "ack"
                took_s = loop.time() - began_s
                if not self.keep_open:
                    await self.close()
                return Outcome(answer, len(frames), seq, tuple(frames), took_s)
            wait_s = next(waits)
            if wait_s is None:
                await self.close()
                return Outcome("none", len(frames), seq, tuple(frames), loop.time() - began_s)
            if reply is None:
                await self.close()
                await asyncio.sleep(wait_s)

    async def _try(self, frame: bytes, seq: str) -> Reply | None:
        """Send once; the answer that belongs to it, None when none came in time."""
        try:
            async with asyncio.timeout(self.answer_s):
                if self._line is None:
                    self._line = await _dial(self.host, self.port, self.transport)
                self._line.send(frame)
                while True:
                    reply = self._belongs(await self._line.receive(), seq)
                    if reply is not None:
                        return reply
        except (TimeoutError, OSError, EOFError):
            return None

    def _belongs(self, frame: bytes, seq: str) -> Reply | None:
        try:
            reply = read_reply(frame, self.account.key)
        except WireFault:
            return None
        if reply.kind == "NAK":
            if reply.timestamp is not None:
                self.clock_error = reply.timestamp - datetime.now(UTC)
            return reply
        if reply.seq != seq or reply.account != self.account.account:
            return None
        if reply.kind != "DUH" and reply.encrypted != (self.account.key is not None):
            return None
        return reply


class _Stream(asyncio.Protocol):
    def __init__(self) -> None:
        self.framer = Framer()
        self.answers: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        for piece in self.framer.feed(data):
            if isinstance(piece, Frame):
                self.answers.put_nowait(piece.raw)

    def connection_lost(self, exc: Exception | None) -> None:
        self.answers.put_nowait(None)

    def send(self, frame: bytes) -> None:
        assert self.transport is not None
        if self.transport.is_closing():
            raise EOFError("the receiver hung up")
        self.transport.write(frame)

    async def receive(self) -> bytes:
        answer = await self.answers.get()
        if answer is None:
            raise EOFError("the receiver hung up")
        return answer

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answers: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: object) -> None:
        for piece in split_datagram(data):
            if isinstance(piece, Frame):
                self.answers.put_nowait(piece.raw)

    def error_received(self, exc: Exception) -> None:
        self.answers.put_nowait(None)

    def send(self, frame: bytes) -> None:
        assert self.transport is not None
        self.transport.sendto(frame)

    async def receive(self) -> bytes:
        answer = await self.answers.get()
        if answer is None:
            raise EOFError("nobody listens there")
        return answer

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()


async def _dial(host: str, port: int, transport: str) -> _Stream | _Datagrams:
    loop = asyncio.get_running_loop()
    if transport == "tcp":
        return (await loop.create_connection(_Stream, host, port))[1]
    return (await loop.create_datagram_endpoint(_Datagrams, remote_addr=(host, port)))[1]
