"""The lists of what is watched: lines that are not supervised, general outages and their undo."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from meldkamer.incidents.models import AreaOutage
from meldkamer.incidents.operating import taking
from meldkamer.journal.models import Entry
from meldkamer.people.models import Staff
from meldkamer.sites.models import Site, Transmitter, Zone
from meldkamer.watch.models import LineTestWatch
from tests.console.scene import Scene


@pytest.fixture
def supervisor(scene: Scene) -> Client:
    """Sofie's browser: she supervises Securitas alone."""
    browser = Client()
    staff = scene.staff("sofie", "supervisor", name="Sofie Daems")
    browser.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def silent(scene: Scene, site: Site) -> LineTestWatch:
    """Its line test was missed five times."""
    return LineTestWatch.objects.create(
        transmitter=Transmitter.objects.get(site=site), site=site, missed=5,
        expected_at=scene.now, unsupervised_since=scene.now - timedelta(days=2),
    )  # fmt: skip


def dark(scene: Scene, count: int = 5) -> list[Site]:
    """So many sites of one postal code lose power: a general outage."""
    sites = [scene.site(f"Winkel {number}", position=None) for number in range(count)]
    for site in sites:
        scene.signal(site, "AT", "power", None)
    return sites


@pytest.mark.clause("S10.3")
def test_a_line_that_is_not_supervised_is_red_on_its_list_its_site_and_under_the_queue(
    scene: Scene, desk: Client
) -> None:
    site = scene.site()
    silent(scene, site)
    silent(scene, scene.site("Elsewhere", "dtral"))
    page = desk.get("/lists/unsupervised/").content.decode()
    assert "5 tests missed" in page
    assert "Apotheek Van Damme" in page
    assert "Elsewhere" not in page
    assert "health bad" in page
    assert "Not supervised: 1" in desk.get("/").content.decode()
    assert (
        "line not supervised since"
        in desk.get(f"/site/{site.pk}/", headers={"HX-Request": "true"}).content.decode()
    )
    LineTestWatch.objects.update(missed=0, unsupervised_since=None)
    assert "Not supervised:" not in desk.get("/").content.decode()


@pytest.mark.clause("S10.2")
def test_the_page_of_an_outage_says_who_is_dark_and_who_is_back(
    scene: Scene, supervisor: Client
) -> None:
    sites = dark(scene)
    scene.signal(sites[0], "AR", "restore", None, role="restore", restores="power")
    page = supervisor.get("/lists/outages/").content.decode()
    assert "General outage 9000" in page
    assert "4 of 5 sites are dark" in page
    assert page.count("back since") == 1
    assert page.count("dark since") == 4
    assert "Outage: 1" in supervisor.get("/").content.decode()


@pytest.mark.clause("S10.2")
def test_a_supervisor_undoes_it_with_a_reason_and_an_operator_may_not(
    scene: Scene, supervisor: Client, desk: Client
) -> None:
    dark(scene)
    outage = AreaOutage.objects.get()
    address = f"/outages/{outage.pk}/undo/"
    assert address not in desk.get("/lists/outages/").content.decode()
    assert desk.post(address, {"reason": "none"}).status_code == 403
    parts = {"HX-Request": "true"}
    refused = supervisor.post(address, {"reason": " "}, headers=parts)
    assert "undoing an outage has a reason" in _words(refused).lower()
    assert Entry.objects.filter(what="outage.undone").count() == 0
    page = _words(supervisor.post(address, {"reason": "a fuse of the street"}, headers=parts))
    assert "a fuse of the street" in page
    assert address not in page
    assert Entry.objects.get(what="outage.undone").reason == "a fuse of the street"
    again = supervisor.post(address, {"reason": "again"}, headers=parts)
    assert "undone already" in _words(again)


def _words(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined,no-any-return]


@pytest.mark.clause("S10.2")
def test_an_outage_of_another_provider_is_not_shown(scene: Scene, supervisor: Client) -> None:
    dark(scene)
    AreaOutage.objects.update(provider=scene.providers["dtral"])
    assert "General outage 9000" not in supervisor.get("/lists/outages/").content.decode()
    outage = AreaOutage.objects.get()
    supervisor.post(f"/outages/{outage.pk}/undo/", {"reason": "not mine"})
    assert AreaOutage.objects.get().undone_at is None


@pytest.mark.clause("S10.4")
def test_the_step_of_an_external_technical_alarm_names_the_device_and_its_service(
    scene: Scene, desk: Client, operator: Staff
) -> None:
    site = scene.site()
    Zone.objects.create(
        site=site, number="9", name="Koelcel", detector="Carrier X5", service_phone="+3292223344"
    )
    incident = scene.signal(site, "ZA", "external_technical", "9")
    assert incident is not None
    taking.take(operator, incident.pk, scene.now)
    page = desk.get(f"/incident/{incident.pk}/").content.decode()
    assert "Koelcel, Carrier X5" in page
    assert 'href="tel:+3292223344"' in page
    assert "S10.4" in page
    burglary = scene.signal(scene.site("Elders"), zone="3")
    assert burglary is not None
    assert "tel:+3292223344" not in desk.get(f"/incident/{burglary.pk}/").content.decode()
