"""The desk's telephone in a real browser: an exchange, a call that comes in, a service's sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from meldkamer.incidents import commands
from meldkamer.incidents.models import Incident
from meldkamer.incidents.telephone import answering, desk_calls
from meldkamer.notify import way_commands
from meldkamer.notify.desk.models import DeskCall
from meldkamer.notify.models import WayOut
from meldkamer.people.models import Staff
from meldkamer.sites import service_numbers
from meldkamer.sites.service_numbers import EmergencyDraft, ServiceNumberDraft
from tests.console.browser.conftest import Web, live, settled
from tests.console.browser.test_accessible import faults
from tests.console.browser.test_service_pages import picture
from tests.console.scene import CODE, Scene
from tests.notify.desk.exchange import Exchange, exchange

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SIZES = [(1920, 1080, "dark", "nl"), (1366, 768, "light", "en")]


@pytest.fixture(scope="module")
def peer() -> Iterator[Exchange]:
    with exchange() as found:
        yield found


@pytest.fixture(scope="module")
def pbx(town: Scene, peer: Exchange) -> WayOut:
    """Eva dials through an exchange; the provider is no practice; the police zone has a number."""
    house = town.providers["securitas"]
    house.practice = False
    house.save()
    Staff.objects.filter(username="eva").update(dials="pbx", extension="201")
    draft = ServiceNumberDraft("police", "lokale politie Gent", "09 266 61 11", "nl")
    service_numbers.enter(house, draft, town.now - timedelta(days=1), "office")
    settings = {"url": f"{peer.url}/o/{{extension}}/{{number}}/{{id}}"}
    return way_commands.add("pbx_http", "Exchange", town.now, settings_given=settings)


@pytest.fixture
def night(town: Scene, pbx: WayOut, clean_desk: None) -> Incident:
    """A burglary in Eva's hands."""
    town.now = datetime.now(UTC)
    site = town.site(hours=True)
    draft = EmergencyDraft("apotheek met woning", "verdovende middelen", "zuren", "nachtwaker")
    service_numbers.note_site(site, draft, town.now, "office")
    incident = town.signal(site)
    assert incident is not None
    commands.take(Staff.objects.get(username="eva"), incident.pk, town.now)
    return incident


def look(web: Web, page: Any, theme: str, language: str) -> None:
    """The same page in a theme and a language."""
    page.context.add_cookies(
        [
            {"name": "meldkamer_theme", "value": theme, "url": web.address},
            {"name": "meldkamer_language", "value": language, "url": web.address},
        ]
    )
    page.reload()
    live(page)


def hear(state: str) -> None:
    last = DeskCall.objects.latest("pk")
    assert desk_calls.heard(int(last.way_id or 0), last.pk, state, datetime.now(UTC))


@pytest.mark.parametrize(("width", "height", "theme", "language"), SIZES)
def test_the_exchange_rings_and_its_word_is_confirmed_with_one_key(
    web: Web, sit_down: Callable[..., Any], night: Incident, peer: Exchange,
    width: int, height: int, theme: str, language: str,
) -> None:  # fmt: skip
    page = sit_down("eva", f"/incident/{night.pk}/", width, height)
    look(web, page, theme, language)
    page.keyboard.press("d")
    page.wait_for_selector(".exchange")
    assert peer.asked[-1].path.startswith("/o/201/+3292210017/")
    hear("busy")
    page.wait_for_selector(".results .hinted")
    picture(page, f"exchange-{theme}")
    assert faults(page) == []
    page.keyboard.press("Enter")
    page.wait_for_function("() => !document.querySelector('.exchange')")
    settled(page)
    assert page.locator(".step.done").count() == 1


