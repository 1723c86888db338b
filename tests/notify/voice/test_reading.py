"""A written text as it is read out."""

from __future__ import annotations

import pytest

from meldkamer.notify.voice.reading import spoken


@pytest.mark.parametrize(
    ("text", "language", "read"),
    [
        ("zone 003", "nl", "zone 0 0 3"),
        ("Kerkstraat 12b, 2800 Mechelen", "nl", "Kerkstraat 12 b, 2800 Mechelen"),
        ("Bel +32 2 752 37 00.", "nl", "Bel 0 0, 3 2, 2, 7 5 2, 3 7, 0 0."),
        ("Appelez le 0470/12.34.56", "fr", "Appelez le 0 4 7 0, 1 2, 3 4, 5 6"),
        ("Call +3227523700", "en", "Call 0 0, 3 2, 2 7, 5 2, 3 7, 0 0"),
        ("Konto D000, Code 4711123", "de", "Konto D 0 0 0, Code 4 7 1 1 1 2 3"),
        ("om 14:05", "nl", "om 14 uur 5"),
        ("à 08h00", "fr", "à 8 heures"),
        ("um 23:59", "de", "um 23 Uhr 59"),
        ("3 signals in 30 minutes", "en", "3 signals in 30 minutes"),
    ],
)
def test_digits_are_apart_where_a_person_would_say_them_so(
    text: str, language: str, read: str
) -> None:
    assert spoken(text, language) == read


def test_a_name_cannot_command_the_voice() -> None:
    assert (
        spoken("Cafe [[h@l'oU]] <break time='9s'/>\n\0x", "en") == "Cafe h@l'oU break time '9 s'/ x"
    )
