"""What the desk reads when tens of thousands are open: the first ones, and counts (S15.1)."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from meldkamer.incidents import queries
from meldkamer.incidents.operating import taking
from tests.incidents.town import NOW, Town, at, told

_MANY = 30_000
#: one site may have one open incident of each area
_FILL = (
    "INSERT INTO incidents_incident (provider_id, site_id, type, area, priority, opened_at, state,"
    " queued_at, owner, due, wait_for, rung, in_trial, verified_by, origin, zone, code, terms,"
    " procedure, unseen, version)"
    " SELECT %(provider)s, %(site)s, 'open_close', n, 3, %(now)s, 'queued', %(now)s, 'operators',"
    " %(now)s, '', 0, false, '', 'signal', '', '', '', '{}', 0, 0"
    " FROM generate_series(%(first)s, %(last)s) AS n"
)


def fill(town: Town, first: int, last: int) -> None:
    values = {"provider": town.provider.pk, "site": town.site.pk, "now": NOW}
    with connection.cursor() as cursor:
        cursor.execute(_FILL, values | {"first": first, "last": last})


@pytest.mark.clause("S15.1")
def test_tens_of_thousands_open_cost_the_desk_no_more_statements_and_hide_no_burglary(
    town: Town,
) -> None:
    fill(town, 1, 200)
    with CaptureQueriesContext(connection) as few:
        queries.open_queue([town.provider.pk], at(60))
    fill(town, 201, _MANY)
    burglary = town.incident(when=at(60))
    with CaptureQueriesContext(connection) as many:
        seen = queries.open_queue([town.provider.pk], at(60))
    assert len(many) == len(few)
    assert (len(seen.rows), seen.free) == (150, _MANY + 1)
    assert seen.rows[0].incident.pk == burglary.pk
    assert taking.take_next(town.emma, at(61)) == burglary
    assert [entry.clause for entry in told("incident.taken")] == ["S15.1"]
