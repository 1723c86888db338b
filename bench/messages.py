"""Messages a second through the outbox, channel by channel, against the carrier alone.

`python -m bench.messages [--count N] [--kind KIND …]`. A durable PostgreSQL, one worker, and what
takes the messages (none of it ours: `smpp34`, `aiosmtpd`, `aiohttp`) share this machine. So many
messages are put into the outbox at once; measured is how many a second are claimed, sent and noted
as handed over. The peer is the same carrier in the same run without outbox and database: as many
`send` at a time as the carrier allows, for its bare speed.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from bench.figures import begun, keep, words
from bench.ladders import Workers
from bench.many_sites import enter
from bench.sms_centre import centre
from tests.peers import free_port
from tests.process.chaos_intake import House

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 300.0
Figures = dict[str, Any]
KINDS = {
    "smpp": ("sms", "+32475000001"),
    "sms_http": ("sms", "+32475000001"),
    "smtp": ("mail", "an@example.org"),
    "app_cloud": ("app", "+32475000001"),
    "print_queue": ("letter", "Kerkstraat 1, 2000 Antwerpen"),
}
#: a printed letter is written by nobody else: it has no bare speed of a carrier
ALONE = frozenset(KINDS) - {"print_queue"}

_PUT = """
import json, sys
import django
django.setup()
from datetime import UTC, datetime
from meldkamer.notify import way_commands
from meldkamer.notify.models import OutboxMessage, WayOut
kind, settings, secrets, channel, address, count = json.loads(sys.argv[1])
now = datetime.now(UTC)
WayOut.objects.update(enabled=False)
row = way_commands.add(kind, kind, now, settings_given=settings, secrets=secrets)
OutboxMessage.objects.bulk_create([
    OutboxMessage(channel=channel, provider_id=1, site_id=1, recipient="An Peeters",
        address=address, language="nl", template="information", subject="Bericht",
        body="Bench: batterijspanning te laag bij Bakkerij Peeters.", clause="S7.1",
        created_at=now, cloud=row.name if kind == "app_cloud" else "")
    for _ in range(count)], batch_size=500)
"""
_BARE = """
import json, sys, time
import django
django.setup()
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from meldkamer.notify.carrier import Parcel
from meldkamer.notify.ears import StoringEars
from meldkamer.notify.kinds import build
kind, settings, secrets, channel, address, count = json.loads(sys.argv[1])
carrier = build(kind, settings, secrets, StoringEars(1))
carrier.open()
parcels = [Parcel(n, channel, "information", address, "An Peeters", "nl", "Bericht",
    "Bench: batterijspanning te laag bij Bakkerij Peeters.", 1, 1, None, None,
    datetime.now(UTC), 1) for n in range(1, count + 1)]
with ThreadPoolExecutor(carrier.at_once) as pool:
    began_s = time.monotonic()
    list(pool.map(carrier.send, parcels))
    print(count / (time.monotonic() - began_s))
carrier.close()
"""


@contextmanager
def peers() -> Iterator[dict[str, int]]:
    """Mail server, gateway and cloud; their ports."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.message_peers"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait(10)


def _settings(kind: str, ports: dict[str, int]) -> tuple[Figures, Figures]:
    http = f"http://127.0.0.1:{ports['http']}"
    found: dict[str, tuple[Figures, Figures]] = {
        "smpp": (
            {"host": "127.0.0.1", "port": ports["smpp"], "system_id": "bench", "window": 20,
             "sender": "32470000000", "receipts": False},
            {"password": "secret"},
        ),
        "sms_http": (
            {"url": f"{http}/cgi-bin/sendsms", "username": "bench"}, {"password": "secret"},
        ),
        "smtp": (
            {"host": "127.0.0.1", "port": ports["mail"], "tls": "none",
             "sender": "meldkamer@example.org"},
            {},
        ),
        "app_cloud": ({"address": f"{http}/cloud"}, {"key": "secret of the bench, long enough"}),
        "print_queue": ({}, {}),
    }  # fmt: skip
    return found[kind]


def measure(options: argparse.Namespace) -> Figures:
    """By kind: messages a second through the outbox, the carrier's own, and their ratio."""
    port = free_port()
    figures: Figures = {}
    with House(receivers=0) as house, centre(port), peers() as ports:
        house.environment |= {"DJANGO_SETTINGS_MODULE": "meldkamer.project.settings"}
        with psycopg.connect(house.dsn) as connection, connection.cursor() as cursor:
            enter(cursor, 10)
        workers = Workers(house, 1)
        try:
            for kind in options.kind or KINDS:
                order = _order(kind, ports | {"smpp": port}, options.count)
                bare = _run(house, _BARE, order) if kind in ALONE else ""
                figures[kind] = _through(house, order, options.count, bare)
                print(f"{kind:<12} {words(figures[kind])}", flush=True)
        finally:
            workers.stop()
    return figures


def _order(kind: str, ports: dict[str, int], count: int) -> str:
    channel, address = KINDS[kind]
    return json.dumps([kind, *_settings(kind, ports), channel, address, count])


def _run(house: House, text: str, order: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", text, order],
        env=house.environment,
        check=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def _through(house: House, order: str, count: int, bare: str) -> Figures:
    with psycopg.connect(house.dsn, autocommit=True) as connection:
        connection.execute("DELETE FROM notify_letter")
        connection.execute("DELETE FROM notify_outboxmessage")
        _run(house, _PUT, order)
        limit_s = time.monotonic() + LIMIT_S
        while time.monotonic() < limit_s:
            row = connection.execute(
                "SELECT count(*) FILTER (WHERE state IN ('handed_over', 'delivered')),"
                " extract(epoch FROM max(handed_over_at) - min(claimed_at))::float8,"
                " sum(doubts), count(*) FILTER (WHERE state = 'failed')"
                " FROM notify_outboxmessage"
            ).fetchone()
            assert row is not None
            if row[0] >= count:
                rate = count / row[1]
                found: Figures = {"messages /s": rate, "perhaps doubled": row[2]}
                if bare:
                    found |= {"carrier alone /s": float(bare), "ratio": rate / float(bare)}
                return found
            time.sleep(0.2)
    raise SystemExit(f"only {row[0]} of {count} went, {row[3]} failed; gave up")


def main(argv: list[str] | None = None) -> int:
    """Measure, print, write var/bench/messages.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--kind", action="append", choices=sorted(KINDS))
    options = parser.parse_args(argv)
    figures = {**begun(), **measure(options)}
    keep("messages", figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
