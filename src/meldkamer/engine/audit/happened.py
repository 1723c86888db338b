"""Checks of what happened since the last look: entries and signals, walked in their order.

A walk goes by the primary key, at most so many rows a look, and stays some seconds behind the
present: what is being committed now may carry a smaller number than what was committed before.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection

from meldkamer.engine.audit.check import Check, Finding, Look, Seen, rows
from meldkamer.engine.audit.fold import WORDS, Folded, Told, differences, fold
from meldkamer.incidents.house_checks import MOST

_SETTLED = timedelta(seconds=20)
_ENTRIES, _SIGNALS, _FOLDED = 20_000, 40_000, 200
_UNJUDGED_AFTER = timedelta(seconds=60)
#: what cannot be mended any more is shown so long
_REMEMBERED = timedelta(hours=24)

LAST_ENTRY = "SELECT coalesce(max(id), 0) FROM journal_entry"
LAST_SIGNAL = "SELECT coalesce(max(id), 0) FROM journal_signal"
NEXT_ENTRIES = """
WITH next AS MATERIALIZED (
 SELECT id, at, incident_id, what FROM journal_entry WHERE id > %(mark)s ORDER BY id LIMIT %(step)s
), settled AS (
 SELECT id, incident_id, what FROM next
 WHERE id < coalesce((SELECT min(id) FROM next WHERE at > %(upto)s), 9223372036854775807)
)
SELECT (SELECT max(id) FROM settled),
 (SELECT array_agg(incident_id) FROM (SELECT incident_id FROM settled
   WHERE incident_id IS NOT NULL AND what = ANY(%(words)s)
   GROUP BY incident_id ORDER BY max(id) DESC LIMIT %(many)s) AS touched)
"""
LOST = """
WITH next AS MATERIALIZED (
 SELECT id, received_at, site_id, code FROM journal_signal
 WHERE id > %(mark)s ORDER BY id LIMIT %(step)s
), settled AS (
 SELECT * FROM next
 WHERE id < coalesce((SELECT min(id) FROM next WHERE received_at > %(upto)s), 9223372036854775807)
), unjudged AS (
 SELECT * FROM settled s
 WHERE NOT EXISTS (SELECT FROM incidents_verdict v
  WHERE v.signal_id = s.id AND v.signal_id > %(mark)s)
)
SELECT 'signal', id, site_id, received_at, code FROM unjudged u
 WHERE NOT EXISTS (SELECT FROM journal_pending p
  WHERE p.urgency = ANY(%(urgencies)s) AND p.signal_id = u.id)
UNION ALL SELECT 'mark', coalesce(max(id), 0), NULL, NULL, '' FROM settled
"""
_STILL_LOST = """
SELECT 'signal', s.id, s.site_id, s.received_at, s.code FROM journal_signal s
WHERE s.id = ANY(%(ids)s)
 AND NOT EXISTS (SELECT FROM incidents_verdict v WHERE v.signal_id = s.id)
 AND NOT EXISTS (SELECT FROM journal_pending p
  WHERE p.urgency = ANY(%(urgencies)s) AND p.signal_id = s.id)
ORDER BY s.id LIMIT %(most)s
"""
# 0-99 and, put aside, 100 more
_URGENCIES = [*range(10), *range(100, 110)]

_TEXTED_TWICE = """
SELECT 'incident', incident_id, min(site_id), max(at), 'round ' || (data->>'round')
FROM journal_entry
WHERE incident_id = ANY(%(ids)s) AND what IN ('sms.sent', 'call.announced')
 AND data->>'purpose' = 'ladder' AND at > %(since)s
GROUP BY incident_id, what, data->>'key', data->>'round' HAVING count(*) > 1
ORDER BY incident_id LIMIT %(most)s
"""
_COUNTED_TWICE = """
SELECT 'incident', i.id, i.site_id, i.closed_at, '' FROM incidents_incident i
WHERE i.id = ANY(%(ids)s) AND i.opened_at > %(since)s - interval '30 days' AND (
 (SELECT count(*) FROM contracts_handling h
   WHERE h.incident_id = i.id AND h.tariff = 'handling') > 1
 OR (SELECT count(*) FROM journal_entry e
   WHERE e.incident_id = i.id AND e.what = 'handling.counted') > 1)
ORDER BY i.id LIMIT %(most)s
"""
# S15.3: verified and consulted, or a supervisor's override of something verified; a duress code or
# a cry for help is both. B1: the record says how it was verified, whatever the type.
_POLICE = """
SELECT 'incident', e.incident_id, e.site_id, e.at, e.actor FROM journal_entry e
WHERE e.incident_id = ANY(%(ids)s) AND e.what = 'police.requested' AND e.at > %(since)s AND (
 NOT e.data ? 'method'
 OR (e.type IN ('intrusion', 'sabotage')
  AND NOT EXISTS (SELECT FROM journal_entry d WHERE d.incident_id = e.incident_id AND d.id < e.id
   AND d.what IN ('incident.duress', 'incident.help'))
  AND (NOT EXISTS (SELECT FROM journal_entry v WHERE v.incident_id = e.incident_id
    AND v.id < e.id AND v.what = 'incident.verified')
   OR (coalesce(e.data->>'override', '') <> 'true'
    AND NOT EXISTS (SELECT FROM journal_entry c WHERE c.incident_id = e.incident_id
     AND c.id < e.id AND (c.what = 'phoned.in'
      OR (c.what = 'call.result' AND c.data->>'accepted' = 'true')))))))
