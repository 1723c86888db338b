"""The journal's signals that wait for their verdict: who has which, and since when they wait.

All SQL on the pending rows of this package. Never hands out a signal that another worker has, nor
one of a class while a more urgent one is to be had. A claim lasts as long as its transaction; only
`strike` ends the wait.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

#: up to which class: security and safety, or all but those that were put aside
URGENT, EVERY = 2, 99
#: of the urgent classes at most so many are judged in one transaction
_MOST_URGENT = 16
# pending rows with an urgency of 100 and more were put aside; only the most urgent class is taken
_CLAIM = """
WITH first AS (
    SELECT urgency FROM journal_pending WHERE urgency <= %(upto)s
    ORDER BY urgency, signal_id FOR UPDATE SKIP LOCKED LIMIT 1
)
, claimed AS (
    SELECT signal_id, received_at, urgency FROM journal_pending
    WHERE urgency = (SELECT urgency FROM first) ORDER BY signal_id FOR UPDATE SKIP LOCKED
    LIMIT CASE WHEN (SELECT urgency FROM first) <= %(urgent)s
        THEN least(%(most)s, %(most_urgent)s) ELSE %(most)s END
)
SELECT *, (
    SELECT min(received_at) FROM journal_pending WHERE urgency = (SELECT urgency FROM first)
        AND signal_id < (SELECT max(signal_id) FROM claimed)
        AND signal_id NOT IN (SELECT signal_id FROM claimed)
) FROM claimed ORDER BY signal_id
"""
_CLAIM_ONE = (
    "SELECT signal_id, received_at, urgency, NULL FROM journal_pending"
    " WHERE signal_id = %s FOR UPDATE"
)
# what another worker has of these sites, and is older: it is judged before
_EARLIER = """
SELECT s.site_id, min(s.id) FROM journal_signal s
WHERE s.site_id = ANY(%(sites)s) AND s.received_at >= %(since)s AND s.id <> ALL(%(mine)s)
    AND EXISTS (
        SELECT FROM journal_pending p WHERE p.urgency = %(urgency)s AND p.signal_id = s.id
    ) GROUP BY s.site_id
"""
_DONE = "DELETE FROM journal_pending WHERE urgency < 200 AND signal_id = ANY(%s)"
_PUT_ASIDE = (
    "UPDATE journal_pending SET urgency = urgency + 100 WHERE signal_id = %s AND urgency < 100"
)
_UNJUDGED = """
SELECT s.site_id, min(s.received_at) FROM journal_signal s
WHERE s.site_id = ANY(%s) AND s.received_at >= %s AND EXISTS (
    SELECT FROM journal_pending p WHERE p.urgency BETWEEN 1 AND 5 AND p.signal_id = s.id
) GROUP BY s.site_id
"""
_OLDEST = "SELECT min(received_at) FROM journal_pending WHERE urgency < 100"


class Claimed(NamedTuple):
    """A pending signal that is ours until the transaction ends.

    since: when the oldest of the class came that others have, None when there is none older.
    """

    number: int
    received_at: datetime
    urgency: int
    since: datetime | None


def claim(most: int, upto: int) -> list[Claimed]:
    """The most urgent class of those up to `upto`: its oldest, at most so many; oldest first."""
    values = {"most": most, "upto": upto, "urgent": URGENT, "most_urgent": _MOST_URGENT}
    return [Claimed(*row) for row in _rows(_CLAIM, values)]


def claim_one(signal_id: int) -> list[Claimed]:
    """This signal, put aside or not; empty when it was judged meanwhile."""
    return [Claimed(*row) for row in _rows(_CLAIM_ONE, [signal_id])]


def earlier(
    site_ids: Collection[int], mine: Collection[int], urgency: int, since: datetime
) -> dict[int, int]:
    """The oldest signal of the class that another worker has of each of these sites, by site."""
    values = {
        "sites": list(site_ids), "mine": list(mine), "urgency": urgency, "since": since,
    }  # fmt: skip
    return dict(_rows(_EARLIER, values))


def strike(numbers: Collection[int]) -> None:
    """They have their verdict."""
    with connection.cursor() as cursor:
        cursor.execute(_DONE, [list(numbers)])


def put_aside(signal_id: int) -> bool:
    """It stands in nobody's way any more; False when it was put aside already."""
    with connection.cursor() as cursor:
        cursor.execute(_PUT_ASIDE, [signal_id])
        return bool(cursor.rowcount)


def oldest() -> datetime | None:
    """When the oldest signal came that still waits to be judged; those put aside do not count."""
    found: datetime | None = _rows(_OLDEST, [])[0][0]
    return found


def oldest_of(site_ids: Collection[int], since: datetime) -> dict[int, datetime]:
    """When the oldest signal of each of these sites came that waits to be judged, by site."""
    return dict(_rows(_UNJUDGED, [list(site_ids), since])) if site_ids else {}


def _rows(statement: str, values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
