"""Road times from a routing service (the table of OSRM), kept for a short while.

Why apart: asking is a call over the network, and none is made inside a transaction. Who is about to
send a patrol calls `ask` first; the decision itself reads `known`. Never: wait longer than
LIMIT_S, or fail: without an answer the distance decides, and the log says that it did.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong

from django.conf import settings
from django.db import connection

from meldkamer.notify import web
from meldkamer.notify.models import PatrolUnit
from meldkamer.rules.nearest import Position, km

#: an operator waits for the answer
LIMIT_S = 1.5
_KEPT_S = 120.0
#: the nearest ones as the crow flies; more make the table slow
_MOST = 25
_FORGET_ABOVE = 4_000

_Key = tuple[int, float, float, float, float]
_found: dict[_Key, tuple[float, float]] = {}
_askers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="routing")
log = logging.getLogger(__name__)


def ask(provider_id: int, position: Position | None) -> None:
    """Ask how long the provider's free units would take to get there; nothing without a service.

    Never inside a transaction: a programming error, found at once.
    """
    base = settings.MELDKAMER_ROUTING_URL
    if not base or position is None:
        return
    if connection.in_atomic_block:
        raise RuntimeError("a routing service is asked before the transaction, never inside it")
    free = PatrolUnit.objects.filter(
        provider_id=provider_id, state=PatrolUnit.State.FREE, latitude__isnull=False,
        longitude__isnull=False,
    )  # fmt: skip
    units = sorted(free, key=lambda unit: km(unit, position) or 0.0)[:_MOST]
    if not units:
        return
    try:
        seconds = _askers.submit(_table, base, position, units).result(LIMIT_S)
    except (web.NotGiven, web.NotKnown, ValueError, TookTooLong) as fault:
        log.warning("no road times, the distance decides: %s", type(fault).__name__)
        return
    if len(_found) > _FORGET_ABOVE:
        _found.clear()
    now_s = time.monotonic()
    for unit, took in zip(units, seconds, strict=True):
        if took is not None:
            _found[_key(unit, position)] = (took, now_s)


def known(units: Iterable[PatrolUnit], position: Position | None) -> dict[int, float]:
    """Seconds by the unit's number, where they were asked a moment ago for where it is now."""
    if position is None:
        return {}
    now_s, found = time.monotonic(), {}
    for unit in units:
        if unit.latitude is None or unit.longitude is None:
            continue
        took, asked_s = _found.get(_key(unit, position), (0.0, float("-inf")))
        if now_s - asked_s <= _KEPT_S:
            found[unit.pk] = took
    return found


def forget() -> None:
    """Know nothing any more: of a test, or after the service was changed."""
    _found.clear()


def _key(unit: PatrolUnit, position: Position) -> _Key:
    return unit.pk, float(unit.latitude or 0), float(unit.longitude or 0), *position


def _table(base: str, position: Position, units: list[PatrolUnit]) -> list[float | None]:
    """Seconds from each unit to the position; None where there is no road.

    ValueError for an answer that is not the table that was asked for.
    """
    places = [position, *((float(u.latitude or 0), float(u.longitude or 0)) for u in units)]
    path = ";".join(f"{longitude:.6f},{latitude:.6f}" for latitude, longitude in places)
    sources = ";".join(str(number) for number in range(1, len(places)))
    address = (
        f"{base.rstrip('/')}/table/v1/driving/{path}"
        f"?sources={sources}&destinations=0&annotations=duration"
    )
    # the address is the installation's own setting, http or https (project.addresses)
    answer = web.ask("GET", address, b"", {"Accept": "application/json"}, limit_s=LIMIT_S)
    if not answer.taken:
        raise ValueError(f"answers {answer.code}")
    told = json.loads(answer.body)
    if not isinstance(told, dict) or told.get("code") != "Ok":
        raise ValueError("not a table")
    rows = told.get("durations")
    if not isinstance(rows, list) or len(rows) != len(units):
        raise ValueError("not a row for each unit")
    return [_seconds(row) for row in rows]


def _seconds(row: object) -> float | None:
    if not isinstance(row, list) or len(row) != 1:
        raise ValueError("not one destination")
    took = row[0]
    if took is None:
        return None
    if isinstance(took, bool) or not isinstance(took, int | float) or not 0 <= took < 86_400:
        raise ValueError("not seconds")
    return float(took)
