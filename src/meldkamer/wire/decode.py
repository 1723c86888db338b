"""The decoder at the desk: one frame a line in, what it means out.

Why: an installer's log, a mail, a capture: paste the frame and see what the centre makes of it
and what it would answer. It calls the same functions as the receivers.
Never: show a key, neither the one given nor one inside a `K` block; never guess at input that
is malformed: that is a `DecodeInputError` naming what was wrong and what was expected.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from .cipher import KEY_SIZES
from .content import read_timestamp
from .dc09 import read_plaintext
from .decode_frame import Decoded, content_facts, decode_frame
from .decode_input import DecodeInputError, Question, read_line
from .faults import WireFault
from .framing import Frame, Noise, split_datagram
from .human import format_human
from .sia import SiaData


def parse_key(text: str) -> bytes:
    """A key as people write it: `hex:` + 32, 48 or 64 digits, or `text:` + 16, 24, 32 letters.

    Raises ValueError naming what was expected, never repeating the key.
    """
    form, colon, value = text.partition(":")
    if not colon or form not in ("hex", "text", "ascii"):
        raise ValueError("key: expected hex:… or text:…")
    if form == "hex":
        if not re.fullmatch(r"[0-9A-Fa-f]*", value):
            raise ValueError("key: expected only hex digits behind hex:")
        if len(value) not in (32, 48, 64):
            raise ValueError(f"key of {len(value)} hex digits: expected 32, 48 or 64")
        return bytes.fromhex(value)
    key = value.encode("utf-8")
    if len(key) not in KEY_SIZES:
        raise ValueError(f"key of {len(key)} bytes: expected 16, 24 or 32")
    return key


def decode_text(line: str, key: bytes | None = None, now: datetime | None = None) -> Decoded:
    """Decode one line: a JSON string, a JSON object with `frame` (and `key`), or bare text.

    `key` is used where the line names none. With `now` the reply is the one given at that
    instant (out of the time window: NAK); without it the frame's own time is taken.
    Raises DecodeInputError for input that is no frame at all to read.
    """
    return _decode(read_line(line, parse_key), key, now)


def decode_lines(
    lines: Iterable[str], key: bytes | None = None, now: datetime | None = None
) -> Iterator[Decoded]:
    """Decode line by line; blank lines are skipped.

    Raises DecodeInputError, with the line's number, at the first line that cannot be read.
    """
    for number, line in enumerate(lines, start=1):
        text = line.rstrip("\r\n")
        if not text.strip():
            continue
        try:
            yield decode_text(text, key, now)
        except DecodeInputError as error:
            error.line_number = number
            raise


def _decode(question: Question, key: bytes | None, now: datetime | None) -> Decoded:
    key = question.key or key
    if question.proto == "dc09-stream":
        return _decode_stream(question.frame, key, now)
    if question.proto == "dc09-plaintext":
        return _decode_plaintext(question.frame)
    parts = split_datagram(question.frame)
    frames = [part for part in parts if isinstance(part, Frame)]
    if len(frames) > 1 or (len(frames) == 1 and isinstance(parts[0], Noise)):
        return _decode_stream(question.frame, key, now)
    if not frames and _is_plaintext(question.frame):
        return _decode_plaintext(question.frame)
    return decode_frame(question.frame, key, now)


def _is_plaintext(text: bytes) -> bool:
    """Decrypted text on its own: no LF in front, a pad that ends at "|", a time at the end."""
    tail = text.rstrip(b"\r\n\0")[-20:]
    bar = text.find(b"|", 0, 32)
    return bar >= 0 and b"\n" not in text[:bar] and not read_timestamp(tail)[1] and b"]" in text


def _decode_stream(stream: bytes, key: bytes | None, now: datetime | None) -> Decoded:
    """Several frames, or a frame among noise."""
    parts = split_datagram(stream)
    frames = [part for part in parts if isinstance(part, Frame)]
    noise = [part for part in parts if isinstance(part, Noise)]
    return {
        "verdict": "stream",
        "reasons": [part.reason for part in noise],
        "frames": len(frames),
        "discarded": sum(part.count for part in noise),
        "decoded": [decode_frame(part.raw, key, now) for part in frames],
    }


def _decode_plaintext(plain: bytes) -> Decoded:
    """The decrypted text of a frame, as receivers print it in their logs."""
    try:
        message = read_plaintext(plain.rstrip(b"\r\n\0"))
    except WireFault as fault:
        return {"verdict": "reject", "reasons": [fault.reason], "events": [], "reply": None}
    # Logs print the pad lossily: its length says nothing.
    decoded: Decoded = {
        "verdict": "reject" if message.faults else "accept",
        "reasons": list(message.faults),
        "proto": "dc09-plaintext",
        "account": message.data_account,
    }
    decoded |= content_facts(message, None)
    if message.events:
        decoded["code"] = message.events[0].code
    if isinstance(message.parsed, SiaData) and message.parsed.blocks.items:
        item = message.parsed.blocks.items[0]
        decoded |= {"addr": item.address} | dict(item.modifiers)
    decoded["reply"] = None
    return decoded


__all__ = [
    "DecodeInputError",
    "decode_frame",
    "decode_lines",
    "decode_text",
    "format_human",
    "parse_key",
]
