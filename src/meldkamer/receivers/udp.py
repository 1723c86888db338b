"""DC-09 over UDP: a datagram is a frame; the answer goes to the address and port it came from.

Never: ban a source for noise, its address may be forged; the buckets of `limits` bound it.
"""

import asyncio
from functools import partial
from typing import Any

from meldkamer.receivers.dc09 import Intake
from meldkamer.receivers.intake import Origin
from meldkamer.wire.framing import Frame, split_datagram


class Datagrams(asyncio.DatagramProtocol):
    """All panels that dial in over UDP on one port."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.transport: asyncio.DatagramTransport | None = None
        self.closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport is one in all but the base class
        self.transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.closing:
            return
        intake = self.intake
        limits = intake.gate.limits
        now_s = asyncio.get_running_loop().time()
        source = intake.gate.source(addr[0], now_s)
        for piece in split_datagram(data):
            if source.take_frame(limits, now_s):
                intake.counts["too fast"] += 1
            elif isinstance(piece, Frame):
                origin = Origin("udp", addr[0], addr[1])
                intake.take(piece.raw, origin, source, partial(self.answer, addr))
            else:
                intake.counts["noise"] += 1

    def error_received(self, exc: Exception) -> None:
        """A reply met a closed port: the panel hung up, and asks again if it must."""
        self.intake.counts["unreachable"] += 1

    def answer(self, address: tuple[str, int], reply: bytes) -> None:
        """Send an answer to where the frame came from."""
        if self.transport is not None:
            self.transport.sendto(reply, address)


async def listen(intake: Intake, sock: Any) -> Datagrams:
    """Take datagrams on a bound socket."""
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_datagram_endpoint(lambda: Datagrams(intake), sock=sock)
    return protocol
