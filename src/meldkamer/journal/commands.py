"""The only writer of journal entries: what happened, when, by whom, under which clause (M12.3).

Entries are inserted, never changed. The caller's transaction carries the state that they tell of.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from json import dumps
from typing import Any

from django.db import connection

from meldkamer.journal.models import Entry

SYSTEM = "system"
CHANNEL = "meldkamer_incident"
# by hand: entries are the most written rows of the house
_INSERT = """
INSERT INTO journal_entry (at, provider_id, site_id, incident_id, signal_id, what, type,
    recipient, clause, reason, actor, data)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb) RETURNING id
"""


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
) -> Entry:
    """Insert one entry; `what` is a word of the timeline or an internal one."""
    kept = dict(data or {})
    row = (at, provider_id, site_id, incident_id, signal_id, what, incident_type, to)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [*row, clause, reason, actor, dumps(kept)])
        (entry_id,) = cursor.fetchone()
    return Entry(
        id=entry_id,
        at=at,
        provider_id=provider_id,
        site_id=site_id,
        incident_id=incident_id,
        signal_id=signal_id,
        what=what,
        type=incident_type,
        recipient=to,
        clause=clause,
        reason=reason,
        actor=actor,
        data=kept,
    )


def announce(payload: str) -> None:
    """Wake the consoles when this transaction commits; the payload is ids, nothing readable."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])
