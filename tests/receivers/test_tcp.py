"""DC-09 over TCP, as panels and scanners use it."""

import asyncio
import datetime as dt
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from meldkamer.receivers.limits import Limits
from meldkamer.receivers.panel import Account, Panel
from meldkamer.wire.encoder import encode
from tests.receivers.conftest import KEY, Story, running

OnLoop = Callable[[Story], None]


def event(seq: int = 1, account: str = "1234", data: str = "Nri1/BA5") -> bytes:
    return encode("SIA-DCS", seq, account, None, "0", f"#{account}|{data}")


def ack(seq: int) -> bytes:
    return f'"ACK"{seq:04d}L0#1234[]\r'.encode()


async def dial(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port)


async def answers(reader: asyncio.StreamReader, count: int) -> list[bytes]:
    return [(await reader.readuntil(b"\r"))[9:] for _ in range(count)]


async def silence(reader: asyncio.StreamReader, wait_s: float = 0.15) -> bool:
    """Nothing came, and the connection is still open."""
    try:
        async with asyncio.timeout(wait_s):
            await reader.readexactly(1)
    except TimeoutError:
        return True
    except (asyncio.IncompleteReadError, ConnectionError):
        return False
    return False


async def hung_up(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read(100) == b""
    except ConnectionError:
        return True


def test_frames_in_one_segment_each_get_their_answer(on_loop: OnLoop) -> None:
    async def story() -> None:
        async with running() as receiver:
            reader, writer = await dial(receiver.port)
            writer.write(b"".join(event(seq) for seq in range(1, 30)))
            assert await answers(reader, 29) == [ack(seq) for seq in range(1, 30)]
            assert [record.seq for record in receiver.writer.records][-1] == "0029"

    on_loop(story)


def test_a_frame_cut_over_many_segments_is_one_frame(on_loop: OnLoop) -> None:
    async def story() -> None:
        async with running() as receiver:
            reader, writer = await dial(receiver.port)
            for byte in event(1) + event(2):
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0)
            assert await answers(reader, 2) == [ack(1), ack(2)]

    on_loop(story)


def test_the_connection_stays_open_after_the_answer(on_loop: OnLoop) -> None:
    async def story() -> None:
        async with running() as receiver:
            reader, writer = await dial(receiver.port)
            for seq in (1, 2, 3):
                writer.write(event(seq))
                assert await answers(reader, 1) == [ack(seq)]
                assert await silence(reader, 0.05)

    on_loop(story)


def test_a_panel_that_stops_sending_still_gets_its_answer_and_then_an_end(on_loop: OnLoop) -> None:
    async def story() -> None:
        async with running() as receiver:
            reader, writer = await dial(receiver.port)
            writer.write(event(1))
            writer.write_eof()
            assert await answers(reader, 1) == [ack(1)]
            assert await hung_up(reader)
            assert receiver.intake.gate.connections == 0

    on_loop(story)


def test_without_storage_there_is_no_answer_and_the_connection_stays(on_loop: OnLoop) -> None:
    async def story() -> None:
        async with running() as receiver:
            receiver.writer.silent = True
            reader, writer = await dial(receiver.port)
            writer.write(event(1))
            assert await silence(reader)

    on_loop(story)


def test_a_wrong_crc_is_not_answered_and_the_next_frame_is(on_loop: OnLoop) -> None:
    async def story() -> None:
        async with running() as receiver:
            reader, writer = await dial(receiver.port)
            writer.write(event(1).replace(b"BA5", b"BA6"))
            assert await silence(reader)
            writer.write(event(2))
            assert await answers(reader, 1) == [ack(2)]
            assert [record.disposition for record in receiver.writer.records] == [
                "noise",
                "accepted",
            ]

    on_loop(story)


@pytest.mark.parametrize(
    "hello", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x00\xf4\x01", b"SSH-2.0-Go\r\n"]
)
def test_a_scanner_is_hung_up_on_and_panels_notice_nothing(on_loop: OnLoop, hello: bytes) -> None:
    async def story() -> None:
        async with running() as receiver:
            panel, send = await dial(receiver.port)
            reader, writer = await dial(receiver.port)
            writer.write(hello)
            assert await hung_up(reader)
            assert receiver.writer.records == []
            send.write(event(1))
            assert await answers(panel, 1) == [ack(1)]

    on_loop(story)


def test_much_noise_closes_the_door_for_a_while(on_loop: OnLoop) -> None:
    limits = Limits(noise_before_close=2, noise_before_ban=6)

    async def story() -> None:
        async with running(limits) as receiver:
            for _ in range(6):
                reader, writer = await dial(receiver.port)
                writer.write(b"GET / HTTP/1.1\r\n\r\n")
                assert await hung_up(reader)
            reader, writer = await dial(receiver.port)
            writer.write(event(1))
            assert await hung_up(reader)
            assert receiver.intake.counts["refused"] == 1
            assert receiver.writer.records == []

    on_loop(story)


def test_a_panel_behind_the_same_address_as_a_scanner_is_not_locked_out(on_loop: OnLoop) -> None:
    limits = Limits(noise_before_close=2, noise_before_ban=3)

    async def story() -> None:
        async with running(limits) as receiver:
            reader, writer = await dial(receiver.port)
            writer.write(event(1))
            assert await answers(reader, 1) == [ack(1)]
            for _ in range(10):
                scan, noise = await dial(receiver.port)
                noise.write(b"GET / HTTP/1.1\r\n\r\n")
                assert await hung_up(scan)
            again, send = await dial(receiver.port)
            send.write(event(2))
            assert await answers(again, 1) == [ack(2)]

    on_loop(story)


