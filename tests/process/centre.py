"""A whole centre that can be killed: PostgreSQL, receivers, workers, web, and operators at work.

Workers, web and operators are children as `meldkamer run` has them, and are started again by the
very code that does it there; receivers and PostgreSQL are those of `chaos_intake`. Every kill
asserts that its victim was alive.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from meldkamer.project.processes import Child
from meldkamer.receivers.panel import Panel
from tests.peers import free_port
from tests.process import invariants
from tests.process.chaos_intake import House, Traffic, lost
from tests.process.hurried import write_terms

#: what panels say; every one of them is an alarm, a fault, its restore, or nothing at all
SAID = (
    "Nri1/BA1", "Nri1/BA2", "Nri1/YT1", "Nri1/AT0", "Nri1/AR0", "Nri1/YR1", "Nri1/PA3",
    "Nri1/FA4", "Nri1/MA5", "Nri1/BR1", "Nri1/RP0", "Nri1/CL7", "Nri1/TA6", "Nri1/BC1",
    "Nri1/YT1", "Nri1/AT0", "Nri1/YT1",
)  # fmt: skip
SETTLE_LIMIT_S = 40.0


@dataclass
class Panels(Traffic):
    """Panels with something to say, now and then."""

    pause_s: float = 0.25

    async def _dial(self, account: object, transport: str) -> None:
        import asyncio

        panel = Panel(
            "127.0.0.1", self.house.port, account,  # type: ignore[arg-type]
            transport="udp" if transport == "udp" else "tcp",
            answer_s=0.5, retry_s=(0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2),
        )  # fmt: skip
        chance = random.Random(panel.account.account)
        count = 0
        while not self.stopped:
            count += 1
            tag = f"{panel.account.account}-{count}"
            self.sent.add(tag)
            outcome = await panel.sia(chance.choice(SAID), I=tag)
            if outcome.answer == "ack":
                self.acknowledged.add(tag)
            await asyncio.sleep(chance.random() * 2 * self.pause_s)
        await panel.close()


@dataclass
class Figures:
    """What a run amounted to."""

    kills: dict[str, int] = field(default_factory=dict)

    def killed(self, kind: str) -> None:
        """One more of that kind."""
        self.kills[kind] = self.kills.get(kind, 0) + 1


class Centre(House):
    """Everything of `meldkamer run`, with terms in a hurry and robots for operators."""

    def __init__(self, *, workers: int = 2, operators: int = 2, red: str = "") -> None:
        super().__init__(receivers=2)
        self.figures = Figures()
        self.web_port = free_port()
        self.children: list[Child] = []
        self.counts = {"work": workers, "operator": operators}
        write_terms(self.home / "terms")
        self.environment |= {
            "MELDKAMER_TEST_TERMS": str(self.home / "terms"),
            "MELDKAMER_TEST_RED": red,
            "MELDKAMER_DEMO": "on",
            "DJANGO_SETTINGS_MODULE": "meldkamer.project.settings",
        }
        self._said: list[str] = []

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for child in self.children:
            child.tell(signal.SIGKILL)
        for child in self.children:
            if child.process is not None:
                child.process.wait(10)
            child.close()
        super().__exit__(kind, fault, trace)

    def staff_up(self, traffic: Panels, *, web: bool = True) -> Self:
        """Sites for the panels, then workers, web and operators."""
        self.enter_sites(traffic)
        commands = [("web", ["tests.process.hurried", "web", "--port", str(self.web_port)])]
        commands = commands if web else []
        for number in range(self.counts["work"]):
            commands.append((f"work{number}", ["tests.process.hurried", "work"]))
        for number in range(self.counts["operator"]):
            commands.append((f"operator{number}", ["tests.process.robots", str(number)]))
        (self.home / "notify").mkdir()
        (self.home / "log").mkdir()
        for name, arguments in commands:
            environment = dict(self.environment)
            environment["PYTHONPATH"] = str(Path(__file__).parents[2])
            child = Child(
                name, [sys.executable, "-m", *arguments], environment, self.home / "log",
                self.home / "notify", lambda name, line: self._said.append(f"{name}: {line}"),
            )  # fmt: skip
            self.children.append(child)
            child.start()
        self.watch_until(lambda: all(child.ready for child in self.children), 40)
        return self

    def enter_sites(self, traffic: Panels) -> None:
        """A site for each panel; those with a key get it here, as the office seals it."""
        from meldkamer.sites.sealing import seal

        accounts = traffic.accounts()
        done = subprocess.run(
            [sys.executable, "-m", "tests.process.furnish", *(a.account for a in accounts)],
            env=self.environment, capture_output=True, text=True, check=False,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for account in accounts:
                if account.key:
                    connection.execute(
                        "UPDATE sites_transmitter SET key_sealed = %s WHERE account = %s",
                        [seal(account.key, self.sealing_key), account.account],
                    )
            connection.execute("NOTIFY meldkamer_transmitters")

    def watch(self) -> None:
        """Start again what died, as the supervisor does."""
        for child in self.children:
            child.look()

    def watch_until(self, reached: object, limit_s: float) -> None:
        """Watch until something is so; an assertion when it takes too long."""
        deadline_s = time.monotonic() + limit_s
        while not reached():  # type: ignore[operator]
            assert time.monotonic() < deadline_s, "\n".join(self._said[-40:]) + self.log()[-2000:]
            self.watch()
            time.sleep(0.05)

    def watch_for(self, seconds: float) -> None:
        """Watch for so long."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            self.watch()
            time.sleep(0.05)

    def kill(self, kind: str, chance: random.Random) -> None:
        """SIGKILL to one of a kind, alive until then; it is started again."""
        if kind == "postgres":
            self.kill_postgres(away_s=chance.random())
        elif kind == "receive":
            self.kill_receiver(chance)
        else:
            alive = [c for c in self.children if c.name.startswith(kind) and c.pid]
            victim = chance.choice(alive)
            process = victim.process
            assert process is not None
            assert process.poll() is None, "the victim was dead already"
            os.kill(process.pid, signal.SIGKILL)
            assert process.wait(10) == -signal.SIGKILL
        self.figures.killed(kind)

    def web_answers(self) -> bool:
        """Whether the web process is there and reaches its database."""
        try:
            address = f"http://127.0.0.1:{self.web_port}/health/"
            with urllib.request.urlopen(address, timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def faults_now(self) -> list[str]:
        """What the checker finds in this very moment."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            return invariants.at_any_moment(connection)

    def settle(self) -> list[str]:
        """Wait until nothing is left to do; what the checker finds then."""
        deadline_s = time.monotonic() + SETTLE_LIMIT_S
        while True:
            self.watch_for(1.0)
            with psycopg.connect(self.dsn, autocommit=True) as connection:
                found = invariants.when_settled(connection)
            if not found or time.monotonic() > deadline_s:
                return found

    def said(self, word: str) -> list[str]:
        """Lines of the children that begin with a word."""
        return [line for line in self._said if f": {word}" in line]

    def rows(self, table: str, where: str = "true") -> int:
        """Rows of a table."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            row = connection.execute(
                f"SELECT count(*) FROM {table} WHERE {where}"  # type: ignore[arg-type]
            ).fetchone()
        assert row is not None
        return int(row[0])


def play(
    centre: Centre, traffic: Panels, kinds: list[str], chance: random.Random, pause_s: float
) -> list[str]:
    """Panels dial and operators work while each of `kinds` is killed; faults found meanwhile."""
    import asyncio

    dialling = threading.Thread(target=lambda: asyncio.run(traffic.run()))
    dialling.start()
    found: list[str] = []
    try:
        for kind in kinds:
            centre.watch_for(pause_s * (0.5 + chance.random()))
            centre.kill(kind, chance)
            centre.watch()
            if kind == "postgres":
                centre.watch_for(0.3)
            found += [f"after a kill of {kind}: {fault}" for fault in centre.faults_now()]
        centre.watch_for(pause_s)
    finally:
        traffic.stopped = True
        dialling.join(60)
    return found


__all__ = ["Centre", "Panels", "lost", "play"]
