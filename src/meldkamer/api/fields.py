"""What a call of a hook brought: named values out of its address, a form or a JSON object.

Gateways call their fields as they like and send text in the character set they like, so values of
a form stay bytes until somebody asks for them in a character set; JSON has but one. Nested JSON is
flattened: "call.from". A field that stands there twice is refused: nobody can say which was meant.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, RawPostDataException
from django.http.request import UnreadablePostError

#: a reply of ten joined texts in UTF-16, percent-encoded, is 10 kB
BODY_MOST, FIELDS_MOST, DEPTH_MOST = 65_536, 200, 6
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
#: character sets that a gateway may name: by Python's names of them, and by names it does not know
_CHARSETS = ("utf", "iso8859", "ascii", "cp", "koi8", "gb", "big5", "shift", "euc", "mac")
_OTHER_NAMES = {"ucs-2": "utf-16-be", "ucs2": "utf-16-be", "utf-16": "utf-16-be"}
Pairs = list[tuple[str, bytes | str]]


class BadInput(Exception):
    """A field that cannot be taken. hint: the same without what was brought, fit for a log."""

    def __init__(self, field: str, found: str, expected: str) -> None:
        self.hint = f"{field}: expected {expected}"
        super().__init__(f"{field}: {found}; expected {expected}\n")


class TooLarge(Exception):
    """More than a hook takes."""

    def __init__(self) -> None:
        super().__init__(f"too large; expected at most {BODY_MOST} bytes\n")


class UnknownBody(Exception):
    """A body that is neither a form nor JSON."""

    def __init__(self, found: str) -> None:
        found = found[:80] or "no content type"
        super().__init__(f"Content-Type: {found}; expected {_FORM} or {_JSON}\n")


class Fields:
    """Named values; a missing one is None, an empty one is empty."""

    def __init__(self, pairs: Pairs) -> None:
        if len(pairs) > FIELDS_MOST:
            raise BadInput("fields", f"{len(pairs)} of them", f"at most {FIELDS_MOST}")
        self._values: dict[str, bytes | str] = {}
        for name, value in pairs:
            if name in self._values:
                raise BadInput(name[:80], "is there twice", "it once")
            self._values[name] = value

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def names(self) -> list[str]:
        """The names that were brought."""
        return sorted(self._values)

    def get(self, name: str, most: int = 500) -> str:
        """A short value, stripped; "" when it is missing. NUL characters are dropped."""
        return self.need(name, "", most) if name in self._values else ""

    def need(self, name: str, expected: str, most: int = 500) -> str:
        """A value that must be there and must not be empty."""
        if name not in self._values:
            raise BadInput(name, "is missing", expected)
        text = _decoded(self._values[name], "utf-8").strip()
        if not text and expected:
            raise BadInput(name, "is empty", expected)
        if len(text) > most:
            raise BadInput(name, f"has {len(text)} characters", f"at most {most}")
        return text

    def text(self, name: str, charset: str = "") -> str | None:
        """A person's words in their character set; None when the field is missing, "" when empty.

        What cannot be decoded is kept with a mark in its place: words that cannot be read are
        still an answer (S7.4).
        """
        if name not in self._values:
            return None
        return _decoded(self._values[name], _codec(charset.strip().lower()))


def _decoded(value: bytes | str, codec: str) -> str:
    text = value if isinstance(value, str) else value.decode(codec, "replace")
    return text.replace("\0", "")


def _codec(charset: str) -> str:
    """Python's name of a character set; unknown ones ("8-bit") byte by byte."""
    if not charset:
        return "utf-8"
    try:
        found = codecs.lookup(_OTHER_NAMES.get(charset, charset)).name
    except (LookupError, ValueError):
        return "latin-1"
    return found if found.startswith(_CHARSETS) else "latin-1"


def read(request: HttpRequest) -> Fields:
    """What the address and the body brought."""
    address = request.META.get("QUERY_STRING", "")
    if len(address) > BODY_MOST:
        raise TooLarge
    pairs = _form("the address", address)
    if request.method == "POST":
        pairs += _body(request)
    return Fields(pairs)


def _body(request: HttpRequest) -> Pairs:
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > BODY_MOST:
            raise TooLarge
        body = request.body
    except (RequestDataTooBig, ValueError):
        raise TooLarge from None
    except (UnreadablePostError, RawPostDataException):
        raise BadInput("body", "broke off", "the whole of it") from None
    if len(body) > BODY_MOST:
        raise TooLarge
    if not body:
        return []
    kind = request.content_type or ""
    if kind == _FORM:
        return _form("the form", body.decode("latin-1"))
    if kind == _JSON or kind.endswith("+json"):
        return _json(body)
    raise UnknownBody(kind)


def _form(where: str, text: str) -> Pairs:
    try:
        found = parse_qsl(
            text, keep_blank_values=True, encoding="latin-1", max_num_fields=FIELDS_MOST
        )
    except ValueError:
        raise BadInput(where, "has too many fields", f"at most {FIELDS_MOST}") from None
    return [(name, value.encode("latin-1", "replace")) for name, value in found]


def _json(body: bytes) -> Pairs:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise BadInput("body", "is no JSON", "a JSON object") from None
    if not isinstance(found, dict):
        raise BadInput("body", "is no object", "a JSON object")
    return list(_flat(found, "", 1))


def _flat(value: Any, name: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > DEPTH_MOST:
        raise BadInput(name[:80], "is nested too deep", f"at most {DEPTH_MOST} levels")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key), depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _flat(inner, f"{name}.{index}", depth + 1)
    elif value is not None:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)
