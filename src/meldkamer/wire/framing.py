"""Reassembly of a TCP stream into frames.

Why: panels send several frames in one segment and one frame over several; a scanner sends
anything. Frames are cut by their stated length, because payloads contain CR and LF.
Never: buffer more than one frame, look at a byte again and again (the work per byte is
bounded), or wait for ever for a length that was a lie: a new frame that begins after a CR cuts
the old one off, and `flush` gives up the rest.
Invariant: bytes fed = bytes of frames + bytes counted as noise + filler (CR, LF, NUL between
frames) + bytes still pending.
"""

import re
from dataclasses import dataclass
from typing import Final

from .crc import crc16_arc
from .envelope import MAX_BODY, MAX_FRAME
from .scanners import scanner_of

SAMPLE_SIZE: Final = 256
"""How much of the noise is kept to show, bytes."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as cut out of the stream, LF to CR; `read_frame` says whether it is sound."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class Noise:
    """Bytes that are no frame: how many, why, and the first 256 of them."""

    reason: str
    count: int
    sample: bytes


# LF, then either CRC and length in hex and a quote, or two raw bytes, length and a quote.
_START: Final = re.compile(rb'\n(?:[0-9A-Fa-f]{4}0[0-9A-Fa-f]{3}"|[\x00-\xff]{2}0[0-9A-Fa-f]{3}")')
# The same cut short by the end of what has arrived.
_PARTIAL_START: Final = re.compile(
    rb"\n(?:[0-9A-Fa-f]{0,4}|[0-9A-Fa-f]{4}0[0-9A-Fa-f]{0,3}"
    rb"|[\x00-\xff]{0,2}|[\x00-\xff]{2}0[0-9A-Fa-f]{0,3})\Z"
)
_LONGEST_PARTIAL: Final = 9
# A new frame inside a pending one: only behind a CR, so that payloads do not split.
_CUT: Final = re.compile(rb'\r[\r\n\0]{0,3}?(?=\n[0-9A-Fa-f]{4}0[0-9A-Fa-f]{3}"\*?[A-Z])')
_LONGEST_CUT: Final = 24
_FILLER: Final = b"\r\n\0"


class Framer:
    """Feed it what the socket gave; it gives back frames and noise, in order."""

    __slots__ = ("_buffer", "_noise", "_noise_count", "_searched", "_told")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._noise = b""
        self._noise_count = 0
        self._searched = 0  # up to here the pending frame was searched for CR and cuts
        self._told = False  # a frame was seen or a scanner named: noise is only noise now

    @property
    def pending(self) -> int:
        """Bytes held back because they may still become a frame."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Frame | Noise]:
        """Take the next bytes of the stream."""
        if not self._buffer and not self._noise_count and _is_one_frame(data):
            self._told = True
            return [Frame(data)]
        found: list[Frame | Noise] = []
        # In slices, so that the buffer stays small however much came at once.
        for start in range(0, len(data), MAX_FRAME):
            self._buffer += data[start : start + MAX_FRAME]
            self._take(found)
        return found

    def flush(self) -> list[Frame | Noise]:
        """The stream ended or stayed silent too long: give up what is pending."""
        found: list[Frame | Noise] = []
        while self._buffer:
            begins = _START.match(self._buffer) is not None
            end = self._buffer.find(b"\r", _LONGEST_PARTIAL) if begins else -1
            if end > 0:
                self._emit_frame(end + 1, found)
            elif begins:
                self._emit_noise(found)
                self._drop(len(self._buffer), found)
                self._emit_noise(found, "incomplete: wait, then drop on timeout")
            else:
                self._drop(len(self._buffer), found)
            self._take(found)
        self._emit_noise(found)
        return found

    def _take(self, found: list[Frame | Noise]) -> None:
        """Cut all that is complete off the front of the buffer."""
        while self._buffer:
            match = _START.search(self._buffer)
            if match is None:
                keep = _partial_start(self._buffer)
                self._drop(len(self._buffer) - keep, found)
                return
            self._drop(match.start(), found)
            size = self._size(9 if match.end() - match.start() == 10 else 7)
            if size == 0:
                return
            self._emit_frame(size, found)

    def _size(self, quote: int) -> int:
        """Size of the frame at the front of the buffer; 0 when it is not complete yet."""
        buffer = self._buffer
        end = quote + int(bytes(buffer[quote - 4 : quote]), 16)
        if len(buffer) >= end > quote and buffer[end - 1] == 0x0D and self._eldes(quote, end):
            return end
        if len(buffer) > end and buffer[end] == 0x0D:
            return end + 1
        cut = _CUT.search(buffer, max(quote, self._searched - _LONGEST_CUT))
        if cut is not None:
            return cut.start() + 1
        if len(buffer) > end:
            # The length was wrong: the frame ends at the first CR, wherever that is.
            cr = buffer.find(b"\r", quote)
            if cr >= 0:
                return cr + 1
            if len(buffer) >= MAX_FRAME:
                return len(buffer)
        self._searched = len(buffer)
        return 0

    def _eldes(self, quote: int, end: int) -> bool:
        """CRC and length count the CR too, so nothing follows it."""
        stated = bytes(self._buffer[1 : quote - 4])
        crc = int(stated, 16) if quote == 9 else int.from_bytes(stated)
        return crc == crc16_arc(bytes(self._buffer[quote:end]))

    def _emit_frame(self, size: int, found: list[Frame | Noise]) -> None:
        self._emit_noise(found)
        found.append(Frame(bytes(self._buffer[:size])))
        del self._buffer[:size]
        self._searched = 0
        self._told = True

    def _drop(self, size: int, found: list[Frame | Noise]) -> None:
        """Count the first `size` bytes as noise; tell early when it is a scanner or much."""
        if size == 0:
            return
        dropped = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._searched = 0
        if not self._noise_count and not dropped.strip(_FILLER):
            return
        self._noise += dropped[: SAMPLE_SIZE - len(self._noise)]
        self._noise_count += size
        scanner = None if self._told else scanner_of(self._noise)
        if scanner is not None:
            self._told = True
            self._emit_noise(found)
        elif self._noise_count > MAX_BODY:
            self._emit_noise(found, "over size cap; drop and resync, do not buffer")

    def _emit_noise(self, found: list[Frame | Noise], reason: str | None = None) -> None:
        if self._noise_count:
            found.append(Noise(reason or _reason(self._noise), self._noise_count, self._noise))
        self._noise = b""
        self._noise_count = 0


def _is_one_frame(data: bytes) -> bool:
    """The usual case: the segment is exactly one frame with an ASCII CRC."""
    if data[:1] != b"\n" or data[9:10] != b'"' or data[-1:] != b"\r" or len(data) > MAX_FRAME:
        return False
    return data[5:9] == b"%04X" % (len(data) - 10)


def _partial_start(buffer: bytearray) -> int:
    """How many of the last bytes may be the beginning of a frame."""
    tail = bytes(buffer[-_LONGEST_PARTIAL:])
    match = _PARTIAL_START.search(tail)
    return len(tail) - match.start() if match else 0


def _reason(sample: bytes) -> str:
    scanner = scanner_of(sample)
    if scanner is not None:
        return f"not DC-09: {scanner}"
    return "not a DC-09 frame" if sample[:1] == b"\n" else "no LF"


def split_datagram(datagram: bytes) -> list[Frame | Noise]:
    """A datagram is one frame; more than one, filler and noise are told apart all the same."""
    framer = Framer()
    return framer.feed(datagram) + framer.flush()
