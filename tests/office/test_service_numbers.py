"""The office keeps the numbers of the services, and what they ask of a site."""

from __future__ import annotations

import pytest
from django.test import Client

from meldkamer.sites.models import EmergencyNote, ServiceNumber
from tests.console.scene import Scene
from tests.console.test_access import logged_in

ROW = {
    "service": "police", "zone": "PZ Gent", "number": "09 266 61 11", "language": "nl",
    "postal_codes": "9000 9030-9052", "valid_from": "2026-01-01",
}  # fmt: skip


@pytest.fixture
def scene(db: None, settings: object) -> Scene:
    settings.MELDKAMER_SECOND_FACTOR_ROLES = frozenset()  # type: ignore[attr-defined]
    return Scene()


@pytest.fixture
def office(scene: Scene) -> Client:
    return logged_in(scene.staff("karel", "office"))


def test_a_number_is_entered_shown_and_removed(office: Client) -> None:
    assert office.post("/office/service-numbers/", ROW).status_code == 302
    row = ServiceNumber.objects.get()
    assert row.number == "+3292666111"
    assert row.postal_codes[:2] == ["9000", "9030"]
    page = office.get("/office/service-numbers/").content.decode()
    assert "PZ Gent" in page
    assert "09 266 61 11" in page
    assert office.post(f"/office/service-numbers/{row.pk}/remove/").status_code == 302
    assert ServiceNumber.objects.count() == 0


def test_what_is_wrong_is_said_at_its_field_and_kept(office: Client) -> None:
    answer = office.post("/office/service-numbers/", ROW | {"number": "politie"})
    assert answer.status_code == 422
    words = answer.content.decode()
    assert "politie is no number. Expected e.g. 101" in words
    assert 'value="PZ Gent"' in words
    assert ServiceNumber.objects.count() == 0


def test_another_provider_s_number_cannot_be_removed(scene: Scene, office: Client) -> None:
    theirs = logged_in(scene.staff("tine", "office", providers=("dtral",)))
    theirs.post("/office/service-numbers/", ROW)
    row = ServiceNumber.objects.get()
    assert row.provider.slug == "dtral"
    assert office.post(f"/office/service-numbers/{row.pk}/remove/").status_code == 404
    assert "PZ Gent" not in office.get("/office/service-numbers/").content.decode()


def test_what_is_meant_for_another_provider_is_never_entered_for_ones_own(office: Client) -> None:
    for slug in ("dtral", "gone"):
        page = f"/office/service-numbers/?provider={slug}"
        assert office.get(page).status_code == office.post(page, ROW).status_code == 404
    assert ServiceNumber.objects.count() == 0


def test_an_operator_has_no_business_here(scene: Scene) -> None:
    assert logged_in(scene.staff()).get("/office/service-numbers/").status_code == 403


def test_what_they_ask_of_a_site_is_noted(scene: Scene, office: Client) -> None:
    site = scene.site()
    fields = {"building": "apotheek", "risk": "", "dangers": "zuren", "people": "nachtploeg"}
    assert office.post(f"/office/sites/{site.pk}/emergency/", fields).status_code == 302
    assert EmergencyNote.objects.get().dangers == "zuren"
    assert "nachtploeg" in office.get(f"/office/sites/{site.pk}/").content.decode()
    other = scene.site("Geheim", "dtral")
    assert office.get(f"/office/sites/{other.pk}/emergency/").status_code == 404
