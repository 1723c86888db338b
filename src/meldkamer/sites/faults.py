"""Why master data is not taken: which field, what was expected, under which clause.

A fault carries a code and its numbers beside the English sentence, so that a screen can say it in
the reader's language. It never holds a secret: no transmitter key, no identification code.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from meldkamer.rules.sheets import Finding


@dataclass(frozen=True, slots=True)
class Fault:
    """One field that cannot be taken. `field` is dotted with its index: contacts.2.phone."""

    field: str
    code: str
    reason: str
    clause: str = ""
    numbers: Mapping[str, object] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        clause = f" ({self.clause})" if self.clause else ""
        return f"{self.field}: {self.reason}{clause}"


class Refused(Exception):
    """Nothing was stored; all faults at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)


def from_finding(finding: Finding) -> Fault:
    """A finding about the sheet as a fault of its field."""
    return Fault(finding.item, finding.code, finding.reason, finding.clause, finding.numbers)
