"""Who may sit at the desk, and that nobody sees another provider's sites."""

from __future__ import annotations

import json

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from meldkamer.console.feed import Change, Listener
from meldkamer.incidents.models import Incident, Notice
from meldkamer.people.models import Staff
from tests.console.scene import PASSWORD, Scene, burglary

BACKEND = "django.contrib.auth.backends.ModelBackend"
PAGES = ("home", "queue", "find", "caller", "stream")


def logged_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff, backend=BACKEND)
    return client


@pytest.mark.parametrize("page", ["home", "queue", "find", "caller"])
def test_a_stranger_is_sent_to_the_login(db: None, client: Client, page: str) -> None:
    answer = client.get(reverse(f"console:{page}"))
    assert answer.status_code == 302
    assert "/account/login/" in answer["Location"]


def test_a_stranger_s_fragment_sends_the_whole_page_to_the_login(db: None, client: Client) -> None:
    answer = client.get(reverse("console:queue"), headers={"HX-Request": "true"})
    assert answer["HX-Redirect"].startswith("/account/login/")
    assert answer.content == b""


async def _status_of_stream(client: object) -> int:
    answer = await client.get(reverse("console:stream"))  # type: ignore[attr-defined]
    return int(answer.status_code)


def test_a_stranger_hears_nothing(db: None) -> None:
    from asgiref.sync import async_to_sync
    from django.test import AsyncClient

    assert async_to_sync(_status_of_stream)(AsyncClient()) == 403


def test_a_clerk_of_the_office_is_sent_to_the_office(scene: Scene) -> None:
    clerk = scene.staff("olga", "office")
    assert logged_in(clerk).get("/")["Location"] == "/office/"


@pytest.fixture
def foreign(scene: Scene) -> Incident:
    """An incident of a provider that Eva does not work for."""
    site = scene.site("Geheime Klant", "dtral")
    return burglary(scene, site)


def test_another_provider_s_incident_is_not_in_the_queue(desk: Client, foreign: Incident) -> None:
    assert "Geheime Klant" not in desk.get("/queue/").content.decode()


def test_another_provider_s_incident_does_not_exist(desk: Client, foreign: Incident) -> None:
    assert desk.get(f"/incident/{foreign.pk}/").status_code == 404


@pytest.mark.parametrize(
    "act",
    ["take", "take-over", "release", "dial", "result", "code", "service", "patrol", "images",
     "note", "hold", "seen", "supervisor", "override", "close", "service-result",
     "service-call"],
)  # fmt: skip
def test_another_provider_s_incident_cannot_be_touched(
    desk: Client, foreign: Incident, act: str
) -> None:
    before = foreign.version
    answer = desk.post(f"/incident/{foreign.pk}/{act}/", {"found": "intruder", "text": "x"})
    foreign.refresh_from_db()
    assert answer.status_code == 404
    assert foreign.version == before


def test_every_act_of_the_desk_is_tried_above() -> None:
    from meldkamer.console.views.acts import _ACTS

    tried = test_another_provider_s_incident_cannot_be_touched.pytestmark[0].args[1]
    assert set(tried) == set(_ACTS)


def test_take_next_does_not_hand_out_another_provider_s(desk: Client, foreign: Incident) -> None:
    answer = desk.post("/take-next/")
    foreign.refresh_from_db()
    assert foreign.state == "queued"
    assert "Geheime" not in answer.content.decode()


@pytest.mark.parametrize("page", ["site", "caller_site"])
def test_another_provider_s_site_does_not_exist(desk: Client, foreign: Incident, page: str) -> None:
    answer = desk.get(reverse(f"console:{page}", args=[foreign.site_id]))
    assert answer.status_code == 404


@pytest.mark.parametrize("page", ["caller_says", "open_by_hand"])
def test_nobody_calls_in_for_another_provider_s_site(
    desk: Client, foreign: Incident, page: str
) -> None:
    answer = desk.post(
        reverse(f"console:{page}", args=[foreign.site_id]), {"says": "help", "type": "holdup"}
    )
    assert answer.status_code == 404
    assert Incident.objects.count() == 1


def test_another_provider_s_site_is_not_found(desk: Client, foreign: Incident) -> None:
    found = desk.get("/find/?words=Geheime").content.decode()
    assert "Geheime Klant" not in found


@pytest.mark.parametrize("name", ["tests", "trials", "held", "system", "notices"])
def test_another_provider_s_sites_are_on_no_list(
    desk: Client, foreign: Incident, name: str
) -> None:
    Notice.objects.create(
        provider=foreign.provider, at=foreign.opened_at, kind="untouched", clause="M12.2",
        text="Geheime Klant", site=foreign.site,
    )  # fmt: skip
    assert "Geheime Klant" not in desk.get(f"/lists/{name}/").content.decode()


def test_the_counts_leave_another_provider_out(desk: Client, foreign: Incident) -> None:
    assert "sign security" not in desk.get("/").content.decode().split('id="counts"')[1][:400]


def test_a_console_hears_only_of_its_providers() -> None:
    listener = Listener(frozenset({1}))
    assert listener.hears(Change(7, 1, 3))
    assert not listener.hears(Change(7, 2, 4))


