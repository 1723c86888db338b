"""What the auditor last saw, kept for the screens: the only writer and reader of `HouseCheck`.

Invariant: a check is broken since the first look that found something, until one that finds
nothing. A result older than STALE says that nobody looks any more, which is as grave.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from meldkamer.incidents.models import HouseCheck

#: three looks of 30 s that did not come
STALE = timedelta(seconds=90)
#: findings kept of one check; that many means "or more"
MOST = 200
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class House:
    """How the house stands: what is broken, longest first, and the oldest result of all."""

    broken: tuple[HouseCheck, ...]
    looked_at: datetime | None
    stale: bool

    @property
    def holds(self) -> bool:
        """Everything was looked at lately, and everything holds."""
        return not self.broken and not self.stale


def house(now: datetime) -> House:
    """The last results, in one query."""
    rows = list(HouseCheck.objects.order_by("broken_since", "name"))
    return House(
        broken=tuple(row for row in rows if row.broken_since is not None),
        looked_at=min((row.checked_at for row in rows if row.checked_at > _NEVER), default=None),
        stale=not rows or not all_fresh(rows, now),
    )


def all_fresh(rows: Iterable[HouseCheck], now: datetime) -> bool:
    """Whether every check was made lately."""
    return all(now - row.checked_at <= STALE for row in rows)


def know(checks: Iterable[tuple[str, str]]) -> None:
    """(name, clause) of all the checks there are; those that are no more are forgotten."""
    wanted = dict(checks)
    there = dict(HouseCheck.objects.values_list("name", "clause"))
    if wanted == there:
        return
    HouseCheck.objects.exclude(name__in=wanted).delete()
    for name, clause in wanted.items():
        HouseCheck.objects.update_or_create(
            name=name, defaults={"clause": clause}, create_defaults=_new(clause)
        )


def _new(clause: str) -> dict[str, Any]:
    return {"clause": clause, "checked_at": _NEVER}


def saw(row: HouseCheck, findings: Sequence[Sequence[Any]], mark: int, now: datetime) -> None:
    """Keep what one look saw; `findings` are (kind, id, site, at, note)."""
    row.checked_at, row.mark = now, mark
    row.findings = [list(one) for one in findings]
    row.count = len(findings)
    row.broken_since = (row.broken_since or now) if findings else None
    row.save(update_fields=["checked_at", "mark", "findings", "count", "broken_since"])
