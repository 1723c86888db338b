"""A procedure in a real browser: steps moved by keyboard, the preview follows, and axe."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from meldkamer.sites import procedure_commands
from meldkamer.sites.models import Provider, Site
from meldkamer.terms.loader import load
from meldkamer.terms.procedures import read
from tests.office.conftest import NOW
from tests.office.test_browser import RULES, browser, open_page, site

__all__ = ["browser", "open_page", "site"]
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def draft(securitas: Provider, site: Site) -> int:
    steps = [
        {"do": "call", "who": "contact", "name": "Tom Maes"},
        {"do": "call", "who": "contacts"},
        {"do": "request", "service": "police", "when": "verified_and_consulted"},
    ]
    procedure = read(load("securitas-2022-05"), "intrusion", steps)
    return procedure_commands.draft(securitas, site, procedure, NOW, "staff:1").pk


@pytest.mark.clause("S14.1", "S15.3")
def test_a_step_is_moved_by_keyboard_and_the_preview_follows(
    open_page: Any, site: Site, draft: int
) -> None:
    page = open_page(f"/office/procedures/{draft}/")
    first = page.locator(".step-forms li").first
    assert "Tom Maes" in first.locator("select option:checked").first.inner_text()
    page.get_by_role("button", name="Move step 1 down").focus()
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    assert "contacts" in page.locator(".step-forms li select option:checked").first.inner_text()
    # the same step is at hand for the next press
    assert page.evaluate("document.activeElement.value") == "down:1"
    preview = page.locator("#preview")
    assert "This step is never reached" in preview.inner_text()
    page.locator("select[name$='-when']").select_option("exhausted")
    page.get_by_text("police only when verified and somebody was consulted").first.wait_for()
    assert "S15.3" in preview.inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_of_procedures_are_accessible(
    open_page: Any, site: Site, draft: int, theme: str
) -> None:
    addresses = (
        f"/office/procedures/{draft}/",
        "/office/procedures/",
        f"/office/sites/{site.pk}/procedures/",
    )
    for address in addresses:
        page = open_page(address, theme)
        page.locator("h2").first.wait_for()
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
        assert found.response["violations"] == [], address
