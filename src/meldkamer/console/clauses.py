"""What a clause says, in a sentence, in the operator's language (`clauses.toml`).

Our own short reading, never the text of the source. Invariant: a clause that is there is there in
all four languages.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("clauses.toml")
LANGUAGES = ("en", "nl", "fr", "de")


@cache
def readings() -> dict[str, dict[str, str]]:
    """Clause → language → sentence."""
    found: dict[str, dict[str, str]] = tomllib.loads(FILE.read_text("utf-8"))
    return found


def reading(clause: str, language: str) -> str | None:
    """The sentence; None for a clause that the file does not know."""
    found = readings().get(clause)
    return found.get(language.partition("-")[0], found["en"]) if found else None
