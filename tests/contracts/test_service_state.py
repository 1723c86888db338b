"""Tests by phone, trials, and handlings counted once (S20.1, S4.3, M8.1, S13.1)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from meldkamer.agenda.models import AgendaRow
from meldkamer.contracts import commands as contracts
from meldkamer.contracts.models import Handling
from meldkamer.incidents import commands
from meldkamer.incidents.faults import Refused
from meldkamer.incidents.locking import lock_site
from meldkamer.incidents.telephone import incoming
from meldkamer.terms.loader import load
from tests.incidents.together import faults, together
from tests.incidents.town import CODES, NOW, Town, at, run, told

TERMS = load("securitas-2022-05")
DAY_S = 86_400


def ask(town: Town, now: datetime, duration_s: int | None = None) -> None:
    incoming.someone_calls(
        town.emma, town.site.pk, town.key(), CODES[0], "start_test", now, duration_s=duration_s
    )


@pytest.mark.clause("S20.1")
def test_a_test_by_phone_lasts_a_day_in_total_however_often_one_calls(town: Town) -> None:
    ask(town, NOW)
    [first] = town.site.tests.all()
    assert first.until == at(DAY_S)
    ask(town, at(DAY_S - 3600), 7200)
    assert town.site.tests.order_by("-id")[0].until == at(DAY_S)
    with pytest.raises(Refused, match="in writing"):
        ask(town, at(DAY_S), 60)
    run(at(DAY_S))
    assert len(told("test.ended")) == 2
    gap_s = TERMS.test_mode.phone_gap_s
    with pytest.raises(Refused, match="in writing"):
        ask(town, at(DAY_S + gap_s - 1), 60)  # in a row with what was
    ask(town, at(DAY_S + gap_s), 60)


@pytest.mark.clause("S20.1")
def test_two_tests_by_phone_in_a_row_are_a_day_together(town: Town) -> None:
    ask(town, NOW, 20 * 3600)
    run(at(20 * 3600))
    ask(town, at(20 * 3600 + 60))
    last = town.site.tests.order_by("-id")[0]
    assert last.until == at(DAY_S + 60)  # a day of test, and the minute without


@pytest.mark.clause("S20.1")
def test_a_short_test_within_a_long_one_shortens_nothing(town: Town) -> None:
    ask(town, NOW)
    ask(town, at(3600), 60)
    run(at(7200))
    ask(town, at(22 * 3600))
    assert town.site.tests.order_by("-id")[0].until == at(DAY_S)


@pytest.mark.clause("S20.1")
def test_the_end_of_a_test_is_on_the_agenda_from_its_first_moment(town: Town) -> None:
    ask(town, NOW, 60)
    row = AgendaRow.objects.get(kind=contracts.END_TEST, done_at=None)
    assert (row.due, row.rank) == (at(60), 0)
    incoming.someone_calls(town.emma, town.site.pk, town.key(), CODES[0], "end_test", at(5))
    run(at(60))
    assert [entry.at for entry in told("test.ended")] == [at(5)]


@pytest.mark.clause("S13.1")
@pytest.mark.parametrize(
    ("began", "now", "start"),
    [
        (date(2024, 2, 29), datetime(2026, 2, 27, 12, tzinfo=UTC), date(2025, 2, 28)),
        (date(2024, 2, 29), datetime(2026, 3, 1, 12, tzinfo=UTC), date(2026, 2, 28)),
        (date(2024, 5, 10), datetime(2026, 5, 9, 21, 59, tzinfo=UTC), date(2025, 5, 10)),
        (date(2024, 5, 10), datetime(2026, 5, 9, 22, 0, tzinfo=UTC), date(2026, 5, 10)),
    ],
)
def test_the_contract_year_begins_at_midnight_of_the_site(
    town: Town, began: date, now: datetime, start: date
) -> None:
    town.site.contract_start = began
    assert contracts.period_start(town.site, TERMS, now) == start


@pytest.mark.clause("M8.1")
def test_an_incident_is_counted_once_and_only_when_an_operator_called(town: Town) -> None:
    quiet = commands.take(town.emma, town.incident("sabotage").pk, NOW)
    commands.close(town.emma, quiet.pk, "handled", NOW, waive_reason="nobody was called")
    assert not Handling.objects.exists()
    loud = commands.take(town.emma, town.incident().pk, NOW)
    for to in ("premises", town.key()):
        commands.dial(town.emma, loud.pk, f"call:{to}", NOW)
        commands.call_result(
            town.emma, loud.pk, f"call:{to}", "reached", "coming", NOW, identity="wrong"
        )
    commands.close(town.emma, loud.pk, "handled", NOW, waive_reason="enough")
    counted = Handling.objects.get()
    assert (counted.incident_id, counted.used, counted.billable) == (loud.pk, 1, False)
    with pytest.raises(IntegrityError), transaction.atomic():
        contracts.count_handling(town.site, loud.pk, "intrusion", TERMS, NOW)


@pytest.mark.clause("M8.1", "S13.1")
@pytest.mark.django_db(transaction=True)
def test_handlings_counted_at_one_time_get_different_numbers(committed_town: Town) -> None:
    site = committed_town.site

    def count(number: int) -> None:
        with transaction.atomic():
            lock_site(site.pk)
            contracts.count_handling(site, number, "intrusion", TERMS, NOW)

    assert faults(together(*[partial(count, number) for number in range(6)])) == []
    assert sorted(Handling.objects.values_list("used", flat=True)) == [1, 2, 3, 4, 5, 6]


@pytest.mark.clause("S4.3")
def test_a_trial_lasts_fourteen_times_24_hours_from_activation(town: Town) -> None:
    contracts.activate(town.site, TERMS, NOW, NOW)
    assert contracts.trial_until(town.site, TERMS) == NOW + timedelta(days=14)
    assert contracts.trial_until(town.site, load("dtral")) is None
    run(NOW + timedelta(days=14) - timedelta(microseconds=1))
    assert not told("trial.ended")
    run(NOW + timedelta(days=14))
    assert len(told("trial.ended")) == 1
