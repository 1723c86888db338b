"""The words of the desk inside a sentence."""

from __future__ import annotations

import pytest
from django.utils import translation

from meldkamer.console import wording


@pytest.mark.parametrize(
    ("language", "expected"), [("en", "burglary"), ("nl", "inbraak"), ("de", "Einbruch")]
)
def test_a_type_inside_a_sentence_has_small_letters_but_german_nouns_keep_their_capital(
    language: str, expected: str
) -> None:
    with translation.override(language):
        assert wording.within(wording.word(wording.TYPES, "intrusion")) == expected
