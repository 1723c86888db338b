"""One cycle of the house, the same for the worker and for a rehearsal.

Order within an instant is R1's: states that end, then signals and replies, then what is due. Each
step is its own transaction; a cycle may be cut off anywhere and the next one goes on.
"""

from __future__ import annotations

import logging
from datetime import datetime

from meldkamer.agenda import commands as agenda
from meldkamer.engine.acts import ACTS
from meldkamer.incidents import judging, texting
from meldkamer.notify import commands as notify
from meldkamer.notify.commands import Carrier

log = logging.getLogger(__name__)
_ENDS, _DUE = (0,), (1,)


def end_states(now: datetime) -> int:
    """Act on states that end at or before `now` (R1a)."""
    return _act(now, _ENDS)


def act_on_due(now: datetime) -> int:
    """Act on what is due (R1c)."""
    return _act(now, _DUE)


def _act(now: datetime, ranks: tuple[int, ...]) -> int:
    done = 0
    for row_id in agenda.due_rows(now, ranks=ranks):
        done += agenda.act_on(row_id, ACTS, now)
    return done


def judge_all(now: datetime, limit: int = 200) -> int:
    """Judge unjudged signals, the most urgent first."""
    done = 0
    while done < limit and judging.judge_next(now):
        done += 1
    return done


def consume_all(now: datetime, limit: int = 200) -> int:
    """Consume replies, oldest first."""
    done = 0
    while done < limit and texting.consume_next(now):
        done += 1
    return done


def hand_over(carriers: dict[str, Carrier], now: datetime) -> int:
    """Hand pending messages to their carriers."""
    return len(notify.hand_over(carriers, now))
