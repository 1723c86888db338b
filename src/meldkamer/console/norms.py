"""How old an untaken incident may get: dated norms, as data (`norms.toml`).

Invariant: a type that the table does not name has no norm, and its age no sign.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("norms.toml")


@dataclass(frozen=True, slots=True)
class Norm:
    """80 % are to be taken up within `aim_s`, 98.5 % within `limit_s` (EN 50518)."""

    aim_s: int
    limit_s: int

    def state(self, age_s: float) -> str:
        """ok, warn (past the aim) or late (past the limit)."""
        return "late" if age_s > self.limit_s else "warn" if age_s > self.aim_s else "ok"


@cache
def _tables() -> tuple[tuple[date, dict[str, Norm]], ...]:
    read = tomllib.loads(FILE.read_text("utf-8"))
    tables = [
        (
            table["from"],
            {t: Norm(n["aim_s"], n["limit_s"]) for n in table["norms"] for t in n["types"]},
        )
        for table in read["table"]
    ]
    return tuple(sorted(tables, key=lambda pair: pair[0]))


def norm_of(incident_type: str, on: date) -> Norm | None:
    """The norm of a type on a day; None where there is none."""
    held: dict[str, Norm] = {}
    for since, norms in _tables():
        if since <= on:
            held = norms
    return held.get(incident_type)
