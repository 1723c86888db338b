"""Section 6 at the desk, in a real browser: the call before a suspension, tests live, by hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from meldkamer.contracts import commands as contracts
from meldkamer.contracts import interruptions, needless, tasks
from meldkamer.contracts.models import Interruption, Task
from meldkamer.incidents.deciding.facts import terms_of
from meldkamer.incidents.models import Incident
from meldkamer.sites.models import Site
from tests.console.browser.conftest import live, settled
from tests.console.browser.test_accessible import faults
from tests.console.scene import CODE, Scene

pytestmark = [pytest.mark.browser, pytest.mark.slow]
#: a folder for pictures of what was tested; nowhere by default
PICTURES = os.environ.get("MELDKAMER_PICTURES", "")


def picture(page: Any, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


@pytest.fixture(scope="module")
def served(town: Scene) -> Site:
    """A site whose customer is to be called, one in test with signals, one interrupted."""
    town.now = now = datetime.now(UTC)
    site = town.site("Bakkerij Peeters", position=None)
    terms = terms_of(site)
    for number in range(terms.needless.suspend_at):
        needless.count(site, 1_000_000 + number, "intrusion", terms, now - timedelta(hours=1))
    with transaction.atomic():
        tasks.open_task(site, tasks.SUSPENSION_CALL, "S12.2", tasks.OPERATORS, 3600, {}, now)
    tested = town.site("Garage Smit", position=None)
    contracts.start_test(
        tested, now + timedelta(hours=2), now - timedelta(minutes=5), by="Bart", reason="service"
    )
    for zone in ("1", "3", "5"):
        town.signal(tested, zone=zone)
    broken = town.site("Winkel Zuid", position=None)
    interruptions.interrupt(broken, "broken", "cable cut", terms, now, actor="staff:1")
    return site


@pytest.mark.parametrize("name", ["tasks", "tests", "interrupted"])
def test_the_lists(sit_down: Callable[..., Any], served: Site, name: str) -> None:
    page = sit_down("eva", f"/lists/{name}/", 1366, 768)
    live(page)
    picture(page, f"list-{name}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert faults(page) == []


@pytest.mark.clause("S20.1")
def test_the_signals_of_a_test_are_shown_live(
    sit_down: Callable[..., Any], town: Scene, served: Site
) -> None:
    page = sit_down("eva", "/lists/tests/", 1366, 768)
    page.click(".list-body >> text=Signals")
    page.wait_for_selector("text=PIR magazijn")
    picture(page, "test")
    assert faults(page) == []
    tested = Site.objects.get(name="Garage Smit")
    town.now = datetime.now(UTC)
    town.signal(tested, zone="7")
    page.wait_for_selector("text=PIR verkoopruimte")
    assert not Incident.objects.filter(site=tested).exists()


@pytest.mark.clause("S12.2", "S19.1")
def test_the_customer_is_called_and_the_suspension_begins(
    sit_down: Callable[..., Any], served: Site
) -> None:
    page = sit_down("eva", "/", 1366, 768)
    live(page)
    page.keyboard.press("k")
    page.wait_for_selector("main.listing")
    page.keyboard.press("d")
    page.wait_for_selector("main.caller >> text=To be suspended")
    picture(page, "task")
    assert faults(page) == []
    page.keyboard.press("d")
    page.wait_for_selector("#code")
    settled(page)
    page.fill("#code", f"1{CODE[1:]}")  # the scene's code of the first contact
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Name and code fit.")
    settled(page)
    picture(page, "task-identified")
    assert faults(page) == []
    page.click("text=Reached, not told >> xpath=preceding-sibling::button")
    page.wait_for_selector("text=the suspension has begun")
    picture(page, "task-told")
    row = Interruption.objects.get(site=served)
    assert (row.kind, row.types, row.clause) == ("suspended", ["intrusion"], "S12.2")
    assert Task.objects.get(site=served).outcome == "done"


@pytest.mark.clause("S24.1")
def test_an_incident_is_opened_by_hand_with_one_key(
    sit_down: Callable[..., Any], served: Site, clean_desk: None
) -> None:
    page = sit_down("eva", "/", 1366, 768)
    live(page)
    page.keyboard.press("F9")
    page.wait_for_selector("#caller-words")
    page.fill("#caller-words", "Bakkerij")
    page.wait_for_selector("#caller-found a.task")
    page.click("#caller-found a.task >> text=Bakkerij Peeters")
    page.wait_for_selector("#by-hand-caller")
    settled(page)
    picture(page, "by-hand")
    assert faults(page) == []
    page.fill("#by-hand-caller", "An Peeters")
    page.select_option("#by-hand-type", "holdup")
    page.fill("#by-hand-reason", "somebody stands at the door")
    page.keyboard.press("Enter")
    page.wait_for_selector("main.incident")
    incident = Incident.objects.get(site=served, type="holdup", closed_at=None)
    assert (incident.verified_by, incident.origin) == ("person", "person")
    picture(page, "by-hand-opened")


def test_a_site_says_what_keeps_its_signals_from_being_handled(
    sit_down: Callable[..., Any], served: Site
) -> None:
    page = sit_down("eva", "/", 1366, 768)
    live(page)
    for name, words in (("Winkel Zuid", "D908.1"), ("Garage Smit", "S20.1")):
        page.keyboard.press("/")
        page.fill("#find-words", name)
        page.click(f"#found a.task >> text={name}")
        page.wait_for_selector(f"#site >> text={words}")
        picture(page, f"site-{words}")
    assert faults(page) == []
