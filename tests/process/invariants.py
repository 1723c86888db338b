"""What must hold in the tables at every moment, and what once all has settled (M12.1, M12.2).

`at_any_moment` may be asked of any committed snapshot, also while processes are being killed;
`when_settled` only after the workers had time to catch up. Each returns sentences, one per fault; a
right database gives none. Every query here has a planted fault in test_invariants.py that it finds.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql

#: fault: a query that returns the offenders, none when all is well
ANY_MOMENT = {
    "a signal has neither a verdict nor waits for one": """
        SELECT s.id FROM journal_signal s
        WHERE NOT EXISTS (SELECT FROM journal_pending p WHERE p.signal_id = s.id)
          AND NOT EXISTS (SELECT FROM incidents_verdict v WHERE v.signal_id = s.id)""",
    "a signal has a verdict and still waits for one": """
        SELECT signal_id FROM journal_pending JOIN incidents_verdict USING (signal_id)""",
    "a verdict is about no signal": """
        SELECT v.signal_id FROM incidents_verdict v
        WHERE NOT EXISTS (SELECT FROM journal_signal s WHERE s.id = v.signal_id)""",
    "a signal was told as received other than once": """
        SELECT s.id, count(e.id) FROM journal_signal s
        JOIN incidents_verdict v ON v.signal_id = s.id
        LEFT JOIN journal_entry e ON e.signal_id = s.id AND e.what = 'signal.received'
        WHERE s.origin = 'frame' GROUP BY s.id HAVING count(e.id) <> 1""",
    "an open incident is without owner or due time": """
        SELECT id FROM incidents_incident
        WHERE closed_at IS NULL AND (owner IS NULL OR due IS NULL)""",
    "an open incident has other than one open agenda row": """
        SELECT i.id, count(a.id) FROM incidents_incident i
        LEFT JOIN agenda_agendarow a ON a.kind = 'incident.due' AND a.done_at IS NULL
          AND a.subject = 'incident:' || i.id
        WHERE i.closed_at IS NULL GROUP BY i.id HAVING count(a.id) <> 1""",
    "the agenda has another due time than the incident": """
        SELECT i.id FROM incidents_incident i JOIN agenda_agendarow a
          ON a.kind = 'incident.due' AND a.done_at IS NULL AND a.subject = 'incident:' || i.id
        WHERE i.closed_at IS NULL AND a.attempts = 0 AND a.due <> i.due""",
    "a closed incident is still on the agenda": """
        SELECT i.id FROM incidents_incident i JOIN agenda_agendarow a
          ON a.kind = 'incident.due' AND a.done_at IS NULL AND a.subject = 'incident:' || i.id
        WHERE i.closed_at IS NOT NULL""",
    "two open incidents of one site and kind": """
        SELECT site_id, type, CASE WHEN type = 'open_close' THEN area END
        FROM incidents_incident WHERE closed_at IS NULL GROUP BY 1, 2, 3 HAVING count(*) > 1""",
    "an incident was opened other than once": """
        SELECT i.id, count(e.id) FROM incidents_incident i LEFT JOIN journal_entry e
          ON e.incident_id = i.id AND e.what = 'incident.opened'
        GROUP BY i.id HAVING count(e.id) <> 1""",
    "an incident was closed other than once": """
        SELECT i.id, count(e.id) FROM incidents_incident i LEFT JOIN journal_entry e
          ON e.incident_id = i.id AND e.what = 'incident.closed'
        GROUP BY i.id HAVING count(e.id) <> (i.closed_at IS NOT NULL)::int""",
    "a contact was texted twice on one rung of the ladder": """
        SELECT incident_id, data ->> 'key', data ->> 'round' FROM journal_entry
        WHERE what = 'sms.sent' AND data ->> 'purpose' = 'ladder'
        GROUP BY 1, 2, 3 HAVING count(*) > 1""",
    "a wait ended more often than it began": """
        SELECT incident_id FROM journal_entry WHERE what IN ('incident.waiting', 'incident.waited')
        GROUP BY incident_id, data ->> 'for'
        HAVING count(*) FILTER (WHERE what = 'incident.waited')
             > count(*) FILTER (WHERE what = 'incident.waiting')""",
    "a trial ended twice": """
        SELECT site_id FROM journal_entry WHERE what = 'trial.ended'
        GROUP BY site_id HAVING count(*) > 1""",
    "a contract came into force twice": """
        SELECT site_id FROM journal_entry WHERE what = 'service.in_force'
        GROUP BY site_id HAVING count(*) > 1""",
    "a test ended other than once": """
        SELECT t.id, count(e.id) FROM contracts_testmode t LEFT JOIN journal_entry e
          ON e.what = 'test.ended' AND (e.data ->> 'test')::bigint = t.id
        GROUP BY t.id HAVING count(e.id) <> (t.ended_at IS NOT NULL)::int""",
    "two operators had one incident at a time": """
        SELECT incident_id FROM (
          SELECT incident_id, what, lag(what) OVER (PARTITION BY incident_id ORDER BY id) AS before
          FROM journal_entry WHERE what IN ('incident.taken', 'incident.taken_over',
            'incident.queued', 'incident.waiting', 'incident.opened', 'incident.closed')) AS course
        WHERE what = 'incident.taken' AND before IN ('incident.taken', 'incident.closed')""",
    "a message was handed over other than once": """
        SELECT id FROM notify_outboxmessage WHERE state = 'handed_over'
          AND (attempts <> 1 OR handed_over_at IS NULL)""",
    "a message is in the journal other than once": """
        SELECT m.id, count(e.id) FROM notify_outboxmessage m LEFT JOIN journal_entry e
          ON e.what IN ('sms.sent', 'app.sent', 'mail.sent')
          AND (e.data ->> 'message')::bigint = m.id
        GROUP BY m.id HAVING count(e.id) <> 1""",
    "a reply is in the journal other than once": """
        SELECT m.id, count(e.id) FROM notify_inboundmessage m LEFT JOIN journal_entry e
          ON e.what = 'sms.received' AND (e.data ->> 'message')::bigint = m.id
        GROUP BY m.id HAVING count(e.id) <> (m.consumed_at IS NOT NULL)::int""",
    "a handling was counted other than once": """
        SELECT incident_id FROM (
          SELECT incident_id, count(*) AS told FROM journal_entry
          WHERE what = 'handling.counted' GROUP BY incident_id) AS counted
        FULL JOIN contracts_handling h USING (incident_id)
        WHERE told IS DISTINCT FROM 1 OR h.id IS NULL""",
}
SETTLED = {
    "a signal still waits for its verdict": "SELECT signal_id FROM journal_pending",
    "a message was not handed over": """
        SELECT id FROM notify_outboxmessage WHERE state <> 'handed_over'""",
    "a reply was not consumed": """
        SELECT id FROM notify_inboundmessage WHERE consumed_at IS NULL""",
    "something due was not done": """
        SELECT id, kind, subject FROM agenda_agendarow
        WHERE done_at IS NULL AND due < clock_timestamp() - interval '3 s'""",
    "an act failed": """
        SELECT id, kind, right(last_fault, 300) FROM agenda_agendarow WHERE last_fault <> ''""",
}


def at_any_moment(connection: psycopg.Connection[Any]) -> list[str]:
    """Faults in this snapshot of the tables."""
    return _faults(connection, ANY_MOMENT)


def when_settled(connection: psycopg.Connection[Any]) -> list[str]:
    """Faults when nothing may be left to do; the journal's chain is sealed and checked as well."""
    return _faults(connection, SETTLED) + _faults(connection, ANY_MOMENT) + _chain(connection)


def _faults(connection: psycopg.Connection[Any], queries: dict[str, str]) -> list[str]:
    found = []
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for sentence, query in queries.items():
            rows = connection.execute(sql.SQL(query)).fetchall()  # type: ignore[arg-type]
            if rows:
                found.append(f"{sentence}: {rows[:3]} ({len(rows)} in all)")
    return found


def _chain(connection: psycopg.Connection[Any]) -> list[str]:
    from meldkamer.journal.seal import seal_all
    from meldkamer.journal.verify import verify_all

    seal_all(connection, datetime.now(UTC))
    return [str(table.broken) for table in verify_all(connection) if table.broken is not None]
