"""Whose turn is it: the order of the queue (S15.1) and how an untouched incident climbs (M12.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from meldkamer.terms.model import Terms

RUNGS = ("operators", "everyone", "supervisor")


@dataclass(frozen=True, slots=True)
class Waiting:
    """An incident in the queue, as far as its place depends on it."""

    id: int
    type: str
    priority: int
    opened_at: datetime


def place(incident: Waiting, terms: Terms, now: datetime) -> tuple[int, datetime, int]:
    """A sort key: class, then age, then number; "life first" after n seconds where chosen."""
    rank = incident.priority
    queue = terms.queue
    if incident.type in queue.ageing_types and now >= incident.opened_at + timedelta(
        seconds=queue.ageing_after_s
    ):
        rank = 0
    return rank, incident.opened_at, incident.id


def climb(rung: int, queued_at: datetime, terms: Terms) -> tuple[int, datetime, bool]:
    """The next rung, its due time, and whether the supervisor is told now.

    rung 0 operators, 1 everyone, 2 supervisor, who is reminded for ever.
    """
    queue = terms.queue
    if rung == 0:
        return 1, queued_at + timedelta(seconds=queue.supervisor_after_s), False
    return 2, timedelta(seconds=queue.remind_every_s) + queued_at, True


def first_due(queued_at: datetime, terms: Terms) -> datetime:
    """When everyone is asked (the first rung ends)."""
    return queued_at + timedelta(seconds=terms.queue.everyone_after_s)
