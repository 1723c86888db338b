"""What the receiver answers, byte for byte, and how a sender reads it."""

from datetime import UTC, datetime

import pytest

from meldkamer.wire import (
    HeaderFault,
    WrongKey,
    ack,
    duh,
    encode,
    nak,
    open_envelope,
    read_frame,
    read_reply,
)
from meldkamer.wire.cipher import decrypt, random_pad
from meldkamer.wire.crc import crc16_arc, crc16_arc_python
from meldkamer.wire.envelope import CrcForm

NOW = datetime(2026, 3, 2, 21, 0, 0, tzinfo=UTC)


def test_the_checksum_is_crc_16_arc_with_and_without_the_library() -> None:
    assert crc16_arc(b"123456789") == crc16_arc_python(b"123456789") == 0xBB3D
    for size in range(300):
        data = bytes(value * 7 % 256 for value in range(size))
        assert crc16_arc(data) == crc16_arc_python(data)


def test_the_published_replies_are_produced_to_the_byte() -> None:
    null = read_frame(b'\nEA740027"NULL"0000L0#1409[]_20:38:07,08-27-2026\r')
    assert ack(null) == b'\n59890012"ACK"0000L0#1409[]\r'
    assert nak(datetime(2015, 4, 14, 16, 9, 9, tzinfo=UTC)) == (
        b'\n3C830025"NAK"0000R0L0A0[]_16:09:09,04-14-2015\r'
    )
    event = read_frame(encode("FOO-BAR", 9, "1234", data="x"))
    assert duh(event) == b'\nCF9E0012"DUH"0009L0#1234[]\r'


@pytest.mark.parametrize(
    "header",
    [
        {"account": "1409"},
        {"account": "1409", "receiver": "0001", "line": "0001"},
        {"account": "080027e62a64", "receiver": "c0ffd", "line": "1234"},
        {"account": "0809", "line": "000"},
        {"account": "7303658550", "line": ""},
        {"account": "7890", "line": None},
        {"account": None, "line": ""},
        {"account": "foc7688"},
    ],
)
@pytest.mark.parametrize("seq", ["0001", "9999", "00a1"])
@pytest.mark.parametrize("key", [None, b"0123456789abcdef"])
def test_seq_receiver_line_and_account_come_back_as_they_were_sent(
    header: dict[str, str | None], seq: str, key: bytes | None
) -> None:
    frame = encode("SIA-DCS", seq, data="#1|NBA1", key=key, now=NOW, **header)  # type: ignore[arg-type]
    envelope = read_frame(frame)
    sent = frame[frame.index(b'"', 11) + 1 : frame.index(b"[")]
    for reply in (ack(envelope, key, NOW), duh(envelope)):
        assert reply[reply.rindex(b'"') + 1 : reply.index(b"[")] == sent
        assert read_reply(reply, key).echo == sent
        assert b"None" not in reply


@pytest.mark.parametrize("crc_form", ["ascii", "binary"])
@pytest.mark.parametrize("covers_cr", [False, True])
def test_the_reply_uses_the_crc_form_of_the_frame(crc_form: CrcForm, covers_cr: bool) -> None:
    frame = encode("NULL", 0, "1234", crc_form=crc_form, covers_cr=covers_cr)
    reply = read_frame(ack(read_frame(frame)))
    assert (reply.crc_form, reply.covers_cr) == (crc_form, covers_cr)
    assert read_frame(nak(NOW, crc_form)).crc_form == crc_form


@pytest.mark.parametrize("size", [16, 24, 32])
def test_an_encrypted_frame_gets_an_encrypted_ack_with_16_random_bytes_in_front(size: int) -> None:
    key = bytes(range(size))
    frame = encode("SIA-DCS", 5, "1234", data="#1234|NBA1", key=key, now=NOW)
    envelope = read_frame(frame)
    replies = {ack(envelope, key, NOW) for _ in range(20)}
    assert len(replies) == 20
    for reply in replies:
        read = read_reply(reply, key)
        assert (read.kind, read.encrypted, read.timestamp) == ("ACK", True, NOW)
        inside = read_frame(reply)
        message = open_envelope(inside, key)
        assert message.pad_len is not None
        assert message.pad_len >= 16
        assert not message.leniencies
        plain = decrypt(bytes.fromhex(inside.content.decode()), key)
        assert not set(plain[: message.pad_len]) & set(b"|[]")
    with pytest.raises(WrongKey):
        read_reply(replies.pop(), bytes(size))


def test_nak_and_duh_are_never_encrypted() -> None:
    key = bytes(16)
    envelope = read_frame(encode("SIA-DCS", 5, "1234", data="#1234|NBA1", key=key, now=NOW))
    assert not read_reply(duh(envelope)).encrypted
    assert not read_reply(nak(NOW)).encrypted


def test_an_encrypted_ack_needs_key_and_time() -> None:
    envelope = read_frame(encode("NULL", 0, "1234", key=bytes(16), now=NOW))
    with pytest.raises(ValueError, match="key and the time"):
        ack(envelope)


def test_a_pad_of_any_size_avoids_the_three_forbidden_bytes() -> None:
    for size in (0, 1, 16, 31, 1000):
        pad = random_pad(size)
        assert len(pad) == size
        assert not set(pad) & set(b"|[]")


@pytest.mark.parametrize("body", ["R0L0A0", "R0L0#0", "R1L0A0", "L0#000"])
def test_a_sender_understands_every_nak_of_the_field(body: str) -> None:
    account = {"A0": "0", "#0": "0", "00": "000"}[body[-2:]]
    frame = _wrapped(f'"NAK"0000{body}[]_16:09:09,04-14-2015')
    reply = read_reply(frame)
    assert (reply.kind, reply.account) == ("NAK", account)


def test_an_event_is_no_reply() -> None:
    with pytest.raises(HeaderFault, match="is no reply"):
        read_reply(encode("NULL", 0, "1234"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seq": 10000}, "expected 0 to 9999"),
        ({"key": bytes(16)}, "needs the time"),
        ({"key": b"short", "now": NOW}, "expected 16, 24 or 32"),
        ({"data": "x" * 5000}, "at most 4095"),
        ({"now": datetime(2026, 1, 1)}, "expected an aware datetime"),
    ],
)
def test_the_encoder_refuses_what_cannot_be_a_frame(wrong: dict[str, object], message: str) -> None:
    fields: dict[str, object] = {"seq": 1, **wrong}
    with pytest.raises(ValueError, match=message):
        encode("SIA-DCS", fields.pop("seq"), "1234", **fields)  # type: ignore[arg-type]


def _wrapped(body: str) -> bytes:
    raw = body.encode()
    return b"\n%04X%04X%b\r" % (crc16_arc(raw), len(raw), raw)
