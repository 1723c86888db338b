"""The only writer of the agenda: put a thing on it, move it, strike it, act on what is due.

One open row per kind and subject: scheduling again moves the row. Acting on a row and its `done_at`
are one transaction, so a crash leaves it due and nothing is done twice. A row whose act fails is
tried again later, for ever, and its last fault stays visible; it is never dropped.

Inside `gathered()` what is put on the agenda or struck is written together at its end, in the same
transaction: whoever wants to read a row before calls `put_down()`.

Order of locks: what the row is about first (a site), then the row. Everybody who moves a row holds
its site already, so an act that took the row first would wait for the site in a circle.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from json import dumps
from typing import Any

from django.db import connection, transaction

from meldkamer.agenda.faults import is_passing
from meldkamer.agenda.models import AgendaRow

CHANNEL = "meldkamer_agenda"
#: the classes security and safety, and that of what is of no class
URGENT, OF_NO_CLASS = 2, 5
#: in the payload of a row that was put off for a fault: when it was due at first
MEANT = "meant"
Act = Callable[[AgendaRow, datetime], None]
Lock = Callable[[AgendaRow], object]
_RETRY_FIRST_S, _RETRY_MOST_S = 2, 300
_ASIDE = timedelta(seconds=60)
# smallint
_ATTEMPTS_MOST = 32_000
# an advisory lock on the row's number says who acts on it, before anything is locked
_CLAIM = "SELECT pg_try_advisory_xact_lock(7305003, (%s %% 2147483647)::int)"
_CLAIM_ALL = """
SELECT id FROM unnest(%s::bigint[]) AS one (id)
WHERE pg_try_advisory_xact_lock(7305003, (id %% 2147483647)::int)
"""

_UPSERT = """
WITH put AS (
INSERT INTO agenda_agendarow
    (kind, subject, due, rank, urgency, payload, created_at, attempts, last_fault)
SELECT kind, subject, due, rank, urgency, payload, created_at, 0, ''
    FROM json_to_recordset(%s::json) AS one (kind text, subject text, due timestamptz,
    rank smallint, urgency smallint, payload jsonb, created_at timestamptz)
ON CONFLICT (kind, subject) WHERE done_at IS NULL
DO UPDATE SET due = excluded.due, rank = excluded.rank, urgency = excluded.urgency,
    payload = excluded.payload, attempts = 0, last_fault = ''
RETURNING 1
) SELECT pg_notify(%s, '') FROM (SELECT FROM put LIMIT 1) AS found
"""
_STRIKE = """
UPDATE agenda_agendarow AS row SET done_at = struck.at
FROM unnest(%s::text[], %s::text[], %s::timestamptz[]) AS struck (kind, subject, at)
WHERE row.kind = struck.kind AND row.subject = struck.subject AND row.done_at IS NULL
"""
_Key = tuple[str, str]
_Put = dict[str, Any]


@dataclass(slots=True)
class _Gathered:
    struck: dict[_Key, datetime] = field(default_factory=dict)
    put: dict[_Key, _Put] = field(default_factory=dict)


_open: ContextVar[_Gathered | None] = ContextVar("agenda gathered", default=None)


@contextmanager
def gathered() -> Iterator[None]:
    """What this block wants of the agenda is written in one statement each; the last word counts.

    When the block fails nothing is written; its transaction is rolled back by the caller.
    """
    token = _open.set(_Gathered())
    try:
        yield
        put_down()
    finally:
        _open.reset(token)


def put_down() -> None:
    """Write what was gathered so far; nothing outside of `gathered()`."""
    mine = _open.get()
    if mine is None:
        return
    struck, mine.struck = mine.struck, {}
    put, mine.put = mine.put, {}
    _strike(struck)
    _put(put)


def _put(rows: Mapping[_Key, _Put]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_UPSERT, [dumps(list(rows.values())), CHANNEL])


def _strike(rows: Mapping[_Key, datetime]) -> None:
    if rows:
        columns = zip(*((*key, at) for key, at in rows.items()), strict=True)
        with connection.cursor() as cursor:
            cursor.execute(_STRIKE, [list(column) for column in columns])


def schedule(
    kind: str,
    subject: str,
    due: datetime,
    now: datetime,
    *,
    rank: int = 1,
    urgency: int = OF_NO_CLASS,
    payload: Mapping[str, Any] | None = None,
) -> None:
    """Put a thing on the agenda, or move it; the worker is woken at commit.

    urgency: the class of what it is about; when more is due than can be done, 1 and 2 come first.
    """
    row = {
        "kind": kind,
        "subject": subject,
        "due": due.isoformat(),
        "rank": rank,
        "urgency": urgency,
        "payload": payload or {},
        "created_at": now.isoformat(),
    }
    mine = _open.get()
    if mine is None:
        _put({(kind, subject): row})
    else:
        mine.put[kind, subject] = row


def put_aside(kind: str, subject: str, now: datetime, payload: Mapping[str, Any]) -> None:
    """What could not be done for a fault of its own: tried again in a minute, and again, for ever.

    Until then it stands in nobody's way; who puts it aside tells a supervisor of it.
    """
    schedule(kind, subject, now + _ASIDE, now, payload=payload)


def strike(kind: str, subject: str, now: datetime) -> None:
    """Take a thing off the agenda; no error when it is not there."""
    mine = _open.get()
    if mine is None:
        _strike({(kind, subject): now})
    else:
        mine.put.pop((kind, subject), None)
        mine.struck[kind, subject] = now


def due_rows(now: datetime, *, ranks: tuple[int, ...] = (0, 1), limit: int = 100) -> list[int]:
    """The ids of rows due at `now`: states that end first, then earliest, then oldest (R1)."""
    return [row.pk for row in due(now, ranks=ranks, limit=limit)]


def due(
    now: datetime, *, ranks: tuple[int, ...], limit: int, urgent: bool = False
) -> list[AgendaRow]:
    """The rows due at `now`, in R1's order; urgent: of security and safety alone."""
    rows = AgendaRow.objects.filter(done_at=None, due__lte=now, rank__in=ranks)
    if urgent:
        rows = rows.filter(urgency__lte=URGENT)
    return list(rows.order_by("rank", "due", "id")[:limit])


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


