r"""Rows in the text form of PostgreSQL's COPY.

Why: COPY stores a batch at twice the rate of INSERT, and what a transmitter sends may hold any
byte. Never: let a value end a field, a row or the batch. Invariant: every text that a frame can
carry (NUL, control characters, lone surrogates, `\.`) gives a row that PostgreSQL takes; what it
cannot hold is replaced by a visible sign, the bytes themselves are in `raw`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from meldkamer.journal.records import Detail

NULL = "\\N"
#: PostgreSQL's text holds no NUL; the picture of one stands in for it
NUL_SIGN = "\u2400"
_ESCAPES = str.maketrans(
    {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v",
     "\0": NUL_SIGN}
)  # fmt: skip
_encode_json = msgspec.json.Encoder().encode


@lru_cache(maxsize=65536)
def word(value: str | None) -> str:
    """A short text that comes again and again, or NULL."""
    return text(value)


def text(value: str | None) -> str:
    """A text or NULL."""
    if value is None:
        return NULL
    if value.isprintable() and "\\" not in value:
        return value
    return value.translate(_ESCAPES)


def number(value: int | None) -> str:
    """An integer or NULL."""
    return NULL if value is None else str(value)


@lru_cache(maxsize=8192)
def moment(value: datetime | None) -> str:
    """An aware moment or NULL. Raises ValueError for a naive one."""
    if value is None:
        return NULL
    if value.tzinfo is not UTC:
        if value.tzinfo is None:
            raise ValueError(f"moment {value.isoformat()} has no time zone; expected UTC")
        value = value.astimezone(UTC)
    return value.isoformat()


def octets(value: bytes) -> str:
    """A bytea."""
    return "\\\\x" + value.hex()


def texts(values: Sequence[str]) -> str:
    """A text[]."""
    if not values:
        return "{}"
    quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return text("{" + ",".join(f'"{value}"' for value in quoted) + "}")


def json(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """A jsonb; characters that jsonb refuses are replaced."""
    if type(value) is Detail:
        if value.json is None:
            value.json = _json(value)
        return value.json
    if not value:
        return "{}" if isinstance(value, Mapping) else "[]"
    return _json(value)


def _json(value: Mapping[str, Any] | Sequence[Any]) -> str:
    try:
        encoded = _encode_json(value).decode()
    except UnicodeEncodeError:  # a lone surrogate
        encoded = _encode_json(_clean(value)).decode()
    if "\\u0000" in encoded:
        encoded = _encode_json(_clean(value)).decode()
    return text(encoded)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", NUL_SIGN).encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_clean(item) for item in value]
    return value


def lines(rows: Iterable[str]) -> bytes:
    """Rows (fields joined by tabs already) as the bytes to send."""
    joined = "\n".join(rows)
    return (joined + "\n").encode("utf-8", "replace") if joined else b""
