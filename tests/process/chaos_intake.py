"""Panels dial in while receivers and PostgreSQL are killed; afterwards the books must balance.

`House` is a durable PostgreSQL with receivers, all processes of their own. `Traffic` are panels
that note what was acknowledged to them. `lost` and `doubled` compare that with the journal. Every
kill asserts that its victim was alive, so that a run without victims cannot pass.
"""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from meldkamer.project import paths
from meldkamer.project.postgres import Server
from meldkamer.project.postgres_place import Place
from meldkamer.receivers.panel import Account, Panel
from meldkamer.sites.sealing import seal
from tests.peers import free_port
from tests.process import clusters

READY_LIMIT_S = 30.0
KEY = b"0123456789abcdef"


class House:
    """One PostgreSQL and `receivers` receiving processes on a port of their own."""

    def __init__(
        self,
        *,
        receivers: int = 2,
        kind: str = "",
        durable: bool = True,
        options: Sequence[str] = (),
    ) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="meldkamer-chaos-"))
        self.home.chmod(0o711)
        self.server = Server(Place(self.home / "postgres"), durable=durable)
        self.port = free_port()
        self.kind = kind
        self.options = options
        self.count = receivers
        self.receivers: list[subprocess.Popen[bytes]] = []
        self.environment = os.environ | {
            "MELDKAMER_VAR": str(self.home / "var"),
            "MELDKAMER_DC09_PORT": str(self.port),
            "DATABASE_URL": self.server.place.dsn(),
        }
        self.environment.pop("MELDKAMER_DB_ROLE", None)

    def __enter__(self) -> Self:
        try:
            clusters.copy_to(self.server.place)
            self.server.start()
            paths.made(self.home / "var")
            for _ in range(self.count):
                self.start_receiver()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self.receivers:
            if process.poll() is None:
                process.kill()
            process.wait(10)
        self.server.close()
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def dsn(self) -> str:
        """The owner's connection string."""
        return self.server.place.dsn()

    def enter(self, accounts: list[Account], sealing_key: bytes | None = None) -> None:
        """Enter transmitters as the office does, each with a site of its own number."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")  # no sites needed here
            # a forgetful database may lose frames, not the accounts that they are from
            connection.execute("SET synchronous_commit = on")
            for number, account in enumerate(accounts, 1):
                sealed = seal(account.key, sealing_key or self.sealing_key) if account.key else None
                connection.execute(
                    "INSERT INTO sites_transmitter (site_id, protocol, receiver, line, account,"
                    " key_sealed, clock_offset_s, label, active, supervised)"
                    " VALUES (%s, 'dc09', '', '', %s, %s, 0, '', true, true)",
                    [number, account.account, sealed],
                )
            connection.execute("NOTIFY meldkamer_transmitters")

    @property
    def sealing_key(self) -> bytes:
        """The key of this house, which its first process has made."""
        return bytes.fromhex((self.home / "var" / "keys" / "sealing").read_text().strip())

    def start_receiver(self) -> subprocess.Popen[bytes]:
        """One more receiver; returns when it says that it listens."""
        if self.kind:
            command = ["-m", "tests.process.red_receiver", self.kind]
        else:
            command = ["-m", "meldkamer.project.cli", "receive", "--shared-port", *self.options]
        with ready_socket(self.home) as (address, wait):
            process = subprocess.Popen(
                [sys.executable, *command],
                env=self.environment | {"NOTIFY_SOCKET": address},
                stdin=subprocess.DEVNULL,
                stdout=(self.home / "receive.log").open("ab"),
                stderr=subprocess.STDOUT,
                cwd=Path(__file__).parents[2],
            )
            self.receivers.append(process)
            wait(process)
        return process

    def kill_receiver(self, chance: random.Random) -> None:
        """SIGKILL to one receiver, and another in its place."""
        victim = chance.choice(self.receivers)
        assert victim.poll() is None, "the victim was dead already"
        victim.kill()
        assert victim.wait(10) == -signal.SIGKILL
        self.receivers.remove(victim)
        self.start_receiver()

    def kill_postgres(self, away_s: float = 0.0) -> None:
        """SIGKILL to PostgreSQL with all its children at once, and start it again."""
        process = self.server.process
        assert process is not None
        assert process.poll() is None, "the victim was dead already"
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
        time.sleep(away_s)
        self.server.launch()

    def log(self) -> str:
        """What the receivers said."""
        return (self.home / "receive.log").read_text("utf-8", "replace")


@dataclass
class Traffic:
    """Panels that send one message after the other, each with a text of its own."""

    house: House
    panels: int = 12
    acknowledged: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)
    stopped: bool = False

    def accounts(self) -> list[Account]:
        """Every third has a key."""
        return [
            Account(f"{0xC000 + number:04X}", KEY if number % 3 == 0 else None)
            for number in range(self.panels)
        ]

    async def run(self) -> None:
        """Until `stopped`; a panel gives a message up after its last try, as panels do."""
        async with asyncio.TaskGroup() as tasks:
            for number, account in enumerate(self.accounts()):
                tasks.create_task(self._dial(account, "udp" if number % 2 else "tcp"))

    async def _dial(self, account: Account, transport: str) -> None:
        panel = Panel(
            "127.0.0.1",
            self.house.port,
            account,
            transport="udp" if transport == "udp" else "tcp",
            answer_s=0.5,
            retry_s=(0.05, 0.1, 0.2, 0.4, 0.8, 1.6),
        )
        count = 0
        while not self.stopped:
            count += 1
            tag = f"{account.account}-{count}"
            self.sent.add(tag)
            outcome = await panel.sia("Nri1/BA5", I=tag)
            if outcome.answer == "ack":
                self.acknowledged.add(tag)
            await asyncio.sleep(0)
        await panel.close()


def run_chaos(
    house: House, traffic: Traffic, kills: list[Callable[[], None]], pause_s: float = 0.3
) -> None:
    """Let panels dial while every kill of the list is done, one after the other.

    Panels dial in a thread; kills and starts happen here, because a server dies with the thread
    that started it.
    """
    dialling = threading.Thread(target=lambda: asyncio.run(traffic.run()))
    dialling.start()
    try:
        for kill in kills:
            time.sleep(pause_s)
            kill()
            before = len(traffic.acknowledged)
            deadline_s = time.monotonic() + 30
            while len(traffic.acknowledged) <= before:
                assert time.monotonic() < deadline_s, f"no traffic after a kill: {house.log()}"
                time.sleep(0.05)
        time.sleep(pause_s)
    finally:
        traffic.stopped = True
        dialling.join(60)


def lost(traffic: Traffic) -> set[str]:
    """Acknowledged, and not in the journal: must be empty, always."""
    with psycopg.connect(traffic.house.dsn) as connection:
        stored = {
            row[0]
            for row in connection.execute(
                "SELECT block ->> 1 FROM journal_frame, jsonb_array_elements(xdata) AS block"
                " WHERE disposition IN ('accepted', 'duplicate') AND block ->> 0 = 'I'"
            )
        }
    return traffic.acknowledged - stored


def doubled(traffic: Traffic) -> list[tuple[str, int]]:
    """Messages that became more than one signal, for all their tries: must be empty.

    One that came before its account was entered is seen once more, on the supervisor's list.
    """
    with psycopg.connect(traffic.house.dsn) as connection:
        return connection.execute(
            "SELECT text, count(*) FROM journal_signal WHERE detail ->> 'disposition' IS NULL"
            " GROUP BY text HAVING count(*) > 1"
        ).fetchall()


def unjudgeable(house: House) -> int:
    """Signals that no judge will ever see, because they do not wait for one: must be 0."""
    with psycopg.connect(house.dsn) as connection:
        row = connection.execute(
            "SELECT count(*) FROM journal_signal s"
            " WHERE NOT EXISTS (SELECT FROM journal_pending p WHERE p.signal_id = s.id)"
            " AND NOT EXISTS (SELECT FROM incidents_verdict v WHERE v.signal_id = s.id)"
        ).fetchone()
    assert row is not None
    return int(row[0])


@contextlib.contextmanager
def ready_socket(
    home: Path,
) -> Iterator[tuple[str, Callable[["subprocess.Popen[bytes]"], None]]]:
    """(address, wait): `wait(process)` returns when the process has said READY=1."""
    address = home / "ready"
    address.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(str(address))
        notices.settimeout(0.1)

        def wait(process: "subprocess.Popen[bytes]") -> None:
            deadline_s = time.monotonic() + READY_LIMIT_S
            while time.monotonic() < deadline_s:
                with contextlib.suppress(TimeoutError):
                    if b"READY=1" in notices.recv(4096):
                        return
                if process.poll() is not None:
                    said = (home / "receive.log").read_text("utf-8", "replace")
                    raise AssertionError(f"it ended with {process.returncode}: {said[-1500:]}")
            raise AssertionError(f"not ready within {READY_LIMIT_S} s")

        yield str(address), wait
