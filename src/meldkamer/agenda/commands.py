"""The only writer of the agenda: put a thing on it, move it, strike it, act on what is due.

One open row per kind and subject: scheduling again moves the row. Acting on a row and its `done_at`
are one transaction, so a crash leaves it due and nothing is done twice. A row whose act fails is
tried again later, for ever, and its last fault stays visible; it is never dropped.

Order of locks: what the row is about first (a site), then the row. Everybody who moves a row holds
its site already, so an act that took the row first would wait for the site in a circle.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from json import dumps
from typing import Any

from django.db import connection, transaction

from meldkamer.agenda.faults import is_passing
from meldkamer.agenda.models import AgendaRow

CHANNEL = "meldkamer_agenda"
Act = Callable[[AgendaRow, datetime], None]
Lock = Callable[[AgendaRow], object]
_RETRY_FIRST_S, _RETRY_MOST_S = 2, 300
# smallint
_ATTEMPTS_MOST = 32_000
# an advisory lock on the row's number says who acts on it, before anything is locked
_CLAIM = "SELECT pg_try_advisory_xact_lock(7305003, (%s %% 2147483647)::int)"

_UPSERT = """
WITH put AS (
INSERT INTO agenda_agendarow
    (kind, subject, due, rank, payload, created_at, attempts, last_fault)
VALUES (%s, %s, %s, %s, %s::jsonb, %s, 0, '')
ON CONFLICT (kind, subject) WHERE done_at IS NULL
DO UPDATE SET due = excluded.due, rank = excluded.rank, payload = excluded.payload,
    attempts = 0, last_fault = ''
RETURNING 1
) SELECT pg_notify(%s, '') FROM put
"""


def schedule(
    kind: str,
    subject: str,
    due: datetime,
    now: datetime,
    *,
    rank: int = 1,
    payload: Mapping[str, Any] | None = None,
) -> None:
    """Put a thing on the agenda, or move it; the worker is woken at commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            _UPSERT, [kind, subject, due, rank, dumps(dict(payload or {})), now, CHANNEL]
        )


def strike(kind: str, subject: str, now: datetime) -> None:
    """Take a thing off the agenda; no error when it is not there."""
    AgendaRow.objects.filter(kind=kind, subject=subject, done_at=None).update(done_at=now)


def due_rows(now: datetime, *, ranks: tuple[int, ...] = (0, 1), limit: int = 100) -> list[int]:
    """The ids of rows due at `now`: states that end first, then earliest, then oldest (R1)."""
    return list(
        AgendaRow.objects.filter(done_at=None, due__lte=now, rank__in=ranks)
        .order_by("rank", "due", "id")
        .values_list("id", flat=True)[:limit]
    )


def next_due() -> datetime | None:
    """When the next row is due, None with an empty agenda."""
    return (
        AgendaRow.objects.filter(done_at=None).order_by("due").values_list("due", flat=True).first()
    )


def act_on(
    row_id: int,
    acts: Mapping[str, Act],
    now: datetime,
    locks: Mapping[str, Lock] | None = None,
) -> bool:
    """Act on one row in one transaction; False when somebody else has it or it is done.

    A failing act is rolled back whole; the row is then put off and the fault is kept on it. locks:
    by kind, what to lock before the row.
    """
    try:
        with transaction.atomic():
            row = _claimed(row_id, now, locks or {})
            if row is None:
                return False
            # done before the act: the act may put the same thing on the agenda again
            AgendaRow.objects.filter(id=row_id).update(done_at=now)
            acts[row.kind](row, now)
    except Exception as fault:
        if not is_passing(fault):
            _put_off(row_id, now, traceback.format_exc())
        raise
    return True


def _claimed(row_id: int, now: datetime, locks: Mapping[str, Lock]) -> AgendaRow | None:
    """The row when it is still due and nobody else acts on it, with its subject locked."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [row_id])
        if not cursor.fetchone()[0]:
            return None
    due = AgendaRow.objects.filter(id=row_id, done_at=None, due__lte=now)
    row = due.first()
    if row is None:
        return None
    lock = locks.get(row.kind)
    if lock is not None:
        lock(row)
    # whoever had the subject before us may have moved or struck the row
    return due.select_for_update().first()


def _put_off(row_id: int, now: datetime, fault: str) -> None:
    with transaction.atomic():
        row = AgendaRow.objects.select_for_update().filter(id=row_id, done_at=None).first()
        if row is None:
            return
        row.attempts = min(row.attempts + 1, _ATTEMPTS_MOST)
        wait_s = min(_RETRY_FIRST_S * 2 ** min(row.attempts, 10), _RETRY_MOST_S)
        row.due = now + timedelta(seconds=wait_s)
        row.last_fault = fault[-2000:]
        row.save(update_fields=["attempts", "due", "last_fault"])
