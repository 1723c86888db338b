"""One cycle of the house, the same for the worker and for a rehearsal.

Order within an instant is R1's: states that end, then signals and replies, then what is due. After
a time without workers the same order holds for what came then: what was due after a signal came
waits until that signal is judged, so a restore that came in time is in time, however late we are.
Each step is its own transaction; a cycle may be cut off anywhere and the next one goes on.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from meldkamer.agenda import commands as agenda
from meldkamer.engine.acts import ACTS, LOCKS
from meldkamer.incidents import judging, texting
from meldkamer.notify import commands as notify
from meldkamer.notify.commands import Carrier

log = logging.getLogger(__name__)
_ENDS, _DUE = (0,), (1,)
#: the rank of what looks at the house itself: it waits for no signal to be judged first
HOUSE = 2
_AN_INSTANT = timedelta(microseconds=1)


def end_states(now: datetime) -> int:
    """Act on states that end at or before `now`, and before anything that waits came (R1a)."""
    return _act(now, _ENDS, _not_after(now, timedelta()))


def act_on_due(now: datetime) -> int:
    """Act on what is due, if nothing that came before it still waits (R1c)."""
    return _act(now, _DUE, _not_after(now, _AN_INSTANT))


def look_at_house(now: datetime) -> int:
    """The auditor, when his time is there; a backlog of signals is something for him to see."""
    return _act(now, (HOUSE,), now)


def _not_after(now: datetime, before: timedelta) -> datetime:
    waiting = (judging.oldest_unjudged(), texting.oldest_unconsumed())
    return min([now, *(came - before for came in waiting if came is not None)])


def _act(now: datetime, ranks: tuple[int, ...], upto: datetime) -> int:
    done = 0
    for row_id in agenda.due_rows(upto, ranks=ranks):
        done += agenda.act_on(row_id, ACTS, now, LOCKS)
    return done


def judge_all(now: datetime, limit: int = 200, together: int = 50) -> int:
    """Judge unjudged signals, the most urgent first; so many of one class in a transaction."""
    done = 0
    while done < limit and (judged := judging.judge_next(now, min(together, limit - done))):
        done += judged
    return done


def consume_all(now: datetime, limit: int = 200) -> int:
    """Consume replies, oldest first."""
    done = 0
    while done < limit and texting.consume_next(now):
        done += 1
    return done


def hand_over(carriers: dict[str, Carrier], now: datetime) -> int:
    """Hand pending messages to their carriers; the ladder waits from the hand-over (S7.2)."""
    handed = notify.hand_over(carriers, now)
    for message in handed:
        if message.template == texting.LADDER and message.incident_id is not None:
            texting.handed_over(message.incident_id, message.pk, now)
    return len(handed)
