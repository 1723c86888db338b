"""One baresip: started for one call or one registration, driven over its control port, ended.

Used by one thread at a time, the one that starts it: should this program die, the system ends
baresip with that thread. What it needs stands in a directory of its own, for this user alone; the
password of the account is taken away from the disk as soon as it was read.

Never: a baresip that outlives its `Baresip`; a password in a fault.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = "baresip"
_MODULE_PLACES = (
    "/usr/lib/baresip/modules",
    f"/usr/lib/{os.uname().machine}-linux-gnu/baresip/modules",
    "/usr/local/lib/baresip/modules",
)
_START_S, _ANSWER_S, _QUIT_S = 10.0, 5.0, 0.3
_MESSAGE_MOST = _LOG_MOST = 1_000_000
# The system is asked to end us with our parent, then we become baresip.
_BORN = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); "
    "os.getppid() == int(sys.argv[1]) or os._exit(1); os.execv(sys.argv[2], sys.argv[2:])"
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class BaresipFault(Exception):
    """It could not be started, or did not do what it was told; says what."""


class Gone(BaresipFault):
    """It ended, or its control connection broke."""


@dataclass(frozen=True, slots=True)
class Event:
    """What it told: kind as CALL_ESTABLISHED, call its own id of the call, text what it adds."""

    kind: str
    call: str
    text: str
    outgoing: bool


@dataclass(frozen=True, slots=True)
class Account:
    """Who calls. uri: our address; a registration is asked for when every_s is not 0.

    encrypted: sound by SRTP alone (RFC 4568), or no call.
    """

    uri: str
    login: str = ""
    password: str = ""
    proxy: str = ""
    every_s: int = 0
    encrypted: bool = False

    def line(self) -> str:
        """A line of baresip's file of accounts."""
        parts = [f"<{self.uri}>", "audio_codecs=PCMA/8000/1,PCMU/8000/1", f"regint={self.every_s}"]
        # without a password no login either, or baresip asks for it at a keyboard
        if self.password:
            parts += [f"auth_user={self.login}", f'auth_pass="{self.password}"']
        if self.encrypted:
            parts.append("mediaenc=srtp-mand")
        if self.proxy:
            parts.append(f'outbound="{self.proxy}"')
        return ";".join(parts) + "\n"


def program() -> str:
    """Where baresip is; BaresipFault names what to install."""
    found = shutil.which(PROGRAM)
    if found is None:
        raise BaresipFault(f"{PROGRAM} is not installed; on Debian: apt-get install baresip-core")
    return found


def modules() -> str:
    """Where its modules are; BaresipFault names where they were looked for."""
    for place in _MODULE_PLACES:
        if Path(place, "ctrl_tcp.so").exists():
            return place
    raise BaresipFault(f"no ctrl_tcp.so of {PROGRAM} in {', '.join(_MODULE_PLACES)}")


