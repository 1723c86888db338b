"""Telephone numbers that tried codes: three failures and the number is locked for a while (S19.1).

A locked number can still raise an alarm; it can stand nothing down. The only writer of CallerTries.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from meldkamer.people.models import CallerTries


def is_locked(number: str, now: datetime) -> bool:
    """Whether codes given from this number are not even looked at now."""
    return CallerTries.objects.filter(number=number, locked_until__gt=now).exists()


def failed(number: str, tries: int, lock_s: int, now: datetime) -> bool:
    """Count a failure; True when it locks the number. Those older than the lock are forgotten."""
    row, _ = CallerTries.objects.select_for_update().get_or_create(
        number=number, defaults={"failed": 0, "first_at": now}
    )
    if now - row.first_at > timedelta(seconds=lock_s):
        row.failed, row.first_at, row.locked_until = 0, now, None
    row.failed += 1
    locks = row.failed >= tries and row.locked_until is None
    if locks:
        row.locked_until = now + timedelta(seconds=lock_s)
    row.save()
    return locks


def cleared(number: str) -> None:
    """Name and code fitted: what failed before is forgotten."""
    CallerTries.objects.filter(number=number).delete()
