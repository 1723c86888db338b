"""The patrols at the desk: where they stand, and what they report by radio (S6.1)."""

from __future__ import annotations

import pytest
from django.test import Client

from meldkamer.journal.models import Entry
from meldkamer.notify.models import PatrolUnit
from meldkamer.notify.patrol import jobs
from meldkamer.people.models import Staff
from tests.console.scene import Scene, burglary


@pytest.fixture
def unit(scene: Scene) -> PatrolUnit:
    return PatrolUnit.objects.create(
        provider_id=scene.providers["securitas"].pk, name="Gent-Zuid", latitude=51.04,
        longitude=3.72, reported_at=scene.now,
    )  # fmt: skip


def says(desk: Client, unit: PatrolUnit, word: str) -> str:
    answer = desk.post(f"/patrols/{unit.pk}/{word}/", headers={"HX-Request": "true"})
    unit.refresh_from_db()
    return answer.content.decode()


@pytest.mark.clause("S6.1")
def test_a_patrol_that_was_sent_reports_step_by_step_and_is_free_again(
    scene: Scene, desk: Client, unit: PatrolUnit
) -> None:
    incident = burglary(scene, scene.site(options=("patrol",)))
    assert jobs.take(unit, "sent", incident.pk, scene.now)
    page = desk.get("/lists/patrols/", headers={"HX-Request": "true"}).content.decode()
    for words in ("Gent-Zuid", "on the way", "51.0400, 3.7200", f"/incident/{incident.pk}/"):
        assert words in page
    assert "entered by the office" in page, "its page never said where it is"
    assert "on site" in says(desk, unit, "arrived")
    says(desk, unit, "intruder")
    incident.refresh_from_db()
    assert incident.verified_by == "person"
    says(desk, unit, "done")
    assert (unit.state, unit.incident_id) == ("free", None)
    told = Entry.objects.filter(incident_id=incident.pk, what__startswith="patrol.").order_by("id")
    assert [entry.what for entry in told] == ["patrol.arrived", "patrol.arrived", "patrol.done"]
    assert {entry.clause for entry in told} == {"S6.1"}
    assert all(entry.actor.startswith("staff:") for entry in told)


def test_who_works_for_two_providers_sees_whose_unit_it_is(
    scene: Scene, desk: Client, operator: Staff, unit: PatrolUnit
) -> None:
    words = '<b>Gent-Zuid</b> <span class="hush">Securitas</span>'
    assert words not in desk.get("/lists/patrols/").content.decode()
    operator.providers.add(scene.providers["dtral"])
    assert words in desk.get("/lists/patrols/").content.decode()


@pytest.mark.clause("S6.1")
def test_what_does_not_follow_from_where_it_stands_is_refused(
    desk: Client, unit: PatrolUnit
) -> None:
    page = says(desk, unit, "intruder")
    assert "S6.1" in page
    assert "The patrol stands elsewhere by now." in page
    assert unit.state == "free"
    assert "off duty" in says(desk, unit, "off")
    assert unit.state == "off"
    [told] = Entry.objects.filter(what="patrol.reported")
    assert (told.recipient, told.clause, told.data["word"]) == ("Gent-Zuid", "S6.1", "off")
    assert told.actor.startswith("staff:")


def test_a_patrol_of_another_provider_is_neither_shown_nor_moved(
    scene: Scene, desk: Client, unit: PatrolUnit
) -> None:
    unit.provider_id = scene.providers["dtral"].pk
    unit.save()
    assert "Gent-Zuid" not in desk.get("/lists/patrols/").content.decode()
    says(desk, unit, "off")
    assert unit.state == "free"
    assert desk.post("/patrols/999/off/").status_code == 404
