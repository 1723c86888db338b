"""Checks of the journal's chain: is it sealed in time, and do the seals still fit the rows?

The newest seals are recomputed each time, the older ones in turn, a few thousand rows a look; so
the whole chain is gone through again and again, and a changed row is found without being asked for.
"""

from __future__ import annotations

from typing import Any

from django.db import connection

from meldkamer.engine.audit.check import Check, Finding, Look, Seen, rows
from meldkamer.incidents.house_checks import MOST
from meldkamer.journal.chain import COLUMNS
from meldkamer.journal.verify import verify_seal

_SEAL_WITHIN_S = 300
#: rows that are recomputed in turn each time, and what a newest seal may have to be among them
_IN_TURN, _NEWEST_MOST = 4000, 6000

# ids rise with time: the first one beyond the last seal is the oldest that may lack one
_UNSEALED = """
SELECT 'row', r.id, r.site_id, r.{moment}, '{table}' FROM {table} r,
 LATERAL (SELECT coalesce(max(last_xact::text::bigint), 0) AS xact, coalesce(max(last_id), 0) AS id
  FROM (SELECT last_xact, last_id FROM journal_seal WHERE table_name = '{table}'
   ORDER BY id DESC LIMIT 1) AS newest) AS last
WHERE r.id > last.id AND (r.xact::text::bigint, r.id) > (last.xact, last.id)
ORDER BY r.id LIMIT 1
"""
_MOMENTS = {"journal_frame": "received_at", "journal_signal": "received_at", "journal_entry": "at"}
UNSEALED = tuple(_UNSEALED.format(table=table, moment=_MOMENTS[table]) for table in COLUMNS)
IN_TURN = "SELECT id, rows FROM journal_seal WHERE id > %(mark)s ORDER BY id LIMIT 50"
NEWEST = "SELECT id, rows FROM journal_seal ORDER BY id DESC LIMIT 3"


def _sealed_in_time(given: Look) -> Seen:
    """What is older than some minutes is sealed (M12.3)."""
    found = [row for sql in UNSEALED for row in rows(sql, {})]
    return Seen(
        tuple(
            row
            for row in found
            if row.at is not None and (given.now - row.at).total_seconds() > _SEAL_WITHIN_S
        )
    )


def _chain_holds(given: Look) -> Seen:
    """The rows are as they were sealed: the newest seals, and the next ones in turn."""
    turn = _read(IN_TURN, {"mark": given.mark})
    if not turn:
        turn = _read(IN_TURN, {"mark": 0})
    wanted, mark, total = {finding.id for finding in given.before}, given.mark, 0
    for seal_id, count in turn:
        if total and total + count > _IN_TURN:
            break
        wanted.add(seal_id)
        mark, total = seal_id, total + count
    wanted |= {seal_id for seal_id, count in _read(NEWEST, {}) if count <= _NEWEST_MOST}
    found = []
    for seal_id in sorted(wanted):
        broken = verify_seal(connection, seal_id)
        if broken is not None:
            found.append(Finding("seal", seal_id, None, given.now, str(broken)))
    return Seen(tuple(found[:MOST]), mark)


def _read(sql: str, parameters: dict[str, Any]) -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


CHECKS: tuple[Check, ...] = (
    Check("sealed_late", "M12.3", _sealed_in_time, tuple((sql, {}) for sql in UNSEALED)),
    Check("chain_broken", "M12.3", _chain_holds, ((IN_TURN, {"mark": 0}), (NEWEST, {}))),
)
