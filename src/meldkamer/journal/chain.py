"""What the hash chain of the journal is made of: shared by who seals and who verifies.

Per table the rows stand in the order (xact, id). A row's digest is the SHA-256 of its text as
PostgreSQL prints it under fixed settings; a seal's hash is the SHA-256 of the seal before it and
of every id and digest it covers. Never: change COLUMNS of a table that has seals; a new column
gets a list of its own. Invariant: the same rows give the same hash on every PostgreSQL >= 15.
"""

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

#: table: the columns that are sealed, in the order of the digest
COLUMNS = {
    "journal_frame": (
        "id, received_at, transport, source, raw, protocol, token, account, receiver, line, seq,"
        " encrypted, disposition, reasons, duplicate_of, panel_time, clock_skew_s, content, xdata,"
        " reply, transmitter_id, site_id, xact"
    ),
    "journal_signal": (
        "id, received_at, frame_id, ordinal, site_id, transmitter_id, account, origin, code,"
        " protocol, role, type, klass, zone, area, user_no, text, panel_time, detail, xact"
    ),
    "journal_entry": (
        "id, at, provider_id, site_id, incident_id, signal_id, what, type, recipient, clause,"
        " reason, actor, data, xact"
    ),
}
#: bytes of one row in `journal_seal.marks`: its id, and the head of its digest
ID_BYTES = 8
HEAD_BYTES = 8
MARK_BYTES = ID_BYTES + HEAD_BYTES
GENESIS = bytes(32)
#: rows of one seal at most: what the checker holds in memory
SEAL_ROWS = 20_000

_SETTINGS = (
    "SET LOCAL timezone = 'UTC'",
    "SET LOCAL datestyle = 'ISO, MDY'",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL extra_float_digits = 1",
)


class Row(NamedTuple):
    """A row's place in the chain and its digest (32 bytes)."""

    xact: int
    id: int
    digest: bytes


def fix_settings(cursor: Any) -> None:
    """Print rows the same way whoever asks; holds to the end of the transaction."""
    for setting in _SETTINGS:
        cursor.execute(setting)


def rows_query(table: str) -> str:
    """Rows after (xact, id) = (%s, %s) and before transaction %s, in order; LIMIT is %s."""
    number = "xact::text::bigint"
    return (
        f"SELECT {number}, id, sha256(convert_to(ROW({COLUMNS[table]})::text, 'UTF8'))"  # noqa: S608
        f" FROM {table} WHERE {number} >= %s AND {number} < %s"
        f" AND ({number}, id) > (%s, %s)"
        f" ORDER BY {number}, id LIMIT %s"
    )


def read_rows(cursor: Any, table: str, after: tuple[int, int], before: int, most: int) -> list[Row]:
    """Up to `most` rows of the chain after (xact, id)."""
    cursor.execute(rows_query(table), [after[0], before, after[0], after[1], most])
    return [Row(xact, number, bytes(digest)) for xact, number, digest in cursor.fetchall()]


def link(previous: bytes, rows: list[Row]) -> bytes:
    """The hash of a seal."""
    digest = hashlib.sha256(previous)
    for row in rows:
        digest.update(row.id.to_bytes(ID_BYTES) + row.digest)
    return digest.digest()


def marks(rows: list[Row]) -> bytes:
    """What a seal keeps of each row."""
    return b"".join(row.id.to_bytes(ID_BYTES) + row.digest[:HEAD_BYTES] for row in rows)


def read_marks(marks: bytes) -> Iterator[tuple[int, bytes]]:
    """(id, head of the digest) of each row a seal covers."""
    for at in range(0, len(marks), MARK_BYTES):
        yield (
            int.from_bytes(marks[at : at + ID_BYTES]),
            marks[at + ID_BYTES : at + MARK_BYTES],
        )
