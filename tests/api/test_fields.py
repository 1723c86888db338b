"""Whatever a call brings, it is read or refused with a sentence; nothing else comes out of it."""

import json
from typing import Any

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from meldkamer.api.fields import BadInput, Fields, TooLarge, UnknownBody, read

REQUESTS = RequestFactory()
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
NAMES = st.text("abc.%&=+[]\0é", max_size=6)
SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
CHARSETS = st.sampled_from(
    ["", "utf-8", "UTF-16BE", "8-BIT", "latin1", "zip", "idna", "unicode_escape", "\0", "utf-7"]
)


def brought(address: str, body: bytes, kind: str) -> Fields | None:
    request = REQUESTS.generic("POST", "/hooks/x/", body, kind)
    request.META["QUERY_STRING"] = address
    try:
        return read(request)
    except (BadInput, TooLarge, UnknownBody):
        return None


KINDS = st.sampled_from([FORM, JSON, "text/xml", "", "application/vnd.x+json; charset=é"])


@given(st.text(max_size=60), st.binary(max_size=80), CHARSETS, KINDS)
def test_any_bytes_are_read_or_refused(address: str, body: bytes, charset: str, kind: str) -> None:
    fields = brought(address, body, kind)
    for name in fields.names() if fields else ():
        text = fields.text(name, charset) if fields else ""
        assert text is not None
        assert "\0" not in text
        text.encode()


@given(shape=st.dictionaries(NAMES, SHAPES, max_size=4))
def test_any_json_object_is_flattened_or_refused(shape: dict[str, Any]) -> None:
    fields = brought("", json.dumps(shape).encode(), JSON)
    for name, value in shape.items():
        if fields is not None and isinstance(value, str):
            assert fields.text(name) == value.replace("\0", "")


WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)


@given(WORDS, st.sampled_from(["utf-8", "utf-16-be", "UCS-2", "UTF-16"]))
def test_words_come_back_as_they_were_written(text: str, charset: str) -> None:
    octets = text.encode("utf-8" if charset == "utf-8" else "utf-16-be")
    body = b"text=" + b"".join(b"%%%02X" % octet for octet in octets)
    fields = brought("", body, FORM)
    assert fields is not None
    assert fields.text("text", charset) == text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"a=1&a=2", "a: is there twice; expected it once\n"),
        (b"&".join(b"a%d=" % n for n in range(201)), "the form: has too many fields; expected at"),
    ],
)
def test_what_is_refused_says_why(body: bytes, said: str) -> None:
    with pytest.raises(BadInput) as fault:
        read(REQUESTS.generic("POST", "/hooks/x/", body, FORM))
    assert str(fault.value).startswith(said)
