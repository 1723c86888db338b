"""The only writer of journal entries: what happened, when, by whom, under which clause (M12.3).

Entries are inserted, never changed. The caller's transaction carries the state that they tell of.
Inside `gathered()` they are kept in order and inserted together at its end, in that transaction:
whoever wants to read them before calls `put_down()`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from json import dumps
from typing import Any

from django.db import connection

SYSTEM = "system"
CHANNEL = "meldkamer_incident"
_COLUMNS = (
    "at", "provider_id", "site_id", "incident_id", "signal_id", "what", "type", "recipient",
    "clause", "reason", "actor", "data",
)  # fmt: skip
# by hand: entries are the most written rows of the house. As one text, which costs the driver
# least; numbered in the order of the rows, which is the order in which it happened
_INSERT = """
INSERT INTO journal_entry (at, provider_id, site_id, incident_id, signal_id, what, type,
    recipient, clause, reason, actor, data)
SELECT * FROM json_to_recordset(%s::json) AS one (at timestamptz, provider_id bigint,
    site_id bigint, incident_id bigint, signal_id bigint, what text, type text, recipient text,
    clause text, reason text, actor text, data jsonb)
"""
_NOTIFY_MANY = "SELECT pg_notify(%s, payload) FROM unnest(%s::text[]) AS payload"


@dataclass(slots=True)
class _Gathered:
    entries: list[dict[str, Any]] = field(default_factory=list)
    payloads: dict[str, None] = field(default_factory=dict)


_open: ContextVar[_Gathered | None] = ContextVar("journal gathered", default=None)


@contextmanager
def gathered() -> Iterator[None]:
    """Entries and announcements of this block go to the database in one statement each.

    When the block fails nothing is written; its transaction is rolled back by the caller.
    """
    mine = _Gathered()
    token = _open.set(mine)
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
    entries, mine.entries = mine.entries, []
    payloads, mine.payloads = list(mine.payloads), {}
    with connection.cursor() as cursor:
        if entries:
            cursor.execute(_INSERT, [dumps(entries)])
        if payloads:
            cursor.execute(_NOTIFY_MANY, [CHANNEL, payloads])


def write(
    what: str,
    at: datetime,
    *,
    provider_id: int | None = None,
    site_id: int | None = None,
    incident_id: int | None = None,
    signal_id: int | None = None,
    incident_type: str = "",
    to: str = "",
    clause: str = "",
    reason: str = "",
    actor: str = SYSTEM,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Insert one entry; `what` is a word of the timeline or an internal one."""
    subject = (provider_id, site_id, incident_id, signal_id)
    words = (what, incident_type, to, clause, reason, actor, data or {})
    entry = dict(zip(_COLUMNS, (at.isoformat(), *subject, *words), strict=True))
    mine = _open.get()
    if mine is not None:
        mine.entries.append(entry)
        return
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [dumps([entry])])


def announce(payload: str) -> None:
    """Wake the consoles when this transaction commits; the payload is ids, nothing readable."""
    mine = _open.get()
    if mine is not None:
        mine.payloads[payload] = None
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])
