"""`meldkamer journal verify`: recomputes the chain and names the first row that broke it (M12.3).

Never: repair anything. Invariant: a row that was changed, removed or slipped in among sealed
ones is found and named; rows that are not sealed yet are counted, not judged. The heads that it
prints, kept elsewhere, also prove that nobody made the whole chain anew.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from meldkamer.journal import chain
from meldkamer.journal.seal import transaction

_SEALS = (
    "SELECT id, last_xact::text::bigint, last_id, rows, hash, marks, sealed_at FROM journal_seal"
    " WHERE table_name = %s AND id > %s ORDER BY id LIMIT 50"
)
# a seal and the one before it of the same table
_TWO = (
    "SELECT table_name, last_xact::text::bigint, last_id, rows, hash, marks, sealed_at"
    " FROM journal_seal WHERE table_name = (SELECT table_name FROM journal_seal WHERE id = %s)"
    " AND id <= %s ORDER BY id DESC LIMIT 2"
)
_BEYOND = "SELECT count(*) FROM {table} WHERE (xact::text::bigint, id) > (%s, %s)"


class Broken(NamedTuple):
    """The first row of a table that is not as it was sealed. `what`: changed, missing, added."""

    table: str
    row_id: int
    what: str
    sealed_at: str

    def __str__(self) -> str:
        return f"{self.table} row {self.row_id} was {self.what} after it was sealed"


class Verified(NamedTuple):
    """One table: rows that are sealed and as they were, rows not sealed yet, the chain's head."""

    table: str
    sealed: int
    unsealed: int
    head: bytes
    broken: Broken | None


def verify_all(connection: Any) -> list[Verified]:
    """Check every table of the journal, in one snapshot each."""
    return [verify(connection, table) for table in chain.COLUMNS]


def verify(connection: Any, table: str) -> Verified:
    """Recompute a table's chain up to the first broken row."""
    with transaction(connection), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        chain.fix_settings(cursor)
        head, after, sealed = chain.GENESIS, (0, 0), 0
        for _, xact, last_id, count, hashed, marks, sealed_at in _seals(cursor, table):
            rows = _covered(cursor, table, after, (xact, last_id), count)
            named = _compare(table, rows, bytes(marks), str(sealed_at))
            if named is not None:
                return Verified(table, sealed, 0, head, named)
            head = chain.link(head, rows)
            if head != bytes(hashed) or count != len(rows):
                broken = Broken(table, last_id, "sealed with another hash", str(sealed_at))
                return Verified(table, sealed, 0, head, broken)
            after, sealed = (xact, last_id), sealed + len(rows)
        cursor.execute(_BEYOND.format(table=table), after)
        return Verified(table, sealed, cursor.fetchone()[0], head, None)


def verify_seal(connection: Any, seal_id: int) -> Broken | None:
    """Recompute one seal from the one before it: what an auditor can afford now and then."""
    with transaction(connection), connection.cursor() as cursor:
        chain.fix_settings(cursor)
        cursor.execute(_TWO, [seal_id, seal_id])
        found = cursor.fetchall()
        if not found:
            return None
        table, xact, last_id, count, hashed, marks, sealed_at = found[0]
        before = found[1] if len(found) > 1 else None
        after = (before[1], before[2]) if before else (0, 0)
        head = bytes(before[4]) if before else chain.GENESIS
        rows = _covered(cursor, table, after, (xact, last_id), count)
        named = _compare(table, rows, bytes(marks), str(sealed_at))
        if named is None and (chain.link(head, rows) != bytes(hashed) or count != len(rows)):
            named = Broken(table, last_id, "sealed with another hash", str(sealed_at))
        return named


def _seals(cursor: Any, table: str) -> Iterator[Any]:
    last = 0
    while True:
        cursor.execute(_SEALS, [table, last])
        found = cursor.fetchall()
        yield from found
        if not found:
            return
        last = found[-1][0]


def _covered(
    cursor: Any, table: str, after: tuple[int, int], upto: tuple[int, int], count: int
) -> list[chain.Row]:
    """The rows between two seals, one more than there should be when there are more."""
    rows = chain.read_rows(cursor, table, after, upto[0] + 1, count + 1)
    return [row for row in rows if (row.xact, row.id) <= upto]


def _compare(table: str, rows: list[chain.Row], marks: bytes, sealed_at: str) -> Broken | None:
    """The first difference between the rows there are and the rows that were sealed."""
    there = iter(rows)
    sealed_ids = {number for number, _ in chain.read_marks(marks)}
    for number, head in chain.read_marks(marks):
        row = next(there, None)
        if row is not None and row.id not in sealed_ids:
            return Broken(table, row.id, "added", sealed_at)
        if row is None or row.id != number:
            return Broken(table, number, "removed", sealed_at)
        if row.digest[: chain.HEAD_BYTES] != head:
            return Broken(table, number, "changed", sealed_at)
    extra = next(there, None)
    return Broken(table, extra.id, "added", sealed_at) if extra is not None else None


def main(_options: Any) -> int:
    """Print what was found; 0 when whole, 1 when a row is not as it was sealed."""
    from django.db import connection

    found = verify_all(connection)
    for table in found:
        if table.broken is not None:
            print(f"BROKEN  {table.broken} (sealed {table.broken.sealed_at})")
        else:
            print(
                f"whole   {table.table}: {table.sealed} rows sealed, {table.unsealed} not yet;"
                f" head {table.head.hex()}"
            )
    return 1 if any(table.broken for table in found) else 0
