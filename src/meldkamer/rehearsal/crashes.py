"""Kills the working process at a numbered commit of a story.

Why: nothing may be lost or done twice, wherever a process dies. What the transaction held is rolled
back, as PostgreSQL does when a connection breaks; who asked for it asks again. Never: a kill that
production code could catch. Invariant: the n-th commit is the same one each time a story is played.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


class Killed(BaseException):
    """The process died as it was to commit; no `except Exception` may hold it up."""


class CommitPoints:
    """Counts the commits of the house, and lets some of them be its last act."""

    def __init__(self, deadly: Iterable[int] = ()) -> None:
        self.deadly = frozenset(deadly)
        self.count = 0
        self.kills = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count while inside: savepoints of a rehearsal's transaction, else real commits."""
        wrapper: Any = connection
        name = "savepoint_commit" if wrapper.in_atomic_block else "commit"
        whole, depth = getattr(wrapper, name), len(wrapper.savepoint_ids)

        def commit(*savepoint: Any) -> None:
            # the mark of this savepoint is gone from the list when it is released
            if len(wrapper.savepoint_ids) == depth:
                self._one(savepoint)
            whole(*savepoint)

        setattr(wrapper, name, commit)
        try:
            yield
        finally:
            delattr(wrapper, name)

    def _one(self, savepoint: tuple[Any, ...]) -> None:
        self.count += 1
        if self.count not in self.deadly:
            return
        self.kills += 1
        if savepoint:
            connection.savepoint_rollback(savepoint[0])
        else:
            connection.rollback()
        raise Killed(f"at commit {self.count}")
