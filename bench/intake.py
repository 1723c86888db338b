"""Signals acknowledged per second: ours after commit, pysiaalarm without storing, in one run.

`python -m bench.intake [--rounds N] [--quick]`. Each row is the median of its rounds; ours and
the peer's rounds alternate, so that a neighbour's load meets both. Everything shares this machine:
receiver, PostgreSQL and load generator; what the generator took is printed beside. After each
round of ours the journal must hold exactly what was acknowledged.
"""

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from meldkamer.project import paths
from meldkamer.receivers.panel import Account
from tests.peers import free_port
from tests.process.chaos_intake import House

ROOT = Path(__file__).resolve().parent.parent
PANELS = 200
FIRST_ACCOUNT = 0x1000
KEY = "0123456789ABCDEF"
RATE = 2000
#: targets of the house
TARGET_RATIO = 3.0
TARGET_P99_MS = 50.0

Figures = dict[str, Any]


def dial(port: int, transport: str, key: str | None, frames: int, **more: Any) -> Figures:
    """One run of the load generator in a process of its own."""
    order = {
        "port": port,
        "transport": transport,
        "key": key,
        "frames": frames,
        "panels": PANELS,
        "first_account": FIRST_ACCOUNT + (PANELS if key else 0),
        "first_seq": 0,
    } | more
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.dialler"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline()) == "ready"
        process.stdin.write("\n")
        process.stdin.flush()
        figures: Figures = json.loads(process.stdout.readline())
    return figures


def accounts() -> list[Account]:
    """200 plain and 200 with a key, as the generator numbers them."""
    plain = [Account(f"{FIRST_ACCOUNT + number:04X}") for number in range(PANELS)]
    keyed = range(FIRST_ACCOUNT + PANELS, FIRST_ACCOUNT + 2 * PANELS)
    return plain + [Account(f"{number:04X}", KEY.encode()) for number in keyed]


class Ours:
    """Our receiver on a durable PostgreSQL of its own."""

    name = "meldkamer, after commit"

    def __init__(self, house: House) -> None:
        self.house = house
        self.seq = 0

    def run(self, transport: str, key: str | None, frames: int, rate: float | None) -> Figures:
        """A round; the journal is compared with what was acknowledged."""
        before = self._stored()
        used_s = self._cpu_s()
        figures = dial(self.house.port, transport, key, frames, first_seq=self.seq, rate=rate)
        self.seq = (self.seq + frames // PANELS) % 9999
        figures["server_cpu_s"] = self._cpu_s() - used_s
        stored = self._stored() - before
        assert stored == figures["acknowledged"] == figures["asked"], (stored, figures)
        self._clear()
        return figures

    def _stored(self) -> int:
        return self._ask("SELECT count(*) FROM journal_frame WHERE disposition = 'accepted'")

    def _ask(self, query: str) -> int:
        with psycopg.connect(self.house.dsn) as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])

    def _cpu_s(self) -> float:
        """Processor time of the receivers (PostgreSQL's is not in it)."""
        used = 0
        for receiver in self.house.receivers:
            words = Path(f"/proc/{receiver.pid}/stat").read_text().rpartition(")")[2]
            parts = words.split()
            used += int(parts[11]) + int(parts[12])
        return used / os.sysconf("SC_CLK_TCK")

    def _clear(self) -> None:
        """Nobody judges here; keep what waits short, as a worker does."""
        with psycopg.connect(self.house.dsn, autocommit=True) as connection:
            connection.execute("TRUNCATE journal_pending")
            connection.execute("CHECKPOINT")


