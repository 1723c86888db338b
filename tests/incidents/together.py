"""Several connections that do something at the same moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection

_LIMIT_S = 20.0


def together(*actions: Callable[[], Any]) -> list[Any]:
    """Run each in a thread with a connection of its own, begun at once; results or exceptions."""
    results: list[Any] = [None] * len(actions)
    gate = threading.Barrier(len(actions))

    def run(number: int, action: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            gate.wait(10)
            results[number] = action()
        except Exception as fault:  # noqa: BLE001 - the test looks at it
            results[number] = fault
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def faults(results: Sequence[Any]) -> list[BaseException]:
    """The exceptions among the results."""
    return [result for result in results if isinstance(result, BaseException)]


def until_somebody_waits() -> None:
    """For this very transaction."""
    end_s = time.monotonic() + _LIMIT_S
    waits = (
        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted"
        " AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
    )
    with connection.cursor() as cursor:
        while True:
            cursor.execute(waits)
            if cursor.fetchone()[0]:
                return
            assert time.monotonic() < end_s, "the other one never came"
            time.sleep(0.01)
