"""A transmitter that sends without end is held back alone and released by itself (D908.3)."""

from __future__ import annotations

from functools import partial

import pytest
from django.db import connection, transaction

from meldkamer.contracts import commands as contracts
from meldkamer.contracts.models import Interruption
from meldkamer.engine import cycle
from meldkamer.incidents.models import Incident, Notice, Verdict
from meldkamer.incidents.service import testing
from meldkamer.journal import store
from meldkamer.journal.records import SignalRecord, detail
from meldkamer.sites.models import Site, Transmitter
from meldkamer.terms.loader import load
from tests.incidents.together import faults, together
from tests.incidents.town import NOW, Town, at, run, told

RULES = load("securitas-2022-05").flood


def transmitter_of(site: Site) -> Transmitter:
    return Transmitter.objects.filter(site=site).order_by("pk")[0]


def send(
    town: Town,
    count: int,
    *,
    first: float = 0,
    step: float = 0.5,
    type: str = "intrusion",
    code: str = "BA",
    transmitter: Transmitter | None = None,
    **more: str,
) -> None:
    sender = transmitter or transmitter_of(town.site)
    for number in range(count):
        town.signal(type, code, when=at(first + number * step), transmitter_id=sender.pk, **more)


@pytest.mark.clause("D908.3")
def test_the_one_too_many_is_held_and_noted_in_the_incident_that_runs(town: Town) -> None:
    send(town, RULES.signals + 5)
    run(at(60))
    incident = Incident.objects.get()
    held = told("signal.held")
    assert len(held) == 5
    assert {(entry.clause, entry.reason) for entry in held} == {("D908.3", "flood")}
    [started] = told("flood.started")
    assert (started.clause, started.incident_id) == ("D908.3", incident.pk)
    assert started.data["signals"] == RULES.signals + 1
    assert started.data["codes"][0]["code"] == "BA"
    row = Interruption.objects.get()
    assert (row.kind, row.incident_id, row.transmitter) == (
        "flood", incident.pk, transmitter_of(town.site),
    )  # fmt: skip
    assert Notice.objects.filter(kind="flood", incident=incident).count() == 1
    assert Verdict.objects.count() == RULES.signals + 5  # nothing is thrown away


@pytest.mark.clause("D908.3")
def test_so_many_and_no_more_is_no_flood_and_a_slow_one_is_none(town: Town) -> None:
    send(town, RULES.signals)
    run(at(60))
    assert not told("flood.started")
    slow = RULES.window_s / RULES.signals + 0.1
    send(town, 2 * RULES.signals, first=1000, step=slow)
    run(at(2000))
    assert not told("flood.started")


@pytest.mark.clause("D908.3")
def test_it_is_released_when_it_is_quiet_and_not_before(town: Town) -> None:
    send(town, RULES.signals + 1)
    run(at(60))
    loud_until = RULES.quiet_s
    # it goes on, slowly: still too much
    send(town, RULES.quiet_signals + 2, first=loud_until - 30, step=2)
    run(at(loud_until + 1))
    assert not told("flood.ended")
    last = loud_until - 30 + 2 * (RULES.quiet_signals + 1)
    # quiet once only so many lie within the time
    quiet_at = last - 2 * RULES.quiet_signals + RULES.quiet_s
    run(at(quiet_at - 1))
    assert not told("flood.ended")
    run(at(quiet_at))
    [ended] = told("flood.ended")
    assert (ended.clause, ended.at) == ("D908.3", at(quiet_at))
    assert ended.data["received"] == RULES.signals + 1 + RULES.quiet_signals + 2
    assert Interruption.objects.get().ended_at == at(quiet_at)
    before = Incident.objects.count()
    send(town, 1, first=quiet_at + 5)
    run(at(quiet_at + 5))
    assert len(told("signal.held")) == 1 + RULES.quiet_signals + 2
    assert Incident.objects.count() >= before


@pytest.mark.clause("D908.3")
@pytest.mark.parametrize(("type", "code"), [("holdup", "PA"), ("fire", "FA"), ("medical", "MA")])
def test_a_life_in_danger_is_never_held_back(town: Town, type: str, code: str) -> None:
    send(town, RULES.signals + 1)
    send(town, 1, first=40, type=type, code=code)
    run(at(60))
    assert Incident.objects.filter(type=type).count() == 1


@pytest.mark.clause("D908.3")
def test_another_transmitter_of_the_site_and_another_site_are_handled(town: Town) -> None:
    other = Transmitter.objects.create(site=town.site, account="B001")
    neighbour = town.build_site("Garage Smit", codes=False)
    send(town, RULES.signals + 1, type="battery", code="YT")
    run(at(30))
    send(town, 1, first=40, transmitter=other)
    town.signal(when=at(41), site=neighbour, transmitter_id=transmitter_of(neighbour).pk)
    run(at(60))
    assert Incident.objects.filter(type="intrusion").count() == 2


@pytest.mark.clause("D908.3")
def test_messages_that_open_nothing_are_one_incident_for_an_operator(town: Town) -> None:
    send(town, RULES.signals + 20, type="line_test", code="RP", role="test_message")
    run(at(60))
    incident = Incident.objects.get()
    assert (incident.type, incident.origin, incident.state) == (
        "external_technical", "flood", "queued",
    )  # fmt: skip
    assert [entry.data["received"] for entry in told("flood.noted")] == [RULES.signals + 1]
    assert len(told("flood.started")) == 1


@pytest.mark.clause("D908.3", "S20.1")
def test_what_was_sent_in_a_test_is_no_flood_afterwards(town: Town) -> None:
    with transaction.atomic():
        test = contracts.start_test(town.site, at(600), NOW, by="An Peeters")
    send(town, 3 * RULES.signals, first=1, step=0.2)
    run(at(30))
    testing.end_test(test, at(30), by="An Peeters")
    send(town, 1, first=31)
    run(at(31))
    assert not told("flood.started")
    assert Incident.objects.filter(type="intrusion").count() == 1


@pytest.mark.clause("D908.3")
def test_frames_that_were_not_believed_silence_nobody(town: Town) -> None:
    stranger = SignalRecord(
        code="BA", role="event", type="intrusion", zone="1", site_id=town.site.pk,
        protocol="sia", account="A000", transmitter_id=transmitter_of(town.site).pk,
        detail=detail(label="x", disposition="wrong_key"),
    )  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        store.store_signals(cursor, NOW, [stranger] * (3 * RULES.signals))
    send(town, 1, first=1)
    run(at(2))
    assert not told("flood.started")
    assert Incident.objects.filter(type="intrusion").count() == 1


@pytest.mark.clause("D908.3")
def test_a_backlog_that_is_judged_at_once_is_no_flood(town: Town) -> None:
    send(town, 2 * RULES.signals, step=RULES.window_s)
    run(at(2 * RULES.signals * RULES.window_s))
    assert not told("flood.started")


@pytest.mark.clause("D908.3", "M12.1")
@pytest.mark.django_db(transaction=True)
def test_several_workers_hold_it_back_once(committed_town: Town) -> None:
    send(committed_town, RULES.signals + 30, step=0.1)

    def work() -> None:
        while cycle.judge_all(at(10)):
            pass

    assert faults(together(*[partial(work) for _ in range(3)])) == []
    work()
    assert Interruption.objects.count() == 1
    assert len(told("flood.started")) == 1
    assert Verdict.objects.count() == RULES.signals + 30
    assert len(told("signal.held")) == 30
