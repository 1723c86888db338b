"""What follows "[": data, xdata blocks, timestamp.

Why: the same grammar holds for plain frames and for decrypted ones.
Never: lose an xdata block (repeated and unknown ones are kept in order), and never print a
`K` block: it carries an encryption key.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from .text import to_text

REDACTED: Final = "[redacted]"
LEAP_SECOND: Final = "accept the event, treat clock as 23:59:59 or refuse; must not crash"


class Xdata(NamedTuple):
    """One block `[Xvalue]`: its letter and its text. The value of `K` is a secret."""

    id: str
    value: str

    @property
    def shown(self) -> str:
        """The value for screens and logs: a key is not shown."""
        return REDACTED if self.id == "K" else self.value

    def __repr__(self) -> str:
        return f"Xdata({self.id!r}, {self.shown!r})"


class Content(NamedTuple):
    """Parts of a content. `faults` are what a strict reader refuses; `junk` what was left over."""

    data: bytes
    xdata: tuple[Xdata, ...] = ()
    timestamp: datetime | None = None
    junk: bytes = b""
    faults: tuple[str, ...] = ()
    policy: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Content of {len(self.data)} bytes, xdata {self.xdata!r}, {self.faults!r}>"


_STAMP: Final = re.compile(rb"_(\d\d):(\d\d):(\d\d),(\d\d)-(\d\d)-(\d{4})")
_HEX_ONLY: Final = re.compile(rb"[0-9A-Fa-f]{32,}")


@lru_cache(maxsize=4096)
def read_timestamp(stamp: bytes) -> tuple[datetime | None, str, str]:
    """`_HH:MM:SS,MM-DD-YYYY` as (UTC time or None, fault or "", policy or "")."""
    match = _STAMP.fullmatch(stamp)
    if match is None:
        return None, "malformed timestamp", ""
    hour, minute, second, month, day, year = map(int, match.groups())
    policy = ""
    if second == 60:
        second, policy = 59, LEAP_SECOND
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC), "", policy
    except ValueError:
        return None, "timestamp out of range", ""


def write_timestamp(at: datetime) -> bytes:
    """An aware time as `_HH:MM:SS,MM-DD-YYYY` in UTC."""
    if at.tzinfo is not UTC:
        if at.tzinfo is None:
            raise ValueError("time without a zone: expected an aware datetime")
        at = at.astimezone(UTC)
    return b"_%02d:%02d:%02d,%02d-%02d-%04d" % (
        at.hour,
        at.minute,
        at.second,
        at.month,
        at.day,
        at.year,
    )


def split_content(content: bytes, *, binary: bool = False) -> Content:
    """Split `data] [xdata]... [_timestamp]`. Never raises: what is odd is named in `faults`.

    `binary`: the data may itself contain "]" (Visonic), so it ends at the last one.
    """
    end = content.rfind(b"]") if binary else content.find(b"]")
    if end < 0:
        as_plain = _HEX_ONLY.fullmatch(content)
        fault = "no closing ] (ciphertext as plain)" if as_plain else "no closing ]"
        return Content(content, faults=(fault,))
    data = content[:end]
    rest = end + 1
    if rest == len(content):
        return Content(data)
    blocks: tuple[Xdata, ...] = ()
    if content[rest] == 0x5B:  # "["
        blocks, rest = _xdata(content, rest)
    tail = content[rest:]
    if not tail:
        return Content(data, blocks)
    if tail[:1] != b"_":
        return Content(data, blocks, junk=tail, faults=("junk after data",))
    time, fault, policy = read_timestamp(tail)
    if fault:
        return Content(data, blocks, None, tail, (fault,))
    return Content(data, blocks, time, policy=(policy,) if policy else ())


def _xdata(content: bytes, start: int) -> tuple[tuple[Xdata, ...], int]:
    """The blocks from `start` on, and where they end; an unclosed one is left as junk."""
    found = []
    while content[start : start + 1] == b"[":
        end = content.find(b"]", start)
        if end < 0:
            break
        text = to_text(content[start + 1 : end])
        found.append(Xdata(text[:1], text[1:]))
        start = end + 1
    return tuple(found), start


_KEY_BLOCK: Final = re.compile(rb"(?<=\]\[K)[^\]\r]*")


def mask_keys(frame: bytes) -> bytes:
    """The frame with the value of every plain `[K...]` block starred out: for logs, exports."""
    if b"][K" not in frame:
        return frame
    return _KEY_BLOCK.sub(lambda match: b"*" * len(match[0]), frame)
