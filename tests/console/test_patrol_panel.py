"""The incident shows its patrols: asked, on the way, on site, what was found, photos (S6.1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client

from meldkamer.incidents import commands
from meldkamer.incidents.messages import patrol_replies
from meldkamer.incidents.messages.patrol_replies import Said
from meldkamer.incidents.models import Incident
from meldkamer.journal.models import Entry
from meldkamer.notify.models import PatrolJob, PatrolPhoto, PatrolUnit
from meldkamer.people.models import Staff
from tests.console.scene import Scene, burglary

SECRET = b"N51.0406 PHONE OF JAN"
PHOTO = (
    b"\xff\xd8\xff\xe1\x00\x17" + SECRET + b"\xff\xda\x00\x02pixels\xff\xd9"
)  # fmt: skip


@pytest.fixture
def unit(scene: Scene) -> PatrolUnit:
    return PatrolUnit.objects.create(
        provider_id=scene.providers["securitas"].pk, name="R12", latitude=51.0586,
        longitude=3.7172, reported_at=scene.now, positioned_at=scene.now, has_page=True,
        phone="+32475123456",
    )  # fmt: skip


@pytest.fixture
def incident(scene: Scene, operator: Staff) -> Incident:
    found = burglary(scene, scene.site(options=("patrol",)))
    commands.take(operator, found.pk, scene.now)
    return found


def says(unit: PatrolUnit, kind: str, when: datetime, **more: object) -> None:
    job = PatrolJob.objects.filter(unit=unit).latest("pk")
    said = Said(uuid4(), job.pk, kind, **more)  # type: ignore[arg-type]
    assert patrol_replies.take(unit.pk, said, when).refused == ""


def shown(desk: Client, incident: Incident) -> str:
    address = f"/incident/{incident.pk}/"
    return desk.get(address, headers={"HX-Request": "true"}).content.decode()


@pytest.mark.clause("S6.1")
def test_the_incident_shows_who_was_asked_until_it_is_done(
    scene: Scene, desk: Client, operator: Staff, incident: Incident, unit: PatrolUnit
) -> None:
    now = scene.now
    assert "patrol-rows" not in shown(desk, incident)
    commands.send_patrol(operator, incident.pk, now)
    page = shown(desk, incident)
    for words in ("R12", "is asked", "2.0 km", "tel:+32475123456", "Patrol R12 asked"):
        assert words in page, words
    says(unit, "accept", now + timedelta(seconds=20), said_at=now - timedelta(minutes=5))
    says(unit, "arrived", now + timedelta(seconds=300))
    says(unit, "finding", now + timedelta(seconds=330), finding="traces", note="the back door")
    says(unit, "photo", now + timedelta(seconds=340), photo=PHOTO)
    page = shown(desk, incident)
    for words in (
        "on the way", "on site", "Traces of a break-in", "the back door", "/patrol-photo/",
        "according to the phone", "Patrol R12 found: Traces of a break-in. the back door",
        "Patrol R12 accepted, on its way", "verified",
    ):  # fmt: skip
        assert words in page, words
    says(unit, "done", now + timedelta(seconds=400))
    assert "Call off" not in shown(desk, incident)


@pytest.mark.clause("S6.1")
def test_the_desk_says_at_once_that_nobody_goes(
    scene: Scene, desk: Client, operator: Staff, incident: Incident, unit: PatrolUnit
) -> None:
    commands.send_patrol(operator, incident.pk, scene.now)
    says(unit, "cannot", scene.now + timedelta(seconds=5), reason="no_car")
    page = shown(desk, incident)
    assert "No patrol goes." in page
    assert "Patrol R12 cannot: No vehicle" in page
    boss = Client()
    boss.force_login(
        scene.staff("sam", "supervisor"), backend="django.contrib.auth.backends.ModelBackend"
    )
    assert "no patrol goes: all were asked" in boss.get("/lists/notices/").content.decode()


@pytest.mark.clause("S6.1")
def test_a_unit_is_called_off_with_a_reason_and_asked_again(
    scene: Scene, desk: Client, operator: Staff, incident: Incident, unit: PatrolUnit
) -> None:
    commands.send_patrol(operator, incident.pk, scene.now)
    address = f"/incident/{incident.pk}/patrol/{unit.pk}/withdraw/"
    assert "Say why it is called off." in desk.post(address, {"reason": " "}).content.decode()
    page = desk.post(address, {"reason": "the owner is there"}).content.decode()
    assert "called off: the owner is there" in page
    desk.post(f"/incident/{incident.pk}/patrol/")
    unit.refresh_from_db()
    assert unit.state == "offered"
    assert desk.post(f"/incident/{incident.pk}/patrol/999/withdraw/").status_code == 404


def test_photos_are_shown_without_what_the_phone_wrote_and_saved_whole_by_a_supervisor(
    scene: Scene, desk: Client, operator: Staff, incident: Incident, unit: PatrolUnit
) -> None:
    now = scene.now
    commands.send_patrol(operator, incident.pk, now)
    says(unit, "accept", now + timedelta(seconds=1))
    says(unit, "arrived", now + timedelta(seconds=2))
    says(unit, "photo", now + timedelta(seconds=3), photo=PHOTO)
    row = PatrolPhoto.objects.get()
    small = desk.get(f"/patrol-photo/{row.pk}/")
    assert small.headers["Content-Type"] == "image/jpeg"
    assert SECRET not in small.content
    assert b"pixels" in small.content
    assert desk.get(f"/patrol-photo/{row.pk}/original/").status_code == 403
    boss = Client()
    person = scene.staff("sam", "supervisor")
    boss.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    whole = boss.get(f"/patrol-photo/{row.pk}/original/")
    assert whole.content == PHOTO
    assert "attachment" in whole.headers["Content-Disposition"]
    saved = Entry.objects.get(what="patrol.photo_saved")
    assert (saved.actor, saved.data["sha256"]) == (f"staff:{person.pk}", row.sha256)
    stranger = Client()
    stranger.force_login(
        scene.staff("lea", "supervisor", providers=("dtral",)),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    for address in (f"/patrol-photo/{row.pk}/", f"/patrol-photo/{row.pk}/original/"):
        assert stranger.get(address).status_code == 404


def test_a_radio_unit_is_shown_and_called_off_too(
    scene: Scene, desk: Client, operator: Staff, incident: Incident, unit: PatrolUnit
) -> None:
    PatrolUnit.objects.update(has_page=False)
    commands.send_patrol(operator, incident.pk, scene.now)
    page = shown(desk, incident)
    assert "Patrol R12 sent" in page
    assert "Call off" in page
    desk.post(f"/incident/{incident.pk}/patrol/{unit.pk}/withdraw/", {"reason": "not needed"})
    unit.refresh_from_db()
    assert unit.state == "free"
