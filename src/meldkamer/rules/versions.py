"""Which procedure holds: the terms file's, or a version released for the provider or the site.

Why: procedures are changed for good or for a period, by provider and by site (S14.1, S22.1), and
one function says which holds at a moment. A site's comes before its provider's, a temporary one
before a permanent one, the one that began last before an earlier one. Never: read a clock. A type
that no version speaks of keeps the terms file's procedure, so none is ever without.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from meldkamer.terms.model import Procedure, Terms


@dataclass(frozen=True, slots=True)
class Version:
    """A released procedure: from `starts_at`, until `ends_at` or for good, unless withdrawn."""

    id: int
    of_site: bool
    procedure: Procedure
    starts_at: datetime
    ends_at: datetime | None = None
    withdrawn_at: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it is in its time: its first instant is in it, its last is not."""
        if now < self.starts_at or (self.ends_at is not None and now >= self.ends_at):
            return False
        return self.withdrawn_at is None or now < self.withdrawn_at


def in_force(versions: Iterable[Version], now: datetime) -> list[Version]:
    """Those in their time, who comes first first."""
    return sorted(
        (version for version in versions if version.holds(now)),
        key=lambda v: (v.of_site, v.ends_at is not None, v.starts_at, v.id),
        reverse=True,
    )


def overlay(terms: Terms, versions: Collection[Version], now: datetime) -> Terms:
    """The terms with the procedures that hold at `now` before those of the file (S14.1)."""
    holding = in_force(versions, now) if versions else []
    if not holding:
        return terms
    procedures = (*(version.procedure for version in holding), *terms.procedures)
    return msgspec.structs.replace(terms, procedures=procedures)