def test_who_works_for_both_sees_both(scene: Scene, foreign: Incident) -> None:
    both = scene.staff("bo", providers=("securitas", "dtral"))
    assert "Geheime Klant" in logged_in(both).get("/queue/").content.decode()


def test_a_notice_is_marked_as_seen_by_supervisors_alone(scene: Scene, desk: Client) -> None:
    notice = Notice.objects.create(
        provider=scene.providers["securitas"], at=scene.now, kind="unknown_account",
        clause="S10.7", text="account 9999",
    )  # fmt: skip
    assert desk.post(f"/notices/{notice.pk}/seen/").status_code == 403
    boss = scene.staff("sam", "supervisor")
    assert logged_in(boss).post(f"/notices/{notice.pk}/seen/").status_code == 200
    notice.refresh_from_db()
    assert notice.seen_by == boss


@override_settings(MELDKAMER_SECOND_FACTOR_ROLES=frozenset({"supervisor"}))
def test_a_supervisor_without_second_factor_is_asked_for_one(scene: Scene) -> None:
    boss = logged_in(scene.staff("sam", "supervisor"))
    assert boss.get("/")["Location"] == "/account/second-factor/"
    assert boss.post("/take-next/").status_code == 302


@override_settings(MELDKAMER_SECOND_FACTOR_ROLES=frozenset({"supervisor"}))
def test_a_supervisor_with_second_factor_works(scene: Scene) -> None:
    from allauth.mfa.models import Authenticator

    boss = scene.staff("sam", "supervisor")
    Authenticator.objects.create(user=boss, type="totp", data={"secret": "x"})
    assert logged_in(boss).get("/").status_code == 200


@override_settings(MELDKAMER_SECOND_FACTOR_ROLES=frozenset({"supervisor"}))
def test_an_operator_needs_none(desk: Client) -> None:
    assert desk.get("/").status_code == 200


def test_a_post_without_the_token_is_refused(scene: Scene, operator: Staff) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator, backend=BACKEND)
    assert client.post("/take-next/").status_code == 403


@pytest.mark.parametrize("address", ["/incident/1/note/", "/caller/1/says/", "/take-next/"])
def test_a_nul_character_is_refused(desk: Client, address: str) -> None:
    assert desk.post(address, {"text": "a\x00b"}).status_code == 400


def test_a_nul_character_in_a_search_is_refused(desk: Client) -> None:
    assert desk.get("/find/?words=a%00b").status_code == 400


def test_the_desk_allows_no_script_but_its_own(desk: Client) -> None:
    answer = desk.get("/")
    policy = answer["Content-Security-Policy"]
    page = answer.content.decode()
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert " style=" not in page
    assert " onclick=" not in page


def test_the_login_lets_in_and_locks_after_five_wrong_passwords(
    scene: Scene, operator: Staff, client: Client
) -> None:
    fields = {"login": operator.username, "password": "wrong"}
    answers = [client.post("/account/login/", fields) for _ in range(6)]
    assert answers[-1].status_code == 429
    assert "locked" in answers[-1].content.decode()
    right = client.post("/account/login/", fields | {"password": PASSWORD})
    assert right.status_code == 429


def test_the_login_lets_in(scene: Scene, operator: Staff, client: Client) -> None:
    answer = client.post("/account/login/", {"login": operator.username, "password": PASSWORD})
    assert answer.status_code == 302
    assert answer["Location"] == "/"


def test_nobody_signs_himself_up(db: None, client: Client) -> None:
    client.post(
        "/account/signup/",
        {"username": "guest", "password1": PASSWORD, "password2": PASSWORD},
    )
    assert not Staff.objects.filter(username="guest").exists()


@pytest.mark.parametrize(
    ("language", "words"), [("nl", "Wachtrij"), ("fr", "File"), ("de", "Warteschlange")]
)
def test_the_desk_speaks_the_language_of_its_operator(
    scene: Scene, language: str, words: str
) -> None:
    person = logged_in(scene.staff(language, language=language))
    assert words in person.get("/").content.decode()


def test_a_chosen_language_stays(desk: Client, operator: Staff) -> None:
    desk.post("/choose/", {"language": "fr", "next": "/"})
    operator.refresh_from_db()
    assert operator.language == "fr"
    assert 'lang="fr"' in desk.get("/").content.decode()


def test_a_choice_leads_nowhere_else(desk: Client) -> None:
    assert desk.post("/choose/", {"theme": "light", "next": "https://evil.example/"})[
        "Location"
    ] == "/"  # fmt: skip


def test_the_chosen_theme_stands_on_the_page(desk: Client) -> None:
    desk.post("/choose/", {"theme": "light"})
    assert 'data-theme="light"' in desk.get("/").content.decode()


def test_the_stay_of_another_s_incident_is_refused(scene: Scene, desk: Client) -> None:
    incident = burglary(scene, scene.site())
    answer = desk.post("/alive/", {"incident": incident.pk, "active": "1"})
    assert json.loads(answer.content) == {"mine": False}
