"""Whatever a file holds: its tables, or one fault that says what is wrong."""

import pytest

from meldkamer.terms.toml import NotToml, read_toml


def test_a_good_text_gives_its_tables() -> None:
    assert read_toml("[a]\nb = 1\n") == {"a": {"b": 1}}


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ("a = 1\nb = \n", "Invalid value", 2),
        ("a = " + "9" * 5000, "too many digits", None),
        ("a = " + "[" * 5000 + "]" * 5000, "nested too deep", None),
        ("a = 2026-02-30", "Invalid date", 1),
    ],
)
def test_a_hostile_text_gives_one_fault(text: str, says: str, line: int | None) -> None:
    with pytest.raises(NotToml, match=says) as fault:
        read_toml(text)
    assert fault.value.line == line
