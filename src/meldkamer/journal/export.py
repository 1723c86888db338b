"""`meldkamer journal export --json`: every signal as it was stored and judged, one a line.

Why: what the centre keeps must be readable without it. Never: a transmitter's key (raw frames
are stored with plain key blocks starred out), or the whole journal in memory. Invariant: each
frame is on at least one line; one with signals has a line for each.
"""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TextIO

#: keys of a line, in order
KEYS = (
    "received_at", "account", "seq", "raw", "verdict", "id", "site", "code", "type", "zone",
    "disposition", "reason", "clause",
)  # fmt: skip
CHUNK = 2000

_COMMON = "v.verdict, s.id, s.code, s.type, s.zone, v.reason, v.clause"
_QUERY = f"""
SELECT f.received_at, f.account, f.seq, f.raw, f.disposition, f.reasons,
       coalesce(s.site_id, f.site_id), {_COMMON}, f.id, coalesce(s.ordinal, 0)
FROM journal_frame f
LEFT JOIN journal_signal s ON s.frame_id = f.id AND s.received_at = f.received_at
LEFT JOIN incidents_verdict v ON v.signal_id = s.id
WHERE {{frames}}
UNION ALL
SELECT s.received_at, s.account, NULL, NULL, NULL, NULL, s.site_id, {_COMMON}, 0, s.ordinal
FROM journal_signal s
LEFT JOIN incidents_verdict v ON v.signal_id = s.id
WHERE s.frame_id IS NULL AND {{signals}}
ORDER BY 1, 15, 16, 9
"""  # noqa: S608 - fixed columns


class ExportFault(Exception):
    """A filter that cannot be used; the message says what was expected."""


def read_since(text: str) -> datetime:
    """An ISO 8601 moment; without an offset it is UTC. Raises ExportFault."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ExportFault(
            f"--since {text!r} is no moment; expected ISO 8601, as 2026-03-01T00:00:00+01:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def lines(
    connection: Any, since: datetime | None = None, account: str | None = None
) -> Iterator[dict[str, Any]]:
    """One dict a line, streamed; `connection` is psycopg's own."""
    clauses = ["TRUE"]
    values: list[Any] = []
    if since is not None:
        clauses.append("{table}.received_at >= %s")
        values.append(since)
    if account is not None:
        clauses.append("upper({table}.account) = upper(%s)")
        values.append(account)
    both = " AND ".join(clauses)
    query = _QUERY.format(frames=both.format(table="f"), signals=both.format(table="s"))
    with connection.transaction(), connection.cursor(name="export") as cursor:
        cursor.itersize = CHUNK
        cursor.execute(query, [*values, *values])
        for row in cursor:
            yield _line(row)


def _line(row: Any) -> dict[str, Any]:
    at, account, seq, raw, disposition, reasons, site, verdict, number, *signal = row
    code, kind, zone, reason, clause = signal[:5]
    if number is None:  # a frame without a signal: what became of it is its verdict
        verdict, reason = disposition, "; ".join(reasons)
    values = (
        at.astimezone(UTC).isoformat(), account, seq,
        None if raw is None else bytes(raw).decode("latin-1"), verdict, number, site, code, kind,
        zone, disposition, reason, clause,
    )  # fmt: skip
    return dict(zip(KEYS, values, strict=True))


def write(found: Iterator[dict[str, Any]], out: TextIO) -> int:
    """Print the lines; how many."""
    count = 0
    for line in found:
        out.write(json.dumps(line, ensure_ascii=False) + "\n")
        count += 1
    return count


def main(options: Any) -> int:
    """`--since T` and `--account A` narrow it down."""
    from django.db import connection

    try:
        since = None if options.since is None else read_since(options.since)
    except ExportFault as fault:
        print(f"meldkamer journal export: {fault}", file=sys.stderr)
        return 2
    with connection.cursor():  # opens the connection
        pass
    try:
        write(lines(connection.connection, since, options.account), sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:  # `… | head`
        sys.stderr.close()
    return 0
