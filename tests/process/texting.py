"""A real `meldkamer work` in a hurry, with a real SMS centre; the test reads the same tables.

The worker is a process of its own that can be killed; it works on this test's database.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from meldkamer.incidents.models import Incident
from meldkamer.notify import way_commands
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.sites.models import Site
from tests.incidents.town import Town
from tests.notify.sms.centres import PASSWORD
from tests.process.chaos_intake import ready_socket
from tests.process.hurried import write_terms

#: how long the ladder waits for an "ok" here, unless said otherwise
WAIT_S = 3
GAP_S = 1


class Work:
    """One worker at a time, killed and started again."""

    def __init__(self, home: Path, dsn: str, wait_s: int) -> None:
        self.home = home
        self.killed = 0
        self._process: subprocess.Popen[bytes] | None = None
        _terms(home / "terms", wait_s)
        self._environment = os.environ | {
            "DATABASE_URL": dsn,
            "MELDKAMER_TEST_TERMS": str(home / "terms"),
            "MELDKAMER_TEST_RED": "",
        }
        self._environment.pop("MELDKAMER_DB_ROLE", None)

    def start(self) -> None:
        """Returns when it says that it works."""
        with ready_socket(self.home) as (address, wait):
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.process.hurried", "work"],
                env=self._environment | {"NOTIFY_SOCKET": address},
                stdin=subprocess.DEVNULL,
                stdout=(self.home / "receive.log").open("ab"),
                stderr=subprocess.STDOUT,
                cwd=Path(__file__).parents[2],
            )
            wait(self._process)

    def kill(self) -> None:
        """kill -9; it was alive until then."""
        assert self._process is not None
        assert self._process.poll() is None, self.log()
        self._process.kill()
        assert self._process.wait(10) == -signal.SIGKILL
        self.killed += 1

    def stop(self) -> None:
        """Politely; killed when it hangs."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
            raise

    def log(self) -> str:
        """What it said."""
        return (self.home / "receive.log").read_text("utf-8", "replace")


@contextmanager
def work(dsn: str, wait_s: int = WAIT_S) -> Iterator[Work]:
    """A worker that works, with a ladder of that pace."""
    with tempfile.TemporaryDirectory(prefix="meldkamer-texts-") as home:
        one = Work(Path(home), dsn, wait_s)
        one.start()
        try:
            yield one
        except AssertionError as fault:
            fault.add_note(one.log()[-3000:])
            raise
        finally:
            one.stop()


def _terms(folder: Path, wait_s: int) -> None:
    write_terms(folder)
    for file in folder.glob("*.toml"):
        text = file.read_text("utf-8")
        hurried = re.sub(r"(\[texting\][^\n]*\nwait_s = )[0-9]+", rf"\g<1>{wait_s}", text)
        assert hurried != text or f"wait_s = {wait_s}" in text, file
        # S7.9: texts that are so far apart are answered by one reply
        hurried, found = re.subn(r"(?m)^reply_gap_s = [0-9]+", f"reply_gap_s = {GAP_S}", hurried)
        assert found == 1, file
        file.write_text(hurried, "utf-8")


def over_smpp(port: int, name: str = "first", priority: int = 1, **settings: Any) -> WayOut:
    """A carrier as the office enters it."""
    given = {
        "host": "127.0.0.1",
        "port": port,
        "system_id": "arc",
        "sender": "+32460001122",
        "answer_s": 1.5,
        "throttled_s": 0.2,
    }
    return way_commands.add(
        "smpp", name, now(), priority=priority, settings_given={**given, **settings},
        secrets={"password": PASSWORD},
    )  # fmt: skip


def a_site(town: Town, formula: str = "operator", contacts: int = 2) -> Site:
    """A site of its own numbers."""
    return town.build_site(
        f"Site {Site.objects.count()}", formula=formula, contacts=contacts, codes=False
    )


def battery_low(town: Town, site: Site) -> None:
    """Its panel says that the battery is low; the ladder begins."""
    town.signal("battery", "YT", site=site, when=now(), zone=None)


def incident_of(site: Site) -> Incident:
    return Incident.objects.get(site=site, type="battery")


def texts_of(site: Site) -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(site_id=site.pk, channel="sms").order_by("id"))


def phones_of(site: Site) -> list[str]:
    """Without the plus, as the centre has them."""
    return [one.phone.removeprefix("+") for one in site.contacts.order_by("position")]


def now() -> datetime:
    return datetime.now(UTC)
