"""A connection that hears the notices of PostgreSQL: who waits for work is woken by it.

It is apart from the one that Django uses, so that no notice comes in the middle of a transaction.
"""

from __future__ import annotations

import psycopg
from django.db import connection

_DJANGOS_OWN = ("cursor_factory", "context", "prepare_threshold")


def listen(*channels: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection to the same database that hears these channels; the caller closes it."""
    parameters = connection.get_connection_params()
    for name in _DJANGOS_OWN:
        parameters.pop(name, None)
    parameters["autocommit"] = True
    opened = psycopg.connect(**parameters)
    for channel in channels:
        opened.execute(f"LISTEN {channel}".encode())
    return opened
