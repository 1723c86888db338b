"""Carriers and the sandbox in a real browser: axe in both colours, nothing off the page, keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from meldkamer.notify import way_commands, ways
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.sites.models import Provider, Site
from tests.office.test_browser import browser as browser
from tests.office.test_browser import faults_of
from tests.office.test_browser import open_page as open_page
from tests.office.test_browser import site as site

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def fleet(securitas: Provider) -> WayOut:
    """Two mail servers, the first of which fails; a cloud; messages that wait."""
    now = datetime.now(UTC)
    rows = [
        way_commands.add(
            "smtp", name, now, provider_id=securitas.pk, priority=order,
            settings_given={"host": f"{name}.example", "sender": "alarm@securitas.example"},
            secrets={"password": "never shown"},
        )
        for order, name in enumerate(("relay-a", "relay-b"), 1)
    ]  # fmt: skip
    cloud = way_commands.add(
        "app_cloud", "Ajax", now, settings_given={"address": "https://cloud.example/x"},
        secrets={"key": "k"},
    )  # fmt: skip
    WayOut.objects.filter(pk__in=[rows[1].pk, cloud.pk]).update(state="up", beat_at=now, since=now)
    WayOut.objects.filter(pk=rows[0].pk).update(
        state="down", since=now, beat_at=now, last_fault="550 5.7.1 relaying denied"
    )
    OutboxMessage.objects.create(
        channel="mail", template="x", address="a@b.example", recipient="An Peeters", language="nl",
        clause="S8.4", body="x", created_at=now, provider_id=securitas.pk, state="waiting",
    )  # fmt: skip
    return rows[0]


def outside(provider: Provider) -> None:
    Provider.objects.filter(pk=provider.pk).update(practice=False)


@pytest.mark.clause("M12.1")
@pytest.mark.parametrize(("theme", "language"), [("dark", "en"), ("light", "nl")])
def test_the_pages_of_carriers_can_be_used_by_everybody(
    open_page: Callable[..., Any], securitas: Provider, fleet: WayOut, theme: str, language: str
) -> None:
    outside(securitas)
    page = open_page("/office/carriers/", theme, language)
    cloud = WayOut.objects.get(kind="app_cloud")
    for path in ("", f"{fleet.pk}/", f"{cloud.pk}/", "new/", "new/?kind=smpp"):
        page.goto(f"/office/carriers/{path}")
        assert faults_of(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        body = page.locator(".record .body")
        assert body.evaluate("e => e.scrollWidth <= e.clientWidth + 1"), path


def test_a_carrier_is_entered_without_a_mouse_and_its_fault_is_shown_first(
    open_page: Callable[..., Any], securitas: Provider
) -> None:
    outside(securitas)
    page = open_page("/office/carriers/")
    page.keyboard.press("c")
    page.wait_for_url("**/carriers/new/")
    page.get_by_role("link", name="Panel maker’s cloud").click()
    page.fill("#id_name", "Ajax")
    page.fill("#id_s_address", "http://cloud.example/x")
    page.fill("#id_x_key", "agreed")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#faults")
    assert page.evaluate("document.activeElement.id") == "faults"
    assert page.input_value("#id_x_key") == ""
    page.fill("#id_s_address", "https://cloud.example/x")
    page.fill("#id_x_key", "agreed")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/carriers/*/")
    assert ways.secrets_of(WayOut.objects.get()) == {"key": "agreed"}


@pytest.mark.parametrize(("theme", "language"), [("dark", "en"), ("light", "nl")])
def test_the_sandbox_can_be_used_by_everybody(
    open_page: Callable[..., Any], site: Site, theme: str, language: str
) -> None:
    now = datetime.now(UTC)
    person = site.contacts.get(position=1)
    for channel, address in (
        ("sms", person.phone), ("app", person.phone), ("voice", person.phone),
        ("mail", "an@peeters.example"), ("letter", "Kerkstraat 12, 2800 Mechelen"),
    ):  # fmt: skip
        OutboxMessage.objects.create(
            channel=channel, template="app", state="handed_over", clause="S16.1", language="nl",
            recipient=person.name, address=address, body="Securitas: batterij zwak",
            created_at=now, handed_over_at=now, contact_id=person.pk, site_id=site.pk,
            provider_id=site.provider_id,
        )  # fmt: skip
    number = person.phone.replace("+", "%2B")
    page = open_page(f"/office/sandbox/?phone={number}", theme, language)
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    words = "Pick up and press the key" if language == "en" else "Opnemen en de toets drukken"
    page.get_by_role("button", name=words).first.click()
    page.wait_for_url("**/sandbox/?phone=*")
    assert OutboxMessage.objects.get(channel="voice").acknowledged_at is not None
