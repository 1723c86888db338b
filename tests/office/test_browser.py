"""The office in a real browser: keys, focus, nothing that the policy refuses, and axe."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.test import Client
from playwright.sync_api import sync_playwright

from meldkamer.incidents.deciding.judging import judge_next
from meldkamer.journal import store
from meldkamer.journal.records import SignalRecord, detail
from meldkamer.people.models import Staff
from meldkamer.sites import whole
from meldkamer.sites.models import Provider, Site
from tests.office.conftest import NOW, draft, person

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """A headless browser for this file."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def site(securitas: Provider) -> Site:
    return whole.bring(securitas, draft(), NOW, "test")[0]


@pytest.fixture
def open_page(
    browser: Any, live_server: Any, settings: Any, securitas: Provider,
    enter: Callable[[Staff], Client],
) -> Iterator[Callable[..., Any]]:  # fmt: skip
    """A page of the clerk's; whatever the browser complained of fails the test."""
    settings.MELDKAMER_DEMO = True
    Provider.objects.filter(pk=securitas.pk).update(practice=True)
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    client = enter(person("karel", Staff.Role.OFFICE, securitas))
    session = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    said: list[str] = []
    contexts = []

    def open_(path: str, theme: str = "dark", language: str = "en") -> Any:
        context = browser.new_context(
            viewport={"width": 1366, "height": 768}, color_scheme=theme, base_url=live_server.url
        )
        contexts.append(context)
        names = {
            django_settings.SESSION_COOKIE_NAME: session,
            django_settings.LANGUAGE_COOKIE_NAME: language,
        }
        context.add_cookies(
            [{"name": n, "value": v, "url": live_server.url} for n, v in names.items()]
        )
        page = context.new_page()
        page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda fault: said.append(str(fault)))
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert [text for text in said if "422" not in text] == []


def faults_of(page: Any) -> list[str]:
    axe = Axe()
    found = axe.run(page, options={"runOnly": RULES}).response["violations"]
    return [f"{row['id']}: {row['nodes'][0]['html'][:120]}" for row in found]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_page_is_accessible(open_page: Callable[..., Any], site: Site, theme: str) -> None:
    base = f"/office/sites/{site.pk}/"
    paths = ["/office/", "/office/sites/new/", "/office/sandbox/", base]
    paths += [f"{base}{tab}/" for tab in ("change", "zones", "contacts", "contacts/new", "course",
                                         "transmitters", "hours", "signals", "wire", "service",
                                         "service/interrupt", "service/test")]  # fmt: skip
    page = open_page(paths[0], theme)
    for path in paths:
        page.goto(path)
        assert faults_of(page) == [], path


@pytest.mark.parametrize("language", ["nl", "fr", "de"])
def test_long_words_push_nothing_off_the_page(
    open_page: Callable[..., Any], site: Site, language: str
) -> None:
    page = open_page(f"/office/sites/{site.pk}/contacts/", "light", language)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    body = page.locator(".record .body")
    assert body.evaluate("e => e.scrollWidth <= e.clientWidth + 1")


@pytest.mark.parametrize("language", ["fr", "de"])
def test_on_a_telephone_the_office_is_as_wide_as_its_screen(
    open_page: Callable[..., Any], site: Site, language: str
) -> None:
    page = open_page("/office/", "light", language)
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/office/", "/office/carriers/", "/office/messages/", "/office/sandbox/"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_nothing_lies_below_a_page_that_scrolls_inside(
    open_page: Callable[..., Any], site: Site
) -> None:
    page = open_page("/office/messages/")
    page.set_viewport_size({"width": 1366, "height": 768})
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_a_contact_is_entered_without_a_mouse(open_page: Callable[..., Any], site: Site) -> None:
    site.contacts.get(position=3).delete()
    page = open_page(f"/office/sites/{site.pk}/contacts/")
    page.keyboard.press("c")
    page.wait_for_url("**/contacts/new/")
    page.focus("#id_name")
    page.keyboard.type("Nadia El Amrani")
    page.keyboard.press("Tab")
    page.keyboard.type("nonsense")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#faults")
    assert page.evaluate("document.activeElement.id") == "faults"
    assert page.input_value("#id_name") == "Nadia El Amrani"
    assert page.get_attribute("#id_phone", "aria-invalid") == "true"
    assert faults_of(page) == []
    page.fill("#id_phone", "0470 00 12 09")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/contacts/")
    assert "Nadia El Amrani" in page.content()
    assert site.contacts.filter(phone="+32470001209").exists()


def test_the_list_follows_what_is_typed(open_page: Callable[..., Any], site: Site) -> None:
    page = open_page("/office/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find-sites"
    page.keyboard.type("nobody at all")
    page.get_by_text("Nothing found").wait_for()
    page.fill("#find-sites", "peeters")
    page.wait_for_selector("#sites .task")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.wait_for_url("**/sites/new/")


def test_a_line_of_the_course_opens_to_its_rule(open_page: Callable[..., Any], site: Site) -> None:
    page = open_page(f"/office/sites/{site.pk}/course/")
    rule = page.locator(".rule-of summary").first
    rule.focus()
    page.keyboard.press("Enter")
    assert "Brochure of Securitas Monitoring, page" in page.inner_text(".rule-of[open]")
    assert faults_of(page) == []


def test_a_rule_that_was_opened_stays_open_while_the_signals_come(
    open_page: Callable[..., Any], site: Site
) -> None:
    record = SignalRecord(
        code="BA", role="event", type="intrusion", zone="1", site_id=site.pk, protocol="sia",
        account="1234", detail=detail(label="burglary"),
    )  # fmt: skip
    now = datetime.now(UTC)
    with transaction.atomic(), connection.cursor() as cursor:
        store.store_signals(cursor, now, [record])
    judge_next(now)
    page = open_page(f"/office/sites/{site.pk}/signals/")
    rule = page.locator(".rule-of summary").first
    rule.focus()
    page.keyboard.press("Enter")
    with page.expect_response("**/signals/"):
        page.wait_for_selector(".rule-of[open] >> text=Brochure of Securitas Monitoring, page")
    page.wait_for_function("() => !document.querySelector('.htmx-request')")
    assert page.query_selector(".rule-of[open]")
    assert faults_of(page) == []
