"""meldkamer sim: rehearse random stories with every checker, and shorten the first that fails."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

ScratchDatabase = Callable[[str], AbstractContextManager[str]]


def main(argv: Sequence[str], scratch_database: ScratchDatabase) -> int:
    """0 when no story broke a rule, 1 with the shortest failing story, 2 on a faulty line."""
    options = _parser().parse_args(list(argv))
    if options.count < 1 or options.live < 0 or options.shrink < 0:
        print("meldkamer sim: expected a count above 0, and no number below 0", file=sys.stderr)
        return 2
    with scratch_database("sim") as dsn:
        os.environ["DATABASE_URL"] = dsn
        os.environ["MELDKAMER_DB_ROLE"] = "owner"
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meldkamer.project.settings")
        import django

        django.setup()
        from django.db import connections

        try:
            return Simulation(options).run()
        finally:
            connections.close_all()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="meldkamer sim", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed (1)")
    parser.add_argument("--count", type=int, default=50, help="how many seeds (50)")
    parser.add_argument(
        "--live", type=int, default=5, help="every n-th is lived with real commits too; 0: none (5)"
    )
    parser.add_argument(
        "--shrink", type=float, default=120.0, help="seconds to shorten a failing story (120)"
    )
    parser.add_argument("--keep-going", action="store_true", help="do not stop at a failure")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(tempfile.gettempdir()) / "meldkamer-simulator",
        help="where failing stories are written",
    )
    return parser


def _shows(tables: dict[str, Any], broken: Any) -> bool:
    """Whether the same rule breaks without the live path."""
    from meldkamer.rehearsal.simulator.observed import Broken
    from meldkamer.rehearsal.simulator.playing import play

    try:
        play(tables)
    except Broken as again:
        return bool(again.checker == broken.checker)
    return False


class Simulation:
    """One run over many seeds."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.faults: Counter[str] = Counter()
        self.days = self.lines = self.commits = 0.0
        self.clean = self.failed = 0
        self.began_s = time.monotonic()

    def run(self) -> int:
        """All seeds, then the summary."""
        from meldkamer.rehearsal.simulator.observed import Broken

        told_s = self.began_s
        for seed in range(self.options.seed, self.options.seed + self.options.count):
            try:
                self._one(seed)
            except Broken as broken:
                self.failed += 1
                self._failed(seed, broken)
                if not self.options.keep_going:
                    break
            if time.monotonic() - told_s > 10:
                told_s = time.monotonic()
                print(f"  seed {seed}: {self._so_far()}", flush=True)
        self._summary()
        return 1 if self.failed else 0

    def _one(self, seed: int) -> None:
        from meldkamer.rehearsal.simulator.generating import generate
        from meldkamer.rehearsal.simulator.playing import play

        played = play(generate(seed), as_live=self._lived(seed))
        self.clean += 1
        self.days += played.days
        self.lines += played.lines
        self.commits += played.commits
        self.faults += played.faults

    def _lived(self, seed: int) -> bool:
        return bool(self.options.live) and seed % self.options.live == 0

    def _failed(self, seed: int, broken: Any) -> None:
        from meldkamer.rehearsal.simulator.generating import generate
        from meldkamer.rehearsal.simulator.playing import play
        from meldkamer.rehearsal.simulator.shrinking import shrink
        from meldkamer.rehearsal.simulator.writing import to_toml

        print(f"seed {seed} broke a rule: {broken}", flush=True)
        # what a rehearsal alone shows is shortened by rehearsing alone, which is faster
        lived = self._lived(seed) and not _shows(generate(seed), broken)
        tables, found = shrink(
            generate(seed),
            broken,
            lambda smaller: play(smaller, as_live=lived),
            self.options.shrink,
        )
        tables["title"] = f"Seed {seed}, shortened: {found.checker}"
        text = to_toml(tables)
        self.options.out.mkdir(parents=True, exist_ok=True)
        path = self.options.out / f"seed-{seed}.toml"
        path.write_text(text, "utf-8")
        print(f"the shortest story that fails so: {found}\n\n{text}")
        print(f"written to {path}; play it with: meldkamer rehearse {path}", flush=True)

    def _so_far(self) -> str:
        took_s = max(time.monotonic() - self.began_s, 0.001)
        return (
            f"{self.clean} clean, {self.failed} failed, {self.days:.0f} virtual days,"
            f" {self.days / took_s:.1f} a second"
        )

    def _summary(self) -> None:
        print(self._so_far())
        print(f"{self.lines:.0f} lines of timelines, {self.commits:.0f} commits")
        for kind, count in sorted(self.faults.items()):
            print(f"  {kind:<28} {count}")
