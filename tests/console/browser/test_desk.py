"""The desk in a real browser: keys alone, two operators, a cut line, refusals."""

from __future__ import annotations

import contextlib
import re
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import TimeoutError as NotInTime

from meldkamer.incidents.models import Incident
from meldkamer.journal.models import Entry
from tests.console.browser.conftest import Web
from tests.console.scene import CODE, Scene

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SitDown = Callable[..., Any]


def press(page: Any, *keys: str) -> None:
    """One key after the other; each act of an operator is let finish."""
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(60)
        page.wait_for_function("() => !document.querySelector('.htmx-request')")


def open_clause(page: Any, link: str, words: str) -> None:
    """Click a clause until its reading stands there: the part may just be drawn anew."""
    reading = page.locator("#leaf[open]", has_text=words)
    for _ in range(5):
        page.click(link)
        with contextlib.suppress(NotInTime):
            reading.wait_for(timeout=4000)
            return
    raise AssertionError(f"no reading: {page.locator('#leaf').evaluate('e => e.outerHTML')}")


def comes_in(town: Scene, name: str, **more: Any) -> Incident:
    """A burglary at a new site, now."""
    town.now = datetime.now(UTC)
    incident = town.signal(town.site(name, **more))
    assert incident is not None
    return incident


def put_away(incident: Incident) -> None:
    """So that the next test begins with an empty queue."""
    from meldkamer.incidents import commands

    incident.refresh_from_db()
    if incident.closed_at is None:
        staff = incident.holder
        if staff is None:
            from meldkamer.people.models import Staff

            staff = Staff.objects.get(username="sam")
            commands.take(staff, incident.pk, datetime.now(UTC))
        if incident.unseen:
            commands.see_signals(staff, incident.pk, datetime.now(UTC))
        commands.close(
            staff, incident.pk, "handled", datetime.now(UTC), attends="nobody", waive_reason="end"
        )


@pytest.mark.clause("S15.2", "S15.3", "S19.1", "M3.1")
def test_a_burglary_is_handled_to_the_end_by_keyboard_alone(town: Scene, sit_down: SitDown) -> None:
    page = sit_down("eva")
    incident = comes_in(town, "Apotheek Van Damme")
    site = incident.site
    page.wait_for_selector(f"#job-{incident.pk}")
    press(page, "n")
    page.wait_for_selector("main.incident[data-mine]")
    press(page, "d")
    page.wait_for_selector("text=rings")
    press(page, "5")
    page.wait_for_selector(".step.done >> text=no answer")
    # a second detector speaks while the first contact is called
    press(page, "d")
    town.signal(site, zone="5", at=datetime.now(UTC))
    page.wait_for_selector("text=New signal of this site")
    press(page, "g")
    page.wait_for_selector("text=New signal of this site", state="detached")
    press(page, "i", "Tab")
    page.keyboard.type(f"1{CODE[1:]}")
    press(page, "Enter")
    page.wait_for_selector("text=Sofie Van Damme identified")
    press(page, "3")
    page.wait_for_selector(".step.current >> text=Call the police")
    press(page, "d")
    page.wait_for_selector(".step.done >> text=Call the police")
    press(page, "t")
    page.keyboard.type("keys with the neighbour")
    press(page, "Enter")
    page.wait_for_selector(".course >> text=keys with the neighbour")
    press(page, "Escape", "x")
    page.wait_for_selector("#outcome")
    press(page, "Enter")
    page.wait_for_selector("text=Closed: handled")
    incident.refresh_from_db()
    assert incident.outcome == "handled"
    told = Entry.objects.filter(incident_id=incident.pk).values_list("what", flat=True)
    assert {"police.requested", "service.attended", "identity.checked", "note"} <= set(told)
    assert page.faults == []


