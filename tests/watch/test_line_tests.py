"""Line tests of every transmitter: three strikes, silence, return, written instruction (S10.3)."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from meldkamer.agenda.models import AgendaRow
from meldkamer.incidents.models import Incident
from meldkamer.sites.models import Site, Transmitter
from meldkamer.watch import commands as watch
from meldkamer.watch import queries
from meldkamer.watch.models import LineTestWatch
from tests.incidents.town import NOW, Town, at, run, told

HOUR_S, WAIT_S = 3600, 600


@pytest.fixture
def watched(town: Town) -> Town:
    """The town's site tests every hour, missed after ten minutes."""
    Site.objects.filter(pk=town.site.pk).update(test_period_s=HOUR_S, test_wait_s=WAIT_S)
    town.site.refresh_from_db()
    watch.watch_line_tests(town.site, NOW, NOW)
    return town


def a_test(town: Town, when_s: float, transmitter: Transmitter) -> None:
    """A test message of a transmitter comes and is judged."""
    town.signal(
        "line_test", "RP", role="test_message", zone=None, when=at(when_s),
        transmitter_id=transmitter.pk,
    )  # fmt: skip
    run(at(when_s))


def missed(count: int) -> float:
    """When the test of that number is missed, in seconds after NOW."""
    return count * HOUR_S + WAIT_S


@pytest.mark.clause("S10.3")
def test_each_transmitter_of_a_site_is_supervised_for_itself(watched: Town) -> None:
    first = Transmitter.objects.get(site=watched.site)
    second = Transmitter.objects.create(site=watched.site, account="BB01")
    watch.watch_missing(watched.site, NOW)
    for hour in (1, 2, 3):
        a_test(watched, hour * HOUR_S, first)
    run(at(missed(3)))
    assert [entry.data["count"] for entry in told("line_test.missed")] == [1, 2, 3]
    counts = dict(LineTestWatch.objects.values_list("transmitter_id", "missed"))
    assert counts == {first.pk: 0, second.pk: 3}
    # one incident of the site, however many lines fail
    assert set(Incident.objects.values_list("type", flat=True)) == {"line_test"}


@pytest.mark.clause("S10.3")
def test_a_transmitter_that_is_not_to_test_is_not_missed(watched: Town) -> None:
    Transmitter.objects.create(site=watched.site, account="BB01", supervised=False)
    watch.watch_missing(watched.site, NOW)
    assert LineTestWatch.objects.count() == 1
    Transmitter.objects.filter(site=watched.site).update(active=False)
    run(at(missed(1)))
    assert told("line_test.missed") == []
    assert not LineTestWatch.objects.exists()
    assert not AgendaRow.objects.filter(kind=watch.TEST_DUE, done_at=None).exists()


@pytest.mark.clause("S10.3")
def test_only_test_messages_count(watched: Town) -> None:
    watched.signal("restore", "AR", zone=None, role="restore", restores="power", when=at(3500))
    run(at(3500))
    assert LineTestWatch.objects.get().expected_at == at(HOUR_S)


@pytest.mark.clause("S10.3")
def test_the_third_is_handled_and_told_in_writing_the_fourth_is_neither(watched: Town) -> None:
    run(at(missed(3) + 3 * HOUR_S))
    assert [entry.data["count"] for entry in told("line_test.missed")] == [1, 2, 3]
    assert {entry.clause for entry in told("line_test.missed")} == {"S10.3"}
    assert told("line_test.unwatched")[0].data["count"] == 4
    row = queries.not_supervised([watched.provider.pk])[0]
    assert (row.site_id, row.missed) == (watched.site.pk, 6)
    assert queries.not_supervised([watched.other.pk]) == []
    a_test(watched, missed(3) + 4 * HOUR_S, row.transmitter)
    assert queries.not_supervised([watched.provider.pk]) == []
    assert told("line_test.returned")[0].data["count"] == 6


@pytest.mark.clause("S10.3")
def test_a_written_instruction_is_a_reaction_and_the_count_begins_anew(watched: Town) -> None:
    run(at(missed(5)))
    assert watch.instructed(watched.site, "mail of 3 March: works until Friday", at(missed(5)), "x")
    assert queries.not_supervised([watched.provider.pk]) == []
    entry = told("line_test.instructed")[0]
    assert (entry.clause, entry.reason) == ("S10.3", "mail of 3 March: works until Friday")
    run(at(missed(6)))
    assert told("line_test.missed")[-1].data["count"] == 1
    watch.instructed(watched.site, "again", at(missed(6)), "x")
    assert not watch.instructed(watched.site, "nothing was missed", at(missed(6)), "x")


@pytest.mark.clause("S10.3")
def test_clock_times_are_expected_and_the_wait_goes_by_the_table(town: Town) -> None:
    town.site.test_times = [time(3)]
    town.site.save()
    watch.watch_line_tests(town.site, NOW, NOW)
    three = NOW.replace(day=3, hour=2, minute=0)  # 03:00 in Brussels
    assert LineTestWatch.objects.get().expected_at == three
    row = AgendaRow.objects.get(kind=watch.TEST_DUE, done_at=None)
    assert row.due - three == timedelta(seconds=5400)  # a day's period
    run(row.due)
    assert len(told("line_test.missed")) == 1
    assert LineTestWatch.objects.get().expected_at == three + timedelta(days=1)


@pytest.mark.clause("S10.3")
def test_a_test_in_time_moves_its_row_and_leaves_no_other(watched: Town) -> None:
    for hour in range(1, 6):
        a_test(watched, hour * HOUR_S, Transmitter.objects.get(site=watched.site))
    rows = AgendaRow.objects.filter(kind=watch.TEST_DUE)
    assert [(row.due, row.done_at) for row in rows] == [(at(missed(6)), None)]


@pytest.mark.clause("S10.3")
def test_a_test_costs_two_statements_whatever_else_is_watched(watched: Town) -> None:
    mine = Transmitter.objects.get(site=watched.site)

    def statements() -> int:
        with CaptureQueriesContext(connection) as caught:
            watch.test_received(watched.site, mine.pk, at(60), at(60))
        return len(caught)

    assert statements() == 2
    for number in range(20):
        Transmitter.objects.create(site=watched.site, account=f"CC{number:02}")
    watch.watch_missing(watched.site, NOW)
    assert statements() == 2
