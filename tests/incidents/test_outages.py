"""A general outage: found from what failed, one notice, undone by a supervisor (S10.2, R19)."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from meldkamer.agenda.models import AgendaRow
from meldkamer.contracts import commands as contracts
from meldkamer.engine import cycle
from meldkamer.incidents.deciding import outages
from meldkamer.incidents.faults import Refused
from meldkamer.incidents.models import AreaOutage, Incident, Notice
from meldkamer.sites.models import Site
from meldkamer.watch.models import Mains
from tests.incidents.together import faults, together
from tests.incidents.town import Town, at, run, told

MINUTE_S = 60


def shops(town: Town, count: int, **more: Any) -> list[Site]:
    """The town's site and others, all of one postal code."""
    others = [
        town.build_site(f"Shop {n}", contacts=1, codes=False, **more) for n in range(1, count)
    ]
    return [town.site, *others]


def fail(town: Town, site: Site, when: datetime) -> None:
    """Its mains fail, and that is judged."""
    town.signal("power", "AT", zone=None, site=site, when=when)
    cycle.judge_all(when)


def come_back(town: Town, site: Site, when: datetime) -> None:
    """They are back."""
    town.signal("restore", "AR", zone=None, role="restore", site=site, when=when, restores="power")
    cycle.judge_all(when)


def declared(town: Town, count: int = 5) -> tuple[AreaOutage, list[Site]]:
    """An outage of `count` sites at `at(0)`."""
    sites = shops(town, count)
    for site in sites:
        fail(town, site, at(0))
    return AreaOutage.objects.get(), sites


def outcomes() -> list[str | None]:
    rows = Incident.objects.filter(type="power").order_by("pk")
    return list(rows.values_list("outcome", flat=True))


@pytest.mark.clause("S10.2")
def test_the_fifth_site_within_a_quarter_of_an_hour_declares_it_with_one_notice(town: Town) -> None:
    sites = shops(town, 5)
    for number, site in enumerate(sites):
        fail(town, site, at(number * 200))
    outage = AreaOutage.objects.get()
    assert outage.declared_at == at(800)
    assert outcomes() == ["general_outage"] * 5
    assert {entry.clause for entry in told("incident.closed")} == {"S10.2"}
    assert told("outage.declared")[0].clause == "S10.2"
    assert told("outage.declared")[0].data["sites"] == [site.name for site in sites]
    assert Notice.objects.filter(kind="outage").count() == 1
    assert told("sms.sent") == [] == told("incident.queued")
    # nothing of theirs stands on the agenda any more
    assert not AgendaRow.objects.filter(kind="incident.due", done_at=None).exists()


@pytest.mark.clause("S10.2")
def test_four_sites_or_a_window_that_is_over_declare_nothing(town: Town) -> None:
    sites = shops(town, 5)
    for number, site in enumerate(sites):
        fail(town, site, at(number * 226))
    assert not AreaOutage.objects.exists()
    assert outcomes() == [None] * 5


@pytest.mark.clause("S10.2")
def test_less_than_thirty_in_a_hundred_declare_nothing(town: Town) -> None:
    sites = shops(town, 17)
    for site in sites[:5]:
        fail(town, site, at(0))
    assert not AreaOutage.objects.exists()
    fail(town, sites[5], at(1))
    assert AreaOutage.objects.get().sites.count() == 6


@pytest.mark.clause("S10.2")
def test_sites_that_are_not_monitored_count_for_nothing(town: Town) -> None:
    sites = shops(town, 10)
    Site.objects.filter(pk__in=[s.pk for s in sites[5:]]).update(in_force_from=None)
    more = shops(town, 12)[1:]
    Site.objects.filter(pk__in=[s.pk for s in more]).update(in_force_from=None)
    for site in sites[:5]:
        fail(town, site, at(0))
    assert AreaOutage.objects.get().sites.count() == 5


@pytest.mark.clause("S10.2")
@pytest.mark.parametrize(("km", "found"), [(4.9, True), (5.1, False)])
def test_the_circle_is_five_kilometres_wide(town: Town, km: float, found: bool) -> None:
    sites = shops(town, 5)
    for number, site in enumerate(sites):
        away = 0.0 if number == 4 else km / 111.195
        Site.objects.filter(pk=site.pk).update(
            postal_code=str(1000 + number), latitude=51.0 + away, longitude=4.4
        )
    for site in sites:
        fail(town, site, at(0))
    assert AreaOutage.objects.exists() is found


@pytest.mark.clause("S10.2")
def test_many_sites_around_keep_a_circle_from_being_declared(town: Town) -> None:
    sites = shops(town, 20)
    for number, site in enumerate(sites):
        Site.objects.filter(pk=site.pk).update(
            postal_code=str(1000 + number), latitude=51.0 + number / 5000, longitude=4.4
        )
    for site in sites[:5]:
        fail(town, site, at(0))
    assert not AreaOutage.objects.exists()
    fail(town, sites[5], at(0))
    assert AreaOutage.objects.get().sites.count() == 6


