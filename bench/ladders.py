"""Many SMS ladders at once: how late is the next text, and is any lost or doubled.

`python -m bench.ladders [--ladders N] [--over S] [--workers N] [--window N] [--kills N]`. A durable
PostgreSQL, workers, and an SMS centre that no one here wrote share this machine. The batteries of
so many sites run low within so many seconds, and nobody answers: 90 s after the hand-over of each
text the next contact's must go (S7.2). Measured: texts a second; how long after its due time the
next text was decided, and how long until the centre had it. With --kills a worker is killed (-9)
every few seconds meanwhile and started again: what the centre got is counted against the outbox.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg

from bench.figures import begun, keep, spread, words
from bench.many_sites import enter
from bench.sms_centre import centre
from tests.peers import free_port
from tests.process.chaos_intake import House, ready_socket

ROOT = Path(__file__).resolve().parent.parent
WAIT_S = 90.0
_KILL_EVERY_S = 7.0
Figures = dict[str, Any]

_CARRIER = """
import os, sys
import django
django.setup()
from datetime import UTC, datetime
from meldkamer.notify import way_commands
way_commands.add("smpp", "bench", datetime.now(UTC), secrets={"password": "secret"},
    settings_given={"host": "127.0.0.1", "port": int(sys.argv[1]), "system_id": "bench",
    "sender": "32470000000", "window": int(sys.argv[2]), "receipts": False})
"""
_BATTERIES = """
import sys, time
import django
django.setup()
from datetime import UTC, datetime
from django.db import connection, transaction
from meldkamer.journal import store
from meldkamer.journal.records import SignalRecord, detail
total, over_s = int(sys.argv[1]), float(sys.argv[2])
began_s, step = time.monotonic(), 100
for first in range(1, total + 1, step):
    records = [SignalRecord(code="YT", role="event", type="battery", site_id=site, protocol="sia",
                            account="", detail=detail(label="battery"))
               for site in range(first, min(first + step, total + 1))]
    with transaction.atomic(), connection.cursor() as cursor:
        store.store_signals(cursor, datetime.now(UTC), records)
    wait_s = began_s + over_s * (first + step) / total - time.monotonic()
    time.sleep(max(0.0, wait_s))
"""
_LATE = """
WITH rungs AS (
    SELECT incident_id, created_at, handed_over_at,
        lag(handed_over_at) OVER (PARTITION BY incident_id ORDER BY id) AS before
    FROM notify_outboxmessage WHERE template = 'ladder'
)
SELECT extract(epoch FROM created_at - before)::float8 - %(wait)s,
    extract(epoch FROM handed_over_at - before)::float8 - %(wait)s
