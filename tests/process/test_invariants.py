"""Every invariant of the checker, against a planted fault that it must find: its red twin.

The fault is planted by the owner of the tables with the constraints out of the way, in a town whose
tables were right before. That the chain finds a changed row is tested with the chain, in the
journal's own tests.
"""

from __future__ import annotations

import psycopg
import pytest
from django.db import connection

from meldkamer.contracts import commands as contracts
from meldkamer.incidents import commands
from meldkamer.incidents.telephone import incoming
from meldkamer.notify import inbox
from tests.incidents.conftest import committed_town
from tests.incidents.town import NOW, Town, at, run
from tests.process import invariants

__all__ = ["committed_town"]

ENTRY = (
    "INSERT INTO journal_entry (at, site_id, incident_id, signal_id, what, type, data)"
    " SELECT at, site_id, incident_id, signal_id, what, type, data FROM journal_entry"
)
#: fault of the checker: what is planted
PLANTED = {
    "a signal has neither a verdict nor waits for one": "DELETE FROM incidents_verdict",
    "a signal has a verdict and still waits for one": (
        "INSERT INTO journal_pending SELECT signal_id, at, 1 FROM incidents_verdict LIMIT 1"
    ),
    "a verdict is about no signal": (
        "INSERT INTO incidents_verdict (signal_id, at, verdict, reason, clause)"
        " VALUES (987654321, now(), 'opened', '', '')"
    ),
    "a signal was told as received other than once": (
        f"{ENTRY} WHERE what = 'signal.received' LIMIT 1"
    ),
    "an open incident is without owner or due time": (
        "UPDATE incidents_incident SET owner = NULL WHERE closed_at IS NULL"
    ),
    "an open incident has other than one open agenda row": (
        "UPDATE agenda_agendarow SET done_at = now() WHERE kind = 'incident.due'"
    ),
    "the agenda has another due time than the incident": (
        "UPDATE agenda_agendarow SET due = due + interval '1 h' WHERE kind = 'incident.due'"
    ),
    "a closed incident is still on the agenda": (
        "INSERT INTO agenda_agendarow (kind, subject, due, rank, payload, created_at, attempts,"
        " last_fault) SELECT 'incident.due', 'incident:' || id, now(), 1, '{}', now(), 0, ''"
        " FROM incidents_incident WHERE closed_at IS NOT NULL LIMIT 1"
    ),
    "two open incidents of one site and kind": (
        "UPDATE incidents_incident SET type = 'intrusion', priority = 1 WHERE closed_at IS NULL"
    ),
    "an incident was opened other than once": f"{ENTRY} WHERE what = 'incident.opened' LIMIT 1",
    "an incident was closed other than once": f"{ENTRY} WHERE what = 'incident.closed' LIMIT 1",
    "a contact was texted twice on one rung of the ladder": (
        f"{ENTRY} WHERE what = 'sms.sent' AND data ->> 'purpose' = 'ladder' LIMIT 1"
    ),
    "a wait ended more often than it began": f"{ENTRY} WHERE what = 'incident.waited' LIMIT 1",
    "a trial ended twice": f"{ENTRY} WHERE what = 'trial.ended' LIMIT 1",
    "a contract came into force twice": f"{ENTRY} WHERE what = 'service.in_force' LIMIT 1",
    "a test ended other than once": f"{ENTRY} WHERE what = 'test.ended' LIMIT 1",
    "two operators had one incident at a time": f"{ENTRY} WHERE what = 'incident.taken' LIMIT 1",
    "a message was handed over other than once": (
        "UPDATE notify_outboxmessage SET attempts = 2 WHERE state = 'handed_over'"
    ),
    "a message is in the journal other than once": f"{ENTRY} WHERE what = 'sms.sent' LIMIT 1",
    "a reply is in the journal other than once": f"{ENTRY} WHERE what = 'sms.received' LIMIT 1",
    "a handling was counted other than once": f"{ENTRY} WHERE what = 'handling.counted' LIMIT 1",
    "a signal still waits for its verdict": (
        "INSERT INTO journal_pending SELECT signal_id, at, 1 FROM incidents_verdict LIMIT 1"
    ),
    "a message was not handed over": "UPDATE notify_outboxmessage SET state = 'pending'",
    "a reply was not consumed": "UPDATE notify_inboundmessage SET consumed_at = NULL",
    "something due was not done": (
        "INSERT INTO agenda_agendarow (kind, subject, due, rank, payload, created_at, attempts,"
        " last_fault) VALUES ('x', 'y', now() - interval '5 s', 1, '{}', now(), 0, '')"
    ),
    "an act failed": "UPDATE agenda_agendarow SET last_fault = 'Traceback' WHERE done_at IS NULL",
}


