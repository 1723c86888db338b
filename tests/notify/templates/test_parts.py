"""In how many parts a text goes: GSM 03.38 and UCS-2."""

from __future__ import annotations

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from meldkamer.notify.sms import gsm
from meldkamer.notify.templates import catalogue
from meldkamer.notify.templates.parts import parts


@pytest.mark.parametrize(
    ("text", "count", "length", "room"),
    [
        ("", 1, 0, 160), ("x" * 160, 1, 160, 160), ("x" * 161, 2, 161, 306),
        ("x" * 306, 2, 306, 306), ("x" * 307, 3, 307, 459), ("€" * 80, 1, 160, 160),
        ("€" * 81, 2, 162, 306), ("é" * 160, 1, 160, 160), ("ç" * 70, 1, 70, 70),
        ("ç" * 71, 2, 71, 134), ("😀" * 35, 1, 70, 70), ("😀" * 36, 2, 72, 134),
    ],
)  # fmt: skip
def test_a_text_has_so_many_parts(text: str, count: int, length: int, room: int) -> None:
    found = parts(text)
    assert (found.count, found.length, found.room) == (count, length, room)


def test_what_makes_it_long_is_named_once_each() -> None:
    assert parts("façade, ça: ê").outside == ("ç", "ê")
    assert parts("Café à Liège: 5 € [ok]").outside == ()


def test_no_part_ends_inside_a_character() -> None:
    # 152 single places, then one of two: it does not fit into the first part of 153
    assert parts("x" * 152 + "€" + "x" * 152).count == 3
    assert parts("x" * 153 + "€" + "x" * 151).count == 2


@given(st.text(max_size=700))
def test_there_are_never_fewer_parts_than_the_places_need(text: str) -> None:
    found = parts(text)
    assert found.count >= 1
    assert found.length <= found.room


@pytest.mark.parametrize("language", ["nl", "fr", "de", "en"])
def test_no_shipped_text_costs_double_for_one_character(language: str) -> None:
    """A letter that GSM lacks, as the typographic apostrophe, makes 67 of a part's 153."""
    with translation.override(language):
        texts = [
            translation.gettext(words.body)
            for words in catalogue.CATALOGUE.values()
            if words.channel == "sms"
        ]
        kinds = [translation.gettext(str(words)) for words in catalogue.TYPE_WORDS.values()]
    assert [text for text in texts + kinds if not gsm.fits(text)] == []
