"""The demo's panels against the receiver's own decisions: every kind of panel is acknowledged."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

import pytest

from meldkamer.project.city import register
from meldkamer.project.city.codes import Beat
from meldkamer.project.city.fleet import Dialler, Fleet
from meldkamer.receivers.directory import Directory, Transmitter, Triple, triple
from meldkamer.receivers.intake import Origin, Received, receive
from meldkamer.wire import Frame, Framer, split_datagram


class Answerer(asyncio.DatagramProtocol):
    """Answers by the decision table, over TCP and UDP, and keeps what it took."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.taken: list[Received] = []

    def answer(self, raw: bytes, transport: str) -> bytes:
        received = receive(raw, Origin(transport, "127.0.0.1"), self.directory, datetime.now(UTC))
        assert received is not None
        self.taken.append(received)
        return received.reply or b""

    async def over_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        framer = Framer()
        while data := await reader.read(4096):
            for piece in framer.feed(data):
                if isinstance(piece, Frame):
                    writer.write(self.answer(piece.raw, "tcp"))
        writer.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for piece in split_datagram(data):
            if isinstance(piece, Frame):
                self.transport.sendto(self.answer(piece.raw, "udp"), addr)


def entries(panels: list[Dialler]) -> Iterator[tuple[Triple, Transmitter]]:
    for number, panel in enumerate(panels):
        who = panel.account
        known = Transmitter(number, panel.place.site_id, who.key)
        yield triple(who.receiver, who.line, who.account), known


async def dial(panels: list[Dialler]) -> tuple[list[str], Answerer]:
    """Each panel sends a test and an alarm; the answers it got."""
    answerer = Answerer(Directory(entries(panels)))
    server = await asyncio.start_server(answerer.over_tcp, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    datagrams, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: answerer, local_addr=("127.0.0.1", port)
    )
    fleet = Fleet(port, Random(1))
    beats = (Beat(0, "test"), Beat(0, "burglary", "1"))
    said = [fleet.say(panel, beat) for panel in panels for beat in beats]
    answers = [outcome.answer for outcome in await asyncio.gather(*said)]
    datagrams.close()
    server.close()
    return answers, answerer


@pytest.mark.slow
def test_every_kind_of_panel_is_acknowledged(demo: str) -> None:
    kinds: dict[tuple[int, str, str], Dialler] = {}
    for panel in register.panels():
        bits = len(panel.account.key or b"") * 8
        kinds.setdefault((bits, panel.dialect, panel.transport), panel)
    assert {bits for bits, _, _ in kinds} == {0, 128, 192, 256}
    answers, answerer = asyncio.run(dial(list(kinds.values())))
    assert answers == ["ack"] * 2 * len(kinds)
    assert {taken.record.disposition for taken in answerer.taken} == {"accepted"}
    types = {signal.type for taken in answerer.taken for signal in taken.record.signals}
    assert types == {"line_test", "intrusion"}
    assert {taken.record.transport for taken in answerer.taken} == {"tcp", "udp"}
