"""`meldkamer run`: ready means ready, the dead are replaced, the stop is clean and quick."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from meldkamer.project.ports import PortFault, free_port
from meldkamer.project.processes import BACK_OFF_S, Child
from tests.peers import until

WAIT_S = 20.0


def alive(pid: int) -> bool:
    """Whether the process runs (a dead one that nobody has collected does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class House:
    """A small house in a process of its own."""

    def __init__(self, var: Path, *habits: str) -> None:
        self.var = var
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.out = (var.parent / "out").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.project.small_house", str(var), str(self.port), *habits],
            stdout=self.out,
            stderr=subprocess.STDOUT,
            cwd=Path(__file__).resolve().parents[2],
        )

    def said(self) -> str:
        return Path(self.out.name).read_text()

    def state(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.var / "run.json").read_text())
        except FileNotFoundError:
            return {}
        return found

    def pids(self) -> dict[str, int]:
        return {name: pid for name, pid in self.state()["processes"].items() if pid}

    def wait_until_ready(self) -> None:
        until(lambda: "meldkamer is ready" in self.said())
        until(lambda: len(self.pids()) == 5)

    def stop(self, limit_s: float = 5.0) -> float:
        """Ask for the stop; the seconds it took."""
        began_s = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(limit_s + 5)
        return time.monotonic() - began_s


@pytest.fixture
def house(open_dir: Path) -> Iterator[Callable[..., House]]:
    made: list[House] = []

    def make(*habits: str) -> House:
        made.append(House(open_dir / "var", *habits))
        return made[-1]

    yield make
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        one.out.close()


def test_everything_starts_and_ctrl_c_ends_everything_within_5_s(
    house: Callable[..., House],
) -> None:
    running = house()
    running.wait_until_ready()
    pids = running.pids()
    assert set(pids) == {"receive", "work", "web", "city", "postgres"}
    assert "receive  | receive speaks" in running.said()
    assert running.stop() < 5
    assert running.process.returncode == 0
    assert not any(alive(pid) for pid in pids.values())
    assert not (running.var / "run.json").exists()
    assert "receive speaks" in (running.var / "log" / "receive.log").read_text()


def test_each_process_that_is_killed_is_started_again(house: Callable[..., House]) -> None:
    running = house()
    running.wait_until_ready()
    for name in ("receive", "work", "web", "city", "postgres"):
        before = running.pids()[name]
        assert alive(before), "the victim must be alive"
        os.kill(before, signal.SIGKILL)
        until(lambda name=name, before=before: running.pids().get(name, before) != before)
    until(lambda: "PostgreSQL answers again" in running.said())
    until(lambda: running.state()["ready"])
    assert "work ended (SIGKILL); started again at once" in running.said()
    assert running.stop() < 5


def test_a_process_that_does_not_heed_the_stop_is_killed_in_time(
    house: Callable[..., House],
) -> None:
    running = house("work=deaf")
    running.wait_until_ready()
    deaf = running.pids()["work"]
    assert running.stop() < 5
    assert "work does not end and is killed" in running.said()
    assert not alive(deaf)


def test_a_second_ctrl_c_does_not_wait(house: Callable[..., House]) -> None:
    running = house("work=deaf")
    running.wait_until_ready()
    running.process.send_signal(signal.SIGINT)
    until(lambda: "stopping" in running.said())
    assert running.stop() < 1.5


def test_nothing_is_called_ready_before_every_process_said_so(house: Callable[..., House]) -> None:
    running = house("work=mute")
    until(lambda: running.state() and len(running.pids()) >= 4)
    time.sleep(1)
    assert "meldkamer is ready" not in running.said()
    assert running.state()["ready"] is False
    assert running.stop() < 5


def test_when_the_supervisor_is_killed_nothing_is_left_behind(house: Callable[..., House]) -> None:
    running = house()
    running.wait_until_ready()
    pids = running.pids()
    running.process.kill()
    until(lambda: not any(alive(pid) for pid in pids.values()))


def test_a_process_that_keeps_dying_is_tried_less_and_less_often(tmp_path: Path) -> None:
    said: list[str] = []
    child = Child(
        "work",
        [sys.executable, "-c", "import sys; sys.exit(7)"],
        os.environ,
        tmp_path,
        tmp_path,
        lambda name, line: said.append(line),
    )
    child.start()
    until(lambda: child.look() or len(said) >= 3)
    child.tell(signal.SIGKILL)
    child.close()
    assert said[0] == "work ended (exit 7); started again at once"
    assert said[1] == f"work ended (exit 7); started again in {BACK_OFF_S[1]} s"
    assert said[2] == f"work ended (exit 7); started again in {BACK_OFF_S[2]} s"


def test_a_port_that_was_asked_for_is_refused_when_taken_and_a_default_gives_way() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(PortFault, match=f"port {port} on 127.0.0.1 is in use"):
            free_port(port, asked_for=True, what="DC-09", udp=True)
        assert free_port(port, asked_for=False, what="DC-09", udp=True) > port
        assert free_port(port, asked_for=True, what="web") == port
