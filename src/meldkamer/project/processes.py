"""One child process of `meldkamer run`: started, watched, heard, told to stop.

A child says `READY=1` on the socket that NOTIFY_SOCKET names (the protocol of systemd, so the
same line serves a service of its own in production). What it prints is passed on line by line
under its name and kept in var/log. A child that dies is started again at once; one that keeps
dying is given a little more time before each try, never more than `BACK_OFF_S[-1]`.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from logging import INFO, Formatter, LogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path

#: seconds to wait before the 1st, 2nd, … restart in a row
BACK_OFF_S = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
#: a child that lived this long has recovered: its next death is again the first
RECOVERED_S = 10.0
LOG_MAX_BYTES = 10_000_000
LOG_KEPT = 3


class Child:
    """A child process under a name. `say(name, line)` is called for every line it prints."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        log_dir: Path,
        notify_dir: Path,
        say: Callable[[str, str], None],
    ) -> None:
        self.name = name
        self.command = list(command)
        self.say = say
        self.process: subprocess.Popen[bytes] | None = None
        self.ready = False
        self.started_s = 0.0
        self.restart_at_s: float | None = None
        self._deaths = 0
        self._rest = b""
        self._log = RotatingFileHandler(
            log_dir / f"{name}.log", maxBytes=LOG_MAX_BYTES, backupCount=LOG_KEPT
        )
        self._log.setFormatter(Formatter("%(message)s"))
        self._notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notices.setblocking(False)
        self._address = notify_dir / name
        self._notices.bind(str(self._address))
        self._environment = dict(environment) | {"NOTIFY_SOCKET": str(self._address)}

    @property
    def pid(self) -> int | None:
        """The process's number while it lives."""
        alive = self.process is not None and self.process.poll() is None
        return self.process.pid if self.process is not None and alive else None

    def start(self) -> None:
        """Start the process."""
        self.ready = False
        self.restart_at_s = None
        self.started_s = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment | {"MELDKAMER_PARENT": str(os.getpid())},
            start_new_session=True,  # Ctrl-C is for us; we decide the order of the stop
        )
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)

    def look(self) -> None:
        """Pass on what it said, note whether it is ready, start it again when it is dead."""
        self._hear()
        self._read_notices()
        if self.process is None:
            return
        now_s = time.monotonic()
        if self.restart_at_s is not None:
            if now_s >= self.restart_at_s:
                self.start()
        elif self.process.poll() is not None:
            self._died(now_s)

    def tell(self, order: signal.Signals) -> None:
        """Send a signal to the process when it lives."""
        self.restart_at_s = None
        if self.pid is not None and self.process is not None:
            self.process.send_signal(order)

    def close(self) -> None:
        """Forget the process; the last lines are passed on."""
        self._hear()
        self._notices.close()
        self._address.unlink(missing_ok=True)
        self._log.close()
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()

    def _died(self, now_s: float) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        self._hear()
        self.process.stdout.close()
        self.ready = False
        if now_s - self.started_s > RECOVERED_S:
            self._deaths = 0
        wait_s = BACK_OFF_S[min(self._deaths, len(BACK_OFF_S) - 1)]
        self._deaths += 1
        when = f"in {wait_s} s" if wait_s else "at once"
        self.say("run", f"{self.name} ended ({how_it_ended(self.process)}); started again {when}")
        self.restart_at_s = now_s + wait_s
        if not wait_s:
            self.start()

    def _hear(self) -> None:
        if self.process is None or self.process.stdout is None or self.process.stdout.closed:
            return
        with contextlib.suppress(BlockingIOError):
            while said := os.read(self.process.stdout.fileno(), 65536):
                *lines, self._rest = (self._rest + said).split(b"\n")
                for line in lines:
                    self._pass_on(line)
        if self._rest and self.process.poll() is not None:
            self._pass_on(self._rest)
            self._rest = b""

    def _pass_on(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip("\r")
        self._log.handle(LogRecord(self.name, INFO, "", 0, text, None, None))
        self.say(self.name, text)

    def _read_notices(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                if b"READY=1" in self._notices.recv(4096).split(b"\n"):
                    self.ready = True


def how_it_ended(process: "subprocess.Popen[bytes]") -> str:
    """ "exit 1" or "SIGKILL"."""
    code = process.returncode
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit {code}"


def meldkamer(*arguments: str) -> list[str]:
    """The command that runs `meldkamer …` with this very Python."""
    return [sys.executable, "-P", "-m", "meldkamer.project.cli", *arguments]
