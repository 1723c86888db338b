"""What it costs to watch the line tests of a million transmitters (S10.3).

Three sizes in one run: 10,000, 100,000 and 1,000,000 transmitters, each with its row of what is
expected and its place on the agenda. Measured: a test message that arrives (what is expected next
is moved), and a look for missed ones, with none and with a hundred of them. The peer is what one
would write first: the same rows in a plain table, and at every look all of them are read.

`python -m bench.watch [SIZES…]` prints ratios and leaves its figures in var/bench/watch.json.
"""

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

SIZES = (10_000, 100_000, 1_000_000)
ARRIVALS, LOOKS, MISSED = 2_000, 200, 100
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PERIOD_S, WAIT_S = 86_400, 5_400
Figures = dict[str, float]

# every transmitter of the house was heard within the last day; nothing is missed yet
_FILL = (
    """INSERT INTO sites_site SELECT one.* FROM sites_site AS first,
        generate_series(%(first)s::bigint, %(last)s) AS n,
        jsonb_populate_record(first, jsonb_build_object('id', n, 'name', 'site ' || n)) AS one
    WHERE first.id = 0""",
    """INSERT INTO sites_transmitter SELECT one.* FROM sites_transmitter AS first,
        generate_series(%(first)s::bigint, %(last)s) AS n,
        jsonb_populate_record(first,
            jsonb_build_object('id', n, 'site_id', n, 'account', to_hex(n))) AS one
    WHERE first.id = 0""",
    """INSERT INTO watch_linetestwatch (transmitter_id, site_id, expected_at, missed, last_test_at)
    SELECT n, n, %(now)s::timestamptz + make_interval(secs => n * 61 %% 86400 + 1), 0, %(now)s
    FROM generate_series(%(first)s::bigint, %(last)s) AS n""",
    """INSERT INTO agenda_agendarow
        (kind, subject, due, rank, payload, created_at, attempts, last_fault)
    SELECT 'line_test.due', 'transmitter:' || n,
        %(now)s::timestamptz + make_interval(secs => n * 61 %% 86400 + 1 + %(wait)s), 1,
        jsonb_build_object('site', n, 'transmitter', n), %(now)s, 0, ''
    FROM generate_series(%(first)s::bigint, %(last)s) AS n""",
    """INSERT INTO bench_peer SELECT n,
        %(now)s::timestamptz + make_interval(secs => n * 61 %% 86400 + 1)
    FROM generate_series(%(first)s::bigint, %(last)s) AS n""",
)


def main(argv: list[str]) -> int:
    """Measure in a durable database of its own, print, write var/bench/watch.json."""
    from meldkamer.project.postgres import Server, production

    sizes = tuple(int(word) for word in argv) or SIZES
    with tempfile.TemporaryDirectory(prefix="meldkamer-bench-") as directory:
        os.environ["MELDKAMER_VAR"] = directory
        os.environ["MELDKAMER_DB_ROLE"] = "owner"
        os.environ["MELDKAMER_DEMO"] = "on"
        os.environ["DJANGO_SETTINGS_MODULE"] = "meldkamer.project.settings"
        with Server(production(Path(directory))):
            found = _measure(sizes)
    _print(found)
    from meldkamer.project import paths

    os.environ.pop("MELDKAMER_VAR")
    target = paths.made(paths.var_dir() / "bench")
    (target / "watch.json").write_text(json.dumps(found, indent=1) + "\n")
    return 0


def _measure(sizes: tuple[int, ...]) -> dict[int, Figures]:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    _statement("CREATE TABLE bench_peer (id bigint PRIMARY KEY, expected_at timestamptz)")
    values = _masters()
    found, filled = {}, 0
    for size in sizes:
        _fill(values, filled + 1, size)
        filled = size
        found[size] = _figures(size)
    connections.close_all()
    return found


def _masters() -> dict[str, Any]:
    """One of each; the million sites and transmitters are copies of theirs."""
    from meldkamer.sites.models import Customer, Provider, Site, Transmitter

    provider = Provider.objects.create(slug="bench", name="Bench", terms="securitas-2022-05")
    customer = Customer.objects.create(provider=provider, name="bench")
    site = Site.objects.create(
        id=0, provider=provider, customer=customer, name="first", plan="homeguard", formula="mix",
        test_period_s=PERIOD_S, test_wait_s=WAIT_S, created_at=NOW, in_force_from=NOW,
    )  # fmt: skip
    Transmitter.objects.create(id=0, site=site, account="FFFFFFFF")
    return {"now": NOW, "wait": WAIT_S}


