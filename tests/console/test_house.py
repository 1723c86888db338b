"""What the desk shows when the house does not keep its own rules, and to whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import translation

from meldkamer.console import house_words
from meldkamer.engine.audit.run import CHECKS
from meldkamer.incidents.models import HouseCheck
from tests.console.scene import Scene, burglary

BANNER = 'class="banner critical" role="alert"'


def breaks(
    scene: Scene, name: str = "not_as_told", site: int | None = None, number: int = 7
) -> None:
    """The auditor found an incident of that site."""
    row, _ = HouseCheck.objects.get_or_create(
        name=name, defaults={"clause": "M12.3", "checked_at": scene.now + timedelta(days=1)}
    )
    row.broken_since, row.count = scene.now, 1
    row.findings = [["incident", number, site, scene.now.isoformat(), "state: journal queued"]]
    row.save()


def house_of(client: Client, path: str = "/") -> str:
    page = client.get(path).content.decode()
    return page[page.index('id="house"') : page.index("</div></div>", page.index('id="house"'))]


@pytest.mark.clause("M12.3")
def test_the_desk_is_quiet_while_all_holds(scene: Scene, desk: Client) -> None:
    assert BANNER not in desk.get("/").content.decode()


@pytest.mark.clause("M12.3")
def test_every_desk_is_red_when_a_check_does_not_hold(scene: Scene, desk: Client) -> None:
    breaks(scene)
    breaks(scene, "signal_waits")
    for path in ("/", "/queue/"):
        page = desk.get(path, headers={"HX-Request": "true"} if path != "/" else {})
        words = page.content.decode()
        assert BANNER in words
        assert "1 finding" in words
        assert "and 1 more" in words
        assert "M12.3" in words
    HouseCheck.objects.update(broken_since=None, count=0, findings=[])
    assert BANNER not in desk.get("/").content.decode()


@pytest.mark.clause("M12.3")
def test_the_desk_is_red_when_nobody_looks(scene: Scene, desk: Client) -> None:
    HouseCheck.objects.update(checked_at=scene.now - timedelta(seconds=91))
    assert "Nobody watches over this centre." in house_of(desk)
    assert "Is a worker running?" in house_of(desk)
    HouseCheck.objects.all().delete()
    assert "It was never checked." in house_of(desk)


def test_the_banner_comes_with_an_act_too(scene: Scene, desk: Client) -> None:
    incident = burglary(scene, scene.site())
    breaks(scene)
    answer = desk.post(f"/incident/{incident.pk}/take/", headers={"HX-Request": "true"})
    assert BANNER in answer.content.decode()


# --- the page behind it


@pytest.fixture
def sam(scene: Scene, client: Client) -> Client:
    """A supervisor of Securitas."""
    client.force_login(
        scene.staff("sam", "supervisor"), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


def test_a_supervisor_sees_what_when_where_and_what_to_do(scene: Scene, sam: Client) -> None:
    incident = burglary(scene, scene.site("Apotheek"))
    breaks(scene, site=incident.site_id, number=incident.pk)
    assert 'data-key="a"' in house_of(sam)
    page = sam.get("/house/").content.decode()
    for words in ("Apotheek", f"/incident/{incident.pk}/", "state: journal queued"):
        assert words in page
    assert house_words.head("not_as_told") in page
    assert house_words.what_to_do("not_as_told").split(":")[0] in page


def test_a_site_of_another_provider_is_not_named(scene: Scene, sam: Client) -> None:
    strange = scene.site("Geheim", "dtral")
    breaks(scene, site=strange.pk, number=burglary(scene, strange).pk)
    page = sam.get("/house/").content.decode()
    assert "Geheim" not in page
    assert "state: journal queued" not in page
    assert "another provider" in page
    assert "/incident/" not in page[page.index('id="incident"') :]


def test_an_operator_is_told_to_tell_and_may_not_read_the_findings(
    scene: Scene, desk: Client
) -> None:
    breaks(scene)
    assert "Tell the supervisor." in house_of(desk)
    assert desk.get("/house/").status_code == 403


def test_a_house_in_order_has_an_empty_page(scene: Scene, sam: Client) -> None:
    assert "Everything holds" in sam.get("/house/").content.decode()


# --- words


def test_every_check_says_what_is_broken_and_what_to_do() -> None:
    assert set(house_words.CHECKS) == {check.name for check in CHECKS}


@pytest.mark.clause("M12.4")
@pytest.mark.parametrize("language", ["nl", "fr", "de"])
def test_every_check_speaks_every_language(language: str) -> None:
    english = {name: (str(a), str(b)) for name, (a, b) in house_words.CHECKS.items()}
    with translation.override(language):
        for name, words in house_words.CHECKS.items():
            for own, foreign in zip(english[name], map(str, words), strict=True):
                assert own != foreign, (language, name)


# --- for machines outside


def test_a_monitor_is_told_whether_the_house_holds(scene: Scene, client: Client) -> None:
    assert client.get("/health/house/").content == b"holds\n"
    breaks(scene)
    answer = client.get("/health/house/")
    assert (answer.status_code, answer.content) == (503, b"broken: 1\n")
    # the web process works all the same, and shows it
    assert client.get("/health/").status_code == 200
    HouseCheck.objects.all().delete()
    assert client.get("/health/house/").content == b"not looked at\n"
