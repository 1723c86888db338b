"""What a clause says, in a sentence, in the operator's language, and on which terms it rests.

`clauses.toml` has our own short readings, never the text of the source; `clause_terms.toml` the
places in the terms whose values decide. Invariant: a clause that is there is there in all four
languages, and every place is one that the terms have.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

READINGS = Path(__file__).with_name("clauses.toml")
TERMS = Path(__file__).with_name("clause_terms.toml")
LANGUAGES = ("en", "nl", "fr", "de")


@cache
def readings() -> dict[str, dict[str, str]]:
    """Clause → language → sentence."""
    found: dict[str, dict[str, str]] = tomllib.loads(READINGS.read_text("utf-8"))
    return found


def reading(clause: str, language: str) -> str | None:
    """The sentence; None for a clause that the file does not know."""
    found = readings().get(clause)
    return found.get(language.partition("-")[0], found["en"]) if found else None


@cache
def places() -> dict[str, list[str]]:
    """Clause → places in the terms (`terms.places`); a clause that rests on none is not there."""
    found: dict[str, list[str]] = tomllib.loads(TERMS.read_text("utf-8"))
    return found
