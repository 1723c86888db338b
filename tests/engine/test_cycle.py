"""What workers do: each signal, reply and due row once; nothing stands in the way of another."""

from __future__ import annotations

import contextlib
import logging
import threading
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from meldkamer.agenda.models import AgendaRow
from meldkamer.contracts import commands as contracts
from meldkamer.contracts.models import TestMode
from meldkamer.engine import acts, cycle, house_keeping
from meldkamer.incidents.deciding import judging, pending
from meldkamer.incidents.locking import lock_site
from meldkamer.incidents.messages import texting
from meldkamer.incidents.models import Incident, Notice, Verdict
from meldkamer.incidents.telephone import incoming
from meldkamer.journal import seal
from meldkamer.journal.models import Entry
from meldkamer.notify import commands as notify
from meldkamer.notify import inbox
from meldkamer.notify.models import InboundMessage, OutboxMessage
from meldkamer.notify.sandbox import all_sandbox
from meldkamer.project.worker import Worker
from meldkamer.rules import ladder
from meldkamer.rules.facts import IncidentFacts
from tests.incidents.together import faults, together
from tests.incidents.town import CODES, NOW, Town, at, row_of, run, told


def waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM journal_pending")
        return int(cursor.fetchone()[0])


@pytest.mark.clause("M12.1")
@pytest.mark.django_db(transaction=True)
def test_two_workers_give_each_signal_one_verdict(committed_town: Town) -> None:
    town = committed_town
    sites = [town.build_site(f"Site {n}", codes=False) for n in range(4)]
    for number in range(24):
        town.signal(zone=str(number % 2 + 1), site=sites[number % 4])
    results = together(*[partial(cycle.judge_all, NOW)] * 3)
    assert faults(results) == []
    assert sum(results) == 24
    assert waiting() == 0
    assert Verdict.objects.count() == 24
    assert Incident.objects.count() == 4
    assert Verdict.objects.filter(verdict="opened").count() == 4
    assert len(told("signal.received")) == 24


@pytest.mark.clause("M12.1")
@pytest.mark.django_db(transaction=True)
def test_two_workers_consume_a_reply_once_and_hand_a_message_over_once(
    committed_town: Town,
) -> None:
    town = committed_town
    town.signal("battery", "YT")
    cycle.judge_all(NOW)
    seen: list[int] = []
    carrier = {"sms": lambda message, now: seen.append(message.pk)}
    results = together(*[partial(cycle.hand_over, carrier, NOW)] * 3)
    assert faults(results) == []
    assert (sum(results), len(seen)) == (1, 1)
    text = OutboxMessage.objects.get()
    assert (text.state, text.attempts) == ("handed_over", 1)
    inbox.store_inside(text.address, "ok", at(5), "ref-1")
    inbox.store_inside(text.address, "ok", at(5), "ref-1")
    results = together(*[partial(cycle.consume_all, at(5))] * 3)
    assert faults(results) == []
    assert sum(results) == 1
    assert len(told("sms.received")) == 1
    assert Incident.objects.get().outcome == "confirmed_by_sms"