@pytest.mark.clause("S10.2")
def test_it_ends_an_hour_after_the_last_new_one(town: Town) -> None:
    outage, _ = declared(town)
    late = town.build_site("Late", contacts=1, codes=False)
    fail(town, late, at(30 * MINUTE_S))
    run(at(60 * MINUTE_S))
    outage.refresh_from_db()
    assert outage.ended_at is None
    run(at(90 * MINUTE_S))
    outage.refresh_from_db()
    assert outage.ended_at == at(90 * MINUTE_S)
    after = town.build_site("After", contacts=1, codes=False)
    fail(town, after, at(91 * MINUTE_S))
    assert Incident.objects.get(site=after).state == Incident.State.WAITING


@pytest.mark.clause("S10.2")
def test_who_is_dark_half_an_hour_after_the_first_restore_is_handled_singly(town: Town) -> None:
    _, sites = declared(town)
    come_back(town, sites[0], at(10 * MINUTE_S))
    come_back(town, sites[1], at(40 * MINUTE_S))
    run(at(40 * MINUTE_S))
    again = Incident.objects.filter(closed_at=None, type="power").order_by("site_id")
    assert [incident.site_id for incident in again] == [site.pk for site in sites[2:]]
    assert {incident.state for incident in again} == {Incident.State.TEXTING}
    assert {incident.origin for incident in again} == {"outage"}


@pytest.mark.clause("S10.2")
def test_a_site_that_fails_after_the_others_were_looked_at_is_not_forgotten(town: Town) -> None:
    _, sites = declared(town)
    for site in sites:
        come_back(town, site, at(MINUTE_S))
    run(at(31 * MINUTE_S))
    late = town.build_site("Late", contacts=1, codes=False)
    fail(town, late, at(35 * MINUTE_S))
    assert Incident.objects.get(site=late).outcome == "general_outage"
    run(at(65 * MINUTE_S))
    assert Incident.objects.filter(site=late, closed_at=None).exists()


@pytest.mark.clause("S10.2")
def test_battery_low_is_handled_in_an_outage(town: Town) -> None:
    declared(town)
    incident = town.incident("battery", when=at(60))
    assert incident.state == Incident.State.TEXTING


@pytest.mark.clause("S10.2")
def test_a_failure_that_a_test_holds_back_declares_nothing(town: Town) -> None:
    from meldkamer.contracts import commands as contracts

    sites = shops(town, 5)
    contracts.start_test(sites[0], at(3600), at(-1), by="installer")
    for site in sites:
        fail(town, site, at(0))
    assert not AreaOutage.objects.exists()


@pytest.mark.clause("S10.2")
def test_the_right_can_be_switched_off_in_the_terms(town: Town) -> None:
    from meldkamer.terms.loader import varied

    town.provider.terms = varied("securitas-2022-05", {"outage.enabled": False})
    town.provider.save()
    for site in shops(town, 6):
        fail(town, site, at(0))
    assert not AreaOutage.objects.exists()
    assert outcomes() == [None] * 6


@pytest.mark.clause("S10.2")
def test_undone_each_dark_site_waits_the_rest_of_its_own_delay(town: Town) -> None:
    outage, sites = declared(town)
    come_back(town, sites[0], at(5 * MINUTE_S))
    assert outages.undo(town.sofie, outage.pk, "a blown fuse in the street", at(600)) == 4
    run(at(600))
    open_ones = Incident.objects.filter(closed_at=None).order_by("site_id")
    assert [incident.site_id for incident in open_ones] == [site.pk for site in sites[1:]]
    assert {(i.state, i.due) for i in open_ones} == {(Incident.State.WAITING, at(1800))}
    entry = told("outage.undone")[0]
    assert (entry.clause, entry.actor) == ("S10.2", f"staff:{town.sofie.pk}")
    assert entry.reason == "a blown fuse in the street"
    # the area's restore brings nothing any more
    come_back(town, sites[1], at(700))
    run(at(700 + 30 * MINUTE_S))
    assert Incident.objects.filter(site=sites[2], type="power").count() == 2


@pytest.mark.clause("S10.2")
def test_undone_late_each_dark_site_is_handled_at_once(town: Town) -> None:
    outage, _ = declared(town)
    outages.undo(town.sofie, outage.pk, "none", at(45 * MINUTE_S))
    run(at(45 * MINUTE_S))
    states = Incident.objects.filter(closed_at=None).values_list("state", flat=True)
    assert list(states) == [Incident.State.TEXTING] * 5