def lived_in(town: Town) -> None:
    """A town in which each thing happened that the checker looks at."""
    from meldkamer.incidents.deciding.facts import terms_of

    terms = terms_of(town.site)
    contracts.activate(town.site, terms, at(5 - 14 * 86_400), NOW)
    contracts.put_in_force(town.site, at(5), NOW)
    contracts.start_test(town.site, at(3), NOW, by="An", types=["medical"])
    run(at(10))
    town.signal("battery", "YT", when=at(10))
    town.signal("power", "AT", when=at(10))
    run(at(10))
    inbox.store_inside(town.contact().phone, "?", at(20), "r1")
    run(at(20))
    town.signal("intrusion", when=at(30))
    run(at(30))
    taken = commands.take_next(town.emma, at(30))
    assert taken is not None
    incoming.someone_calls(None, town.site.pk, "", "", "false_alarm", at(31), identity="right")
    town.signal("sabotage", "TA", when=at(40))
    town.signal("fire", "FA", when=at(40))
    run(at(1900))


@pytest.mark.clause("M12.1", "M12.2", "M12.3")
@pytest.mark.django_db(transaction=True)
def test_the_checker_finds_every_planted_fault_and_none_in_a_town_that_is_right(
    committed_town: Town, test_dsn: str
) -> None:
    lived_in(committed_town)
    sentences = invariants.ANY_MOMENT.keys() | invariants.SETTLED.keys()
    assert set(PLANTED) == sentences, "each invariant has its red twin"
    with connection.cursor() as cursor:  # the town lived in another year: nothing of it is due
        cursor.execute("UPDATE agenda_agendarow SET due = due + interval '50 y', attempts = 0")
        cursor.execute("UPDATE incidents_incident SET due = due + interval '50 y'")
    with psycopg.connect(test_dsn, autocommit=True) as owner:
        assert invariants.at_any_moment(owner) == []
        assert invariants.when_settled(owner) == []
        for sentence, fault in PLANTED.items():
            found = planted(owner, fault)
            assert any(line.startswith(sentence) for line in found), (sentence, found)


def planted(owner: psycopg.Connection[tuple[object, ...]], fault: str) -> list[str]:
    """What the checker finds with the fault planted; the fault is taken away again."""

    class Away(Exception):
        pass

    found: list[str] = []
    try:
        with owner.transaction():
            for table, constraint in (
                ("incidents_incident", "open_has_owner_and_due_closed_has_outcome"),
                ("incidents_incident", "only_open_close_has_an_area"),
            ):
                owner.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")  # type: ignore[arg-type]
            owner.execute("DROP INDEX one_open_incident_per_site_and_kind")
            changed = owner.execute(fault).rowcount  # type: ignore[arg-type]
            assert changed > 0, f"nothing was planted: {fault}"
            for queries in (invariants.ANY_MOMENT, invariants.SETTLED):
                for sentence, query in queries.items():
                    if owner.execute(query).fetchall():  # type: ignore[arg-type]
                        found.append(sentence)
            raise Away
    except Away:
        return found