ORDER BY e.id LIMIT %(most)s
"""
_OUTCOME = """
SELECT 'incident', id, site_id, closed_at, state FROM incidents_incident
WHERE id = ANY(%(ids)s) AND closed_at IS NOT NULL
 AND (outcome IS NULL OR state <> 'closed' OR owner IS NOT NULL OR due IS NOT NULL)
ORDER BY id LIMIT %(most)s
"""
_FOLD = """
SELECT i.id, i.site_id, i.opened_at, i.state, coalesce(i.outcome, ''), i.type, i.verified_by,
 (SELECT jsonb_agg(jsonb_build_array(e.what, e.type, e.data->>'purpose', e.data->>'outcome',
   e.data->>'by') ORDER BY e.id) FROM journal_entry e
  WHERE e.incident_id = i.id AND e.what = ANY(%(words)s))
FROM incidents_incident i WHERE i.id = ANY(%(ids)s) ORDER BY i.id
"""


def _lost(given: Look) -> Seen:
    """Every signal has its one verdict, or waits for it (M12.1)."""
    mark = given.mark or max(0, _number(LAST_SIGNAL) - _SIGNALS)
    wanted: dict[str, Any] = {
        "mark": mark,
        "step": _SIGNALS,
        "upto": given.now - _UNJUDGED_AFTER,
        "urgencies": _URGENCIES,
        "most": MOST,
        "ids": [finding.id for finding in given.before],
    }
    found = rows(LOST, wanted)
    walked = max((row.id for row in found if row.kind == "mark"), default=0)
    lost = [row for row in found if row.kind != "mark"]
    if given.before:
        lost = [*rows(_STILL_LOST, wanted), *lost]
    return Seen(tuple(lost[:MOST]), max(mark, walked))


def _walk(name: str, clause: str, sql: str, words: tuple[str, ...]) -> Check:
    """A check of the incidents in which one of `words` was written since the last look."""

    def look(given: Look) -> Seen:
        mark, touched = _touched(given, words)
        ids = {*touched, *(finding.id for finding in given.before)}
        found = rows(sql, _wanted(given, ids)) if ids else ()
        return Seen(tuple(found), mark)

    return Check(name, clause, look, (_next_entries(words), (sql, {"most": MOST, "ids": [1, 2]})))


def _wanted(given: Look, ids: set[int]) -> dict[str, Any]:
    return {"ids": sorted(ids), "since": given.now - _REMEMBERED, "most": MOST}


def _next_entries(words: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    return NEXT_ENTRIES, {"mark": 0, "step": _ENTRIES, "words": list(words), "many": _ENTRIES}


def _touched(
    given: Look, words: tuple[str, ...], many: int = _ENTRIES
) -> tuple[int, tuple[int, ...]]:
    """How far the walk comes now, and the incidents with one of `words` on the way."""
    mark = given.mark or max(0, _number(LAST_ENTRY) - _ENTRIES)
    wanted: dict[str, Any] = {
        "mark": mark,
        "step": _ENTRIES,
        "upto": given.now - _SETTLED,
        "words": list(words),
        "many": many,
    }
    with connection.cursor() as cursor:
        cursor.execute(NEXT_ENTRIES, wanted)
        last, touched = cursor.fetchone()
    return last or mark, tuple(touched or ())


def _number(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.fetchone()[0])


def _folded(given: Look) -> Seen:
    """Recently changed incidents are what their journal says; the newest of them, a sample."""
    mark, touched = _touched(given, WORDS, _FOLDED)
    ids = sorted({*touched, *(finding.id for finding in given.before)})
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, {"ids": ids, "words": list(WORDS)})
        found = [finding for row in cursor.fetchall() for finding in _against(*row)]
    return Seen(tuple(found[:MOST]), mark)


def _against(id_: int, site_id: int, opened_at: Any, *rest: Any) -> list[Finding]:
    state, outcome, type_, verified_by, entries = rest
    told = fold(Told(*(word or "" for word in entry)) for entry in _list(entries))
    found = differences(told, Folded(state, outcome, type_, verified_by))
    return [Finding("incident", id_, site_id, opened_at, "; ".join(found))] if found else []


def _list(entries: Any) -> list[list[str | None]]:
    """jsonb as the connection gives it: read already, or text."""
    from json import loads

    return (loads(entries) if isinstance(entries, str) else entries) or []


CHECKS: tuple[Check, ...] = (
    Check(
        "signal_without_verdict",
        "M12.1",
        _lost,
        (
            (LAST_SIGNAL, {}),
            (LOST, {"mark": 0, "step": _SIGNALS, "urgencies": _URGENCIES, "most": MOST}),
            (_STILL_LOST, {"ids": [1, 2], "urgencies": _URGENCIES, "most": MOST}),
        ),
    ),
    _walk("texted_twice", "S7.2", _TEXTED_TWICE, ("sms.sent", "call.announced")),
    _walk("counted_twice", "M8.1", _COUNTED_TWICE, ("handling.counted", "incident.closed")),
    _walk("police_unverified", "S15.3", _POLICE, ("police.requested",)),
    _walk("closed_without_outcome", "M12.2", _OUTCOME, ("incident.closed",)),
    Check(
        "not_as_told",
        "M12.3",
        _folded,
        (
            (LAST_ENTRY, {}),
            _next_entries(WORDS),
            (_FOLD, {"ids": [1, 2], "words": list(WORDS)}),
        ),
    ),
)
