"""A person's text as an SMS centre brings it, and whether it is one that came before. Pure.

SMPP gives such a text no number. A centre brings it again when our answer was lost; a person may
write the same again. What is certainly or probably the same is the same; where it may be a second
"ok" of a person it is not, for an answer that is lost is worse than one that is read twice
(S7.3, S7.9).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from meldkamer.notify.sms.coding import PieceOf

#: the same text again over the same connection: a centre that repeats itself, not a person
_REPEATED = timedelta(seconds=3)
#: we answered so late that the centre may have stopped waiting, and what it does then
_SLOW, _REPEATED_SLOW = timedelta(seconds=5), timedelta(seconds=60)
#: an answer of ours so shortly before the connection was lost may be lost as well
_CUT_OFF = timedelta(seconds=5)
#: what had no answer is brought again so soon after a new connection, and for so long
_BROUGHT_AGAIN, _UNANSWERED = timedelta(minutes=10), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A person's text as it came. digest: of all that the centre said of it."""

    digest: str
    sender: str
    to: str
    text: str
    piece: PieceOf | None


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection over which something comes: its name, and since when."""

    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Past:
    """When the same text came before, and over what."""

    connection: str
    arrived_at: datetime
    answered_at: datetime | None


def is_again(past: Past, over: Connection, now: datetime) -> bool:
    """Whether a text is the one that came before, brought again. Pure."""
    if past.connection == over.name:
        if past.answered_at is None:
            return now - past.arrived_at < _UNANSWERED
        slow = past.answered_at - past.arrived_at > _SLOW
        return now - past.answered_at < (_REPEATED_SLOW if slow else _REPEATED)
    if now - over.since > _BROUGHT_AGAIN:
        return False
    if past.answered_at is None:
        return now - past.arrived_at < _UNANSWERED
    return over.since - past.answered_at < _CUT_OFF