def test_unknown_accounts_cannot_fill_the_journal(on_loop: OnLoop) -> None:
    limits = Limits(doubted_per_s=0.001, doubted_burst=3)

    async def story() -> None:
        async with running(limits) as receiver:
            reader, writer = await dial(receiver.port)
            writer.write(b"".join(event(seq, "9999") for seq in range(1, 21)) + event(21))
            assert await answers(reader, 1) == [ack(21)]
            kept = [record.disposition for record in receiver.writer.records]
            assert kept == ["unknown_account"] * 3 + ["accepted"]
            assert receiver.intake.counts["left"] == 17

    on_loop(story)


def test_who_sends_too_fast_is_read_more_slowly_and_loses_nothing(on_loop: OnLoop) -> None:
    limits = Limits(frames_per_s=100, frames_burst=10)

    async def story() -> None:
        async with running(limits) as receiver:
            reader, writer = await dial(receiver.port)
            began_s = time.monotonic()
            for seq in range(1, 51):
                writer.write(event(seq))
                await asyncio.sleep(0)
            assert await answers(reader, 50) == [ack(seq) for seq in range(1, 51)]
            writer.write(event(51))
            assert await answers(reader, 1) == [ack(51)]
            assert time.monotonic() - began_s > 0.3

    on_loop(story)


def test_connections_of_one_address_are_limited_and_given_back(on_loop: OnLoop) -> None:
    async def story() -> None:
        async with running(Limits(connections_per_source=2)) as receiver:
            first, writer = await dial(receiver.port)
            await dial(receiver.port)
            third, _ = await dial(receiver.port)
            assert await hung_up(third)
            writer.close()
            await asyncio.sleep(0.05)
            fourth, send = await dial(receiver.port)
            send.write(event(1))
            assert await answers(fourth, 1) == [ack(1)]
            assert first is not None

    on_loop(story)


def test_who_does_not_read_the_answers_is_hung_up_on(on_loop: OnLoop) -> None:
    async def story() -> None:
        async with running(Limits(frames_per_s=1e6, frames_burst=1e6)) as receiver:
            loop = asyncio.get_running_loop()
            block = b"".join(event(seq) for seq in range(1, 1001))
            with socket.socket() as deaf:
                deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                deaf.setblocking(False)
                await loop.sock_connect(deaf, ("127.0.0.1", receiver.port))
                with pytest.raises(ConnectionError):
                    await loop.sock_sendall(deaf, block * 400)
            assert receiver.table == set()

    on_loop(story)


def test_what_takes_too_long_is_given_up(on_loop: OnLoop) -> None:
    limits = Limits(unfinished_s=1, first_frame_s=100, idle_s=1000)

    async def story() -> None:
        async with running(limits) as receiver:
            now_s = asyncio.get_running_loop().time
            reader, writer = await dial(receiver.port)
            writer.write(event(1)[:30])
            await asyncio.sleep(0.05)
            [connection] = receiver.table
            connection.sweep(now_s() + 0.5)
            assert connection.framer.pending
            connection.sweep(now_s() + 2)
            assert not connection.framer.pending
            writer.write(event(2))
            assert await answers(reader, 1) == [ack(2)]
            connection.sweep(now_s() + 900)
            assert await silence(reader, 0.05), "a panel that was believed may be idle"
            connection.sweep(now_s() + 1001)
            assert await hung_up(reader)

    on_loop(story)


def test_who_never_sends_a_believed_frame_is_let_go(on_loop: OnLoop) -> None:
    async def story() -> None:
        async with running(Limits(first_frame_s=100)) as receiver:
            reader, writer = await dial(receiver.port)
            writer.write(event(1, "9999"))
            assert await silence(reader, 0.05)
            [connection] = receiver.table
            connection.sweep(asyncio.get_running_loop().time() + 101)
            assert await hung_up(reader)

    on_loop(story)


def test_a_panel_with_a_wrong_clock_sets_it_and_is_heard(on_loop: OnLoop) -> None:
    async def story() -> None:
        async with running() as receiver:
            panel = Panel("127.0.0.1", receiver.port, Account("5678", KEY), retry_s=(0.05,))
            panel.clock_error = dt.timedelta(hours=-3)
            outcome = await panel.sia("Nri1/BA5")
            assert (outcome.answer, outcome.tries) == ("ack", 2)
            assert abs(panel.clock_error) < dt.timedelta(seconds=2)
            assert [record.disposition for record in receiver.writer.records] == [
                "clock",
                "accepted",
            ]
            await panel.close()

    on_loop(story)


def test_a_panel_that_is_told_duh_gives_the_message_up(on_loop: OnLoop) -> None:
    async def story() -> None:
        async with running() as receiver:
            panel = Panel("127.0.0.1", receiver.port, Account("1234"), transport="udp")
            outcome = await panel.send("ADM-41E", "#1234|x")
            assert (outcome.answer, outcome.tries) == ("duh", 1)
            await panel.close()

    on_loop(story)


def test_inside_tls_the_same_frames_are_taken(on_loop: OnLoop, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    async def story() -> None:
        async with running(tls=context) as receiver:
            trusting = ssl.create_default_context(cafile=str(cert))
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", receiver.port, ssl=trusting, server_hostname="localhost"
            )
            writer.write(event(1))
            assert await answers(reader, 1) == [ack(1)]
            assert receiver.writer.records[0].transport == "tls"
            writer.close()

    on_loop(story)


def certificate(directory: Path) -> tuple[Path, Path]:
    """A certificate for localhost and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (directory / "cert.pem").write_bytes(cert.public_bytes(pem))
    (directory / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return directory / "cert.pem", directory / "key.pem"