FROM rungs WHERE before IS NOT NULL AND handed_over_at IS NOT NULL
"""


class Workers:
    """The working processes, which may be killed."""

    def __init__(self, house: House, count: int) -> None:
        self.house, self.running = house, [self._start(house, n) for n in range(count)]

    def _start(self, house: House, number: int) -> subprocess.Popen[bytes]:
        with (
            ready_socket(house.home) as (address, wait),
            (house.home / f"work{number}.log").open("ab") as log,
        ):
            process = subprocess.Popen(
                [sys.executable, "-m", "meldkamer.project.cli", "work"],
                env=house.environment | {"NOTIFY_SOCKET": address},
                stdout=log,
                stderr=log,
            )
            wait(process)
        return process

    def kill_one(self) -> None:
        """Kill -9 one of them, and start another."""
        number = random.randrange(len(self.running))  # noqa: S311 - no secret
        victim = self.running[number]
        assert victim.poll() is None, "the victim was dead already"
        victim.kill()
        victim.wait()
        self.running[number] = self._start(self.house, number)

    def stop(self) -> None:
        """Tell all of them to end."""
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait(20)


def play(options: argparse.Namespace) -> Figures:
    """The figures."""
    port = free_port()
    with House(receivers=0) as house, centre(port) as sms:
        house.environment |= {"DJANGO_SETTINGS_MODULE": "meldkamer.project.settings"}
        with psycopg.connect(house.dsn) as connection, connection.cursor() as cursor:
            enter(cursor, options.ladders)
            cursor.execute("UPDATE sites_site SET formula = 'mix'")
        _script(house, _CARRIER, str(port), str(options.window))
        workers = Workers(house, options.workers)
        try:
            began_s = time.time()
            _script(house, _BATTERIES, str(options.ladders), str(options.over))
            _watch(house.dsn, workers, options, began_s)
        finally:
            workers.stop()
        came, _ = sms.communicate("")
        return _evaluate(house.dsn, json.loads(came))


def _script(house: House, text: str, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-c", text, *arguments], env=house.environment, check=True, cwd=ROOT
    )


def _watch(dsn: str, workers: Workers, options: argparse.Namespace, began_s: float) -> None:
    """Until every ladder's second text is with the carrier; kill meanwhile when that is asked."""
    left, kill_at_s = options.kills, time.time() + _KILL_EVERY_S
    limit_s = began_s + options.over + 600
    with psycopg.connect(dsn, autocommit=True) as connection:
        while time.time() < limit_s:
            done = connection.execute(
                "SELECT count(*) FROM (SELECT FROM notify_outboxmessage WHERE template = 'ladder'"
                " AND handed_over_at IS NOT NULL GROUP BY incident_id HAVING count(*) > 1) AS two"
            ).fetchone()
            if done is not None and done[0] >= options.ladders:
                return
            if left and time.time() > kill_at_s:
                workers.kill_one()
                left, kill_at_s = left - 1, time.time() + _KILL_EVERY_S
            time.sleep(0.5)
    raise SystemExit("not every ladder came to its second text; gave up")


def _evaluate(dsn: str, came: list[tuple[float, str]]) -> Figures:
    with psycopg.connect(dsn) as connection:
        late = connection.execute(_LATE, {"wait": WAIT_S}).fetchall()
        messages = connection.execute(
            "SELECT address, state, doubts FROM notify_outboxmessage WHERE channel = 'sms'"
        ).fetchall()
        rate = connection.execute(
            "SELECT count(*) / extract(epoch FROM max(handed_over_at) - min(created_at))::float8"
            " FROM (SELECT DISTINCT ON (incident_id) created_at, handed_over_at"
            "  FROM notify_outboxmessage WHERE template = 'ladder' ORDER BY incident_id, id) AS one"
        ).fetchone()
    assert rate is not None
    texts = Counter(address.lstrip("+") for address, state, _ in messages if state == "handed_over")
    got = Counter(number for _, number in came)
    unsure = Counter(
        address.lstrip("+") for address, state, _ in messages if state != "handed_over"
    )
    return {
        "texts handed over": sum(texts.values()),
        "texts at the centre": len(came),
        "lost": sum((texts - got).values()),
        "doubled": sum((got - texts - unsure).values()),
        "noted as perhaps doubled": sum(doubts for _, _, doubts in messages),
        "first texts /s": rate[0],
        "due to decided": spread([row[0] for row in late]),
        "due to handed over": spread([row[1] for row in late]),
    }


def main(argv: list[str] | None = None) -> int:
    """Measure, print, write var/bench/ladders.json; 1 when a text was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ladders", type=int, default=5000)
    parser.add_argument("--over", type=float, default=10.0, help="they begin within so many s")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--window", type=int, default=20)
    parser.add_argument("--kills", type=int, default=0)
    options = parser.parse_args(argv)
    figures = {**begun(), **play(options)}
    for name, figure in figures.items():
        print(f"{name:<28} {words(figure)}")
    keep("ladders", figures)
    wrong = figures["lost"] or figures["doubled"] > figures["noted as perhaps doubled"]
    if wrong:
        print("WRONG: a text was lost, or one was doubled without being counted")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
