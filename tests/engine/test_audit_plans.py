"""What the auditor costs in a big house: no big table is read whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from meldkamer.engine.audit import run as audits
from tests.incidents.town import NOW, Town

pytestmark = pytest.mark.slow

#: rows of each big table; the smaller ones may be read whole
_MANY, _SOME = 40_000, 5_000
_SMALL = 2_000
_FILL = (
    # signals, most of them judged long ago
    "INSERT INTO journal_signal (received_at, site_id, origin, code, role, type)"
    " SELECT %(now)s - make_interval(secs => %(many)s - n), %(site)s, 'frame', 'BA', 'event',"
    " 'intrusion' FROM generate_series(1, %(many)s) AS n",
    "INSERT INTO incidents_verdict (signal_id, at, verdict, reason, clause)"
    " SELECT id, received_at, 'journaled', '', 'M1.1' FROM journal_signal"
    " WHERE received_at < %(now)s - interval '70 s'",
    "INSERT INTO journal_pending SELECT id, received_at, 3 FROM journal_signal"
    " WHERE received_at >= %(now)s - interval '70 s'",
    # incidents, all but a few hundred closed
    "INSERT INTO incidents_incident (provider_id, site_id, type, area, priority, opened_at, state,"
    " owner, due, closed_at, outcome, wait_for, rung, in_trial, verified_by, origin, zone, code,"
    " terms, procedure, unseen, version)"
    " SELECT %(provider)s, %(site)s, 'power', '', 3, %(now)s - make_interval(secs => n), 'closed',"
    " NULL, NULL, %(now)s, 'restored', '', 0, false, '', 'signal', '', '', '', '{}', 0, 0"
    " FROM generate_series(1, %(many)s) AS n",
    "INSERT INTO journal_entry (at, site_id, incident_id, what, type, data)"
    " SELECT opened_at, site_id, id, w, type, '{}' FROM incidents_incident,"
    " unnest(ARRAY['incident.opened', 'incident.closed']) AS w",
    "INSERT INTO agenda_agendarow (kind, subject, due, rank, payload, created_at, attempts,"
    " last_fault, done_at) SELECT 'line_test.due', 'site:' || n,"
    " %(now)s + make_interval(secs => n), 1, '{}', %(now)s, 0, '',"
    " CASE WHEN n %% 2 = 0 THEN %(now)s::timestamptz END FROM generate_series(1, %(many)s) AS n",
    "INSERT INTO notify_outboxmessage (channel, site_id, incident_id, recipient, address, language,"
    " template, subject, body, clause, created_at, state, attempts, last_fault, first_of_incident,"
    " urgency, carrier_ref, cloud, tried, doubts) SELECT 'sms', %(site)s, id, 'An',"
    " '+32475000001', 'nl', 'ladder', '', '', 'S7.1', opened_at, 'handed_over', 1, '', true, 3,"
    " '', '', '{}', 0"
    " FROM incidents_incident",
    'INSERT INTO notify_inboundmessage (channel, sender, "to", text, carrier_ref,'
    " received_at, consumed_at) SELECT 'sms', '+32475000001', '', 'ok', '', %(now)s, %(now)s"
    " FROM generate_series(1, %(many)s)",
    "INSERT INTO contracts_handling (site_id, incident_id, tariff, period_start, counted_at, used,"
    " included, billable) SELECT %(site)s, id, 'handling', %(now)s, %(now)s, 1, 9, false"
    " FROM incidents_incident",
    "INSERT INTO journal_frame (received_at, transport, raw, disposition)"
    " SELECT %(now)s, 'tcp', '', 'accepted' FROM generate_series(1, %(many)s)",
    # each sealing seals three tables
    "INSERT INTO journal_seal (table_name, last_xact, last_id, rows, hash, sealed_at)"
    " SELECT t, '1'::xid8, 1, 0, '', %(now)s FROM generate_series(1, %(few)s),"
    " unnest(ARRAY['journal_frame', 'journal_signal', 'journal_entry']) AS t",
    # tests, interruptions and outages of years, nearly all of them over
    "INSERT INTO contracts_testmode (site_id, areas, zones, types, reason, asked_by, in_writing,"
    " started_at, until, ended_at, ended_by, summary)"
    " SELECT %(site)s, '{}', '{}', '{}', '', 'An', false, %(now)s, %(now)s + interval '1 h',"
    " CASE WHEN n %% 1000 <> 0 THEN %(now)s::timestamptz END, '', '{}'"
    " FROM generate_series(1, %(many)s) AS n",
    "INSERT INTO contracts_interruption (site_id, kind, clause, types, reason, started_by,"
    " started_at, notice, ended_at, ended_by, end_reason, evidence)"
    " SELECT %(site)s, 'unpaid', 'D908.1', '{}', '', '', %(now)s, '{}', %(now)s, '', '', '{}'"
    " FROM generate_series(1, %(many)s)",
    "INSERT INTO contracts_task (site_id, kind, clause, opened_at, ready_at, round, calling, calls,"
    " detail, closed_at, outcome) SELECT %(site)s, 'suspension_call', 'S12.2', %(now)s, %(now)s, 1,"
    " '{}', '[]', '{}', %(now)s, 'done' FROM generate_series(1, %(some)s)",
    "INSERT INTO notify_patrolunit (provider_id, name, phone, language, has_page, shifts, timezone,"
    " state, reported_at)"
    " VALUES (%(provider)s, 'P1', '', 'nl', true, '[]', 'UTC', 'free', %(now)s)",
    "INSERT INTO notify_patroljob (provider_id, unit_id, site_id, state, offered_at, answer_by,"
    " ended_at, finding, reason, passed, roads) SELECT provider_id, id, %(site)s, 'done', %(now)s,"
    " %(now)s, %(now)s, '', '', '[]', '{}' FROM notify_patrolunit, generate_series(1, %(some)s)",
    # sites, activated long ago
    "INSERT INTO sites_site SELECT (jsonb_populate_record(s, jsonb_build_object('id', 1000000 + n,"
    " 'activated_at', %(now)s - interval '1 y'))).* FROM sites_site s,"
    " generate_series(1, %(some)s) AS n WHERE s.id = %(site)s",
    "INSERT INTO incidents_areaoutage (provider_id, area, postal_code, declared_at, last_power_at,"
    " ended_at, undo_reason) SELECT %(provider)s, '9999', '9999', %(now)s, %(now)s,"
    " CASE WHEN n %% 1000 <> 0 THEN %(now)s::timestamptz END, ''"
    " FROM generate_series(1, %(many)s) AS n",
)


@pytest.fixture(scope="module")
def big_house(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A house after years of work, in a transaction that is rolled back."""
    from django.db import transaction

    with django_db_blocker.unblock():
        try:
            with transaction.atomic():
                town = Town()
                values = {
                    "now": NOW, "many": _MANY, "some": _SOME, "few": _SMALL, "site": town.site.pk,
                    "provider": town.provider.pk,
                }  # fmt: skip
                with connection.cursor() as cursor:
                    for statement in _FILL:
                        cursor.execute(statement, values)
                    cursor.execute("ANALYZE")
                yield
                raise _RollBack
        except _RollBack:
            pass


