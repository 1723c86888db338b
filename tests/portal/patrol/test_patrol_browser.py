"""The patrol's page on a phone with a bad line: entered offline, sent once, in order (S6.1, M12.1).

A real browser against a real server: the network is taken away, answers are lost, the page is
closed and loaded anew without a network.
"""

from __future__ import annotations

import os
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.db import connection, transaction
from playwright.sync_api import sync_playwright

from meldkamer.agenda.models import AgendaRow
from meldkamer.incidents import commands
from meldkamer.incidents.operating import dispatching
from meldkamer.journal.models import Entry
from meldkamer.notify.models import PatrolEntry, PatrolJob, PatrolPhoto, PatrolUnit
from meldkamer.notify.patrol import commands as patrols
from tests.portal.patrol.scene import GATE, Night

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PATIENCE_MS = 30_000
_JOURNAL = "journal_frame, journal_signal, journal_entry, journal_pending, journal_first"


def png() -> bytes:
    """A grey picture that a browser can draw."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    rows = b"".join(b"\0" + b"\x80" * 40 for _ in range(30))
    head = struct.pack(">IIBBBBB", 40, 30, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """A headless browser for this file."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def night(transactional_db: None) -> Night:
    # Django empties its own tables between two tests, but not the journal's
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {_JOURNAL}, journal_seal")
    return Night()


class Busy:
    """How many requests the server works on: a page that asks every few seconds may have one more
    on its way when it is closed, and the tables are emptied only when that is done."""

    def __init__(self) -> None:
        self.running, self.lock = 0, threading.Lock()

    def begins(self, **_: Any) -> None:
        with self.lock:
            self.running += 1

    def ends(self, **_: Any) -> None:
        with self.lock:
            self.running -= 1

    def settle(self) -> None:
        until_s = time.monotonic() + 20
        quiet = 0
        while quiet < 5 and time.monotonic() < until_s:
            quiet = quiet + 1 if self.running == 0 else 0
            time.sleep(0.05)
        assert self.running == 0, "the server still works on a request"


@pytest.fixture
def busy(live_server: Any) -> Iterator[Busy]:
    counted = Busy()
    request_started.connect(counted.begins)
    request_finished.connect(counted.ends)
    yield counted
    request_started.disconnect(counted.begins)
    request_finished.disconnect(counted.ends)


@pytest.fixture
def phones(
    browser: Any, live_server: Any, night: Night, busy: Busy
) -> Iterator[Callable[..., Any]]:
    """`phones()`: a phone at the door; what its browser complained of fails the test."""
    said: list[str] = []
    contexts = []

    def take(language: str = "nl", theme: str = "dark", **more: Any) -> Any:
        context = browser.new_context(
            viewport={"width": 390, "height": 844}, device_scale_factor=2, color_scheme=theme,
            base_url=live_server.url, locale="nl-BE", timezone_id="Europe/Brussels", **more,
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda fault: said.append(str(fault)))
        page.on(
            "console",
            lambda line: (
                said.append(line.text)
                if line.type == "error"
                and "net::ERR" not in line.text
                and "status of" not in line.text
                else None
            ),
        )
        PatrolUnit.objects.filter(pk=night.unit.pk).update(language=language)
        return page

    yield take
    for context in contexts:
        context.close()
    busy.settle()
    assert said == []


@pytest.fixture
def phone(phones: Callable[..., Any], night: Night) -> Any:
    """R12's phone, let in and kept for a bad line."""
    return let_in(phones(), night)


def let_in(page: Any, night: Night) -> Any:
    issued = patrols.issue(night.unit.pk, night.now, "staff:1")
    page.goto(f"/patrol/enter/#{issued.token}")
    assert "#" not in page.url
    page.fill("#pin-code", issued.pin)
    page.click("button.primary")
    live(page)
    # one visit is enough for the page to open without a network
    page.wait_for_function(
        "async () => await navigator.serviceWorker.ready && await caches.match('/patrol/')"
        " && await caches.match('/static/portal/patrol_queue.js')"
    )
    return page


def live(page: Any) -> None:
    page.wait_for_selector("body[data-live]")


def stage(page: Any, name: str) -> None:
    page.wait_for_selector(f"main[data-stage={name}]")