def test_two_operators_press_at_once_and_one_has_it(town: Scene, sit_down: SitDown) -> None:
    eva, jan = sit_down("eva"), sit_down("jan")
    incident = comes_in(town, "Garage Lambert")
    for page in (eva, jan):
        page.wait_for_selector(f"#job-{incident.pk}")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_selector("#take")
    eva.evaluate("document.getElementById('take').click()")
    jan.evaluate("document.getElementById('take').click()")
    jan.wait_for_selector(".refused, main[data-mine]")
    eva.wait_for_selector(".refused, main[data-mine]")
    incident.refresh_from_db()
    winner, loser = (eva, jan) if str(incident.holder) == "eva" else (jan, eva)
    assert winner.query_selector("main[data-mine]")
    assert not loser.query_selector("main[data-mine]")
    assert "has this incident" in loser.inner_text("#refusal")
    assert re.search(r"\d\.\d s earlier", loser.inner_text("#refusal"))
    put_away(incident)


def test_taking_over_is_seen_at_once_by_who_had_it(town: Scene, sit_down: SitDown) -> None:
    eva, jan = sit_down("eva"), sit_down("jan")
    incident = comes_in(town, "Fietsen Goossens")
    eva.wait_for_selector(f"#job-{incident.pk}")
    press(eva, "n")
    eva.wait_for_selector("main[data-mine]")
    jan.wait_for_selector(f"#job-{incident.pk}")
    press(jan, "ArrowDown", "Enter", "o")
    jan.wait_for_selector("#why")
    jan.keyboard.type("caller speaks French")
    press(jan, "Enter")
    jan.wait_for_selector("main[data-mine]")
    eva.wait_for_selector("text=J. Dubois has this incident")
    assert not eva.query_selector("main[data-mine]")
    put_away(incident)


@pytest.mark.clause("S15.3")
def test_p_too_early_answers_with_the_refusal_and_it_stays(town: Scene, sit_down: SitDown) -> None:
    page = sit_down("eva")
    incident = comes_in(town, "Optiek Jansen")
    page.wait_for_selector(f"#job-{incident.pk}")
    press(page, "n")
    page.wait_for_selector("main[data-mine]")
    press(page, "p")
    page.wait_for_selector("#refusal")
    page.wait_for_timeout(1200)  # the events of the refusal itself have come by now
    words = page.inner_text("#refusal")
    assert "Police not called." in words
    assert "S15.3" in words
    # the clause opens its reading
    open_clause(page, "#refusal .clause", "only when the alarm is verified")
    press(page, "Escape")
    assert not page.query_selector("#leaf[open]")
    put_away(incident)


def test_a_cut_line_is_told_and_nothing_is_lost(web: Web, town: Scene, sit_down: SitDown) -> None:
    page = sit_down("eva")
    first = comes_in(town, "Notariat Claessens")
    page.wait_for_selector(f"#job-{first.pk}")
    web.kill()
    try:
        second = comes_in(town, "Slagerij Dewaele")
        page.wait_for_selector("#banner-stale", timeout=20_000)
        words = page.inner_text("#banner-stale")
        assert re.search(r"This screen is \d+ s behind\.", words)
        assert page.inner_text(f"#job-{first.pk} time").startswith("≥ ")
        assert not page.query_selector(f"#job-{second.pk}")
    finally:
        web.start()
    page.wait_for_selector(f"#job-{second.pk}", timeout=20_000)
    page.wait_for_selector("text=Live again, nothing missed.")
    assert not page.query_selector("#banner-stale")
    assert not page.inner_text(f"#job-{first.pk} time").startswith("≥")
    put_away(first)
    put_away(second)


def test_what_is_being_typed_survives_the_news(town: Scene, sit_down: SitDown) -> None:
    page = sit_down("eva")
    incident = comes_in(town, "Brasserie De Zwaan")
    page.wait_for_selector(f"#job-{incident.pk}")
    press(page, "n")
    page.wait_for_selector("main[data-mine]")
    press(page, "t")
    page.keyboard.type("half a sen")
    town.signal(incident.site, zone="7", at=datetime.now(UTC))
    page.wait_for_selector("text=New signal of this site")
    page.keyboard.type("tence")
    assert page.input_value("#note") == "half a sentence"
    put_away(incident)


def test_letters_in_a_field_are_letters(town: Scene, sit_down: SitDown) -> None:
    page = sit_down("eva")
    incident = comes_in(town, "Frituur ’t Pleintje")
    page.wait_for_selector(f"#job-{incident.pk}")
    press(page, "/")
    page.keyboard.type("nd")
    page.wait_for_timeout(300)
    incident.refresh_from_db()
    assert incident.state == "queued"
    assert page.input_value("#find-words") == "nd"
    put_away(incident)


