"""DC-09 over UDP: a datagram is a frame."""

import asyncio
from collections.abc import Callable

from meldkamer.receivers.limits import Limits
from meldkamer.wire.encoder import encode
from tests.receivers.conftest import Story, running

OnLoop = Callable[[Story], None]


class Ear(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.heard.put_nowait(data)


async def dial(port: int) -> tuple[Ear, asyncio.DatagramTransport]:
    loop = asyncio.get_running_loop()
    transport, ear = await loop.create_datagram_endpoint(Ear, remote_addr=("127.0.0.1", port))
    return ear, transport


def event(seq: int, account: str = "1234") -> bytes:
    return encode("SIA-DCS", seq, account, None, "0", f"#{account}|Nri1/BA5")


def test_each_sender_gets_its_own_answer(on_loop: OnLoop) -> None:
    async def story() -> None:
        async with running() as receiver:
            one, say_one = await dial(receiver.port)
            two, say_two = await dial(receiver.port)
            say_one.sendto(event(1))
            say_two.sendto(event(2) + b"\0")
            assert b'"ACK"0001' in await one.heard.get()
            assert b'"ACK"0002' in await two.heard.get()
            assert one.heard.empty()
            assert {record.transport for record in receiver.writer.records} == {"udp"}

    on_loop(story)


def test_noise_over_udp_bans_nobody_because_its_source_may_be_forged(on_loop: OnLoop) -> None:
    async def story() -> None:
        async with running(Limits(noise_before_ban=3)) as receiver:
            ear, say = await dial(receiver.port)
            for _ in range(50):
                say.sendto(b"\x00\x01scan")
            say.sendto(event(7))
            assert b'"ACK"0007' in await ear.heard.get()
            reader, writer = await asyncio.open_connection("127.0.0.1", receiver.port)
            writer.write(event(8))
            assert b'"ACK"0008' in await reader.readuntil(b"\r")

    on_loop(story)


def test_who_sends_too_fast_is_not_heard_for_a_moment(on_loop: OnLoop) -> None:
    async def story() -> None:
        async with running(Limits(frames_per_s=20, frames_burst=5)) as receiver:
            ear, say = await dial(receiver.port)
            for seq in range(1, 31):
                say.sendto(event(seq))
            await asyncio.sleep(0.1)
            assert 5 <= len(receiver.writer.records) < 30
            assert receiver.intake.counts["too fast"] >= 20
            await asyncio.sleep(1.5)
            say.sendto(event(99))
            await asyncio.sleep(0.1)
            assert receiver.writer.records[-1].seq == "0099"
            assert not ear.heard.empty()

    on_loop(story)