def told(page: Any, name: str) -> None:
    """The centre itself says so."""
    page.wait_for_selector(f"main[data-told={name}]")


def press(page: Any, act: str) -> None:
    page.click(f"[data-act={act}]:visible")


def waits(page: Any, count: int) -> None:
    page.wait_for_selector(f"body[data-waits='{count}']", state="attached")


def faults(page: Any) -> list[str]:
    """What axe finds, one line each."""
    found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    return [
        f"{one['id']}: {node['html'][:120]} {node['failureSummary'][:120]}"
        for one in found
        for node in one["nodes"][:3]
    ]


def course(night: Night) -> list[str]:
    rows = Entry.objects.filter(incident_id=night.incident.pk, what__startswith="patrol.")
    return list(rows.order_by("id").values_list("what", flat=True))


@pytest.mark.clause("S6.1")
def test_a_job_comes_by_itself_rings_and_is_done_with_the_codes_on_site_alone(
    phone: Any, night: Night
) -> None:
    assert phone.is_visible("text=Geen opdracht nu")
    night.offer()
    stage(phone, "offered")
    phone.wait_for_function("() => Number(document.body.dataset.rung) >= 1")
    assert phone.is_visible("text=Gaat u?")
    press(phone, "accept")
    told(phone, "accepted")
    assert GATE not in phone.content()
    press(phone, "arrived")
    phone.wait_for_selector(f"#codes .code:has-text('{GATE}')")
    phone.check("input[value=traces]")
    phone.fill("#note", "slot uit de deur")
    phone.set_input_files(
        "#take-photo", {"name": "a.png", "mimeType": "image/png", "buffer": png()}
    )
    phone.wait_for_selector("#photos figure img")
    assert phone.input_value("#note") == "slot uit de deur"
    press(phone, "finding")
    told(phone, "found")
    press(phone, "done")
    phone.wait_for_selector("text=Geen opdracht nu")
    assert GATE not in phone.content()
    assert course(night) == [
        "patrol.offered", "patrol.sent", "patrol.arrived", "patrol.codes_shown", "patrol.photo",
        "patrol.found", "patrol.done",
    ]  # fmt: skip
    row = PatrolEntry.objects.get(kind="finding")
    assert row.content == {"finding": "traces", "note": "slot uit de deur"}


@pytest.mark.clause("S6.1", "M12.1")
def test_what_was_entered_without_a_network_is_sent_later_once_and_in_order(
    phone: Any, night: Night
) -> None:
    night.offer()
    stage(phone, "offered")
    press(phone, "accept")
    told(phone, "accepted")
    phone.context.set_offline(True)
    press(phone, "arrived")
    stage(phone, "arrived")
    waits(phone, 1)
    assert phone.is_visible("text=1 melding wacht.")
    assert phone.is_visible("text=geen netwerk")
    assert phone.is_visible("text=zodra er netwerk is >> nth=0")
    phone.set_input_files(
        "#take-photo", {"name": "a.png", "mimeType": "image/png", "buffer": png()}
    )
    waits(phone, 2)
    # the phone is put away, the page loaded anew where there is no network
    phone.reload()
    live(phone)
    stage(phone, "arrived")
    waits(phone, 2)
    assert phone.is_visible("#photos figure canvas")
    assert phone.is_visible("text=, wacht")
    phone.check("input[value=open]")
    phone.fill("#note", "raam achteraan")
    press(phone, "finding")
    stage(phone, "found")
    press(phone, "done")
    waits(phone, 4)
    assert PatrolEntry.objects.count() == 1
    phone.context.set_offline(False)
    waits(phone, 0)
    phone.wait_for_selector("text=Geen opdracht nu")
    rows = list(PatrolEntry.objects.order_by("pk"))
    # reports in their order; the photo, which may take long, holds none of them up
    assert [row.kind for row in rows] == ["accept", "arrived", "finding", "done", "photo"]
    assert [row.refused for row in rows] == [""] * 5
    assert PatrolPhoto.objects.count() == 1
    assert [word for word in course(night) if word != "patrol.codes_shown"] == [
        "patrol.offered", "patrol.sent", "patrol.arrived", "patrol.found", "patrol.done",
        "patrol.photo",
    ]  # fmt: skip
    # entered before it was received, and both are kept
    late = next(row for row in rows if row.kind == "arrived")
    assert late.said_at is not None
    assert late.said_at < late.received_at
    arrived = Entry.objects.get(what="patrol.arrived")
    assert arrived.data["phone_said_at"] == late.said_at.isoformat()