def act_together(
    row_ids: Collection[int],
    act: Callable[[list[AgendaRow], datetime], None],
    now: datetime,
    lock: Callable[[list[AgendaRow]], Collection[int]],
) -> int:
    """Act on several rows in one transaction, in the order given; on how many it was.

    Rows that somebody else has are left out, and those that `lock` does not name: it locks what the
    rows are about and returns the ids of those for which it could. A fault rolls all of it back;
    the rows stay as they were, to be acted on one by one.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM_ALL, [list(row_ids)])
            free = [row[0] for row in cursor.fetchall()]
        due = AgendaRow.objects.filter(done_at=None, due__lte=now)
        had = set(lock(list(due.filter(pk__in=free).order_by("rank", "due", "id"))))
        # whoever had a subject before us may have moved or struck its row
        rows = due.filter(pk__in=had).order_by("pk").select_for_update().in_bulk()
        AgendaRow.objects.filter(pk__in=list(rows)).update(done_at=now)
        mine = [rows[number] for number in row_ids if number in rows]
        if mine:
            act(mine, now)
    return len(mine)


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
        row.payload = {MEANT: row.due.isoformat(), **row.payload}
        row.due = now + timedelta(seconds=wait_s)
        row.last_fault = fault[-2000:]
        row.save(update_fields=["attempts", "due", "last_fault", "payload"])


def meant(row: AgendaRow) -> datetime:
    """When the row was to be acted on: a fault puts it off, not the moment that it is about."""
    return datetime.fromisoformat(row.payload[MEANT]) if MEANT in row.payload else row.due
