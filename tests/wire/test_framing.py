"""The framer: any segmentation, any noise, bounded memory."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meldkamer.wire import Frame, Framer, Noise, WireFault, encode, read_frame, split_datagram
from meldkamer.wire.envelope import MAX_FRAME

FIRST = b'\n68AF0025"SIA-DCS"0001L0#1234[#1234|Nri1/BA12]\r'
SECOND = b'\nA18D0027"ADM-CID"0001L0#7099[#7099|1131 01 003]\r'
VISONIC = b'\n4CE30023"VIS-BBA"0001L001234#2A4CC3[\r\xb0\x03\x18\r\n]\r'
ELDES = b'\nAA1A0030"ADM-CID"0227R4F39L4F39#4F39[#4F39|3401 01 057]\r'
BINARY = b'\n0n003D"ADM-CID"0002R1L1#9413[#9413|1602 99 999]_23:05:30,08-30-2023\r'


def feed_in(stream: bytes, size: int) -> list[Frame | Noise]:
    framer = Framer()
    found: list[Frame | Noise] = []
    for start in range(0, len(stream), size):
        found += framer.feed(stream[start : start + size])
    return found


def frames(found: list[Frame | Noise]) -> list[bytes]:
    return [part.raw for part in found if isinstance(part, Frame)]


def noise(found: list[Frame | Noise]) -> list[Noise]:
    return [part for part in found if isinstance(part, Noise)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10, 11, 47, 48, 49, 1000])
@pytest.mark.parametrize("filler", [b"", b"\0", b"\r\n", b"\n", b"\0\0\r\n\0"])
def test_frames_come_out_whole_in_any_segmentation(size: int, filler: bytes) -> None:
    stream = filler.join([FIRST, SECOND, VISONIC, ELDES, BINARY, FIRST, b""])
    found = feed_in(stream, size)
    assert frames(found) == [FIRST, SECOND, VISONIC, ELDES, BINARY, FIRST]
    assert noise(found) == []


def test_a_payload_with_cr_and_lf_is_not_cut() -> None:
    assert frames(Framer().feed(VISONIC + VISONIC)) == [VISONIC, VISONIC]


def test_an_eldes_frame_is_given_out_without_waiting_for_another_byte() -> None:
    framer = Framer()
    assert frames(framer.feed(ELDES)) == [ELDES]
    assert framer.pending == 0


def test_a_binary_crc_that_contains_lf_cr_quote_or_nul_is_read() -> None:
    wanted = {0x0A, 0x0D, 0x22, 0x00}
    seen: set[int] = set()
    for number in range(10_000):
        frame = encode("NULL", number % 10_000, "1234", crc_form="binary")
        hit = wanted & set(frame[1:3])
        if hit:
            seen |= hit
            for size in (1, 5, 100):
                assert frames(feed_in(FIRST + frame + FIRST, size)) == [FIRST, frame, FIRST]
    assert seen == wanted


def test_noise_before_a_frame_is_counted_and_the_frame_survives() -> None:
    found = Framer().feed(b"garbage" + FIRST)
    assert frames(found) == [FIRST]
    assert [(part.count, part.sample) for part in noise(found)] == [(7, b"garbage")]


def test_a_frame_with_a_length_too_large_is_cut_off_by_the_next_frame() -> None:
    bad = b'\n68AF0FF0"SIA-DCS"0001L0#1234[#1234|Nri1/BA12]\r'
    for size in (1, 13, 500):
        found = feed_in(bad + FIRST, size)
        assert frames(found) == [bad, FIRST]


def test_a_frame_with_a_length_too_small_is_given_out_for_the_record() -> None:
    bad = b'\n68AF0020"SIA-DCS"0001L0#1234[#1234|Nri1/BA12]\r'
    for size in (1, 13, 500):
        assert frames(feed_in(bad + FIRST, size)) == [bad, FIRST]


def test_a_cut_off_frame_is_given_up_on_flush() -> None:
    framer = Framer()
    assert framer.feed(FIRST[:-4]) == []
    assert framer.pending == len(FIRST) - 4
    found = framer.flush()
    assert noise(found)[0].reason == "incomplete: wait, then drop on timeout"
    assert framer.pending == 0
    assert frames(framer.feed(FIRST)) == [FIRST]


@pytest.mark.parametrize(
    ("greeting", "name"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP"),
        (b"OPTIONS / HTTP/1.0\r\n\r\n", "HTTP"),
        (b"OPTIONS sip:nm SIP/2.0\r\n", "SIP"),
        (b"INVITE sip:1.2.3.4 SIP/2.0\r\n", "SIP"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "SSH"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "TLS hello"),
        (b"*1\r\n$4\r\nINFO\r\n", "Redis"),
    ],
)
@pytest.mark.parametrize("size", [1, 5, 100])
def test_a_scanner_is_named_at_once(greeting: bytes, name: str, size: int) -> None:
    found = noise(feed_in(greeting, size))
    assert found[0].reason == f"not DC-09: {name}"


@pytest.mark.parametrize(
    "stream",
    [
        b"x" * 300_000,
        b"\n" * 300_000,
        b"\r" * 300_000,
        b"\n000" * 70_000,
        b'\n00000FFF"' * 30_000,
        b'\n00000FFF"' + b"\r" * 300_000,
        b'\r\n00000FFF"A' * 30_000,
        b'\n00000FFF"' + b"x" * 300_000,
    ],
    ids=["text", "LF", "CR", "half starts", "starts", "CR in a frame", "cuts", "long"],
)
@pytest.mark.parametrize("size", [1, 1460, 300_000])
def test_hostile_streams_are_bounded_in_memory_and_time(stream: bytes, size: int) -> None:
    if size == 1:
        stream = stream[:30_000]
    framer = Framer()
    started = time.process_time()
    most = 0
    for start in range(0, len(stream), size):
        framer.feed(stream[start : start + size])
        most = max(most, framer.pending)
    assert most <= 2 * MAX_FRAME
    assert time.process_time() - started < 5.0


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from([FIRST, SECOND, VISONIC, ELDES, BINARY, b"\n", b"\r", b"\0", b'"']),
            st.binary(max_size=40),
        ),
        max_size=8,
    ),
    st.lists(st.integers(1, 60), min_size=1, max_size=20),
)
def test_no_byte_is_lost_or_invented(pieces: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(pieces)
    framer = Framer()
    found: list[Frame | Noise] = []
    at = turn = 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        found += framer.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    found += framer.flush()
    assert framer.pending == 0
    told = sum(len(part.raw) if isinstance(part, Frame) else part.count for part in found)
    filler = sum(stream.count(byte) for byte in (b"\r", b"\n", b"\0"))
    assert told <= len(stream) <= told + filler
    for raw in frames(found):
        assert raw in stream


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200).filter(lambda data: b"\n" not in data), st.integers(1, 30))
def test_a_frame_after_any_line_noise_is_found(junk: bytes, size: int) -> None:
    assert frames(feed_in(junk + FIRST, size))[-1:] == [FIRST]


def test_a_datagram_with_filler_is_one_frame() -> None:
    assert split_datagram(FIRST + b"\0\r\n") == [Frame(FIRST)]
    assert frames(split_datagram(FIRST + SECOND)) == [FIRST, SECOND]
    assert noise(split_datagram(b"hello"))[0].reason == "no LF"
    assert split_datagram(b"") == []


def test_every_sound_frame_of_the_vectors_passes_the_framer_byte_by_byte() -> None:
    path = Path(__file__).parent / "vectors" / "dc09.jsonl"
    passed = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        text = json.loads(line)["frame"]
        if text is None:
            continue
        raw = text.encode("latin-1")
        try:
            read_frame(raw)
        except WireFault:
            continue
        assert frames(feed_in(raw, 1)) == [raw.rstrip(b"\0")]
        passed += 1
    assert passed > 240