@pytest.mark.clause("M12.1")
def test_an_answer_that_is_lost_on_the_way_doubles_nothing(phone: Any, night: Night) -> None:
    night.offer()
    stage(phone, "offered")
    lost: list[int] = []

    def lose(route: Any) -> None:
        if len(lost) < 3:
            # the centre gets it and answers; the answer never arrives
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    phone.context.route("**/patrol/say/", lose)
    press(phone, "accept")
    told(phone, "accepted")
    waits(phone, 0)
    assert lost == [200, 200, 200]
    assert PatrolEntry.objects.count() == 1
    assert course(night) == ["patrol.offered", "patrol.sent"]


@pytest.mark.clause("M12.1")
def test_two_pages_of_one_phone_send_what_waits_once(phone: Any, night: Night) -> None:
    night.offer()
    stage(phone, "offered")
    phone.context.set_offline(True)
    press(phone, "accept")
    waits(phone, 1)
    second = phone.context.new_page()
    second.goto("/patrol/")
    live(second)
    waits(second, 1)
    phone.context.set_offline(False)
    waits(phone, 0)
    waits(second, 0)
    assert PatrolEntry.objects.count() == 1
    assert course(night) == ["patrol.offered", "patrol.sent"]


@pytest.mark.clause("S6.1")
def test_what_came_too_late_is_said_and_stays_until_it_is_read(phone: Any, night: Night) -> None:
    night.another("R7", 51.2)
    job = night.offer()
    stage(phone, "offered")
    phone.context.set_offline(True)
    press(phone, "accept")
    waits(phone, 1)
    row = AgendaRow.objects.get(kind=dispatching.OFFER_END, done_at=None)
    with transaction.atomic():
        dispatching.offer_end(row, job.answer_by)
    phone.context.set_offline(False)
    phone.wait_for_selector("#refusals >> text=Te laat: een andere eenheid werd gevraagd. R7 gaat.")
    waits(phone, 0)
    assert phone.is_visible("text=Geen opdracht nu")
    phone.click("#refusals button")
    assert not phone.is_visible("#refusals .banner")


def test_what_can_never_be_stored_is_kept_until_somebody_removes_it(
    phone: Any, night: Night
) -> None:
    night.offer()
    stage(phone, "offered")
    press(phone, "accept")
    told(phone, "accepted")
    press(phone, "arrived")
    told(phone, "arrived")
    phone.set_input_files(
        "#take-photo", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no photo at all"}
    )
    phone.wait_for_selector("#refusals >> text=Dit is geen foto")
    waits(phone, 0)
    phone.reload()
    live(phone)
    phone.wait_for_selector("#refusals >> text=Dit is geen foto")
    phone.click("#refusals button")
    phone.reload()
    live(phone)
    assert not phone.is_visible("#refusals .banner")
    assert not PatrolPhoto.objects.exists()


def test_a_session_that_ended_keeps_what_waits_until_the_next(phone: Any, night: Night) -> None:
    night.offer()
    stage(phone, "offered")
    session = django_settings.SESSION_COOKIE_NAME
    phone.context.clear_cookies(name=session)
    press(phone, "accept")
    phone.wait_for_selector("#shut-out:visible")
    waits(phone, 1)
    assert PatrolEntry.objects.count() == 0
    issued = patrols.issue(night.unit.pk, night.now, "staff:1")
    phone.goto(f"/patrol/enter/#{issued.token}")
    phone.fill("#pin-code", issued.pin)
    phone.click("button.primary")
    live(phone)
    told(phone, "accepted")
    assert PatrolEntry.objects.count() == 1


def test_a_phone_that_is_shut_out_keeps_no_job(phone: Any, night: Night) -> None:
    night.offer()
    stage(phone, "offered")
    assert phone.evaluate("caches.has('meldkamer-patrol-1')")
    patrols.void(night.unit.pk, night.now, "staff:1")
    phone.wait_for_selector("#shut-out:visible")
    phone.goto("/patrol/")
    assert phone.url.endswith("/patrol/enter/")
    assert not phone.evaluate("caches.match('/patrol/').then(Boolean)")
    assert not phone.evaluate("caches.match('/patrol/kept-part').then(Boolean)")


