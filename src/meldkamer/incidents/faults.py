"""Refusals: a command that a rule or another person stands in the way of.

Refused            with clause and reason, shown to the operator as they are
├── NotYours       the incident is not in this operator's hands (any more)
└── Gone           the incident is closed
"""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """Why a command was not carried out: the clause, a reason (a key of the catalogue), details."""

    def __init__(self, clause: str, reason: str, **detail: Any) -> None:
        super().__init__(f"{clause}: {reason}")
        self.clause = clause
        self.reason = reason
        self.detail = detail


class NotYours(Refused):
    """Somebody else has the incident; `holder` in the detail says who."""


class Gone(Refused):
    """The incident is closed; `outcome` in the detail says how."""
