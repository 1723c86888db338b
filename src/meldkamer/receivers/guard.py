"""Refuses a database that may lose what it has committed.

Why: an acknowledgement promises that the signal is kept; with one of these settings off,
PostgreSQL itself breaks that promise at a power cut. Never: correct the setting silently, an
operator of the database chose it. Invariant: no connection is used for storing before it passed.
"""

from typing import Any

import psycopg

#: setting: (values that break the promise, what to do)
_PROMISES = {
    "fsync": "set fsync = on in postgresql.conf and restart PostgreSQL",
    "full_page_writes": "set full_page_writes = on in postgresql.conf and reload PostgreSQL",
    "synchronous_commit": "set synchronous_commit = on (server, database and role) and reload",
}
_QUESTION = "SELECT " + ", ".join(f"current_setting('{name}')" for name in _PROMISES)


class NotDurable(Exception):
    """The database may lose committed signals; the message names the setting and the remedy."""


async def check_durable(connection: psycopg.AsyncConnection[Any]) -> None:
    """Raise NotDurable unless what this session commits is on the disk."""
    row = await (await connection.execute(_QUESTION)).fetchone()
    assert row is not None
    judge(dict(zip(_PROMISES, row, strict=True)))


def judge(settings: dict[str, str]) -> None:
    """Raise NotDurable for settings as PostgreSQL prints them, naming every one that is off."""
    off = [name for name in _PROMISES if settings[name] == "off"]
    if off:
        raise NotDurable(
            "this database may lose signals that were acknowledged: "
            + "; ".join(f"{name} is off, {_PROMISES[name]}" for name in off)
        )