@pytest.mark.clause("S10.2")
def test_the_same_failures_declare_no_outage_again_but_new_ones_do(town: Town) -> None:
    outage, _ = declared(town)
    outages.undo(town.sofie, outage.pk, "none", at(60))
    run(at(60))
    others = [town.build_site(f"Other {n}", contacts=1, codes=False) for n in range(5)]
    for number, site in enumerate(others[:4]):
        fail(town, site, at(61 + number))
    # a panel that says again that its mains are off says nothing new
    fail(town, town.site, at(66))
    assert AreaOutage.objects.count() == 1
    fail(town, others[4], at(70))
    assert AreaOutage.objects.count() == 2
    assert set(AreaOutage.objects.latest("pk").sites.all()) == set(others)


@pytest.mark.clause("S10.2")
def test_it_is_undone_once_by_a_supervisor_of_the_provider_with_a_reason(town: Town) -> None:
    outage, _ = declared(town)
    for staff, reason in (
        (town.emma, "none"), (town.stranger, "none"), (town.sofie, "  "), (town.sofie, "\0"),
    ):  # fmt: skip
        with pytest.raises(Refused):
            outages.undo(staff, outage.pk, reason, at(60))
    outages.undo(town.sofie, outage.pk, "none", at(60))
    with pytest.raises(Refused, match="undone already"):
        outages.undo(town.sofie, outage.pk, "again", at(61))
    assert len(told("outage.undone")) == 1


@pytest.mark.clause("S10.2")
def test_a_site_that_was_handled_singly_is_not_resumed_by_the_undo(town: Town) -> None:
    outage, sites = declared(town)
    come_back(town, sites[0], at(60))
    run(at(60 + 30 * MINUTE_S))  # the four others are texted
    run(at(3 * 3600))
    before = Incident.objects.count()
    outages.undo(town.sofie, outage.pk, "none", at(3 * 3600))
    run(at(3 * 3600))
    assert Incident.objects.count() == before


@pytest.mark.clause("S10.2")
@pytest.mark.django_db(transaction=True)
def test_several_workers_declare_it_once(committed_town: Town) -> None:
    sites = shops(committed_town, 6)
    for site in sites:
        committed_town.signal("power", "AT", zone=None, site=site)
    results = together(*[partial(cycle.judge_all, at(0))] * 3)
    assert faults(results) == []
    assert AreaOutage.objects.count() == 1
    assert outcomes() == ["general_outage"] * 6
    assert Mains.objects.count() == 6


@pytest.mark.clause("S10.2")
def test_the_work_at_a_failure_does_not_grow_with_the_sites(town: Town) -> None:
    def statements(site: Site) -> int:
        with CaptureQueriesContext(connection) as caught:
            fail(town, site, at(0))
        return len(caught)

    sites = shops(town, 12)
    declared_by = 5
    for site in sites[:declared_by]:
        fail(town, site, at(0))
    first = statements(sites[5])
    for site in sites[6:11]:
        fail(town, site, at(0))
    assert statements(sites[11]) == first
    assert AreaOutage.objects.get().declared_at == at(0)
    assert AreaOutage.objects.get().last_power_at - at(0) == timedelta()


@pytest.mark.clause("S10.2")
def test_who_failed_earlier_and_still_waits_belongs_to_the_area_without_being_counted(
    town: Town,
) -> None:
    sites = shops(town, 6)
    fail(town, sites[0], at(0))
    for site in sites[1:5]:
        fail(town, site, at(20 * MINUTE_S))
    # four within the window: the one of twenty minutes ago counts no more
    assert not AreaOutage.objects.exists()
    fail(town, sites[5], at(20 * MINUTE_S))
    assert told("outage.declared")[0].data["sites"] == [site.name for site in sites[1:]]
    assert outcomes() == ["general_outage"] * 6
    assert AreaOutage.objects.get().sites.count() == 6


@pytest.mark.clause("S10.2")
def test_a_restore_before_the_declaration_is_the_areas_first(town: Town) -> None:
    sites = shops(town, 5)
    for site in sites[:4]:
        fail(town, site, at(0))
    come_back(town, sites[0], at(60))
    fail(town, sites[4], at(120))
    assert AreaOutage.objects.get().first_restore_at == at(60)
    run(at(60 + 30 * MINUTE_S - 1))
    assert Incident.objects.filter(closed_at=None).count() == 0
    run(at(60 + 30 * MINUTE_S))
    assert set(Incident.objects.filter(closed_at=None).values_list("site_id", flat=True)) == {
        site.pk for site in sites[1:]
    }


@pytest.mark.clause("S10.2", "S20.1")
def test_a_dark_site_in_test_is_looked_at_again_after_its_test(town: Town) -> None:
    _, sites = declared(town)
    come_back(town, sites[1], at(60))
    contracts.start_test(sites[2], at(3600), at(90), by="An")
    run(at(60 + 30 * MINUTE_S))
    opened = Incident.objects.filter(closed_at=None).values_list("site_id", flat=True)
    assert sites[2].pk not in set(opened)
    assert {sites[0].pk, sites[3].pk, sites[4].pk} == set(opened)
    run(at(60 + 60 * MINUTE_S))
    assert Incident.objects.filter(closed_at=None, site=sites[2]).count() == 1
