"""One audit: every check once, within a bounded time; what it saw is kept for the screens.

Breaking and mending are journaled once each (M12.3), and the consoles are told. A check that
cannot be made in its time is left as it was: its result grows old, and old is red as well.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import DatabaseError, connection, transaction

from meldkamer.agenda.faults import is_passing
from meldkamer.engine.audit import happened, outside, seals, standing
from meldkamer.engine.audit.check import Check, Finding, Look, Seen
from meldkamer.incidents import house_checks
from meldkamer.incidents.models import HouseCheck
from meldkamer.journal import commands as journal

CHECKS: tuple[Check, ...] = (*standing.CHECKS, *happened.CHECKS, *seals.CHECKS)
_CHECK_MOST_MS = 1000
_ALL_MOST_S = 3.0
#: what the worker gives an audit at a time, and what need not be looked at again in its next slice
_SLICE_S, _FRESH = 0.2, timedelta(seconds=25)

log = logging.getLogger(__name__)


def audit_slice(now: datetime, before: Collection[str] = ()) -> list[str] | None:
    """A part of an audit, so that no alarm waits for all of it.

    before: the checks that its earlier slices tried. Returns those that were tried by now, None
    when the audit is complete: what could not be made is tried once, and never instead of others.
    """
    tried = set(before)
    audit(now, fresh=_FRESH, most_s=_SLICE_S, tried=tried)
    left = HouseCheck.objects.filter(checked_at__lte=now - _FRESH).exclude(name__in=tried)
    return sorted(tried) if left.exists() else None


def audit(
    now: datetime,
    checks: tuple[Check, ...] = CHECKS,
    *,
    fresh: timedelta = timedelta(),
    most_s: float | None = None,
    tried: set[str] | None = None,
) -> list[str]:
    """Look at what is not `fresh`, the longest ago first; the names of what does not hold.

    tried: what is not looked at; what is looked at is added.
    """
    tried = set() if tried is None else tried
    most_s = _ALL_MOST_S if most_s is None else most_s
    house_checks.know((check.name, check.clause) for check in checks)
    kept = {row.name: row for row in HouseCheck.objects.all()}
    began, looked = time.monotonic(), 0
    for check in sorted(checks, key=lambda check: kept[check.name].checked_at):
        if check.name in tried or kept[check.name].checked_at > now - fresh:
            continue
        if looked and time.monotonic() - began > most_s:
            return sorted(row.name for row in kept.values() if row.broken_since is not None)
        looked += 1
        tried.add(check.name)
        _keep(kept[check.name], _look(check, kept[check.name], now), now)
    broken = sorted(row.name for row in kept.values() if row.broken_since is not None)
    if not broken and house_checks.all_fresh(kept.values(), now):
        # after the commit: no network call inside a transaction
        transaction.on_commit(outside.say_all_holds)
    return broken


def _look(check: Check, row: HouseCheck, now: datetime) -> Seen | None:
    """What the check saw; None when it could not be made within its time."""
    before = tuple(_read(*one) for one in row.findings)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {_CHECK_MOST_MS}")
            seen = check.look(Look(now, row.mark, before))
            cursor.execute("SET LOCAL statement_timeout = DEFAULT")
            return seen
    except DatabaseError as fault:
        if is_passing(fault) and not _timed_out(fault):
            raise
        # said on every console: the result grows old, and an old result is red
        log.exception("the check %s could not be made", check.name)
        return None


def _timed_out(fault: DatabaseError) -> bool:
    return getattr(fault.__cause__, "sqlstate", "") == "57014"


def _read(kind: str, number: int, site: int | None, at: str | None, note: str) -> Finding:
    return Finding(kind, number, site, datetime.fromisoformat(at) if at else None, note)


def _keep(row: HouseCheck, seen: Seen | None, now: datetime) -> None:
    if seen is None:
        return
    was = row.broken_since
    house_checks.saw(
        row,
        [(f.kind, f.id, f.site_id, f.at.isoformat() if f.at else None, f.note[:200])
         for f in seen.findings],
        seen.mark,
        now,
    )  # fmt: skip
    if (was is None) == (row.broken_since is None):
        return
    data = {"check": row.name, "clause": row.clause, "count": row.count}
    what = "audit.broken" if was is None else "audit.mended"
    journal.write(what, now, clause="M12.3", reason=row.name, data=data)
    journal.announce("audit")
