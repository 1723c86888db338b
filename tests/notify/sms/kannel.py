"""A real Kannel on loopback: bearerbox, smsbox, and its fake SMS centre with the phones behind it.

Started in a folder and on ports of its own. The fake centre prints what phones get on its standard
output, and sends what phones say; it takes one connection, so it is started again for each word
that a phone says.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from socket import create_server
from urllib.parse import unquote_to_bytes

import pytest

from meldkamer.project.childhood import die_with_parent
from tests.peers import until

FAKESMSC = "/usr/lib/kannel/test/fakesmsc"
USER, PASSWORD, NUMBER = "arc", "s3cret-of-kannel", "3200"
_GOT = re.compile(r"Got message \d+: <(\S+) (\S+) (.*)>$", re.MULTILINE)
_CONF = """
group = core
admin-port = {admin}
admin-password = of-the-admin
admin-interface = 127.0.0.1
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
log-file = {folder}/bearerbox.log
log-level = 0
store-type = spool
store-location = {folder}/store
dlr-storage = spool
dlr-spool = {folder}/dlr

group = smsc
smsc = fake
smsc-id = CENTRE
port = {centre}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
log-file = {folder}/smsbox.log
log-level = 0
http-request-retry = 1000
http-queue-delay = 1

group = sendsms-user
username = {user}
password = {password}
concatenation = true
max-messages = 10
white-list-regex = "^\\+32[0-9]+$"

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "{hooks}sms/?from=%p&to=%P&text=%b&charset=%C&id=%I"
"""


def program(name: str) -> str:
    """Where a program of Kannel lies."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        pytest.fail(f"{name} is not installed; see scripts/debian-needs")
    return found


def _free_ports(count: int) -> list[int]:
    """Different ones: each is held until all are known."""
    with ExitStack() as held:
        taken = [held.enter_context(create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(one.getsockname()[1]) for one in taken]


class Kannel:
    """The gateway and the phones of its centre. hooks: the address of our carrier's hooks."""

    def __init__(self, folder: Path, hooks: str) -> None:
        self.folder = folder
        self.admin, self.boxes, self.centre_port, self.sendsms = _free_ports(4)
        (folder / "store").mkdir()
        (folder / "dlr").mkdir()
        self.conf = folder / "kannel.conf"
        self.conf.write_text(
            _CONF.format(
                admin=self.admin, boxes=self.boxes, centre=self.centre_port, folder=folder,
                sendsms=self.sendsms, user=USER, password=PASSWORD, hooks=hooks,
            )
        )  # fmt: skip
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._said = 0

    @property
    def url(self) -> str:
        """Of sendsms."""
        return f"http://127.0.0.1:{self.sendsms}/cgi-bin/sendsms"

    @property
    def status_url(self) -> str:
        """Of the bearerbox."""
        return f"http://127.0.0.1:{self.admin}/status.txt"

    def start(self) -> None:
        """All three, each when the one before is ready."""
        self.start_bearerbox()
        self.start_smsbox()
        self.start_centre()

    def start_bearerbox(self) -> None:
        self._start("bearerbox", program("bearerbox"), str(self.conf))
        until(lambda: self.status() or self._ended("bearerbox"), "bearerbox answers")

    def start_smsbox(self) -> None:
        self._start("smsbox", program("smsbox"), str(self.conf))
        until(lambda: "smsbox:" in self.status(), "smsbox is connected")

    def start_centre(self, *words: str) -> None:
        if not Path(FAKESMSC).exists():
            pytest.fail(f"{FAKESMSC} is not installed; see scripts/debian-needs")
        count = str(len(words))
        port = str(self.centre_port)
        self._start("centre", FAKESMSC, "-H", "127.0.0.1", "-r", port, "-i", "0.01", "-m", count,
                    *(words or ("1 1 text nothing",)))  # fmt: skip
        until(lambda: "(online" in self.status().partition("SMSC conn")[2], "the centre is on")

    def _start(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.out").open("ab") as out:
            self._running[name] = subprocess.Popen(
                command, stdout=out, stderr=out, preexec_fn=die_with_parent()
            )

    def _ended(self, name: str) -> bool:
        """Fails with its last words when a program ended by itself; else false."""
        if self._running[name].poll() is not None:
            words = (self.folder / f"{name}.out").read_text(errors="replace")[-800:]
            raise AssertionError(f"{name} ended: {words}")
        return False

    def stop(self, *names: str) -> None:
        """At once: a Kannel that is asked politely finishes what it has."""
        for name in names or tuple(self._running):
            process = self._running.pop(name, None)
            if process is not None:
                process.kill()
                process.wait(5)

    def status(self) -> str:
        """The bearerbox's own page; "" when it does not answer."""
        try:
            with urllib.request.urlopen(self.status_url, timeout=2) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    def says(self, phone: str, text: str, kind: str = "text") -> None:
        """A phone sends a text to us; kind "ucs2" or "data": the text is percent-encoded bytes."""
        self.stop("centre")
        until(lambda: "(online" not in self.status().partition("SMSC conn")[2], "it hung up")
        self.start_centre(f"{phone} {NUMBER} {kind} {text}")

    def retries(self) -> int:
        """How often it brought a reply again."""
        log = (self.folder / "smsbox.log").read_text(errors="replace")
        return log.count("Retrying request")

    def got(self, phone: str) -> list[str]:
        """What a phone got: the texts in the order in which they came."""
        found = (self.folder / "centre.out").read_text(errors="replace")
        return [_words(rest) for _, to, rest in _GOT.findall(found) if to == phone]


def ucs2(text: str) -> str:
    """As the fake centre wants it."""
    return "".join(f"%{byte:02x}" for byte in text.encode("utf-16-be"))


def _words(rest: str) -> str:
    """The fake centre's line about a text: `text words`, `ucs-2 %04…`, `udh %05… data|text …`."""
    kind, _, words = rest.partition(" ")
    if kind == "udh":
        _, kind, words = words.split(" ", 2)
        if kind == "data":
            # it does not say in which alphabet; UCS-2 of the texts here has blanks, GSM no zeros
            octets = _bytes(words)
            return octets.decode("utf-16-be" if b"\0" in octets else "utf-8")
    if kind == "ucs-2":
        return _bytes(words).decode("utf-16-be")
    return words


def _bytes(words: str) -> bytes:
    return unquote_to_bytes(words.replace("+", " "))
