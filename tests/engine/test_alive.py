"""The sign of life to somebody outside: while all holds, never otherwise, and nothing told."""

from __future__ import annotations

import http.server
import io
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from meldkamer.engine import cycle, house_keeping
from meldkamer.engine.audit import outside
from meldkamer.engine.audit import run as audits
from meldkamer.incidents import house_checks
from meldkamer.project.addresses import web_address
from tests.incidents.town import NOW, Town, at, run

SECRET = "5f1c-secret"


class Outside:
    """Somebody who waits for the sign: what was asked, and what he answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer = 200
        waits = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                waits.asked.append(self.path)
                self.send_response(waits.answer)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Not on the terminal."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/ping/{SECRET}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def waits(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    # however slow the machine, an audit is complete in one go
    monkeypatch.setattr(audits, "_SLICE_S", 60.0)
    someone = Outside()
    settings.MELDKAMER_ALIVE_URL = someone.address
    yield someone
    someone.server.shutdown()
    someone.server.server_close()


def sent() -> None:
    """The thread that sends has ended."""
    until = time.monotonic() + 10
    while outside._sending.locked() and time.monotonic() < until:
        time.sleep(0.01)


@pytest.mark.clause("M12.3")
@pytest.mark.django_db(transaction=True)
def test_the_sign_goes_out_while_all_holds_and_only_then(
    committed_town: Town, waits: Outside
) -> None:
    house_keeping.begin(NOW)
    run(NOW)
    cycle.look_at_house(NOW)
    sent()
    assert waits.asked == [f"/ping/{SECRET}"]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM agenda_agendarow WHERE kind = 'journal.seal'")
    cycle.look_at_house(at(30))
    sent()
    assert len(waits.asked) == 1
    house_keeping.begin(at(40))
    run(at(40))
    cycle.look_at_house(at(60))
    sent()
    assert len(waits.asked) == 2


@pytest.mark.django_db(transaction=True)
def test_it_is_sent_after_the_transaction_and_not_by_the_loop(
    committed_town: Town, waits: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, str]] = []
    monkeypatch.setattr(
        outside.urllib.request,
        "urlopen",
        lambda *a, **k: (
            seen.append((house_checks.house(NOW).holds, threading.current_thread().name))
            or io.BytesIO()
        ),
    )
    house_keeping.begin(NOW)
    run(NOW)
    cycle.look_at_house(NOW)
    sent()
    # another connection saw the result: it was committed
    assert seen == [(True, "alive")]


def test_without_an_address_nothing_is_sent(settings: Any) -> None:
    settings.MELDKAMER_ALIVE_URL = ""
    outside.say_all_holds()
    assert not outside._sending.locked()


def test_one_that_hangs_holds_no_second_one_up(waits: Outside) -> None:
    assert outside._sending.acquire(blocking=False)
    try:
        outside.say_all_holds()
    finally:
        outside._sending.release()
    assert waits.asked == []


def test_the_log_names_the_host_and_never_the_secret(
    waits: Outside, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    waits.answer = 500
    with caplog.at_level(logging.DEBUG):
        outside.say_all_holds()
        sent()
        settings.MELDKAMER_ALIVE_URL = f"http://user:{SECRET}@127.0.0.1:1/{SECRET}?k={SECRET}"
        outside.say_all_holds()
        sent()
    assert [record.getMessage() for record in caplog.records] == [
        "the sign of life was refused by 127.0.0.1: 500",
        "no sign of life to 127.0.0.1: URLError",
    ]
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    "text",
    ["ftp://x.example/", "x.example", "file:///etc/passwd", "https://", "http://[", "http://a b/",
     f"https://x.example:port/{SECRET}"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_at_start_and_not_repeated(text: str) -> None:
    with pytest.raises(ImproperlyConfigured) as told:
        web_address("MELDKAMER_ALIVE_URL", text)
    assert str(told.value) == "MELDKAMER_ALIVE_URL: expected http://host/… or https://host/…"


def test_a_good_address_or_none_is_taken() -> None:
    assert web_address("X", "") == ""
    assert web_address("X", " https://hc.example/abc ") == "https://hc.example/abc"
