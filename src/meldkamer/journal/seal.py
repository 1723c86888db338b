"""Seals what was written: the hash chain over frames, signals and entries (M12.3).

Why: "cannot be changed unnoticed", even by who owns the tables. Runs in the background, so that
no signal waits for it. Never: seal a row that another transaction may still precede; only rows
of transactions older than every running one are taken. Invariant: each row is in exactly one
seal, in the order (xact, id); one sealer at a time.
"""

from datetime import datetime, timedelta
from math import inf
from time import monotonic
from typing import Any

from meldkamer.journal import chain
from meldkamer.journal.store import DUPLICATE_LIFETIME

_LOCK = "SELECT pg_try_advisory_xact_lock(7305002)"
_BORDER = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
# all there is: where nobody else writes, a transaction of another database holds nothing back
_ALL = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
_LAST = (
    "SELECT last_xact::text::bigint, last_id, hash FROM journal_seal"
    " WHERE table_name = %s ORDER BY id DESC LIMIT 1"
)
_ADD = (
    "INSERT INTO journal_seal (table_name, last_xact, last_id, rows, hash, marks, sealed_at)"
    " VALUES (%s, %s::text::xid8, %s, %s, %s, %s, %s)"
)
_PURGE = (
    "DELETE FROM journal_first WHERE ctid = ANY(ARRAY("
    "SELECT ctid FROM journal_first WHERE seen_at < %s LIMIT %s FOR UPDATE SKIP LOCKED"
    ")) AND seen_at < %s"
)
#: forgotten in one call: what a storm left must not keep an alarm waiting
PURGE_MOST = 20_000


def seal_all(connection: Any, now: datetime, *, alone: bool = False) -> int:
    """Seal what is finished; how many rows. For a worker, about once a minute.

    `connection` is psycopg's or Django's, in autocommit; each seal is a transaction of its own.
    Returns 0 when another process seals at this moment. alone: nobody else writes to this database.
    """
    sealed, _ = _seal(connection, now, _ALL if alone else _BORDER, inf)
    return sealed


def seal_within(connection: Any, now: datetime, within_s: float) -> bool:
    """As `seal_all`, for a worker that has other things to do: no new seal is begun after so long.

    Whether all was sealed; when not, the next call goes on where this one stopped.
    """
    _, complete = _seal(connection, now, _BORDER, within_s)
    return complete


def _seal(connection: Any, now: datetime, border_of: str, within_s: float) -> tuple[int, bool]:
    sealed, until_s = 0, monotonic() + within_s
    for table in chain.COLUMNS:
        while True:
            rows = _seal_once(connection, table, now, border_of)
            sealed += rows
            if rows < chain.SEAL_ROWS:
                break
            if monotonic() > until_s:
                return sealed, False
    return sealed, True


def _seal_once(connection: Any, table: str, now: datetime, border_of: str) -> int:
    with transaction(connection), connection.cursor() as cursor:
        cursor.execute(_LOCK)
        if not cursor.fetchone()[0]:
            return 0
        chain.fix_settings(cursor)
        cursor.execute(_LAST, [table])
        last = cursor.fetchone()
        after = (last[0], last[1]) if last else (0, 0)
        previous = bytes(last[2]) if last else chain.GENESIS
        cursor.execute(border_of)
        border = cursor.fetchone()[0]
        rows = chain.read_rows(cursor, table, after, border, chain.SEAL_ROWS)
        if rows:
            end = rows[-1]
            hashed = chain.link(previous, rows)
            cursor.execute(
                _ADD,
                [table, str(end.xact), end.id, len(rows), hashed, chain.marks(rows), now],
            )
        return len(rows)


def purge_first(connection: Any, now: datetime, lifetime: timedelta = DUPLICATE_LIFETIME) -> int:
    """Forget duplicate keys that can link nothing any more; how many, PURGE_MOST at most. Twice the
    lifetime is kept, so that a clock that was set cannot open a gap."""
    before = now - 2 * lifetime
    with transaction(connection), connection.cursor() as cursor:
        cursor.execute(_PURGE, [before, PURGE_MOST, before])
        return int(cursor.rowcount)


def transaction(connection: Any) -> Any:
    """A transaction on psycopg's or Django's connection."""
    if hasattr(connection, "settings_dict"):
        from django.db.transaction import atomic

        return atomic(using=connection.alias)
    return connection.transaction()
