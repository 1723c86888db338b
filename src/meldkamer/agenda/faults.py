"""Which faults say that the database could not just now, and which that the thing itself is faulty.

A connection that broke, a deadlock, a server that stops or is full: the same thing tried again may
well succeed, so nothing is held against it. Everything else would fail for ever and must not stand
in the way of the others.
"""

from __future__ import annotations

import psycopg
from django.db import InterfaceError, OperationalError

_CONNECTION = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
# classes of SQLSTATE: connection, rolled back, resources, object in use, operator intervention
_PASSING = ("08", "40", "53", "55", "57")


def is_passing(fault: BaseException) -> bool:
    """Whether the fault is the database's at this moment, and not that of what was being done."""
    if not isinstance(fault, _CONNECTION):
        return False
    cause = fault.__cause__ if isinstance(fault.__cause__, psycopg.Error) else fault
    state = getattr(cause, "sqlstate", None)
    return state is None or state[:2] in _PASSING
