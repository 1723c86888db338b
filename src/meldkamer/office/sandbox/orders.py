"""Orders to the city, over the database: "burglary now", somewhere or at one site.

The payload is a word and an id, nothing readable. Nobody hears it when no city runs.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

CHANNEL = "meldkamer_city"
#: the advisory lock a listening city holds, shared
MARK = (7305, 2101)
_BURGLARY = "burglary"


@dataclass(frozen=True, slots=True)
class Burglary:
    """Two detectors at a site; None: anywhere."""

    site_id: int | None


def order_burglary(site_id: int | None) -> None:
    """Ask the city for a burglary."""
    payload = _BURGLARY if site_id is None else f"{_BURGLARY}:{site_id}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])


def read_order(payload: str) -> Burglary | None:
    """The order in a payload; None for what this version does not know."""
    word, _, number = payload.partition(":")
    if word != _BURGLARY or (number and not number.isdecimal()):
        return None
    return Burglary(int(number) if number else None)


def city_listens() -> bool:
    """Whether a city holds its mark, which it does as long as it hears orders."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND classid = %s AND objid = %s AND objsubid = 2 AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database()))",
            MARK,
        )
        return bool(cursor.fetchone()[0])
