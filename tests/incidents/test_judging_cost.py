"""What a storm costs: statements for many signals, counted, not timed."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from meldkamer.engine import cycle
from meldkamer.incidents.models import AreaOutage, Incident, Verdict
from tests.incidents.town import NOW, Town, at


def _statements(town: Town, count: int, *, code: str = "") -> int:
    """Statements for the power failures of so many sites, judged together."""
    sites = [
        town.build_site(f"Site {count} {n}", codes=False, postal_code=code or str(5000 + n))
        for n in range(count)
    ]
    for site in sites:
        town.signal("power", "AT", site=site)
    with CaptureQueriesContext(connection) as queries:
        assert cycle.judge_all(NOW, together=count) == count
    return len(queries)


@pytest.mark.clause("M12.1")
def test_many_power_failures_cost_no_more_statements_than_few(town: Town) -> None:
    few, many = _statements(town, 3), _statements(town, 40)
    assert many <= few + 2
    assert many < 40
    assert Verdict.objects.filter(verdict="opened").count() == 43


@pytest.mark.clause("S10.2")
def test_an_outage_in_the_midst_of_a_batch_closes_all_of_it_once(town: Town) -> None:
    _statements(town, 30, code="6800")
    assert AreaOutage.objects.count() == 1
    outcomes = set(Incident.objects.values_list("type", "outcome", "state"))
    assert outcomes == {("power", "general_outage", "closed")}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(DISTINCT incident_id) FROM journal_entry"
            " WHERE what = 'incident.closed'"
        )
        assert cursor.fetchone() == (30, 30)


@pytest.mark.clause("S10.2")
def test_later_failures_in_the_area_of_an_outage_close_on_opening(town: Town) -> None:
    _statements(town, 10, code="6800")
    later = [town.build_site(f"Later {n}", codes=False, postal_code="6800") for n in range(5)]
    for site in later:
        town.signal("power", "AT", site=site, when=at(60))
    assert cycle.judge_all(at(60)) == 5
    assert AreaOutage.objects.get().sites.count() == 15
    assert not Incident.objects.filter(closed_at=None).exists()
