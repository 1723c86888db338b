"""General outages and dead lines in a real browser: accessible, undone by the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from meldkamer.incidents.models import AreaOutage
from meldkamer.sites.models import Site, Transmitter
from meldkamer.watch.models import LineTestWatch
from tests.console.browser.conftest import Web, live
from tests.console.browser.test_accessible import faults
from tests.console.scene import Scene

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def dark(town: Scene) -> list[Site]:
    """A general outage of six sites, one of them back; and a line that is not supervised."""
    town.now = datetime.now(UTC)
    sites = [town.site(f"Winkel {number}", position=None) for number in range(1, 7)]
    for site in sites:
        town.signal(site, "AT", "power", None)
    town.signal(sites[2], "AR", "restore", None, role="restore", restores="power")
    LineTestWatch.objects.create(
        transmitter=Transmitter.objects.get(site=sites[0]), site=sites[0], missed=5,
        expected_at=town.now, unsupervised_since=town.now - timedelta(days=2),
    )  # fmt: skip
    return sites


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("name", ["outages", "unsupervised"])
def test_the_list(
    web: Web, sit_down: Callable[..., Any], dark: list[Site], name: str, theme: str
) -> None:
    page = sit_down("sam", f"/lists/{name}/", 1366, 768)
    page.context.add_cookies([{"name": "meldkamer_theme", "value": theme, "url": web.address}])
    page.reload()
    live(page)
    assert "Winkel 1" in page.inner_text("main.listing")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert faults(page) == []


@pytest.mark.clause("S10.2")
def test_a_supervisor_undoes_an_outage_without_a_mouse(
    sit_down: Callable[..., Any], dark: list[Site]
) -> None:
    page = sit_down("sam", "/lists/outages/")
    live(page)
    outage = AreaOutage.objects.get()
    page.focus(f"#undo-{outage.pk}")
    page.keyboard.type("the fuses of one street")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=the fuses of one street")
    outage.refresh_from_db()
    assert outage.undo_reason == "the fuses of one street"
    assert not page.query_selector(f"#undo-{outage.pk}")
    assert "S10.2" in page.inner_text("main.listing")
    assert faults(page) == []
