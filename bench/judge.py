"""How many signals a second one worker judges: verdict, incident, agenda, entries; 50 in a commit.

Beside it, in the same run: as many single-row commits into a table of the same database, which is
what disk and driver allow when each is committed alone. Prints both and their ratio, and the
processor time of the worker for a signal, which neighbours change less than the rate.
"""

import json
import os
import sys
import time
from datetime import UTC, datetime
from typing import Any

SITES = 400
KINDS = (("BA", "intrusion"), ("FA", "fire"), ("YT", "battery"))


def main() -> int:
    """Measure in a durable database of its own, print, write var/bench/judge.json."""
    import tempfile

    from meldkamer.project.postgres import Server, production

    with tempfile.TemporaryDirectory(prefix="meldkamer-bench-") as directory:
        os.environ["MELDKAMER_VAR"] = directory
        os.environ["MELDKAMER_DB_ROLE"] = "owner"
        os.environ["MELDKAMER_DEMO"] = "on"
        os.environ["DJANGO_SETTINGS_MODULE"] = "meldkamer.project.settings"
        from pathlib import Path

        with Server(production(Path(directory))):
            figures = _measure()
    for name, figure in figures.items():
        print(f"{name:<44} {figure:>10,.2f}")
    from meldkamer.project import paths

    os.environ.pop("MELDKAMER_VAR")
    target = paths.made(paths.var_dir() / "bench")
    (target / "judge.json").write_text(json.dumps(figures, indent=1) + "\n")
    return 0


def _measure() -> dict[str, float]:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    sites = _sites()
    rates = {}
    for code, kind in KINDS:
        _store(sites, code, kind)
        rates[f"{kind}: judged /s"], rates[f"{kind}: worker, ms a signal"] = _judge()
    bound = _commits()
    rates["peer: single-row commits /s"] = bound
    rates["ratio: intrusion judged per bare commit"] = rates["intrusion: judged /s"] / bound
    connections.close_all()
    return rates


def _sites() -> list[int]:
    from meldkamer.sites.models import Contact, Customer, Provider, Site, Zone

    now = datetime.now(UTC)
    provider = Provider.objects.create(slug="bench", name="Bench", terms="securitas-2022-05")
    ids = []
    for number in range(SITES):
        customer = Customer.objects.create(provider=provider, name=f"customer {number}")
        site = Site.objects.create(
            provider=provider,
            customer=customer,
            name=f"site {number}",
            plan="proguard",
            formula="operator",
            postal_code=str(1000 + number),
            premises_phone="+3232345678",
            in_force_from=now,
            created_at=now,
        )
        for position in (1, 2, 3):
            Contact.objects.create(
                site=site, position=position, name=f"contact {position}", phone="+32475123456"
            )
        for zone in (1, 2, 3, 4):
            Zone.objects.create(site=site, number=str(zone), detector=f"detector {zone}")
        ids.append(site.pk)
    return ids


def _store(sites: list[int], code: str, kind: str) -> None:
    from django.db import connection

    from meldkamer.journal.records import SignalRecord, detail
    from meldkamer.journal.store import store_signals

    records = [
        SignalRecord(code=code, role="event", type=kind, zone="1", site_id=site, detail=detail())
        for site in sites
    ]
    with connection.cursor() as cursor:
        store_signals(cursor, datetime.now(UTC), records)


def _judge() -> tuple[float, float]:
    """Signals a second, and milliseconds of processor time for one."""
    from meldkamer.engine import cycle

    began, used = time.perf_counter(), time.process_time()
    judged = cycle.judge_all(datetime.now(UTC), 10 * SITES)
    used_ms = 1000 * (time.process_time() - used) / judged
    return judged / (time.perf_counter() - began), used_ms


def _commits() -> float:
    from django.db import connection

    cursor: Any
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_peer (n int)")
    began = time.perf_counter()
    for number in range(SITES):
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO bench_peer VALUES (%s)", [number])
    return SITES / (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())
