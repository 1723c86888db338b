"""How many frames a second one core decodes and answers: `python bench/wire.py`.

Every frame is different (200 accounts, running sequence, 1,940 payloads); the decoder's cache of
short payloads helps here as it does with real panels, so one row has payloads that are too long
for it. Measured is what a receiver does per frame: CRC, header, decryption, content, events,
duplicate key, and the reply. CPU time of this process, best of three rounds.
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from meldkamer.wire import Framer, ack, duplicate_key, encode, open_envelope, read_frame
from meldkamer.wire.crc import crc16_arc, crc16_arc_python

NOW = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)
FRAMES = 20_000
CODES = ("BA", "BR", "TA", "FA", "OP", "CL", "YT", "RP", "HA", "AT")
CONTACT_ID = ("1130", "3130", "1301", "3401", "1602", "1110", "1144", "3354", "1406", "1120")


def _account(index: int) -> str:
    return f"{0x1000 + index % 200:04X}"


def _key(index: int, size: int) -> bytes:
    return (b"%04d" % (index % 200) * 8)[:size]


def _now(index: int) -> datetime:
    return NOW + timedelta(milliseconds=index)


def sia(index: int) -> bytes:
    """A plain SIA frame of about 70 bytes."""
    account, code = _account(index), CODES[index % 10]
    data = f"#{account}|Nri{index % 4}/{code}{index % 97}"
    return encode("SIA-DCS", index % 9999 + 1, account, data=data, now=_now(index))


def sia_with_text(index: int) -> bytes:
    """A plain SIA frame whose payload is never cached."""
    account, code = _account(index), CODES[index % 10]
    data = (
        f"#{account}|Nri{index % 4}/{code}{index % 97}^Detector number {index} on the first floor^"
    )
    return encode("SIA-DCS", index % 9999 + 1, account, data=data, now=_now(index))


def contact_id(index: int) -> bytes:
    """A plain Contact ID frame."""
    account, code = _account(index), CONTACT_ID[index % 10]
    data = f"#{account}|{code} 01 {index % 97:03d}"
    return encode("ADM-CID", index % 9999 + 1, account, data=data, now=_now(index))


def encrypted(size: int) -> Callable[[int], bytes]:
    """An encrypted SIA frame, every account with its own key of `size` bytes."""

    def frame(index: int) -> bytes:
        account, code = _account(index), CODES[index % 10]
        return encode(
            "SIA-DCS",
            index % 9999 + 1,
            account,
            data=f"#{account}|Nri{index % 4}/{code}{index % 97}",
            now=_now(index),
            key=_key(index, size),
        )

    return frame


def _measure(work: Callable[[], None], count: int, rounds: int = 3) -> float:
    best = 0.0
    for _ in range(rounds):
        start = time.process_time()
        work()
        best = max(best, count / (time.process_time() - start))
    return best


def decode_and_reply(make: Callable[[int], bytes], size: int | None) -> float:
    """Frames a second for one kind of frame; `size` is the key's, bytes."""
    frames = [make(index) for index in range(FRAMES)]
    keys = [_key(index, size) if size else None for index in range(FRAMES)]
    now = NOW

    def work() -> None:
        for frame, key in zip(frames, keys, strict=True):
            envelope = read_frame(frame)
            message = open_envelope(envelope, key)
            duplicate_key(message)
            ack(envelope, key, now)
            if not message.events:
                raise AssertionError("a frame without an event")

    return _measure(work, FRAMES)


def framing(segment: int) -> float:
    """Megabytes a second through the framer when segments have `segment` bytes."""
    stream = b"".join(sia(index) for index in range(5_000))

    def work() -> None:
        framer = Framer()
        found = 0
        for start in range(0, len(stream), segment):
            found += len(framer.feed(stream[start : start + segment]))
        if found != 5_000:
            raise AssertionError(f"{found} frames instead of 5000")

    return _measure(work, len(stream)) / 1e6


def _crc_rate(crc: Callable[[bytes], int], body: bytes) -> float:
    def work() -> None:
        for _ in range(FRAMES):
            crc(body)

    return _measure(work, FRAMES)


def results() -> dict[str, float]:
    """All figures, by name."""
    body = sia(1)[9:-1]
    figures = {
        "SIA plain, decode + reply /s": decode_and_reply(sia, None),
        "SIA plain with text, decode + reply /s": decode_and_reply(sia_with_text, None),
        "Contact ID plain, decode + reply /s": decode_and_reply(contact_id, None),
    }
    for size in (16, 24, 32):
        name = f"SIA AES-{size * 8}, decode + reply /s"
        figures[name] = decode_and_reply(encrypted(size), size)
    for segment in (1460, 60, 1):
        figures[f"framer, segments of {segment} bytes, MB/s"] = framing(segment)
    for name, crc in (("in use", crc16_arc), ("plain Python", crc16_arc_python)):
        figures[f"CRC of {len(body)} bytes, {name} /s"] = _crc_rate(crc, body)
    return figures


def main() -> int:
    """Print the figures."""
    for name, figure in results().items():
        print(f"{name:<42} {figure:>14,.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