def test_digits_go_by_position_so_azerty_needs_no_shift(town: Scene, sit_down: SitDown) -> None:
    page = sit_down("eva")
    incident = comes_in(town, "Garage Azerty")
    page.wait_for_selector(f"#job-{incident.pk}")
    press(page, "n")
    page.wait_for_selector("main[data-mine]")
    press(page, "d")
    page.wait_for_selector("main[data-ringing]")
    # the key "5" of a Belgian keyboard prints "("
    page.evaluate(
        "document.dispatchEvent(new KeyboardEvent('keydown',"
        " {key: '(', code: 'Digit5', bubbles: true}))"
    )
    page.wait_for_selector(".step.done >> text=no answer")
    put_away(incident)


def test_a_key_without_a_use_is_answered(town: Scene, sit_down: SitDown) -> None:
    # nothing in her hands, whatever an earlier test left there
    Incident.objects.filter(holder__username="eva").update(
        state="queued", owner="operators", holder=None
    )
    page = sit_down("eva")
    press(page, "d")
    assert page.inner_text("#told") == "D: nothing to do here now."


def test_class_security_sounds_until_it_is_taken(town: Scene, sit_down: SitDown) -> None:
    page = sit_down("eva")
    press(page, "ArrowDown")  # a browser sounds only after somebody touched it
    incident = comes_in(town, "Juwelier Hendrickx")
    page.wait_for_selector(f"#job-{incident.pk}")
    page.wait_for_function("() => Number(document.body.dataset.sounded) >= 1")
    press(page, "n")
    page.wait_for_selector("main[data-mine]")
    page.wait_for_timeout(700)
    sounded = page.evaluate("document.body.dataset.sounded")
    page.wait_for_timeout(4500)
    assert page.evaluate("document.body.dataset.sounded") == sounded
    put_away(incident)


@pytest.mark.clause("S19.1", "S20.1")
def test_someone_calls_in_by_keys(town: Scene, sit_down: SitDown) -> None:
    from meldkamer.contracts.models import TestMode
    from meldkamer.sites.models import Site

    page = sit_down("eva")
    press(page, "F8")
    page.wait_for_selector("#caller-words:focus")
    page.keyboard.type("1001")
    page.wait_for_selector("#caller-found a.task")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#person:focus")
    press(page, "Tab")
    page.keyboard.type(f"1{CODE[1:]}")
    page.click("text=Start a test")
    page.wait_for_selector("text=Name and code fit.")
    site = Site.objects.get(transmitters__account="1001")
    assert TestMode.objects.filter(site=site, ended_at=None).exists()


def test_an_event_is_seen_within_half_a_second(town: Scene, sit_down: SitDown) -> None:
    page = sit_down("eva")
    site = town.site("Meetpunt")
    waits_ms = []
    for number in range(12):
        town.now = datetime.now(UTC)
        kind = ("intrusion", "fire", "holdup", "medical")[number % 4]
        code = {"intrusion": "BA", "fire": "FA", "holdup": "HA", "medical": "MA"}[kind]
        incident = town.signal(site, code, kind, "3")
        began_s = time.perf_counter()
        assert incident is not None
        page.wait_for_selector(f"#job-{incident.pk}")
        waits_ms.append((time.perf_counter() - began_s) * 1000)
        put_away(incident)
        page.wait_for_selector(f"#job-{incident.pk}", state="detached")
    waits_ms.sort()
    print(f"verdict committed -> row drawn: median {waits_ms[6]:.0f} ms, worst {waits_ms[-1]:.0f}")
    assert waits_ms[6] < 1000, waits_ms


def test_the_process_stops_at_once_although_a_console_listens(web: Web, sit_down: SitDown) -> None:
    sit_down("eva")
    assert web.process is not None
    began_s = time.monotonic()
    web.process.send_signal(signal.SIGTERM)
    web.process.wait(10)
    took_s = time.monotonic() - began_s
    web.start()
    assert took_s < 2.5
