"""Messages and letters in a real browser: the preview follows the keys, and axe finds nothing."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from meldkamer.notify.post import commands
from meldkamer.sites.models import Provider, Site
from tests.office.conftest import NOW
from tests.office.test_browser import RULES, browser, open_page, site
from tests.office.test_letters import write

__all__ = ["browser", "open_page", "site"]
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.mark.clause("S7.1")
def test_the_preview_follows_what_is_typed_and_saving_takes_a_key(
    open_page: Any, securitas: Provider
) -> None:
    securitas.emergency_phone = "+3227523700"
    securitas.save()
    page = open_page("/office/messages/ladder/nl/")
    body = page.get_by_label("Text", exact=True)
    preview = page.locator("#preview")
    body.fill("{provider}: {type} in {site}{zone}. Antwoord ok.")
    preview.get_by_text("{phone} must stand in it. (S12.1)").wait_for()
    body.fill("{provider}: {type} in {site}{zone}. Antwoord ok. Bel {phone}. Façade.")
    preview.get_by_text("fewer fit because of: ç").wait_for()
    assert "Bel +3227523700." in preview.inner_text()
    page.get_by_label("Example").select_option("fire")
    preview.get_by_text("Securitas: brand in").wait_for()
    body.press("Control+Enter")
    page.get_by_text("Saved. It holds from the next message on.").wait_for()
    assert "version 1" in page.locator("aside").inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_of_messages_and_letters_are_accessible(
    open_page: Any, site: Site, theme: str
) -> None:
    printed, posted = write(site, "Tom Maes"), write(site, "Els Maes")
    write(site)
    mine = [site.provider_id]
    commands.mark_printed([printed.pk, posted.pk], mine, NOW, "staff:1")
    commands.mark_posted([posted.pk], mine, NOW, "staff:1")
    addresses = (
        "/office/messages/",
        "/office/messages/ladder/nl/",
        "/office/messages/interrupted/fr/",
        "/office/letters/",
        f"/office/letters/?printed={printed.pk}",
        "/office/letters/posted/",
    )
    for address in addresses:
        page = open_page(address, theme)
        page.locator("h1").first.wait_for()
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
        assert found.response["violations"] == [], address
