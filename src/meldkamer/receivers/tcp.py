"""DC-09 over TCP: several frames per connection, several in a segment, one over several.

Never: close right after the acknowledgement (panels take that for a failure), or wait for ever
for a frame that was begun. Invariant: a connection's cost is bounded: what it may buffer, send
per second and get wrong.
"""

import asyncio
from typing import Any, cast

from meldkamer.receivers.dc09 import Intake, Taken
from meldkamer.receivers.intake import Origin
from meldkamer.receivers.limits import Source
from meldkamer.wire.framing import Frame, Framer, Noise

SWEEP_S = 5.0
#: what we may owe a peer that does not read its answers, bytes
UNREAD_MOST = 65536


class Connection(asyncio.Protocol):
    """One connection of a panel, or of whoever found the port."""

    __slots__ = (
        "began_s", "believed", "ended", "framer", "intake", "last_s", "noise", "origin", "owed",
        "paused", "source", "table", "transport", "transport_word",
    )  # fmt: skip

    def __init__(self, intake: Intake, table: "set[Connection]", transport_word: str) -> None:
        self.intake = intake
        self.table = table
        self.transport_word = transport_word
        self.transport: asyncio.Transport | None = None
        self.source: Source | None = None
        self.origin = Origin(transport_word, "")
        self.framer = Framer()
        self.noise = self.owed = 0
        self.believed = self.ended = False
        self.paused = 0
        self.began_s = self.last_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are ones in all but the base class
        transport = cast("asyncio.Transport", transport)
        now_s = asyncio.get_running_loop().time()
        peer = transport.get_extra_info("peername") or ("", 0)
        gate = self.intake.gate
        source = gate.source(str(peer[0]), now_s)
        if not gate.may_connect(source, now_s):
            self.intake.counts["refused"] += 1
            transport.abort()
            return
        self.transport, self.source = transport, source
        self.origin = Origin(self.transport_word, str(peer[0]), int(peer[1]))
        self.began_s = self.last_s = now_s
        source.connections += 1
        gate.connections += 1
        self.table.add(self)
        transport.set_write_buffer_limits(high=UNREAD_MOST)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.source is None:
            return
        self.source.connections -= 1
        self.intake.gate.connections -= 1
        self.table.discard(self)
        self.source = None

    def data_received(self, data: bytes) -> None:
        if self.source is None:
            return
        self.last_s = asyncio.get_running_loop().time()
        self._take(self.framer.feed(data))
        if self.intake.writer.crowded and not self.paused:
            self._pause()
            self.intake.writer.when_calm(self._go_on)

    def eof_received(self) -> bool:
        """The panel will send no more; what is queued is still answered before it closes."""
        self._take(self.framer.flush())
        self.ended = True
        return self.owed > 0

    def pause_writing(self) -> None:
        """It does not read its answers: nobody needs to keep them for it."""
        self.close()

    def answer(self, reply: bytes) -> None:
        """Send an answer unless the peer is gone."""
        transport = self.transport
        if transport is not None and not transport.is_closing():
            transport.write(reply)
            self.owed -= 1
            if self.ended and not self.owed:
                transport.close()

    def close(self) -> None:
        """Hang up at once."""
        if self.transport is not None:
            self.transport.abort()

    def stop_taking(self) -> None:
        """Read no more; answers still go out."""
        if self.transport is not None and not self.transport.is_closing():
            self.paused += 1
            self.transport.pause_reading()

    def hang_up(self) -> None:
        """Close once what was answered is sent."""
        if self.transport is not None:
            self.transport.close()

    def sweep(self, now_s: float) -> None:
        """Give up what takes too long."""
        limits = self.intake.gate.limits
        silent_s = now_s - self.last_s
        if self.framer.pending and silent_s > limits.unfinished_s:
            self._take(self.framer.flush())
        if silent_s > (limits.unfinished_s if self.ended else limits.idle_s):
            self.close()
        elif not self.believed and now_s - self.began_s > limits.first_frame_s:
            self.close()

    def _take(self, found: "list[Frame | Noise]") -> None:
        wait_s = 0.0
        for piece in found:
            source = self.source
            if source is None:
                return
            if isinstance(piece, Noise):
                self._note_noise(source, foreign=piece.reason.startswith("not DC-09:"))
                continue
            wait_s = source.take_frame(self.intake.gate.limits, self.last_s)
            taken = self.intake.take(piece.raw, self.origin, source, self.answer)
            if taken is Taken.OWED:
                self.believed = True
                self.owed += 1
            elif taken is Taken.DOUBTED_OWED:
                self.owed += 1
            elif taken is Taken.NOISE:
                self._note_noise(source)
        if wait_s and not self.paused:
            self._pause()
            asyncio.get_running_loop().call_later(wait_s, self._go_on)

    def _note_noise(self, source: Source, *, foreign: bool = False) -> None:
        """Count it; hang up on another protocol at once, on mere noise when there is much."""
        self.intake.counts["noise"] += 1
        self.noise += 1
        limits = self.intake.gate.limits
        source.note_noise(limits, self.last_s)
        if foreign or self.noise >= limits.noise_before_close:
            self.close()

    def _pause(self) -> None:
        assert self.transport is not None
        self.paused += 1
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def _go_on(self) -> None:
        self.paused -= 1
        if self.transport is not None and not self.transport.is_closing() and not self.paused:
            self.transport.resume_reading()


async def sweep(table: set[Connection]) -> None:
    """Look at every connection now and then, for ever."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(SWEEP_S)
        now_s = loop.time()
        for connection in list(table):
            connection.sweep(now_s)


async def listen(
    intake: Intake, sock: Any, table: set[Connection], tls: Any = None
) -> asyncio.Server:
    """Take connections on a bound socket; with `tls` (an SSLContext) inside TLS."""
    loop = asyncio.get_running_loop()
    word = "tls" if tls else "tcp"
    return await loop.create_server(
        lambda: Connection(intake, table, word), sock=sock, ssl=tls, backlog=1024
    )
