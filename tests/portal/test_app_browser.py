"""The customer's app in a real browser: worker, push, the touch on a message, seen, and axe.

The browser's own push service needs the world outside, so the page gets its subscription from our
stand-in; from there on everything is real: our carrier sends to that push service, and what it
decrypted is delivered to the service worker as the browser delivers it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from playwright.sync_api import expect, sync_playwright

from meldkamer.incidents.messages import receipts
from meldkamer.notify.carrier import Parcel
from meldkamer.notify.models import OutboxMessage
from meldkamer.notify.push.webpush import WebPushSettings, build, public_key
from meldkamer.sites.models import Contact
from tests.notify.push.service import Browser, PushService, unpadded
from tests.portal.conftest import link_of

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# what `subscribe` of a browser returns, as far as the page looks at it
SUBSCRIBE = """
(where) => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')),
    (letter) => letter.charCodeAt(0)).buffer
  PushManager.prototype.getSubscription = async () => null
  PushManager.prototype.subscribe = async (options) => {
    window.asked = options.userVisibleOnly === true && options.applicationServerKey.byteLength
    return { endpoint: where.endpoint, getKey: (name) => bytes(where[name]) }
  }
}
"""


@pytest.fixture(scope="module")
def browser(whole_chromium: str) -> Iterator[Any]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=whole_chromium, args=["--no-sandbox"])
        connections.close_all()
        yield running
        connections.close_all()
        running.close()


@pytest.fixture
def service(settings: Any) -> Iterator[PushService]:
    made = PushService()
    made.voters = public_key(settings.MELDKAMER_PUSH_KEY)
    yield made
    made.close()


@pytest.fixture
def subscribed(service: PushService) -> Browser:
    return service.browser()


@pytest.fixture
def page(
    browser: Any, live_server: Any, settings: Any, service: PushService, subscribed: Browser
) -> Iterator[Any]:
    """A phone; whatever its browser complains of fails the test."""
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    settings.MELDKAMER_PUSH_ANYWHERE = True
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, base_url=live_server.url, locale="nl-BE",
        device_scale_factor=2, is_mobile=True, has_touch=True,
    )  # fmt: skip
    context.grant_permissions(["notifications"], origin=live_server.url)
    where = {
        "endpoint": service.address + subscribed.path,
        "p256dh": subscribed.p256dh,
        "auth": unpadded(subscribed.auth),
    }
    context.add_init_script(f"({SUBSCRIBE})({json.dumps(where)})")
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda fault: said.append(str(fault)))
    yield page
    context.close()
    assert said == []


def faults_of(page: Any) -> list[str]:
    found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    return [f"{row['id']}: {row['nodes'][0]['html'][:120]}" for row in found]


def parcel(message: OutboxMessage) -> Parcel:
    return Parcel(
        id=message.pk, channel="app", template="app", address=message.address,
        recipient=message.recipient, language=message.language, subject=message.subject,
        body=message.body, provider_id=message.provider_id or 0, site_id=message.site_id,
        incident_id=None, contact_id=message.contact_id, created_at=message.created_at, attempt=1,
    )  # fmt: skip


def deliver(page: Any, said: dict[str, Any]) -> None:
    """As the browser does when its push service brings a message."""
    line = page.context.new_cdp_session(page)
    registrations: list[str] = []
    line.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registrations.extend(r["registrationId"] for r in event["registrations"]),
    )
    line.send("ServiceWorker.enable")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    assert registrations, "the browser knows no service worker"
    origin = re.match(r"https?://[^/]+", page.url)
    assert origin is not None
    line.send(
        "ServiceWorker.deliverPushMessage",
        {
            "origin": origin[0],
            "registrationId": registrations[-1],
            "data": json.dumps(said, ensure_ascii=False),
        },
    )


NOTIFICATIONS = """
async () => {
  const worker = await navigator.serviceWorker.ready
  const shown = await worker.getNotifications()
  return shown.map((one) => [one.title, one.tag, one.data.id])
}
"""
TOUCHED = """
async () => {
  const [shown] = await self.registration.getNotifications()
  self.dispatchEvent(new NotificationEvent('notificationclick', { notification: shown }))
}
"""


@pytest.mark.clause("S8.3", "S16.1", "S19.1")
def test_a_message_is_pushed_shown_touched_and_said_to_be_seen(
    page: Any, an: Contact, service: PushService, told: Callable[..., OutboxMessage]
) -> None:
    page.goto(f"/app/join/{link_of(an)}/")
    page.get_by_role("button", name="Deze telefoon gebruiken").click()
    page.get_by_role("button", name="Meldingen toelaten").click()
    expect(page.get_by_text("Deze telefoon krijgt berichten")).to_be_visible()
    assert page.evaluate("window.asked") == 65
    assert faults_of(page) == []

    message = told(an)
    carrier = build(WebPushSettings("technic@securitas.example"), {}, None)  # type: ignore[arg-type]
    assert carrier.send(parcel(message)) == message.carrier_ref
    assert service.refused == []
    [got] = service.got
    deliver(page, got.said)
    # the open page is told and reads the message from the centre
    shown = page.locator(f"#m{message.pk}")
    expect(shown).to_contain_text("batterij zwak bij Bakkerij Peeters")
    page.wait_for_function(f"async () => (await ({NOTIFICATIONS})()).length === 1")
    assert page.evaluate(NOTIFICATIONS) == [[message.body, f"m{message.pk}", message.pk]]
    # the same again takes its own place
    carrier.send(parcel(message))
    deliver(page, service.got[1].said)
    page.wait_for_timeout(200)
    assert len(page.evaluate(NOTIFICATIONS)) == 1

    [worker] = page.context.service_workers
    worker.evaluate(TOUCHED)
    page.wait_for_url(f"**/app/#m{message.pk}")
    expect(shown).to_be_focused()
    shown.get_by_role("button", name="Ik heb het gezien").click()
    expect(shown.get_by_role("button")).to_have_count(0)
    expect(shown.get_by_text("Gezien", exact=True)).to_be_visible()
    assert receipts.consume_next(datetime.now(UTC))
    message.refresh_from_db()
    assert message.acknowledged_at is not None
    assert faults_of(page) == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_page_of_the_app_can_be_used_by_everybody(
    page: Any, an: Contact, theme: str, told: Callable[..., OutboxMessage]
) -> None:
    page.emulate_media(color_scheme=theme)
    page.goto("/app/")
    assert faults_of(page) == []
    page.goto(f"/app/join/{link_of(an)}/")
    assert faults_of(page) == []
    page.get_by_role("button", name="Deze telefoon gebruiken").click()
    told(an)
    page.reload()
    assert faults_of(page) == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390


def test_a_phone_that_refuses_messages_is_told_how_to_allow_them(page: Any, an: Contact) -> None:
    page.add_init_script(
        "Object.defineProperty(Notification, 'permission', { get: () => 'denied' })"
    )
    page.goto(f"/app/join/{link_of(an)}/")
    page.get_by_role("button", name="Deze telefoon gebruiken").click()
    expect(page.get_by_text("Meldingen zijn geblokkeerd op deze telefoon")).to_be_visible()
    expect(page.get_by_role("button", name="Meldingen toelaten")).to_be_hidden()