def consulted(incident: Incident) -> None:
    """Verified, and the first contact comes."""
    eva, site = Staff.objects.get(username="eva"), incident.site
    now = datetime.now(UTC)
    person = site.contacts.get(position=1)
    commands.judge_images(eva, incident.pk, "intruder", now)
    for step, result, says, code in (
        ("call:premises", "no_answer", "", ""),
        (f"call:c{person.pk}", "reached", "coming", f"1{CODE[1:]}"),
    ):
        commands.dial(eva, incident.pk, step, now)
        if code:
            # only the first site of the town has codes
            identity = "right"
            commands.call_result(eva, incident.pk, step, result, says, now, identity=identity)
        else:
            commands.call_result(eva, incident.pk, step, result, says, now)


@pytest.mark.parametrize(("width", "height", "theme", "language"), SIZES)
def test_a_call_sheet_is_read_dialled_accepted_and_printed(
    web: Web, sit_down: Callable[..., Any], night: Incident, peer: Exchange,
    width: int, height: int, theme: str, language: str,
) -> None:  # fmt: skip
    consulted(night)
    page = sit_down("eva", f"/incident/{night.pk}/", width, height)
    look(web, page, theme, language)
    page.wait_for_selector("form.service")
    picture(page, f"sheet-{theme}")
    assert faults(page) == []
    accept = page.locator('.results [data-key="1"]').bounding_box()
    assert accept["y"] + accept["height"] < height  # the result keys are on the screen
    page.keyboard.press("d")
    page.wait_for_selector(".exchange")
    assert peer.asked[-1].path.startswith("/o/201/+3292666111/")
    picture(page, f"sheet-called-{theme}")
    page.fill("#reference", "GE-2026-771")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    page.wait_for_selector('[data-key="s"]')
    settled(page)
    picture(page, f"sheet-closing-{theme}")
    page.keyboard.press("s")
    page.wait_for_selector('a[data-key="y"]')
    picture(page, f"sheet-after-{theme}")
    assert faults(page) == []
    page.goto(web.address + page.get_attribute('a[data-key="y"]', "href"))
    picture(page, f"sheet-paper-{theme}")
    assert faults(page) == []
    assert "nachtwaker" in page.content()


@pytest.mark.parametrize(("width", "height", "theme", "language"), SIZES)
def test_a_call_that_comes_in_is_answered_with_one_key(
    web: Web, sit_down: Callable[..., Any], night: Incident, pbx: WayOut,
    width: int, height: int, theme: str, language: str,
) -> None:  # fmt: skip
    page = sit_down("eva", f"/incident/{night.pk}/", width, height)
    look(web, page, theme, language)
    page.focus("#note")
    now = datetime.now(UTC)
    answering.tell(pbx, f"in-{theme}", "ringing", now, caller="0475 00 12 38", called="+3222630000")
    page.wait_for_selector("#calls .banner")
    assert page.evaluate("document.activeElement.id") == "note"
    picture(page, f"incoming-{theme}")
    assert faults(page) == []
    page.keyboard.press("F2")
    page.wait_for_selector("main.caller")
    settled(page)
    picture(page, f"incoming-record-{theme}")
    assert faults(page) == []
    assert "zijstraat" not in page.locator("main.caller").inner_text()
    answering.tell(pbx, f"in-{theme}", "ended", datetime.now(UTC))
    page.wait_for_selector("#calls .banner", state="detached")


def test_how_one_dials_is_chosen_beside_the_keys(
    sit_down: Callable[..., Any], night: Incident
) -> None:
    page = sit_down("eva", f"/incident/{night.pk}/", 1366, 768)
    page.keyboard.press("F1")
    page.wait_for_selector("#keys[open]")
    picture(page, "dials")
    assert faults(page) == []


def test_the_office_keeps_the_numbers(web: Web, sit_down: Callable[..., Any], pbx: WayOut) -> None:
    page = sit_down("eva")
    from django.conf import settings as house

    from tests.console.browser.conftest import session_of

    value = session_of("sam")
    page.context.add_cookies(
        [{"name": house.SESSION_COOKIE_NAME, "value": value, "url": web.address}]
    )
    page.goto(f"{web.address}/office/service-numbers/")
    picture(page, "service-numbers")
    assert faults(page) == []
