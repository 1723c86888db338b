"""Whatever is encoded is read back, in any segmentation; random bytes never break anything."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meldkamer.wire import (
    Frame,
    Framer,
    WireFault,
    ack,
    decode_text,
    duplicate_key,
    encode,
    format_human,
    open_envelope,
    read_frame,
    read_reply,
    split_datagram,
)
from meldkamer.wire.crc import crc16_arc
from meldkamer.wire.envelope import CrcForm

HEX = "0123456789ABCDEF"
numbers = st.text(HEX, min_size=1, max_size=6)
accounts = st.text(HEX, min_size=3, max_size=16)
keys = st.one_of(st.none(), *(st.binary(min_size=n, max_size=n) for n in (16, 24, 32)))
texts = st.text(
    st.characters(exclude_characters="^|[]\0\r\n", exclude_categories=["Cs"]), max_size=30
)
times = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(
    lambda at: at.replace(microsecond=0, tzinfo=UTC)
)


@settings(max_examples=200, deadline=None)
@given(
    account=accounts,
    receiver=st.none() | numbers,
    line=numbers,
    seq=st.integers(0, 9999),
    zone=st.integers(1, 9999),
    text=texts,
    key=keys,
    now=times,
    crc_form=st.sampled_from(["ascii", "binary"]),
    covers_cr=st.booleans(),
    size=st.integers(1, 80),
)
def test_what_is_encoded_is_read_back(
    account: str,
    receiver: str | None,
    line: str,
    seq: int,
    zone: int,
    text: str,
    key: bytes | None,
    now: datetime,
    crc_form: CrcForm,
    covers_cr: bool,
    size: int,
) -> None:
    frame = encode(
        "SIA-DCS",
        seq,
        account,
        receiver,
        line,
        f"#{account}|Nri1/BA{zone}^{text}^",
        key,
        now,
        [("L", text), ("Z", "9")],
        crc_form,
        covers_cr=covers_cr,
    )
    framer = Framer()
    found = []
    for start in range(0, len(frame), size):
        found += framer.feed(frame[start : start + size])
    assert found == [Frame(frame)]
    envelope = read_frame(frame)
    message = open_envelope(envelope, key)
    (event,) = message.events
    assert (event.code, event.zone, event.area) == ("BA", str(zone), "1")
    assert event.text == (text.strip() or None)
    assert [tuple(block) for block in message.xdata] == [("L", text), ("Z", "9")]
    assert (message.timestamp, envelope.seq) == (now, f"{seq:04d}")
    assert (envelope.account, envelope.receiver, envelope.line) == (account, receiver, line)
    assert message.faults == message.policy == ()
    assert (message.pad_len is None) == (key is None)
    reply = read_reply(ack(envelope, key, now), key)
    assert (reply.kind, reply.seq, reply.account) == ("ACK", f"{seq:04d}", account)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), keys)
def test_random_bytes_raise_nothing_but_a_wire_fault(data: bytes, key: bytes | None) -> None:
    for frame in (data, b"\n" + data + b"\r", _sealed(b'"SIA-DCS"0001L0#1234[' + data)):
        _read(frame, key)
    split_datagram(data)


@settings(max_examples=300, deadline=None)
@given(st.text("N|#^/*'[]_riBAFtd0123:-Oa ", max_size=60), st.sampled_from(["SIA-DCS", "ADM-CID"]))
def test_random_event_text_is_read_or_shown_as_unparsed(data: str, token: str) -> None:
    frame = _sealed(f'"{token}"0001L0#1234[{data}'.encode())
    message = open_envelope(read_frame(frame))
    assert message.events, "an event frame never ends without an event"
    assert len(duplicate_key(message)) == 16


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200).map(lambda tail: b"\0" * 16 + tail), keys.filter(bool))
def test_random_plaintext_under_the_right_key_breaks_nothing(tail: bytes, key: bytes) -> None:
    frame = encode("SIA-DCS", 1, "1234", data=tail, key=key, now=datetime(2026, 1, 1, tzinfo=UTC))
    _read(frame, key)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 200), st.integers(0, 255))
def test_one_changed_byte_is_noticed(position: int, value: int) -> None:
    frame = encode("SIA-DCS", 1, "1234", data="#1234|Nri1/BA12")
    position %= len(frame)
    changed = frame[:position] + bytes([value]) + frame[position + 1 :]
    if changed[:9].upper() + changed[9:] == frame:
        return  # nothing changed, or a hex digit of the header became a small letter
    with pytest.raises(WireFault):
        read_frame(changed)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(max_codepoint=255), max_size=120))
def test_the_desk_decoder_answers_any_frame_with_a_verdict(text: str) -> None:
    decoded = decode_text(json.dumps({"frame": text}))
    assert decoded["verdict"] in {"accept", "accept-lenient", "reject", "duh", "stream"}
    json.dumps(decoded)
    assert format_human(decoded)


def _sealed(body: bytes) -> bytes:
    body = body[:4095]
    return b"\n%04X%04X%b\r" % (crc16_arc(body), len(body), body)


def _read(frame: bytes, key: bytes | None) -> None:
    try:
        envelope = read_frame(frame)
        message = open_envelope(envelope, key if envelope.encrypted else None)
    except WireFault:
        return
    duplicate_key(message)
    repr(message)
    ack(envelope, key, datetime(2026, 1, 1, tzinfo=UTC))
    for event in message.events:
        message.time_of(event)
        assert "\0" not in (event.text or "")
