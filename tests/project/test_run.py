"""`meldkamer run`, whole: from nothing to ready, stopped, and ready again."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.peers import free_port, until
from tests.project.test_supervisor import alive

FIRST_S = 60.0
SECOND_S = 15.0
STOP_S = 5.0
RUN = [sys.executable, "-m", "meldkamer.project.cli", "run"]
NULL_FRAME = b'"NULL"0000L0#DEAD01[]'


@pytest.fixture
def environment(open_dir: Path) -> dict[str, str]:
    ours = ("MELDKAMER", "DATABASE_URL", "CITY", "DEMO")
    bare = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    return bare | {"MELDKAMER_VAR": str(open_dir / "var")}


class Run:
    """One `meldkamer run`."""

    def __init__(self, environment: dict[str, str], out: Path) -> None:
        self.ports = (free_port(), free_port())
        self.out = out
        web, dc09 = map(str, self.ports)
        with out.open("w") as target:
            self.process = subprocess.Popen(
                [*RUN, "--web-port", web, "--dc09-port", dc09],
                stdout=target,
                stderr=subprocess.STDOUT,
                env=environment,
            )
        self.began_s = time.monotonic()

    def wait_until_ready(self, limit_s: float) -> None:
        def ready_or_dead() -> bool:
            assert self.process.poll() is None, self.out.read_text()
            return "meldkamer is ready" in self.out.read_text()

        until(ready_or_dead, limit_s=limit_s)

    def stop(self) -> float:
        began_s = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        return time.monotonic() - began_s

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *fault: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.mark.slow
@pytest.mark.clause("S3.1")
def test_from_nothing_to_ready_stopped_and_ready_again(
    environment: dict[str, str], open_dir: Path
) -> None:
    with Run(environment, open_dir / "first") as first:
        first.wait_until_ready(FIRST_S)
        said = first.out.read_text()
        web, dc09 = first.ports
        for role in ("operator", "supervisor", "office"):
            assert re.search(rf"log in as\s+\S+\s+\S+\s+\({role}\)", said)
        assert f"127.0.0.1:{dc09}" in said
        with urllib.request.urlopen(f"http://127.0.0.1:{web}/") as page:
            assert page.status == 200
        with socket.create_connection(("127.0.0.1", dc09), 5) as panel:
            panel.sendall(b"\n" + frame_head(NULL_FRAME) + NULL_FRAME + b"\r")
            until(lambda: "#DEAD01" in exported(environment))
        state = json.loads((open_dir / "var" / "run.json").read_text())
        assert {"receive", "work", "web", "city", "postgres"} <= set(state["processes"])
        assert first.stop() < STOP_S
    assert not any(alive(pid) for pid in state["processes"].values())
    with Run(environment, open_dir / "second") as second:
        second.wait_until_ready(SECOND_S)
        assert second.stop() < STOP_S


def exported(environment: dict[str, str]) -> str:
    """What `meldkamer journal export` prints while everything runs."""
    command = [*RUN[:-1], "journal", "export", "--json", "--account", "DEAD01"]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    ).stdout


def frame_head(body: bytes) -> bytes:
    """The checksum and length that stand before a frame's body."""
    from meldkamer.wire.crc import crc16_arc

    return b"%04X%04X" % (crc16_arc(body), len(body))


@pytest.mark.slow
def test_a_taken_port_that_was_asked_for_is_named(environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*RUN, "--web-port", str(port)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert f"web: port {port} on 127.0.0.1 is in use" in done.stderr