class _RollBack(Exception):
    pass


def whole_reads(sql: str, parameters: dict[str, Any]) -> list[str]:
    """The tables with many rows that this statement reads from end to end."""
    given = {"now": NOW, "upto": NOW, "since": NOW - timedelta(hours=24), "ids": []} | parameters
    with connection.cursor() as cursor:
        # a walk that is at the present, as it is in a house that works
        cursor.execute("SELECT max(id) - 2000 FROM journal_signal")
        given["mark"] = cursor.fetchone()[0]
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", given)
        found = cursor.fetchone()[0]
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return sorted(_sequential(plan))


def _sequential(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] in ("Seq Scan", "Parallel Seq Scan"):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT reltuples FROM pg_class WHERE relname = %s", [node["Relation Name"]]
            )
            if cursor.fetchone()[0] > _SMALL:
                yield node["Relation Name"]
    for child in node.get("Plans", []):
        yield from _sequential(child)


STATEMENTS = [
    pytest.param(sql, parameters, id=f"{check.name}-{number}")
    for check in audits.CHECKS
    for number, (sql, parameters) in enumerate(check.statements, 1)
]


@pytest.mark.parametrize(("sql", "parameters"), STATEMENTS)
def test_no_big_table_is_read_whole(big_house: None, sql: str, parameters: dict[str, Any]) -> None:
    assert whole_reads(sql, parameters) == []


def test_a_statement_that_reads_a_big_table_whole_is_found(big_house: None) -> None:
    assert whole_reads("SELECT * FROM incidents_incident WHERE unseen > 3", {}) == [
        "incidents_incident"
    ]
    assert whole_reads("SELECT count(*) FROM agenda_agendarow WHERE attempts > 3", {})
