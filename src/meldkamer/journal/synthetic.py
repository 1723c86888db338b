"""Signals that no transmitter sent: what the watch found (R4).

They are stored like any other, so that everything comes in one way and is judged once (M12.1).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

from meldkamer.journal.records import SignalRecord, detail
from meldkamer.journal.store import store_signals


def store_synthetic(
    *,
    site_id: int,
    at: datetime,
    code: str,
    role: str,
    signal_type: str,
    area: str | None = None,
    zone: str | None = None,
    restores_type: str | None = None,
    found: dict[str, Any] | None = None,
) -> int:
    """Store one signal of the watch and put it before the judge; returns its id.

    found: what the timeline tells of it (count, expected, how).
    """
    record = SignalRecord(
        origin="watch",
        code=code,
        role=role,
        type=signal_type,
        site_id=site_id,
        area=area,
        zone=zone,
        detail={**detail(restores_type=restores_type), **(found or {})},
    )
    with connection.cursor() as cursor:
        return store_signals(cursor, at, [record])[0]
