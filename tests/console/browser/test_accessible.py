"""WCAG 2.2 AA by axe on every screen of the desk, in both themes; readable at both desk sizes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from meldkamer.incidents.models import Incident
from tests.console.browser.conftest import Web, live
from tests.console.scene import PASSWORD, Scene

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: rules about whole pages that a desk of regions answers in its own way
OFF = {"region": {"enabled": False}, "page-has-heading-one": {"enabled": False}}


def faults(page: Any) -> list[str]:
    """What axe finds, one line each."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": TAGS, "rules": OFF}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in found
        for node in one["nodes"][:3]
    ]


@pytest.fixture(scope="module")
def night(town: Scene) -> Incident:
    """A burglary in work with a refusal to come, and a queue beside it."""
    from meldkamer.incidents import commands
    from meldkamer.people.models import Staff

    town.now = datetime.now(UTC)
    incident = town.signal(town.site(hours=True, options=("patrol",)))
    assert incident is not None
    town.signal(incident.site, zone="5")
    for name, kind, code in (("Ter Linde", "fire", "FA"), ("Dewaele", "external_technical", "ZA")):
        town.signal(town.site(name, trial=True), code, kind)
    eva = Staff.objects.get(username="eva")
    commands.take(eva, incident.pk, town.now)
    commands.dial(eva, incident.pk, "call:premises", town.now)
    town.signal(incident.site, zone="7")
    return incident


@pytest.fixture
def eva(sit_down: Callable[..., Any], night: Incident) -> Any:
    """Eva's page with the incident open."""
    return sit_down("eva", f"/incident/{night.pk}/")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [(1920, 1080), (1366, 768)])
def test_the_desk(
    web: Web, sit_down: Callable[..., Any], night: Incident, theme: str, size: tuple[int, int]
) -> None:
    page = sit_down("eva", f"/incident/{night.pk}/", *size)
    page.context.add_cookies([{"name": "meldkamer_theme", "value": theme, "url": web.address}])
    page.reload()
    page.wait_for_selector("main.incident")
    assert faults(page) == []


def test_the_refusal_and_the_clause(eva: Any) -> None:
    eva.keyboard.press("r")
    eva.wait_for_selector("#refusal")
    eva.click("#refusal .clause")
    eva.wait_for_selector("#leaf[open]")
    assert faults(eva) == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_rule_of_a_line(web: Web, eva: Any, theme: str) -> None:
    eva.context.add_cookies([{"name": "meldkamer_theme", "value": theme, "url": web.address}])
    eva.reload()
    live(eva)
    eva.keyboard.press("w")
    eva.keyboard.press("Enter")
    eva.wait_for_selector("#leaf[open] .rule")
    assert faults(eva) == []


def test_the_keys(eva: Any) -> None:
    eva.keyboard.press("F1")
    eva.wait_for_selector("#keys[open]")
    assert faults(eva) == []
    eva.keyboard.press("F1")
    assert not eva.query_selector("#keys[open]")


@pytest.mark.parametrize("key", ["x", "e"])
def test_what_is_asked(eva: Any, key: str) -> None:
    eva.keyboard.press(key)
    eva.wait_for_selector("form.ask, form.close-form")
    assert faults(eva) == []


def test_someone_calls_in(web: Web, eva: Any, night: Incident) -> None:
    eva.keyboard.press("F8")
    eva.wait_for_selector("#caller-words")
    assert faults(eva) == []
    eva.goto(f"{web.address}/caller/{night.site_id}/")
    assert faults(eva) == []


@pytest.mark.parametrize("name", ["tests", "trials", "held", "system"])
def test_the_lists(web: Web, eva: Any, name: str) -> None:
    eva.goto(f"{web.address}/lists/{name}/")
    assert faults(eva) == []


def test_the_call_sheet(eva: Any, night: Incident, web: Web) -> None:
    eva.goto(f"{web.address}/incident/{night.pk}/?work=request:police")
    eva.wait_for_selector("main.incident")
    assert faults(eva) == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_login(web: Web, town: Scene, chromium_process: Any, theme: str) -> None:
    context = chromium_process.new_context()
    context.add_cookies([{"name": "meldkamer_theme", "value": theme, "url": web.address}])
    page = context.new_page()
    page.goto(f"{web.address}/account/login/")
    assert faults(page) == []
    page.fill("#id_login", "eva")
    page.fill("#id_password", "wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")
    assert faults(page) == []
    page.fill("#id_password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#queue-list")
    context.close()


@pytest.mark.parametrize("address", ["/account/second-factor/", "/account/password/change/"])
def test_the_pages_of_an_account(web: Web, eva: Any, address: str) -> None:
    eva.goto(web.address + address)
    assert faults(eva) == []


def test_the_checker_finds_a_planted_fault(eva: Any) -> None:
    eva.evaluate("document.body.insertAdjacentHTML('beforeend', '<button></button>')")
    assert any(line.startswith("button-name") for line in faults(eva))


def box_of(page: Any, selector: str) -> dict[str, float]:
    """Where an element stands; asked again while the page is just drawing that part anew."""
    for _ in range(100):
        box: dict[str, float] | None = page.locator(selector).first.bounding_box()
        if box is not None:
            return box
        page.wait_for_timeout(50)
    raise AssertionError(f"{selector} is not drawn")


@pytest.mark.parametrize("size", [(1920, 1080), (1366, 768)])
def test_result_keys_and_closing_row_are_on_the_screen(
    sit_down: Callable[..., Any], night: Incident, size: tuple[int, int]
) -> None:
    page = sit_down("eva", f"/incident/{night.pk}/", *size)
    page.wait_for_selector("main[data-ringing]")
    for selector in (".results [data-key='1']", ".results [data-key='8']", "[data-key='x']"):
        box = box_of(page, selector)
        assert box["y"] + box["height"] <= size[1], selector
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_narrow_or_zoomed_everything_stacks_and_nothing_is_cut(
    sit_down: Callable[..., Any], night: Incident
) -> None:
    page = sit_down("eva", f"/incident/{night.pk}/", 683, 900)
    assert page.evaluate("document.documentElement.scrollWidth") <= 683
    tops = [box_of(page, selector)["y"] for selector in ("main", "nav.queue", "#site")]
    assert tops == sorted(tops)


@pytest.mark.clause("M12.4")
@pytest.mark.parametrize("language", ["nl", "fr", "de", "en"])
@pytest.mark.parametrize("size", [(1920, 1080), (1366, 768)])
def test_longer_languages_push_nothing_off_the_desk(
    web: Web,
    sit_down: Callable[..., Any],
    night: Incident,
    language: str,
    size: tuple[int, int],
) -> None:
    page = sit_down("eva", f"/incident/{night.pk}/", *size)
    cookie = {"name": "meldkamer_language", "value": language, "url": web.address}
    page.context.add_cookies([cookie])
    page.reload()
    page.wait_for_selector("main[data-mine]")
    for outer, inner in (("#closing", "[data-key='x']"), ("header.topbar", "#me")):
        around, box = box_of(page, outer), box_of(page, inner)
        assert box["x"] + box["width"] <= around["x"] + around["width"] + 1, (outer, inner)
