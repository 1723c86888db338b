"""Everything on one machine: the database, migrations, demo tables, and all processes.

It must never report "ready" before every process said so and the web address answered; never
leave a process behind; never take longer than `STOP_S` to stop. PostgreSQL is the first to start
and the last to stop. What runs is written to var/run.json while it runs.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from meldkamer.project import paths
from meldkamer.project.faults import OperatingFault
from meldkamer.project.i18n import compile_stale
from meldkamer.project.ports import LOOPBACK
from meldkamer.project.postgres import Server, production
from meldkamer.project.postgres_place import SOCKET_DIR_MAX, PostgresFault
from meldkamer.project.processes import BACK_OFF_S, Child, meldkamer

READY_LIMIT_S = 60.0
#: all processes have this long to end; then they are killed (Ctrl-C to end: under 5 s)
STOP_S = 3.5
LOOK_S = 0.05


class StartFault(OperatingFault):
    """The start failed; the message says where and what to do."""


@dataclass(frozen=True)
class Plan:
    """What to run, and where."""

    web_port: int
    dc09_port: int
    workers: int = 1
    city: bool = True
    demo: bool = True


class Supervisor:
    """Runs a plan until it is told to stop."""

    def __init__(self, plan: Plan, var: Path) -> None:
        self.plan = plan
        self.var = paths.made(var, 0o755)
        self.log_dir = paths.made(var / "log")
        self.notify_dir = _notify_dir(var)
        self.database: Server | None = None
        self.children: list[Child] = []
        self.stops = 0
        self._database_deaths = 0
        self._database_down_since_s: float | None = None
        self._written = ""

    # --- the whole life

    def run(self) -> int:
        """Start, tell, watch, stop; the exit code."""
        for order in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if order != signal.SIGHUP or signal.getsignal(order) != signal.SIG_IGN:  # nohup
                signal.signal(order, self._asked_to_stop)
        try:
            self._start()
            if not self.stops:
                self._tell()
            while not self.stops:
                self._look()
                time.sleep(LOOK_S)
        except OperatingFault as fault:
            print(f"meldkamer run: {fault}", file=sys.stderr, flush=True)
            return 1
        finally:
            self._stop()
        return 0

    def _start(self) -> None:
        self.environment = dict(os.environ)
        self.environment["MELDKAMER_VAR"] = str(self.var)
        self.environment["MELDKAMER_DEMO"] = "on" if self.plan.demo else "off"
        self.environment["PYTHONUNBUFFERED"] = "1"
        if not os.environ.get("DATABASE_URL"):
            self.say("run", "starting PostgreSQL")
            place = production(self.var)
            self.database = Server(place, log=self.log_dir / "postgres.log")
            self.database.start()
            self.environment["DATABASE_URL"] = place.dsn()
        compile_stale()
        self._once("migrate", {"MELDKAMER_DB_ROLE": "owner"})
        if self.plan.demo and not self.stops:
            self._once("demo", {}, "--if-empty")
        if self.stops:
            return
        for name, command in self._commands():
            child = Child(name, command, self.environment, self.log_dir, self.notify_dir, self.say)
            self.children.append(child)
            if name != "city":  # panels dial in once somebody answers
                child.start()
        self._wait_until_ready()
        for child in self.children:
            if child.name == "city" and not self.stops:
                child.start()

    def _commands(self) -> list[tuple[str, list[str]]]:
        plan = self.plan
        found = [("receive", meldkamer("receive", "--dc09-port", str(plan.dc09_port)))]
        for number in range(plan.workers):
            found.append((f"work{number + 1}" if number else "work", meldkamer("work")))
        found.append(("web", meldkamer("web", "--port", str(plan.web_port))))
        if os.environ.get("MELDKAMER_MAIL_LISTEN"):
            found.append(("mail", meldkamer("mail")))
        if plan.city:
            found.append(("city", meldkamer("city", "--dc09-port", str(plan.dc09_port))))
        return found

    def _once(self, name: str, extra: dict[str, str], *arguments: str) -> None:
        """Run a command to its end; StartFault when it fails. Ctrl-C ends it too."""
        self.say("run", f"meldkamer {name}")
        with (self.log_dir / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                meldkamer(name, *arguments),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment | extra | {"MELDKAMER_PARENT": str(os.getpid())},
                start_new_session=True,
            )
        while process.poll() is None:
            if self.stops:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_S)
                process.kill()
            time.sleep(LOOK_S)
        if process.returncode and not self.stops:
            lines = (self.log_dir / f"{name}.log").read_text("utf-8", "replace").splitlines()
            for line in lines[-15:]:
                self.say(name, line)
            raise StartFault(f"meldkamer {name} failed; its lines are above and in {self.log_dir}")

    def _wait_until_ready(self) -> None:
        deadline_s = time.monotonic() + READY_LIMIT_S
        waiting = [child for child in self.children if child.name != "city"]
        while not self.stops:
            self._look()
            late = [child.name for child in waiting if not child.ready]
            if not late and self._web_answers():
                return
            if time.monotonic() > deadline_s:
                raise StartFault(
                    f"not ready within {READY_LIMIT_S:.0f} s: {', '.join(late) or 'web'}; "
                    f"their lines are above and in {self.log_dir}"
                )
            time.sleep(LOOK_S)

    def _web_answers(self) -> bool:
        try:
            address = f"{self.web_address}health/"
            with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310 - our own
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    # --- watching

    def _look(self) -> None:
        self._look_at_database()
        for child in self.children:
            child.look()
        self._write_down()

    def _look_at_database(self) -> None:
        """A dead server is started again before anything else is looked at."""
        server = self.database
        if server is None or server.poll() is None:
            return
        since_s = self._database_down_since_s or time.monotonic()
        self._database_down_since_s = since_s
        wait_s = BACK_OFF_S[min(self._database_deaths, len(BACK_OFF_S) - 1)]
        if time.monotonic() < since_s + wait_s:
            return
        self.say("run", f"PostgreSQL ended (code {server.poll()}); started again")
        self._database_down_since_s = None
        self._database_deaths += 1
        try:
            server.launch()
        except PostgresFault as fault:
            self.say("run", str(fault))
            return
        self._database_deaths = 0
        self.say("run", "PostgreSQL answers again")

    def _write_down(self) -> None:
        """var/run.json: addresses and process numbers, for tools and tests."""
        running = {child.name: child.pid for child in self.children}
        if self.database is not None and self.database.process is not None:
            running["postgres"] = self.database.process.pid
        text = json.dumps(
            {
                "supervisor": os.getpid(),
                "web": self.web_address,
                "dc09": {"host": LOOPBACK, "tcp": self.plan.dc09_port, "udp": self.plan.dc09_port},
                "ready": all(child.ready for child in self.children if child.name != "city"),
                "processes": running,
            }
        )
        if text != self._written:
            new = self.var / ".run.json"
            new.write_text(text + "\n")
            new.replace(self.var / "run.json")
            self._written = text

    # --- telling

    @property
    def web_address(self) -> str:
        """Where a browser goes."""
        return f"http://{LOOPBACK}:{self.plan.web_port}/"

    def _tell(self) -> None:
        lines = ["", f"  meldkamer is ready:  {self.web_address}", ""]
        lines += [f"  log in as  {line}" for line in self._logins()]
        if not self.plan.demo:
            lines.append("  logins are made by   meldkamer staff provider, meldkamer staff add")
        lines += [
            "",
            f"  DC-09 receiver       {LOOPBACK}:{self.plan.dc09_port}  (TCP and UDP)",
        ]
        if self.plan.demo:
            city = "dials in" if self.plan.city else "is quiet (CITY=off)"
            lines.append(f"  the city             {city}")
        lines += [
            f"  everything it owns   {self.var}",
            "",
            "  Ctrl-C stops everything.",
            "",
        ]
        show("\n".join(lines))

    def _logins(self) -> list[str]:
        """What the demo wrote down at its first start (var/demo-logins.json)."""
        try:
            rows = json.loads((self.var / "demo-logins.json").read_text())
        except (OSError, ValueError):
            return []
        return [f"{row['username']:<12} {row['password']:<20} ({row['role']})" for row in rows]

    def say(self, name: str, line: str) -> None:
        """One line of a process, under its name."""
        show(f"{name:<8} | {line}")

    # --- stopping

    def _asked_to_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self.stops += 1
        if self.stops > 1:  # a second Ctrl-C: no more waiting
            for child in self.children:
                child.tell(signal.SIGKILL)

    def _stop(self) -> None:
        """End everything: all children at once, the database last."""
        if self.stops:
            show("\nmeldkamer run: stopping")
        for child in self.children:
            child.tell(signal.SIGTERM)
        deadline_s = time.monotonic() + STOP_S
        while any(child.pid for child in self.children):
            if time.monotonic() > deadline_s or self.stops > 1:
                for child in self.children:
                    if child.pid:
                        self.say("run", f"{child.name} does not end and is killed")
                    child.tell(signal.SIGKILL)
            time.sleep(0.02)
        for child in self.children:
            child.close()
        if self.database is not None:
            self.database.close()
        (self.var / "run.json").unlink(missing_ok=True)
        shutil.rmtree(self.notify_dir, ignore_errors=True)


def _notify_dir(var: Path) -> Path:
    """A directory of our own with a path short enough for sockets."""
    inside = var / "notify"
    if len(os.fsencode(inside)) > SOCKET_DIR_MAX:
        return Path(tempfile.mkdtemp(prefix="meldkamer-"))
    shutil.rmtree(inside, ignore_errors=True)  # of a supervisor that was killed
    return paths.made(inside)


def show(text: str) -> None:
    """Print; a terminal that is gone must not end the centre."""
    with contextlib.suppress(BrokenPipeError, OSError):
        print(text, flush=True)
