"""Reading a line of the desk's decoder: which bytes and which key are meant.

Why: three spellings (JSON string, JSON object, bare text) lead to the same frame; characters
U+0000 to U+00FF stand for the bytes 00 to FF.
Never: repair malformed input silently; `DecodeInputError` says what was wrong and expected.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from .crc import crc16_arc

MAX_REPEAT: Final = 1_000_000


class DecodeInputError(ValueError):
    """A line that is no frame to decode. `line_number` is set when lines are counted."""

    def __init__(self, wrong: str, expected: str) -> None:
        super().__init__(wrong, expected)
        self.wrong = wrong
        self.expected = expected
        self.line_number: int | None = None

    def __str__(self) -> str:
        where = "" if self.line_number is None else f"line {self.line_number}: "
        return f"{where}{self.wrong}; expected {self.expected}"

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON output."""
        return {"error": self.wrong, "expected": self.expected, "line": self.line_number}


@dataclass(frozen=True, slots=True, repr=False)
class Question:
    """One line, read: the frame's bytes, the key it names, the protocol it names."""

    frame: bytes
    key: bytes | None = None
    proto: str | None = None


_FORMS: Final = "a JSON string, a JSON object with frame (and key), or the bare frame"


def read_line(line: str, parse_key: Callable[[str], bytes]) -> Question:
    """Read one line. Raises DecodeInputError."""
    text = line.strip()
    if not text:
        raise DecodeInputError("empty line", _FORMS)
    if text.startswith("{"):
        return _from_object(_json(text), parse_key)
    if text.startswith('"'):
        value = _json(text)
        return Question(_bytes_of(value, "the string"))
    return Question(_from_bare(line))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DecodeInputError(
            f"malformed JSON at column {error.colno}: {error.msg}", _FORMS
        ) from None
    except RecursionError:
        raise DecodeInputError("JSON nested too deeply", _FORMS) from None


def _from_object(value: dict[str, Any], parse_key: Callable[[str], bytes]) -> Question:
    frame = value.get("frame")
    if frame is None and isinstance(value.get("frame_repeat"), dict):
        frame = _repeated(value["frame_repeat"])
    if not isinstance(frame, str):
        raise DecodeInputError("object without frame", "frame: a string")
    key, proto = value.get("key"), value.get("proto")
    if key is not None and not isinstance(key, str):
        raise DecodeInputError("key is no string", "key: hex:… or text:…")
    if proto is not None and not isinstance(proto, str):
        raise DecodeInputError("proto is no string", "proto: a string such as dc09")
    try:
        parsed = None if key is None else parse_key(key)
    except ValueError as error:
        wrong, _, expected = str(error).partition(": expected ")
        raise DecodeInputError(wrong, expected) from None
    return Question(_bytes_of(frame, "frame"), parsed, proto)


def _repeated(parts: dict[str, Any]) -> str:
    """`frame_repeat`: a very long frame without writing it out."""
    prefix, char, suffix = (parts.get(name, "") for name in ("prefix", "char", "suffix"))
    count = parts.get("count")
    texts = all(isinstance(part, str) for part in (prefix, char, suffix))
    if not texts or not isinstance(count, int) or not 0 <= count <= MAX_REPEAT:
        raise DecodeInputError("malformed frame_repeat", "prefix, char, count, suffix")
    return str(prefix) + str(char) * count + str(suffix)


def _bytes_of(value: object, name: str) -> bytes:
    if not isinstance(value, str):
        raise DecodeInputError(f"{name} is no text", _FORMS)
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise DecodeInputError(
            f"character U+{ord(value[error.start]):04X} at position {error.start} of {name}",
            "characters U+0000 to U+00FF, one for each byte",
        ) from None


_ESCAPE: Final = re.compile(r"\\(?:n|r|t|\\|0|x[0-9A-Fa-f]{2}|u00[0-9A-Fa-f]{2})")
_SIMPLE: Final = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "0": "\0"}


def _unescape(match: re.Match[str]) -> str:
    code = match[0][1:]
    return _SIMPLE.get(code) or chr(int(code[1:], 16))


def _from_bare(line: str) -> bytes:
    """Bare text: escapes are resolved, LF and CR put around a frame that lacks them."""
    text = _ESCAPE.sub(_unescape, line.strip(" \t"))
    candidates = [text.encode("utf-8")]
    try:
        candidates.insert(0, text.encode("latin-1"))
    except UnicodeEncodeError:
        # Not one character a byte, so it can only be text that was UTF-8 on the line.
        return _framed(candidates[0])
    framed = [_framed(candidate) for candidate in candidates]
    return next((frame for frame in framed if _adds_up(frame)), framed[0])


_LIKE_A_FRAME: Final = re.compile(rb'(?:[0-9A-Za-z]{8}|[\x00-\xff]{2}[0-9A-Fa-f]{4})"')


def _framed(text: bytes) -> bytes:
    if _LIKE_A_FRAME.match(text):
        text = b"\n" + text
    if text.startswith(b"\n") and not text.rstrip(b"\n\0").endswith(b"\r"):
        text += b"\r"
    return text


def _adds_up(frame: bytes) -> bool:
    body = frame[9:].rstrip(b"\r\n\0")
    return frame[1:5].upper() == b"%04X" % crc16_arc(body)
