"""A real web process on a database of its own, and real browsers.

The test's own Django writes into the same database, so what it commits reaches the browser the
way everything does: through LISTEN and the stream.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.console.scene import Scene

#: a machine that runs other suites beside this one is slow
PATIENCE_MS = 30_000
#: a process that lives is given time to start; one that ends fails at once
START_S = 180
WEB = "import sys; from meldkamer.project.cli import main; sys.exit(main())"


class Web:
    """The web process: started, killed, started again on the same port."""

    def __init__(self, dsn: str, var: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._env = os.environ | {
            "DATABASE_URL": dsn,
            "MELDKAMER_VAR": var,
            "MELDKAMER_DEMO": "on",
            "MELDKAMER_DB_ROLE": "app",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WEB, "web", "--port", str(self.port)],
            env=self._env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until_s = time.monotonic() + START_S
        while time.monotonic() < until_s:
            try:
                urllib.request.urlopen(f"{self.address}/health/", timeout=2)
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                assert self.process.poll() is None, "the web process ended"
                time.sleep(0.05)
        raise AssertionError("the web process does not answer")

    def ensure(self) -> None:
        """Start it again when a test left it dead."""
        if self.process is None or self.process.poll() is not None:
            self.start()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def web(django_db_blocker: Any) -> Iterator[Web]:
    """One web process and one database for a file of tests."""
    from django.conf import settings
    from django.db import connections

    from meldkamer.project.database import django_database
    from meldkamer.project.scratch import scratch_database

    with scratch_database("browser") as dsn, django_db_blocker.unblock():
        connection = connections["default"]
        connection.close()
        before = dict(connection.settings_dict)
        new = django_database({"DATABASE_URL": dsn, "MELDKAMER_DB_ROLE": "owner"})
        keys = ("NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")
        connection.settings_dict.update({key: new[key] for key in keys})
        web = Web(dsn, str(settings.VAR_DIR))
        try:
            web.start()
            yield web
        finally:
            web.kill()
            connections.close_all()
            connection.settings_dict.update(before)


@pytest.fixture(scope="module")
def town(web: Web) -> Scene:
    """The scene of a file: staff for both browsers, no site yet."""
    scene = Scene(datetime.now(UTC))
    scene.staff("eva", name="Eva Maes")
    scene.staff("jan", name="Jules Dubois")
    scene.staff("sam", "supervisor", name="Sam Peeters")
    return scene


@pytest.fixture(scope="module")
def chromium_process(chromium: str, web: Web) -> Iterator[Any]:
    """One browser for a file of tests.

    While it runs, its event loop makes Django keep a connection of another kind than without it:
    that one is let go here, before the database of this file is dropped.
    """
    from django.db import connections
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        connections.close_all()
        yield browser
        connections.close_all()
        browser.close()


def put_all_away() -> None:
    """Close every incident as a supervisor would, and end what a test left in hand."""
    from meldkamer.incidents import commands
    from meldkamer.incidents.models import Incident
    from meldkamer.people.models import Staff

    sam = Staff.objects.get(username="sam")
    for number in Incident.objects.filter(closed_at=None).values_list("pk", flat=True):
        now = datetime.now(UTC)
        commands.take_over(sam, number, "the test is over", now)
        commands.see_signals(sam, number, now)
        commands.close(sam, number, "handled", now, attends="nobody", waive_reason="end")


@pytest.fixture
def clean_desk(web: Web, town: Scene) -> Iterator[None]:
    """A test begins with an empty queue, whatever the one before it left, failed or not."""
    web.ensure()
    yield
    put_all_away()


def session_of(name: str) -> str:
    """A session as the login makes it; the login page has tests of its own."""
    from django.conf import settings
    from django.test import Client

    from meldkamer.people.models import Staff

    client = Client()
    client.force_login(
        Staff.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend"
    )
    return str(client.cookies[settings.SESSION_COOKIE_NAME].value)


def live(page: Any) -> None:
    """Wait until the page hears the centre: its keys are wired and its line stands."""
    page.wait_for_selector("body[data-live]")


def settled(page: Any) -> None:
    """Wait until what the operator asked for is drawn."""
    page.wait_for_function("() => !document.body.dataset.busy")


@pytest.fixture
def sit_down(web: Web, chromium_process: Any) -> Iterator[Callable[..., Any]]:
    """`sit_down("eva")`: a page at the desk, live."""
    from django.conf import settings

    contexts = []

    def sit(name: str, path: str = "/", width: int = 1920, height: int = 1080) -> Any:
        context = chromium_process.new_context(
            viewport={"width": width, "height": height}, locale="en-GB"
        )
        contexts.append(context)
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session_of(name)}
        context.add_cookies([cookie | {"url": web.address}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.faults = []
        page.on("pageerror", lambda fault: page.faults.append(str(fault)))
        page.goto(web.address + path)
        live(page)
        return page

    yield sit
    faults = [fault for context in contexts for page in context.pages for fault in page.faults]
    for context in contexts:
        context.close()
    assert faults == []