@pytest.mark.clause("M12.1")
def test_a_signal_that_cannot_be_judged_stops_no_other(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, other = town.signal(), town.signal("fire", "FA", zone="2")
    real = judging._judge

    def judge(asked: Any, *more: Any) -> Any:
        if asked.row.pk == poison:
            Incident.objects.create(zone="x" * 1000, provider=town.provider, site=town.site)
        return real(asked, *more)

    monkeypatch.setattr(judging, "_judge", judge)
    with pytest.raises(Exception, match=r"null value|too long"):
        cycle.judge_all(NOW)
    assert cycle.judge_all(NOW) == 1
    assert set(Verdict.objects.values_list("signal_id", flat=True)) == {other}
    assert waiting() == 1
    notice = Notice.objects.get(kind="not_judged")
    assert (notice.signal_id, notice.site) == (poison, town.site)
    assert pending.oldest() is None  # what is due goes on
    monkeypatch.setattr(judging, "_judge", real)
    run(at(60))
    assert waiting() == 0
    assert Verdict.objects.get(signal_id=poison).verdict == "opened"


@pytest.mark.clause("M12.1")
def test_one_faulty_signal_of_many_is_put_aside_and_the_others_are_judged(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites = [town.build_site(f"Site {n}", codes=False) for n in range(6)]
    signals = [town.signal(site=site) for site in sites]
    real = judging._judge

    def judge(asked: Any, *more: Any) -> Any:
        if asked.row.pk == signals[3]:
            raise ValueError("cannot be judged")
        return real(asked, *more)

    monkeypatch.setattr(judging, "_judge", judge)
    with pytest.raises(ValueError, match="cannot be judged"):
        cycle.judge_all(NOW)
    cycle.judge_all(NOW)
    judged = set(Verdict.objects.values_list("signal_id", flat=True))
    assert judged == set(signals) - {signals[3]}
    assert Notice.objects.get(kind="not_judged").signal_id == signals[3]
    assert Incident.objects.count() == len(told("incident.opened")) == 5


@pytest.mark.clause("M12.1")
def test_signals_judged_together_are_judged_as_one_after_the_other(town: Town) -> None:
    """Several of one site stand between those of others; types, joins and order stay the same."""
    outcomes = []
    for together_ in (1, 50):
        with transaction.atomic():
            sites = [town.build_site(f"Site {together_} {n}", codes=False) for n in range(4)]
            for number in range(14):
                site, zone = sites[number * number % 4], str(number // 2 % 2 + 1)
                kind = ("intrusion", "BA") if number % 3 else ("battery", "YT")
                town.signal(*kind, zone=zone, site=site)
            assert cycle.judge_all(NOW, together=together_) == 14
            rows = Entry.objects.filter(site_id__in=[site.pk for site in sites]).order_by("id")
            first = min(site.pk for site in sites)
            outcomes.append(
                [(e.site_id - first, e.what, e.type, e.clause, e.reason) for e in rows if e.site_id]
            )
    assert outcomes[0] == outcomes[1]
    assert any(what == "incident.verified" for _, what, *_ in outcomes[0])


@pytest.mark.clause("S15.1")
@pytest.mark.django_db(transaction=True)
def test_a_site_in_use_delays_no_other_and_keeps_its_signals(committed_town: Town) -> None:
    town = committed_town
    sites = [town.build_site(f"Site {n}", codes=False) for n in range(3)]
    for site in sites:
        town.signal("battery", "YT", site=site)
    held, judged = threading.Event(), threading.Event()

    def somebody_works() -> None:
        with transaction.atomic():
            lock_site(sites[0].pk)
            held.set()
            judged.wait(10)

    def worker() -> int:
        held.wait(10)
        try:
            return judging.judge_next(NOW, 50)
        finally:
            judged.set()

    assert together(somebody_works, worker) == [None, 2]
    assert waiting() == 1
    assert cycle.judge_all(NOW) == 1


@pytest.mark.clause("S15.1")
def test_security_is_judged_first_and_never_together_with_a_technical_signal(town: Town) -> None:
    sites = [town.build_site(f"Site {n}", codes=False) for n in range(3)]
    for site in sites:
        town.signal("power", "AT", site=site)
    burglary = town.signal()
    assert judging.judge_next(NOW, 50) == 1
    assert Verdict.objects.get().signal_id == burglary
    assert judging.judge_next(NOW, 50, upto=2) == 0
    assert judging.judge_next(NOW, 50) == 3


@pytest.mark.clause("M12.1")
def test_a_signal_that_stays_faulty_is_tried_for_ever_and_is_visible(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal = town.signal()

    def judge(*judged: Any) -> None:
        raise ValueError("cannot be judged")

    monkeypatch.setattr(judging, "_judge", judge)
    for now in (NOW, at(60), at(400), at(1000)):
        for step in (cycle.judge_all, cycle.act_on_due):
            try:
                step(now)
            except ValueError:
                logging.debug("as expected")
    row = AgendaRow.objects.get(subject=f"signal:{signal}", done_at=None)
    assert row.attempts == 3
    assert "cannot be judged" in row.last_fault
    assert waiting() == 1
    assert Notice.objects.filter(kind="not_judged").count() == 1


@pytest.mark.clause("M12.1", "S10.7")
def test_a_zone_number_of_any_length_opens_an_incident(town: Town) -> None:
    town.signal(zone="9" * 300, code="B" * 200)
    cycle.judge_all(NOW)
    assert Incident.objects.get().state == "queued"


@pytest.mark.clause("M12.1")
def test_a_reply_that_cannot_be_consumed_stops_no_other(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = inbox.store_inside("+32475000001", "?", NOW)
    second = inbox.store_inside("+32475000002", "?", NOW)
    real = texting._consume

    def consume(message: InboundMessage, now: Any) -> None:
        if message.pk == first:
            raise ValueError("cannot be read")
        real(message, now)

    monkeypatch.setattr(texting, "_consume", consume)
    with pytest.raises(ValueError, match="cannot be read"):
        cycle.consume_all(NOW)
    assert cycle.consume_all(NOW) == 1
    assert InboundMessage.objects.get(pk=second).consumed_at == NOW
    assert Notice.objects.filter(kind="reply").count() == 2
    monkeypatch.setattr(texting, "_consume", real)
    run(at(60))
    assert InboundMessage.objects.get(pk=first).consumed_at == at(60)


@pytest.mark.clause("M12.1")
def test_messages_that_no_carrier_takes_stand_in_nobodys_way(town: Town) -> None:
    def send(address: str, channel: str = "sms") -> OutboxMessage:
        return notify.send(
            channel, "app", address=address, recipient="An", language="nl", clause="S7.1",
            provider_id=town.site.provider_id, now=NOW,
            facts={"provider": "P", "site": "S", "type": "battery", "zone": ""},
        )  # fmt: skip

    refused = [send("x", "pigeon") for _ in range(121)]
    nowhere = send("")
    good = send("+32475000001")
    for _ in range(4):
        cycle.hand_over(all_sandbox(), NOW)
    good.refresh_from_db()
    assert good.state == "handed_over"
    for message in refused:
        message.refresh_from_db()
        assert message.state == "pending"
        assert message.attempts >= 1
        assert message.last_fault
    nowhere.refresh_from_db()
    assert (nowhere.state, nowhere.attempts) == ("failed", 1)


@pytest.mark.clause("M12.1")
def test_a_faulty_row_does_not_make_the_worker_think_that_the_database_is_away(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(now: Any) -> int:
        Incident.objects.create(site=town.site)
        return 1

    assert Worker()._guarded(fail) == 0


# --- after a time without workers


@pytest.mark.clause("S10.1")
def test_a_restore_that_came_in_time_counts_however_late_it_is_judged(town: Town) -> None:
    town.signal("power", "AT", zone="0")
    run(NOW)
    assert Incident.objects.get().state == "waiting"
    town.signal("restore", "AR", zone="0", role="restore", restores="power", when=at(1800))
    # no worker until an hour later, and then the agenda is looked at first
    assert cycle.act_on_due(at(3600)) == 0
    run(at(3600))
    assert Incident.objects.get().outcome == "restored"


@pytest.mark.clause("S10.3")
def test_a_test_message_that_came_in_time_is_not_missed_however_late_it_is_judged(
    town: Town,
) -> None:
    from meldkamer.watch.commands import watch_line_tests

    town.site.test_period_s, town.site.test_wait_s = 3600, 600
    town.site.save()
    watch_line_tests(town.site, NOW, NOW)
    town.signal("line_test", "RP", role="test_message", zone=None, when=at(3600))
    assert cycle.act_on_due(at(5000)) == 0
    run(at(5000))
    assert not told("line_test.missed")
    run(at(7800))
    assert len(told("line_test.missed")) == 1


@pytest.mark.clause("S7.2")
def test_a_reply_that_came_in_time_is_in_time_however_late_it_is_read(town: Town) -> None:
    town.signal("battery", "YT")
    run(NOW)
    inbox.store_inside(town.contact().phone, "ok", at(90))
    assert cycle.act_on_due(at(600)) == 0
    run(at(600))
    assert Incident.objects.get().outcome == "confirmed_by_sms"
    assert len(told("sms.sent")) == 1


@pytest.mark.clause("S20.1")
def test_a_test_ends_even_if_every_process_was_dead_then(town: Town) -> None:
    incoming.someone_calls(
        town.emma, town.site.pk, town.key(), CODES[0], "start_test", NOW, duration_s=3600
    )
    town.signal("intrusion", when=at(1800))
    town.signal("fire", "FA", zone="2", when=at(1801))
    during = town.signal("medical", "MA", zone=None, when=at(3599))
    after = town.signal("sabotage", "TA", zone="1", when=at(3601))
    run(at(7200))  # the first worker in two hours
    test = TestMode.objects.get()
    assert test.ended_at == at(7200)
    assert len(told("test.ended")) == 1
    assert {held.reason for held in told("signal.held")} == {"test"}
    assert Verdict.objects.get(signal_id=during).verdict == "held"
    assert Verdict.objects.get(signal_id=after).verdict == "opened"
    reopened = set(Incident.objects.values_list("type", flat=True))
    assert reopened == {"sabotage", "fire", "medical"}  # unrestored ones, and what came after
    run(at(7300))
    assert len(told("test.ended")) == 1


@pytest.mark.clause("S4.3", "D903.1")
def test_states_that_end_do_so_once_after_a_time_without_workers(town: Town) -> None:
    site = lock_site(town.site.pk)
    begun = at(10) - timedelta(days=14)
    from meldkamer.incidents.deciding.facts import terms_of

    contracts.activate(site, terms_of(site), begun, NOW)
    contracts.put_in_force(site, at(20), NOW)
    for now in (at(9), at(500), at(500), at(900)):
        run(now)
    assert [entry.at for entry in told("trial.ended")] == [at(500)]
    assert [entry.at for entry in told("service.in_force")] == [at(500)]


@pytest.mark.clause("M12.2")
def test_a_worker_that_starts_puts_back_what_is_missing_from_the_agenda(town: Town) -> None:
    incident = town.incident()
    row_of(incident).delete()
    house_keeping.begin(NOW)
    house_keeping.begin(NOW)
    assert row_of(incident).due == incident.due
    recurring = AgendaRow.objects.filter(kind__startswith="journal.", done_at=None)
    assert recurring.count() == 2


@pytest.mark.clause("M12.2")
def test_a_backlog_of_power_failures_holds_back_nothing_of_another_site(town: Town) -> None:
    burglary = town.incident()
    due = row_of(burglary).due
    other = town.build_site("Elsewhere", codes=False)
    town.signal("power", "AT", site=other, when=due - timedelta(seconds=5))
    late = due + timedelta(seconds=9)
    assert cycle.act_on_due(late) == 1  # and the power failure is still not judged
    assert waiting() == 1
    assert row_of(burglary).due > due


@pytest.mark.clause("S10.1")
def test_what_is_due_at_a_site_waits_for_the_signal_that_came_there_before(town: Town) -> None:
    failure = town.incident("power")
    due = row_of(failure).due
    town.signal("restore", "AR", role="restore", restores="power", when=due - timedelta(seconds=1))
    late = due + timedelta(seconds=60)
    assert cycle.act_on_due(late) == 0
    run(late)
    failure.refresh_from_db()
    assert failure.outcome == "restored"


@pytest.mark.clause("S15.1")
def test_of_too_much_that_is_due_the_burglary_comes_first(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cycle, "_LOOK", 5)
    monkeypatch.setattr(cycle, "_SLICE", 3)
    sites = [town.build_site(f"Site {n}", codes=False) for n in range(8)]
    for site in sites:
        town.signal("battery", "YT", site=site)
    cycle.judge_all(NOW)
    burglary = town.incident(when=at(30))
    row = row_of(burglary)
    late = max(AgendaRow.objects.filter(done_at=None).values_list("due", flat=True)) + timedelta(
        seconds=1
    )
    assert cycle.act_on_due(late) == 3
    assert row_of(burglary).pk != row.pk or row_of(burglary).due > row.due


def test_a_step_of_the_cycle_ends_when_its_time_is_over(town: Town) -> None:
    for number in range(4):
        town.signal("battery", "YT", site=town.build_site(f"Site {number}", codes=False))
    cycle.judge_all(NOW)
    late = at(30 * 86_400)
    assert cycle.act_on_due(late, within_s=0) == 1


def test_what_is_old_is_forgotten_in_parts_and_the_rest_soon(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A storm of a month ago must not keep today's alarm waiting."""
    monkeypatch.setattr(acts, "PURGE_MOST", 3)
    monkeypatch.setattr(seal, "PURGE_MOST", 3)
    house_keeping.begin(NOW)
    run(NOW)
    AgendaRow.objects.bulk_create(
        AgendaRow(
            kind="incident.due", subject=f"incident:{n}", due=NOW, created_at=NOW,
            done_at=NOW - timedelta(days=31),
        )
        for n in range(7)
    )  # fmt: skip
    left = []
    for seconds in (3600, 3602, 3604, 3606):
        run(at(seconds))
        left.append(AgendaRow.objects.filter(done_at__lt=NOW - timedelta(days=30)).count())
    assert left == [4, 1, 0, 0]
    assert AgendaRow.objects.get(kind="journal.purge", done_at=None).due == at(3604 + 3600)


def _batteries(town: Town, count: int) -> list[Incident]:
    for number in range(count):
        site = town.site if not number else town.build_site(f"Site {number}")
        town.signal("battery", code="YT", site=site)
    cycle.judge_all(NOW)
    return list(Incident.objects.order_by("pk"))


@pytest.mark.clause("S7.2")
def test_incidents_that_are_due_together_do_what_each_would_do_alone(town: Town) -> None:
    incidents = _batteries(town, 4)
    assert cycle.act_on_due(at(90), together=50) == 4
    for incident in incidents:
        incident.refresh_from_db()
        assert [entry.clause for entry in told("sms.sent", incident)] == ["S7.1", "S7.2"]
        assert (incident.due, row_of(incident).due) == (at(180), at(180))
    assert cycle.act_on_due(at(90), together=50) == 0


@pytest.mark.clause("M12.2")
def test_one_incident_at_fault_keeps_no_other_from_its_turn(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    incidents = _batteries(town, 3)
    climb = ladder.climb

    def climbs(facts: IncidentFacts, *more: Any, **most: Any) -> Any:
        if facts.id == incidents[0].pk:
            raise ValueError("a fault of this one alone")
        return climb(facts, *more, **most)

    monkeypatch.setattr("meldkamer.incidents.deciding.due.ladder.climb", climbs)
    for _ in range(3):
        with contextlib.suppress(ValueError):
            cycle.act_on_due(at(90), together=50)
    texts = [len(told("sms.sent", incident)) for incident in incidents]
    assert texts == [1, 2, 2]
    row = row_of(incidents[0])
    assert row.due > at(90)
    assert "a fault of this one alone" in row.last_fault


def test_two_incidents_of_one_site_are_never_due_in_one_transaction(town: Town) -> None:
    town.signal("battery", code="YT")
    town.signal("line_test", code="", zone=None)
    cycle.judge_all(NOW)
    rows = list(AgendaRow.objects.filter(kind="incident.due", done_at=None, due=at(90)))
    assert len(rows) == 2
    assert cycle.act_on_due(at(90), together=50) == 1
    assert cycle.act_on_due(at(90), together=50) == 1
