"""One cycle of the house, the same for the worker and for a rehearsal.

Order within an instant is R1's: states that end, then signals and replies, then what is due. After
a time without workers the same order holds for what came then (see `backlog`).
Each step is its own transaction; a cycle may be cut off anywhere and the next one goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from math import inf
from time import monotonic

from django.db import transaction

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.faults import is_passing
from meldkamer.agenda.models import AgendaRow
from meldkamer.engine import backlog
from meldkamer.engine.acts import ACTS, LOCKS
from meldkamer.incidents.deciding import carry_out, due, judging, pending
from meldkamer.incidents.messages import receipts, sent, texting
from meldkamer.notify import commands as notify
from meldkamer.notify.commands import Inside
from meldkamer.notify.models import OutboxMessage
from meldkamer.notify.outbox import RUNGS

log = logging.getLogger(__name__)

_ENDS, _DUE = (0,), (1,)
#: the rank of what looks at the house itself: it waits for no signal to be judged first
HOUSE = 2
_AN_INSTANT = timedelta(microseconds=1)
#: rows that are looked at and acted on in one call; of more than that the urgent ones come first
_LOOK, _SLICE = 400, 100


def end_states(now: datetime, within_s: float = inf) -> int:
    """Act on states that end at or before `now`, and before anything that waits came (R1a)."""
    return _act(now, _ENDS, _not_after(now, timedelta()), within_s)


def act_on_due(now: datetime, within_s: float = inf, *, together: int = 1) -> int:
    """Act on what is due, if nothing that came before it still waits (R1c).

    within_s: after so long the rest is left for the next call. together: so many incidents of
    different sites at most in one transaction, in their order; each by itself if that fails.
    """
    return _act(now, _DUE, _not_after(now, _AN_INSTANT), within_s, together)


def look_at_house(now: datetime) -> int:
    """The auditor, when his time is there; a backlog of signals is something for him to see."""
    return _act(now, (HOUSE,), now, inf)


def _not_after(now: datetime, before: timedelta) -> datetime:
    came = texting.oldest_unconsumed()
    return now if came is None else min(now, came - before)


def _act(
    now: datetime, ranks: tuple[int, ...], upto: datetime, within_s: float, together: int = 1
) -> int:
    until_s = monotonic() + within_s
    done = 0
    for run in _runs(_turns(upto, ranks), together):
        done += _act_on(run, now)
        if monotonic() > until_s:
            break
    return done


def _runs(rows: Iterable[AgendaRow], together: int) -> Iterator[list[int]]:
    """Cut into what is acted on in one transaction: incidents that stand next to each other."""
    for of_incidents, found in groupby(rows, lambda row: row.kind == carry_out.DUE):
        numbers = [row.pk for row in found]
        step = together if of_incidents else 1
        for first in range(0, len(numbers), step):
            yield numbers[first : first + step]


def _act_on(numbers: list[int], now: datetime) -> int:
    if len(numbers) > 1:
        try:
            return agenda.act_together(numbers, due.incidents_due, now, due.lock_incidents_of)
        except Exception as fault:
            if is_passing(fault):
                raise
            # one of them is at fault: alone it stands in nobody's way
    return sum(agenda.act_on(number, ACTS, now, LOCKS) for number in numbers)


def _turns(upto: datetime, ranks: tuple[int, ...]) -> list[AgendaRow]:
    """The rows whose turn it is: as R1 says; when there are too many, the urgent ones before."""
    rows = agenda.due(upto, ranks=ranks, limit=_LOOK)
    free = rows if HOUSE in ranks else backlog.free(rows)
    if len(rows) == _LOOK:
        urgent = backlog.free(agenda.due(upto, ranks=ranks, limit=_SLICE, urgent=True))
        known = {row.pk for row in urgent}
        free = urgent + [row for row in free if row.pk not in known]
    return free[:_SLICE]


def judge_all(now: datetime, limit: int = 200, together: int = 50) -> int:
    """Judge unjudged signals, the most urgent first; so many of one class in a transaction."""
    done = 0
    while done < limit and (judged := judging.judge_next(now, min(together, limit - done))):
        done += judged
    return done


def judge_once(now: datetime, most: int, *, urgent: bool = False) -> int:
    """Judge the most urgent class in one transaction; urgent: security and safety alone."""
    return judging.judge_next(now, most, pending.URGENT if urgent else pending.EVERY)


def consume_all(now: datetime, limit: int = 200) -> int:
    """Consume receipts, then replies, oldest first.

    Receipts that stream in leave half of it to replies: what is due waits for these (R1).
    """
    receipts.seek()
    done = 0
    for consume_next, upto in (
        (receipts.consume_next, (limit + 1) // 2),
        (texting.consume_next, limit),
        (receipts.consume_next, limit),
    ):
        while done < upto and consume_next(now):
            done += 1
    return done


def hand_over(
    carriers: dict[str, Inside],
    now: datetime,
    limit: int = 50,
    of: Collection[tuple[int, str]] | None = None,
) -> int:
    """Hand pending messages to carriers inside; the ladder waits from the hand-over (S7.2).

    of: the (provider, channel) that are in the sandbox; None: all, as in a rehearsal.
    """
    handed = notify.hand_over(carriers, now, limit, lambda message: _turned_down(message, now), of)
    if any(message.template in RUNGS for message in handed):
        with transaction.atomic():
            due.lock_sites(message.site_id for message in handed if message.site_id is not None)
            sent.handed_over(handed, now)
    return len(handed)


def _turned_down(message: OutboxMessage, now: datetime) -> None:
    """The ladder moves on at once (S7.2); an incident that cannot keeps its own deadline."""
    try:
        with transaction.atomic():
            sent.turned_down(message, now)
    except Exception as fault:
        if is_passing(fault):
            raise
        log.exception("message %d failed, its incident did not follow", message.pk)
        sent.left_behind(message, now)
