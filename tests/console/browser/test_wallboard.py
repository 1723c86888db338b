"""The wallboard in a real browser: it draws by itself, says when it is behind, fits, and axe."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from meldkamer.console.norms import norm_of
from meldkamer.incidents.messages import carrier_faults
from meldkamer.incidents.models import Incident
from meldkamer.notify.models import WayOut
from meldkamer.people import commands as people
from meldkamer.people.models import Staff
from meldkamer.sites.models import Provider
from tests.console.browser.conftest import Web
from tests.console.scene import Scene, burglary

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.usefixtures("clean_desk")]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture
def wall(web: Web, town: Scene, sit_down: Callable[..., Any]) -> Any:
    page = sit_down("eva", "/wallboard/")
    yield page
    WayOut.objects.all().delete()
    Provider.objects.update(practice=True)


def test_the_wall_shows_an_alarm_and_a_failing_carrier_by_itself(wall: Any, town: Scene) -> None:
    tile = wall.locator(".tile").first
    expect(tile).to_contain_text("nothing waits")
    town.now = datetime.now(UTC)
    incident = burglary(town, town.site("Garage Lambert"))
    expect(tile).to_contain_text("Garage Lambert, Gent")
    limit = norm_of("intrusion", town.now.date())
    assert limit is not None
    late = town.now - timedelta(seconds=limit.limit_s + 5)
    Incident.objects.filter(pk=incident.pk).update(queued_at=late)
    Provider.objects.update(practice=False)
    row = WayOut.objects.create(
        channel="sms", kind="smpp", name="A", state="up", beat_at=datetime.now(UTC)
    )
    # told as a line tells it
    carrier_faults.fails(row.pk, "no answer", datetime.now(UTC))
    links = wall.locator("table.links")
    expect(links).to_contain_text("Texts A down")
    expect(tile.locator(".oldest")).to_have_class("oldest age late")
    expect(wall.locator(".oldest time").first).to_contain_text("3:")


def test_a_wall_that_hears_nothing_says_how_far_behind_it_is(web: Web, wall: Any) -> None:
    web.kill()
    banner = wall.locator("#behind")
    expect(banner).to_be_visible(timeout=15_000)
    expect(banner).to_contain_text("s behind")
    web.start()
    expect(banner).to_be_hidden(timeout=20_000)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_wall_fits_the_screen_and_can_be_read_by_everybody(
    wall: Any, town: Scene, theme: str
) -> None:
    town.now = datetime.now(UTC)
    for number, (site, age_s) in enumerate(
        (("Garage Lambert, Namur", 98), ("Apotheek", 40), ("De Kikkers", 400))
    ):
        incident = burglary(town, town.site(site))
        since = town.now - timedelta(seconds=age_s)
        Incident.objects.filter(pk=incident.pk).update(queued_at=since, opened_at=since)
        if number == 2:
            Incident.objects.filter(pk=incident.pk).update(
                state="taken", holder=Staff.objects.get(username="jan"), taken_at=town.now,
                first_taken_at=town.now,
            )  # fmt: skip
    for name in ("eva", "jan"):
        people.sign_of_life(Staff.objects.get(username=name), datetime.now(UTC))
    Provider.objects.update(practice=False)
    for name, state, channel in (
        ("A", "up", "sms"), ("B", "down", "sms"), ("relay", "up", "mail"), ("push", "up", "app"),
        ("exchange", "unknown", "voice"),
    ):  # fmt: skip
        WayOut.objects.create(
            channel=channel, kind="smpp", name=name, state=state, beat_at=datetime.now(UTC),
            since=datetime.now(UTC),
        )  # fmt: skip
    WayOut.objects.create(channel="letter", kind="sandbox", name="sandbox")
    wall.emulate_media(color_scheme=theme)
    wall.reload()
    expect(wall.locator("table.links")).to_contain_text("Texts B down")
    size = wall.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    assert size == [1920, 1080]
    found = Axe().run(wall, options={"runOnly": RULES}).response["violations"]
    assert [f"{row['id']}: {row['nodes'][0]['html'][:120]}" for row in found] == []


def test_long_words_never_run_into_the_counts_beside_them(wall: Any) -> None:
    people.choose_language(Staff.objects.get(username="eva"), "de")
    wall.set_viewport_size({"width": 1366, "height": 768})
    wall.reload()
    expect(wall.locator(".tile h2").first).to_contain_text("Einbruch")
    over = """h2 => [...h2.childNodes].some(node => {
        const words = document.createRange(); words.selectNodeContents(node);
        return words.getBoundingClientRect().right >
            h2.nextElementSibling.getBoundingClientRect().left;
    })"""
    tiles = wall.locator(".tile h2")
    assert [tiles.nth(n).evaluate(over) for n in range(tiles.count())] == [False] * tiles.count()
    people.choose_language(Staff.objects.get(username="eva"), "en")


def test_a_long_remark_at_the_desk_pushes_nothing_together(
    wall: Any, town: Scene, sit_down: Callable[..., Any]
) -> None:
    Provider.objects.update(practice=False)
    WayOut.objects.create(
        channel="mail", kind="smtp", name="Mailserver der Verwaltung in Brüssel", state="down"
    )
    WayOut.objects.create(
        channel="mail", kind="smtp", name="Relay des Rechenzentrums in Gent", priority=2,
        state="up", beat_at=datetime.now(UTC),
    )  # fmt: skip
    people.choose_language(Staff.objects.get(username="eva"), "de")
    desk = sit_down("eva", "/", 1030, 768)
    expect(desk.locator(".duty.ways")).to_contain_text("Rechenzentrums")
    parts = desk.evaluate("""() => [...document.querySelectorAll('.desk > .topbar > *')]
        .map(one => [one.className, one.scrollWidth - one.clientWidth])
        .filter(([name, over]) => over > 0)""")
    assert parts == []
    people.choose_language(Staff.objects.get(username="eva"), "en")
