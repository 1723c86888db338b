"""The red banner of the house in a real browser: it comes and goes by itself, and leads on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from meldkamer.incidents.models import HouseCheck
from meldkamer.journal import commands as journal
from tests.console.browser.conftest import PATIENCE_MS, Web
from tests.console.browser.test_accessible import faults
from tests.console.scene import Scene

pytestmark = [pytest.mark.browser, pytest.mark.slow]
BANNER = "#house .banner.critical"


def breaks(town: Scene) -> None:
    """What the auditor does when it finds something."""
    now = datetime.now(UTC)
    incident = town.signal(town.site(f"Bakkerij {now:%S%f}"))
    assert incident is not None
    HouseCheck.objects.update_or_create(
        name="open_without_agenda",
        defaults={
            "clause": "M12.2", "checked_at": now + timedelta(days=1), "broken_since": now,
            "count": 1, "findings": [["incident", incident.pk, incident.site_id,
                                      now.isoformat(), "queued"]],
        },
    )  # fmt: skip
    journal.announce("audit")


def mends() -> None:
    HouseCheck.objects.filter(name="open_without_agenda").delete()
    journal.announce("audit")


@pytest.mark.clause("M12.3")
def test_it_comes_and_goes_by_itself(web: Web, town: Scene, sit_down: Callable[..., Any]) -> None:
    page = sit_down("eva")
    assert page.query_selector(BANNER) is None
    breaks(town)
    page.wait_for_selector(BANNER, timeout=PATIENCE_MS)
    assert "M12.2" in page.inner_text(BANNER)
    assert "Tell the supervisor." in page.inner_text(BANNER)
    mends()
    page.wait_for_selector(BANNER, state="detached", timeout=PATIENCE_MS)


@pytest.mark.clause("M12.3")
def test_a_dead_worker_is_noticed_though_nobody_tells(
    web: Web, town: Scene, sit_down: Callable[..., Any]
) -> None:
    page = sit_down("eva")
    HouseCheck.objects.update(checked_at=datetime.now(UTC) - timedelta(seconds=89))
    page.wait_for_selector(BANNER, timeout=PATIENCE_MS)
    assert "Nobody watches over this centre." in page.inner_text(BANNER)
    town.house_holds()
    page.wait_for_selector(BANNER, state="detached", timeout=PATIENCE_MS)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_supervisor_comes_to_the_findings_by_a_key_and_back(
    web: Web, town: Scene, sit_down: Callable[..., Any], theme: str
) -> None:
    breaks(town)
    page = sit_down("sam")
    page.context.add_cookies([{"name": "meldkamer_theme", "value": theme, "url": web.address}])
    page.reload()
    page.wait_for_selector(BANNER)
    assert faults(page) == []
    page.keyboard.press("a")
    page.wait_for_selector(".findings table")
    assert faults(page) == []
    page.keyboard.press("Escape")
    page.wait_for_selector(".findings", state="detached", timeout=PATIENCE_MS)
    mends()


@pytest.mark.parametrize("size", [(1366, 768), (1000, 700)])
def test_nothing_is_pushed_off_a_small_screen(
    web: Web, town: Scene, sit_down: Callable[..., Any], size: tuple[int, int]
) -> None:
    breaks(town)
    page = sit_down("sam", "/", *size)
    page.wait_for_selector(BANNER)
    inside = page.evaluate(
        "() => { const at = document.querySelector('#foot').getBoundingClientRect();"
        " return at.bottom <= innerHeight + 1 || document.body.scrollHeight >= at.bottom }"
    )
    assert inside
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    mends()