def test_a_place_is_told_only_after_consent(phones: Callable[..., Any], night: Night) -> None:
    place = {"latitude": 51.0466, "longitude": 3.7303}
    page = let_in(phones(geolocation=place, permissions=["geolocation"]), night)
    night.offer()
    stage(page, "offered")
    night.unit.refresh_from_db()
    before = night.unit.positioned_at
    assert night.unit.latitude == 51.0586
    page.click("#share")
    page.wait_for_selector("#share[aria-pressed=true]")
    for _ in range(100):
        night.unit.refresh_from_db()
        if night.unit.positioned_at != before:
            break
        page.wait_for_timeout(100)
    assert (night.unit.latitude, night.unit.longitude) == (51.0466, 3.7303)


def ready(night: Night) -> PatrolJob:
    """Sofie comes, the police are called, the patrol is asked."""
    eva, number, now = night.eva, night.incident.pk, night.now
    first = night.site.contacts.get(position=1)
    commands.dial(eva, number, "call:premises", now)
    commands.call_result(eva, number, "call:premises", "no_answer", "", now)
    commands.dial(eva, number, f"call:c{first.pk}", now)
    commands.call_result(
        eva, number, f"call:c{first.pk}", "reached", "coming", now, identity="right",
        person=first.name,
    )  # fmt: skip
    commands.request_service(eva, number, "police", now)
    return night.offer()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_state_is_accessible_and_fits_a_phone(
    phones: Callable[..., Any], night: Night, theme: str
) -> None:
    page = let_in(phones(theme=theme), night)
    assert faults(page) == []
    ready(night)

    def look(name: str) -> None:
        assert faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        bar = page.locator(".thumb:visible").first.bounding_box()
        assert bar is not None
        assert bar["y"] + bar["height"] <= 844 + 1
        folder = os.environ.get("MELDKAMER_PICTURES")
        if folder:
            page.screenshot(path=f"{folder}/patrol-{name}-{theme}.png")
            page.screenshot(path=f"{folder}/patrol-{name}-{theme}-whole.png", full_page=True)

    stage(page, "offered")
    look("offered")
    press(page, "why-not")
    assert faults(page) == []
    press(page, "stay")
    press(page, "accept")
    told(page, "accepted")
    look("accepted")
    press(page, "arrived")
    page.wait_for_selector("#codes .code")
    page.check("input[value=traces]")
    page.fill("#note", "Achterdeur geforceerd, slot uit de deur. Niemand gezien.")
    page.set_input_files("#take-photo", {"name": "a.png", "mimeType": "image/png", "buffer": png()})
    page.wait_for_selector("#photos figure img")
    page.context.set_offline(True)
    page.set_input_files("#take-photo", {"name": "b.png", "mimeType": "image/png", "buffer": png()})
    waits(page, 1)
    page.wait_for_selector("body[data-line=down]")
    look("arrived")
    page.context.set_offline(False)
    waits(page, 0)
    press(page, "finding")
    told(page, "found")
    look("found")


@pytest.mark.clause("M12.4")
def test_longer_languages_fit_a_small_phone(phones: Callable[..., Any], night: Night) -> None:
    page = let_in(phones(), night)
    page.set_viewport_size({"width": 320, "height": 640})
    ready(night)
    for act, state in (("accept", "offered"), ("arrived", "accepted"), ("finding", "arrived")):
        told(page, state)
        for language in ("fr", "de", "en"):
            PatrolUnit.objects.filter(pk=night.unit.pk).update(language=language)
            page.reload()
            live(page)
            assert page.evaluate("document.documentElement.lang") == language
            assert page.evaluate("document.documentElement.scrollWidth") <= 320
        press(page, act)


def test_the_door_is_accessible(phones: Callable[..., Any], night: Night) -> None:
    page = phones()
    page.goto("/patrol/enter/")
    assert page.is_visible("#no-link")
    assert faults(page) == []
    page.fill("#pin-code", "000000")
    page.click("button.primary")
    page.wait_for_selector("[role=alert]")
    assert faults(page) == []
