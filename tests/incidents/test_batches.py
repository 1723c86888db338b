"""What signals that are judged together must not do to each other (M12.1)."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from meldkamer.agenda.models import AgendaRow
from meldkamer.engine import cycle
from meldkamer.incidents.deciding import judging
from meldkamer.incidents.models import AreaOutage, Incident
from meldkamer.sites.models import Site, Transmitter
from meldkamer.terms.loader import load
from meldkamer.watch.models import Mains
from tests.incidents.together import together
from tests.incidents.town import NOW, Town, at, told

HERE, BESIDE = (51.2190, 4.4020), (51.2250, 4.4050)


def shop(town: Town, number: int, code: str, place: tuple[float, float]) -> Site:
    return town.build_site(
        f"Shop {number}", contacts=1, codes=False, postal_code=code,
        latitude=place[0], longitude=place[1],
    )  # fmt: skip


def fails(town: Town, site: Site, seconds: float = 0) -> None:
    town.signal("power", "AT", zone=None, site=site, when=at(seconds))


def comes_back(town: Town, site: Site, seconds: float) -> None:
    town.signal(
        "restore", "AR", zone=None, role="restore", site=site, when=at(seconds), restores="power"
    )


@pytest.mark.clause("S10.2")
def test_two_areas_that_overlap_and_are_declared_together_close_each_incident_once(
    town: Town,
) -> None:
    sites = [shop(town, n, "3000", HERE) for n in range(5)] + [shop(town, 5, "3001", BESIDE)]
    for site in sites:
        fails(town, site)
    assert judging.judge_next(NOW, 50) == 6
    assert AreaOutage.objects.count() == 2
    closed = [entry.incident_id for entry in told("incident.closed")]
    assert sorted(closed) == sorted(Incident.objects.values_list("pk", flat=True))
    assert set(Incident.objects.values_list("outcome", flat=True)) == {"general_outage"}


@pytest.mark.clause("S10.2")
def test_the_restore_of_a_site_in_two_areas_is_the_first_of_both(town: Town) -> None:
    first = [shop(town, n, "3000", HERE) for n in range(5)]
    for site in [*first, shop(town, 5, "3001", BESIDE)]:
        fails(town, site)
        cycle.judge_all(NOW)
    assert AreaOutage.objects.count() == 2
    comes_back(town, first[0], 60)
    cycle.judge_all(at(60))
    assert set(AreaOutage.objects.values_list("first_restore_at", flat=True)) == {at(60)}


@pytest.mark.clause("S10.2")
def test_failures_that_were_far_apart_are_no_outage_when_they_are_judged_at_once(
    town: Town,
) -> None:
    """After a time without workers: what counts is when they were received."""
    sites = [shop(town, n, "3000", HERE) for n in range(5)]
    for number, site in enumerate(sites):
        fails(town, site, number * 1200)
    assert judging.judge_next(at(7200), 50) == 5
    assert not AreaOutage.objects.exists()
    assert set(Incident.objects.values_list("state", flat=True)) == {"waiting"}


@pytest.mark.clause("S10.2")
def test_an_outage_of_an_hour_ago_is_found_when_its_failures_are_judged_late(town: Town) -> None:
    sites = [shop(town, n, "3000", HERE) for n in range(5)]
    for number, site in enumerate(sites):
        fails(town, site, number * 60)
    assert judging.judge_next(at(7200), 50) == 5
    assert AreaOutage.objects.count() == 1
    assert set(Incident.objects.values_list("outcome", flat=True)) == {"general_outage"}


@pytest.mark.clause("S10.1")
@pytest.mark.clause("M12.1")
def test_a_restore_between_two_failures_ends_only_the_first_however_late_we_are(
    town: Town,
) -> None:
    """Mains that flicker in a storm: the last word of the transmitter is that they are down."""
    fails(town, town.site, 0)
    comes_back(town, town.site, 5)
    fails(town, town.site, 10)
    cycle.judge_all(at(20))
    assert list(Incident.objects.order_by("pk").values_list("outcome", flat=True)) == [
        "restored", None,
    ]  # fmt: skip
    assert Mains.objects.get().restored_at is None


@pytest.mark.clause("D908.3")
def test_what_joins_in_the_instant_of_a_flood_must_still_be_seen(town: Town) -> None:
    sender = Transmitter.objects.filter(site=town.site).order_by("pk")[0].pk
    flood = load("securitas-2022-05").flood
    for number in range(flood.signals + 1):
        town.signal("fire", "FA", when=at(number * 0.1), transmitter_id=sender)
    cycle.judge_all(at(60))
    assert told("flood.started")
    assert Incident.objects.get().unseen == flood.signals


@pytest.mark.clause("M12.1")
@pytest.mark.django_db(transaction=True)
def test_what_another_worker_has_of_a_site_is_judged_before_what_came_after_it(
    committed_town: Town,
) -> None:
    town = committed_town
    fails(town, town.site, 0)
    other = town.build_site("Shop", codes=False)
    comes_back(town, town.site, 5)
    comes_back(town, other, 5)
    claimed, tried = threading.Event(), threading.Event()

    def slower() -> None:
        """It has claimed the failure and does not have the site yet."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT FROM journal_pending ORDER BY signal_id LIMIT 1 FOR UPDATE")
            claimed.set()
            tried.wait(10)

    def faster() -> int:
        claimed.wait(10)
        try:
            return judging.judge_next(at(10), 50)
        finally:
            tried.set()

    assert together(slower, faster) == [None, 1]
    cycle.judge_all(at(10))
    assert Incident.objects.get().outcome == "restored"


@pytest.mark.clause("M12.1")
def test_of_two_incidents_of_a_site_that_are_due_the_earlier_one_is_acted_on_first(
    town: Town,
) -> None:
    """R1: also when many are acted on together, and the later one was opened before."""
    later, earlier = town.incident("intrusion"), town.incident("fire")
    other = town.build_site("Shop", codes=False)
    town.signal("fire", code="FA", site=other)
    cycle.judge_all(NOW)
    for incident, due in ((later, at(20)), (earlier, at(10))):
        Incident.objects.filter(pk=incident.pk).update(due=due)
        AgendaRow.objects.filter(subject=f"incident:{incident.pk}", done_at=None).update(due=due)
    versions = [Incident.objects.get(pk=one.pk).version for one in (earlier, later)]
    assert cycle.act_on_due(at(1000), together=50) == 2
    now = [Incident.objects.get(pk=one.pk).version for one in (earlier, later)]
    assert [is_now > was for is_now, was in zip(now, versions, strict=True)] == [True, False]
