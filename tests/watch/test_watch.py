"""What should have come and did not becomes a signal like any other, once (S10.3, S11.1)."""

from __future__ import annotations

from datetime import time
from functools import partial

import pytest

from meldkamer.engine import cycle
from meldkamer.incidents.models import Incident, Verdict
from meldkamer.sites.models import OpeningHours
from meldkamer.watch import commands as watch
from meldkamer.watch import hours
from meldkamer.watch.models import LineTestWatch
from tests.incidents.together import faults, together
from tests.incidents.town import NOW, Town, at, run, told

HOUR_S = 3600


def watched(town: Town) -> None:
    town.site.test_period_s, town.site.test_wait_s = HOUR_S, 600
    town.site.save()
    watch.watch_line_tests(town.site, NOW, NOW)


@pytest.mark.clause("S10.3")
@pytest.mark.django_db(transaction=True)
def test_a_missed_test_is_counted_once_by_several_workers(committed_town: Town) -> None:
    watched(committed_town)
    results = together(*[partial(cycle.act_on_due, at(4200))] * 3)
    assert faults(results) == []
    assert sum(results) == 1
    assert LineTestWatch.objects.get().missed == 1
    cycle.judge_all(at(4200))
    assert len(told("line_test.missed")) == 1
    assert Verdict.objects.count() == 1


@pytest.mark.clause("S10.3")
def test_after_a_time_without_workers_each_missed_test_is_counted(town: Town) -> None:
    watched(town)
    run(at(10 * HOUR_S + 600))
    assert [entry.data["count"] for entry in told("line_test.missed")] == [1, 2, 3]
    assert len(told("line_test.unwatched")) == 7
    town.signal("line_test", "RP", role="test_message", zone=None, when=at(11 * HOUR_S))
    run(at(11 * HOUR_S))
    assert LineTestWatch.objects.get().missed == 0
    assert LineTestWatch.objects.get().expected_at == at(12 * HOUR_S)
    assert len(told("line_test.returned")) == 1


@pytest.mark.clause("S11.1")
def test_areas_are_late_apart_and_have_an_incident_each(town: Town) -> None:
    for area in ("1", "2"):
        for day in range(7):
            OpeningHours.objects.create(
                site=town.site, area=area, weekday=day, opens=time(8), closes=time(22, 30)
            )
    hours.watch_hours(town.site, NOW)  # 22:00 at the site: it is open
    run(at(30 * 60 + 15 * 60))  # 22:45
    rows = Incident.objects.filter(type="open_close")
    assert sorted(rows.values_list("area", flat=True)) == ["1", "2"]
    assert {entry.data["how"] for entry in told("schedule.missed")} == {"late"}


@pytest.mark.clause("S10.5")
@pytest.mark.django_db(transaction=True)
def test_an_undefined_code_that_comes_twice_at_once_is_told_once(committed_town: Town) -> None:
    for _ in range(4):
        committed_town.signal("undefined", "ZZ")
    results = together(*[partial(cycle.judge_all, NOW)] * 2)
    assert faults(results) == []
    assert len(told("mail.sent")) == 1
    assert len(told("signal.held")) == 3
