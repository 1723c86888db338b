"""Monthly partitions of the journal, made ahead by the owner of the tables.

Why: a month can be kept, moved or archived whole, and its indexes stay small. Never: lose a row
or refuse one; what comes in a month without a partition waits in the rest partition and is moved
when its month is made. Invariant: rows keep id, xact and every value, so seals stay true.
"""

from datetime import UTC, datetime
from typing import Any

from meldkamer.journal.seal import transaction

#: table: the column it is partitioned by
TABLES = {
    "journal_frame": "received_at",
    "journal_signal": "received_at",
    "journal_entry": "at",
}
MONTHS_AHEAD = 3


def ensure(connection: Any, now: datetime, months_ahead: int = MONTHS_AHEAD) -> list[str]:
    """Make the partitions of this month and the next ones, as the owner; names of the new ones.

    `connection` is psycopg's or Django's. Safe to run again and while signals come in: writers
    wait for as long as rows are moved.
    """
    made = []
    for table, column in TABLES.items():
        for month in _months(now, months_ahead + 1):
            name = f"{table}_{month:%Y_%m}"
            if _make(connection, table, column, name, month):
                made.append(name)
    return made


def _make(connection: Any, table: str, column: str, name: str, month: datetime) -> bool:
    begins, ends = month.isoformat(), _next(month).isoformat()
    within = f"{column} >= '{begins}' AND {column} < '{ends}'"
    with transaction(connection), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7305003)")
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        if cursor.fetchone()[0]:
            return False
        # the parent first, as writers do: no deadlock with them
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL EXCLUDING IDENTITY)")
        cursor.execute(
            f"WITH moved AS (DELETE FROM {table}_rest WHERE {within} RETURNING *)"  # noqa: S608
            f" INSERT INTO {name} SELECT * FROM moved"
        )
        cursor.execute(
            f"ALTER TABLE {table} ATTACH PARTITION {name}"
            f" FOR VALUES FROM ('{begins}') TO ('{ends}')"
        )
    return True


def _months(now: datetime, count: int) -> list[datetime]:
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found = []
    for _ in range(count):
        found.append(month)
        month = _next(month)
    return found


def _next(month: datetime) -> datetime:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