class Peer:
    """pysiaalarm, started anew for each round."""

    name = "pysiaalarm, stores nothing"

    def run(self, transport: str, key: str | None, frames: int, rate: float | None) -> Figures:
        """A round."""
        with self._serving(transport, key) as port:
            return dial(port, transport, key, frames, rate=rate)

    @contextlib.contextmanager
    def _serving(self, transport: str, key: str | None) -> Iterator[int]:
        port = free_port()
        first = FIRST_ACCOUNT + (PANELS if key else 0)
        arguments = [str(port), transport, str(first), str(PANELS), *([key] if key else [])]
        process = subprocess.Popen(
            [sys.executable, "-O", "-m", "bench.peer", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
        )
        assert process.stdout is not None
        with process:
            assert process.stdout.readline().strip() == "ready"
            try:
                yield port
            finally:
                process.kill()


def median(rounds: list[Figures]) -> Figures:
    """The round with the median rate, with the spread of all."""
    ordered = sorted(rounds, key=lambda figures: figures["per_s"])
    middle = dict(ordered[len(ordered) // 2])
    middle["spread_per_s"] = [round(figures["per_s"]) for figures in ordered]
    middle["p99_ms"] = statistics.median(figures["p99_ms"] for figures in rounds)
    return middle


def measure(rounds: int, scale: float, receivers: int = 1) -> list[Figures]:
    """All rows, printed as they come."""
    rows: list[Figures] = []
    options = ("--frames-per-source", "10000000")
    with House(receivers=receivers, options=options) as house:
        house.enter(accounts())
        time.sleep(0.5)
        ours, peer = Ours(house), Peer()
        ours.run("tcp", None, 4000, None)  # warm
        for transport in ("tcp", "udp"):
            for key in (None, KEY):
                mine, theirs = [], []
                for _ in range(rounds):
                    mine.append(ours.run(transport, key, int(40_000 * scale), None))
                    theirs.append(peer.run(transport, key, int(10_000 * scale), None))
                row = {
                    "transport": transport,
                    "cipher": "AES-128" if key else "plain",
                    "ours": median(mine),
                    "peer": median(theirs),
                }
                row["ratio"] = row["ours"]["per_s"] / row["peer"]["per_s"]
                rows.append(row)
                print_row(row)
        for key in (None, KEY):
            found = [ours.run("tcp", key, int(20_000 * scale), RATE) for _ in range(rounds)]
            row = {
                "transport": "tcp",
                "cipher": "AES-128" if key else "plain",
                "rate": RATE,
                "ours": median(found),
            }
            rows.append(row)
            print_row(row)
    return rows


def print_row(row: Figures) -> None:
    """A line of the table."""
    ours = row["ours"]
    what = f"{row['transport']} {row['cipher']}"
    if "rate" in row:
        verdict = "met" if ours["p99_ms"] <= TARGET_P99_MS else "MISSED"
        print(
            f"{what:12} at {row['rate']}/s, open loop: to ACK p50 {ours['p50_ms']:.1f} ms, "
            f"p99 {ours['p99_ms']:.1f} ms, max {ours['max_ms']:.1f} ms "
            f"(target p99 ≤ {TARGET_P99_MS:.0f} ms {verdict})",
            flush=True,
        )
        return
    peer = row["peer"]
    verdict = "met" if row["ratio"] >= TARGET_RATIO else "MISSED"
    print(
        f"{what:12} ours {ours['per_s']:7.0f}/s  p50 {ours['p50_ms']:5.1f}  p99 "
        f"{ours['p99_ms']:5.1f} ms | peer {peer['per_s']:6.0f}/s  p50 {peer['p50_ms']:5.1f}  p99 "
        f"{peer['p99_ms']:5.1f} ms | ratio {row['ratio']:.2f} (target ≥ {TARGET_RATIO:.0f} "
        f"{verdict}) | generator {ours['generator_cpu_s'] / ours['took_s']:.2f} of a core, "
        f"receiver {ours['server_cpu_s'] / ours['took_s']:.2f}",
        flush=True,
    )


def main() -> int:
    """Measure, print, write var/bench/intake.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a tenth of the frames, one round")
    parser.add_argument("--receivers", type=int, default=1, help="receiving processes on the port")
    options = parser.parse_args()
    print(f"{PANELS} panels, one frame in flight each; {os.cpu_count()} cores shared by all parts")
    load = os.getloadavg()
    if load[0] > 0.5:
        print(f"others use this machine (load {load[0]:.1f}): these figures will be too low")
    rounds, scale = (1, 0.1) if options.quick else (options.rounds, 1.0)
    rows = measure(rounds, scale, options.receivers)
    report = {
        "at": datetime.now(UTC).isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}",
        "load_before": load,
        "panels": PANELS,
        "receivers": options.receivers,
        "rows": rows,
    }
    target = paths.made(paths.var_dir()) / "bench"
    target.mkdir(exist_ok=True)
    (target / "intake.json").write_text(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
