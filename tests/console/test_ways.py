"""The ways out at the desk: silent while all works, one line when not, practice always (M12.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.test import Client

from meldkamer.console.screens import ways
from meldkamer.engine import cycle
from meldkamer.incidents.messages import carrier_faults
from meldkamer.incidents.models import Incident
from meldkamer.journal.models import Entry
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.people.models import Staff
from meldkamer.sites.models import Provider
from tests.console.scene import Scene, burglary


@pytest.fixture
def real(scene: Scene) -> Provider:
    """Securitas, whose messages really leave; D'Tral practises."""
    Provider.objects.filter(slug="securitas").update(practice=False)
    return Provider.objects.get(slug="securitas")


def carrier(provider: Provider, name: str, state: str = "up", **more: object) -> WayOut:
    values: dict[str, object] = {
        "channel": "sms", "kind": "smpp", "state": state, "beat_at": datetime.now(UTC),
        "provider_id": provider.pk, **more,
    }  # fmt: skip
    return WayOut.objects.create(name=name, **values)


def top_bar(desk: Client) -> str:
    ways._read.cache_clear()
    page = desk.get("/queue/", headers={"HX-Request": "true"}).content.decode()
    return page[page.index('id="duty"') :]


def test_nothing_is_said_while_every_channel_is_on_its_first_carrier(
    desk: Client, real: Provider
) -> None:
    carrier(real, "A")
    carrier(real, "B", "down", priority=2)
    page = top_bar(desk)
    assert "duty ways" not in page
    assert "banner practice" not in page


@pytest.mark.clause("M12.1", "M12.4")
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Texts: A down, using B"),
        ("nl", "Sms’en: A uit, via B"),
        ("fr", "SMS : A en panne, par B"),
        ("de", "SMS: A aus, über B"),
    ],
)
def test_a_channel_on_its_second_carrier_is_a_remark(
    desk: Client, real: Provider, language: str, words: str
) -> None:
    desk.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    carrier(real, "A", "down")
    carrier(real, "B", priority=2)
    page = top_bar(desk)
    assert "duty ways" in page
    assert words in page


def test_a_channel_without_one_that_works_goes_before_with_what_waits(
    desk: Client, real: Provider
) -> None:
    carrier(real, "A", "down", channel="mail", kind="smtp")
    carrier(real, "C", beat_at=datetime.now(UTC) - timedelta(minutes=5))
    for _ in range(3):
        OutboxMessage.objects.create(
            channel="mail", template="x", address="x", recipient="x", language="nl", body="x",
            clause="S8.4", created_at=datetime.now(UTC), provider_id=real.pk, state="waiting",
        )  # fmt: skip
    page = top_bar(desk)
    assert "Mail: does not work, 3 wait" in page
    assert ">+1<" in page


def test_practice_stands_over_the_desk_with_whose_it_is(
    scene: Scene, desk: Client, operator: Staff, real: Provider
) -> None:
    assert "banner practice" not in top_bar(desk)
    WayOut.objects.create(channel="sms", kind="sandbox", name="box", provider_id=real.pk)
    assert "Securitas (Texts)" in top_bar(desk)
    operator.providers.add(scene.providers["dtral"])
    page = top_bar(desk)
    assert "banner practice" in page
    assert "D’Tral; Securitas (Texts)" in page
    desk.cookies["meldkamer_provider"] = "securitas"
    assert "D’Tral" in top_bar(desk), "his desk gets its alarms, whatever the queue shows"


def test_what_fails_of_another_provider_is_not_said(
    scene: Scene, desk: Client, real: Provider
) -> None:
    carrier(scene.providers["dtral"], "theirs", "down")
    assert "duty ways" not in top_bar(desk)


def test_at_a_desk_with_real_alarms_each_exercise_says_that_it_is_one(
    scene: Scene, desk: Client, operator: Staff, real: Provider
) -> None:
    alarm = burglary(scene, scene.site("Apotheek"))
    exercise = burglary(scene, scene.site("Oefensite", "dtral"))
    operator.providers.add(scene.providers["dtral"])
    page = desk.get("/queue/", headers={"HX-Request": "true"}).content.decode()
    assert "Practice, Oefensite" in page
    assert "Practice, Apotheek" not in page
    words = "This incident is an exercise"
    assert words in desk.get(f"/incident/{exercise.pk}/").content.decode()
    assert words not in desk.get(f"/incident/{alarm.pk}/").content.decode()
    # where everything is one, the bar says it once
    Provider.objects.update(practice=True)
    assert "Practice, " not in desk.get("/queue/", headers={"HX-Request": "true"}).content.decode()


@pytest.mark.clause("M12.4", "S16.2")
def test_the_incident_of_a_failing_carrier_says_what_is_wrong_in_the_operators_language(
    desk: Client, real: Provider, scene: Scene
) -> None:
    first, second = carrier(real, "Proximus"), carrier(real, "Orange", priority=2)
    fault = "127.0.0.1:2775 cannot be reached: Connection refused"
    for minute, row in enumerate((first, second)):
        carrier_faults.fails(row.pk, fault, scene.now + timedelta(minutes=minute))
        cycle.judge_all(scene.now + timedelta(minutes=minute))
    carrier_faults.works(second.pk, scene.now + timedelta(minutes=2))
    cycle.judge_all(scene.now + timedelta(minutes=2))
    told = Entry.objects.filter(what="carrier down")
    assert {(one.clause, one.data["fault"]) for one in told} == {("M12.1", fault)}
    incident = Incident.objects.get(site__house=True)
    Staff.objects.update(language="fr")
    page = desk.get(f"/incident/{incident.pk}/?course").content.decode()
    for words in (
        "Le service d’envoi Orange est en panne : 127.0.0.1:2775 est injoignable",
        "service d’envoi en panne</",
        "Le service d’envoi Orange fonctionne à nouveau",
    ):
        assert words in page, words