class Baresip:
    """A baresip and its control connection."""

    def __init__(
        self, places: Path, account: Account, *, local: str = "", rtp: tuple[int, int] = (0, 0)
    ) -> None:
        """places: where directories of its kind are made. local: an address of this machine to
        bind; "" for the one that leads out. rtp: first and last port for sound; (0, 0) for any.
        """
        self._account = account
        self._local, self._rtp = local, rtp
        places.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.home = Path(tempfile.mkdtemp(dir=places, prefix=f"{os.getpid()}-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._rest = b""
        self._events: deque[Event] = deque()
        self._asked = 0

    def start(self) -> None:
        """Start it, and wait until it can be told what to do. BaresipFault when it cannot."""
        # -v: it says then that it listens for us
        command = [program(), "-v", "-f", str(self.home)]
        port = _free_port()
        self.write("config", self._config(modules(), port).encode())
        self.write("contacts", b"")
        self.write("log", b"")
        self.write("accounts", self._account.line().encode())
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _BORN, str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.home,
                start_new_session=True,  # Ctrl-C is for us
            )
        try:
            self._connect(port)
        except BaseException:
            self.stop()
            raise
        finally:
            (self.home / "accounts").unlink(missing_ok=True)

    def _config(self, where: str, port: int) -> str:
        lines = [
            "poll_method epoll",
            f"sip_listen {_bracketed(self._local or '0.0.0.0')}:0",  # noqa: S104 - calls go out
            "sip_cafile /etc/ssl/certs/ca-certificates.crt",
            "call_max_calls 1",
            f"module_path {where}",
            # what is heard goes nowhere, and until somebody answers nothing is said
            "audio_player aubridge,ear",
            "audio_source aubridge,mouth",
            "audio_alert aubridge,bell",
            "ausrc_channels 1",
            "auplay_channels 1",
            "rtp_timeout 0",
            "statmode_default off",
            *(f"module {name}.so" for name in ("g711", "aubridge", "aufile", "srtp")),
            "module_tmp account.so",
            "module_app menu.so",
            "module_app ctrl_tcp.so",
            f"ctrl_tcp_listen 127.0.0.1:{port}",
        ]
        if self._local:
            lines.append(f"net_interface {self._local}")
        if self._rtp != (0, 0):
            lines.append(f"rtp_ports {self._rtp[0]}-{self._rtp[1]}")
        return "\n".join(lines) + "\n"

    def write(self, name: str, content: bytes) -> None:
        """A file in its directory, where it is by default; for this user alone."""
        handle = os.open(self.home / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)

    def _connect(self, port: int) -> None:
        until_s = time.monotonic() + _START_S
        # by its own word that it is it who listens there: another program may have been faster
        listens = f"listening on 127.0.0.1:{port}"
        while time.monotonic() < until_s:
            said = self.said()
            if "baresip is ready" in said:
                if listens not in said:
                    raise BaresipFault(f"{PROGRAM} has no control port: {said[-300:]}")
                if "Populated 1 account" not in said:
                    raise BaresipFault(f"{PROGRAM} took no account: {said[-300:]}")
                self._control = socket.create_connection(("127.0.0.1", port), _ANSWER_S)
                return
            if self._process is None or self._process.poll() is not None:
                raise Gone(f"{PROGRAM} ended at its start: {said[-300:]}")
            time.sleep(0.005)
        raise BaresipFault(f"{PROGRAM} was not ready in {_START_S:.0f} s: {self.said()[-300:]}")

    def said(self) -> str:
        """What it printed, without the password."""
        try:
            raw = (self.home / "log").read_bytes()[-20_000:]
        except FileNotFoundError:
            return ""
        text = _COLOURS.sub("", raw.decode(errors="replace"))
        return text.replace(self._account.password, "***") if self._account.password else text

    def forget_said(self) -> None:
        """Begin its log anew when it has grown: one that runs for months would fill the disk."""
        log = self.home / "log"
        if log.stat().st_size > _LOG_MOST:
            os.truncate(log, 0)  # it appends, so it goes on at the beginning

    @property
    def pid(self) -> int | None:
        """Its number while it lives."""
        alive = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process is not None and alive else None

    def tell(self, command: str, words: str = "") -> str:
        """Tell it to do something; what it answers. BaresipFault when it does not, Gone."""
        self._asked += 1
        token = str(self._asked)
        message = json.dumps({"command": command, "params": words, "token": token}).encode()
        try:
            self._connected().sendall(b"%d:%s," % (len(message), message))
        except OSError as fault:
            raise Gone(f"{PROGRAM} is gone: {fault}") from None
        until_s = time.monotonic() + _ANSWER_S
        while (answer := self._read(until_s)) is not None:
            if not answer.get("response"):
                self._events.append(_event(answer))
            elif answer.get("token") == token:
                if not answer.get("ok"):
                    raise BaresipFault(f"{PROGRAM} refused {command}: {answer.get('data')}")
                return _COLOURS.sub("", str(answer.get("data") or ""))
        raise BaresipFault(f"{PROGRAM} did not answer {command} in {_ANSWER_S:.0f} s")

    def next(self, until_s: float) -> Event | None:
        """The next thing it tells; None when there is nothing until then (monotonic). Gone."""
        if self._events:
            return self._events.popleft()
        while (message := self._read(until_s)) is not None:
            if not message.get("response"):
                return _event(message)
        return None

    def _connected(self) -> socket.socket:
        if self._control is None:
            raise Gone(f"{PROGRAM} does not run")
        return self._control

    def _read(self, until_s: float) -> dict[str, Any] | None:
        """One message of the control connection: a netstring with JSON in it."""
        control = self._connected()
        while (found := self._cut()) is None:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return None
            control.settimeout(left_s)
            try:
                more = control.recv(65_536)
            except TimeoutError:
                return None
            except OSError as fault:
                raise Gone(f"{PROGRAM} is gone: {fault}") from None
            if not more:
                raise Gone(f"{PROGRAM} ended: {self.said()[-300:]}")
            self._rest += more
        return found

    def _cut(self) -> dict[str, Any] | None:
        size, colon, rest = self._rest.partition(b":")
        if not colon:
            return None
        try:
            length = int(size)
            if len(rest) <= length <= _MESSAGE_MOST:
                return None
            self._rest = rest[length + 1 :]
            message: dict[str, Any] = json.loads(rest[:length].decode(errors="replace"))
        except ValueError:
            raise Gone(f"{PROGRAM} sent what is no message") from None
        return message

    def stop(self) -> None:
        """End it, at once when it does not go by itself, and take its directory away."""
        with contextlib.suppress(OSError, BaresipFault):
            if self._control is not None:
                self._control.settimeout(_QUIT_S)
                message = b'{"command":"quit"}'
                self._control.sendall(b"%d:%s," % (len(message), message))
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_QUIT_S)
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        shutil.rmtree(self.home, ignore_errors=True)


def _event(message: dict[str, Any]) -> Event:
    return Event(
        str(message.get("type", "")),
        str(message.get("id", "")),
        str(message.get("param", "")),
        message.get("direction") != "incoming",
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def sweep(places: Path) -> None:
    """Take away the directories of programs that died without doing so."""
    for home in places.glob("*-*"):
        owner = home.name.partition("-")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            shutil.rmtree(home, ignore_errors=True)