def _fill(values: dict[str, Any], first: int, last: int) -> None:
    for statement in _FILL:
        _statement(statement, {**values, "first": first, "last": last})
    for table in ("sites_site", "watch_linetestwatch", "agenda_agendarow", "bench_peer"):
        _statement(f"VACUUM ANALYZE {table}")


def _statement(text: str, values: dict[str, Any] | None = None) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(text, values)


def _figures(size: int) -> Figures:
    chosen = random.Random(7).sample(range(1, size + 1), min(ARRIVALS, size))  # noqa: S311 - no secret
    found = {
        "a test arrives, ms": _each_ms(_arrive, chosen),
        "peer: a test arrives, ms": _each_ms(_peer_arrives, chosen),
        "a look with nothing missed, ms": _looks_ms(_look, NOW),
        "peer: a look with nothing missed, ms": _looks_ms(_peer_looks, NOW),
    }
    late = _when_missed(MISSED)
    found["a look that finds 100, ms"] = _looks_ms(_look, late)
    found["peer: a look that finds 100, ms"] = _looks_ms(_peer_looks, late)
    found["one missed test, ms"] = _miss_ms(late)
    return found


def _each_ms(act: Callable[[int], None], chosen: list[int]) -> float:
    from django.db import transaction

    took = []
    for number in chosen:
        began = time.perf_counter()
        with transaction.atomic():
            act(number)
        took.append(time.perf_counter() - began)
    return median(took) * 1000


def _looks_ms(look: Callable[[datetime], int], now: datetime) -> float:
    took = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        look(now)
        took.append(time.perf_counter() - began)
    return median(took) * 1000


def _arrive(number: int) -> None:
    """As the judge does it, with the site at hand."""
    from meldkamer.sites.models import Site
    from meldkamer.watch import commands as watch

    site = Site(pk=number, test_period_s=PERIOD_S, test_wait_s=WAIT_S, timezone="Europe/Brussels")
    watch.test_received(site, number, NOW, NOW)


def _peer_arrives(number: int) -> None:
    expected = NOW + timedelta(seconds=PERIOD_S)
    _statement(
        "UPDATE bench_peer SET expected_at = %(at)s WHERE id = %(id)s",
        {"at": expected, "id": number},
    )


def _look(now: datetime) -> int:
    from meldkamer.agenda import commands as agenda

    return len(agenda.due_rows(now, ranks=(1,)))


def _peer_looks(now: datetime) -> int:
    """All that is expected is read, and compared: no index says which are late."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM bench_peer"
            " WHERE expected_at + make_interval(secs => %s) <= %s ORDER BY expected_at LIMIT 100",
            [WAIT_S, now],
        )
        return len(cursor.fetchall())


def _when_missed(count: int) -> datetime:
    """The moment at which so many are missed."""
    from meldkamer.agenda.models import AgendaRow

    dues = AgendaRow.objects.filter(done_at=None).order_by("due").values_list("due", flat=True)
    return dues[count - 1]  # type: ignore[no-any-return]


def _miss_ms(now: datetime) -> float:
    """A missed one, from the agenda to the signal that the judge gets; put back afterwards."""
    from django.db import transaction

    from meldkamer.agenda import commands as agenda
    from meldkamer.engine.acts import ACTS, LOCKS

    took = []
    with transaction.atomic():
        for row_id in agenda.due_rows(now, ranks=(1,)):
            began = time.perf_counter()
            agenda.act_on(row_id, ACTS, now, LOCKS)
            took.append(time.perf_counter() - began)
        transaction.set_rollback(True)
    return median(took) * 1000


def _print(found: dict[int, Figures]) -> None:
    sizes = list(found)
    print(f"{'transmitters':<40}" + "".join(f"{size:>12,}" for size in sizes) + f"{'growth':>10}")
    for name in found[sizes[0]]:
        row = [found[size][name] for size in sizes]
        print(f"{name:<40}" + "".join(f"{x:>12.3f}" for x in row) + f"{row[-1] / row[0]:>9.1f}x")
    for name in ("a look with nothing missed, ms", "a look that finds 100, ms"):
        ratios = [found[size][f"peer: {name}"] / found[size][name] for size in sizes]
        label = f"peer / ours, {name.removesuffix(', ms')}"
        print(f"{label:<40}" + "".join(f"{ratio:>11.1f}x" for ratio in ratios))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
