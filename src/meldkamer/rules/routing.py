"""Which carrier takes a message: by priority, and by health. Pure: who is asked passes all of it.

A carrier of the provider's own goes before one of the house; one that works before one that does
not; for a text that waits for an answer, one that answers come back through before one without.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

#: refusals in a row after which a carrier counts as down
FAULTS_MOST = 3
#: so long a carrier may be without its connection before it counts as down
UNREACHABLE = timedelta(seconds=6)
#: what passed a throttle is taken from those that come after, as much as goes in so many seconds
_OWED_S = 10.0
#: after so many seconds a message that nobody took is tried again, by the number of its tries
AGAIN_S = (2, 5, 15, 30, 60, 120, 300)


@dataclass(frozen=True, slots=True)
class Way:
    """A carrier as the routing sees it. provider_id None: it serves every provider.

    lane: it takes only what is sent by this name, and nothing else: a panel maker's cloud (S8.3).
    """

    id: int
    channel: str
    provider_id: int | None
    priority: int
    up: bool
    two_way: bool
    lane: str = ""


def first(
    ways: Iterable[Way],
    provider_id: int,
    channel: str,
    *,
    answered: bool,
    tried: Collection[int] = (),
    lane: str = "",
) -> Way | None:
    """The carrier to ask next; None when none that works is left.

    answered: the message waits for an answer (the ladder, S7.2). tried: who did not take it.
    lane: the cloud that the site's sheet names; what is for one cloud goes to no other (S8.3).
    """
    fit = [
        way
        for way in ways
        if way.up
        and way.channel == channel
        and way.lane == lane
        and way.provider_id in (None, provider_id)
        and way.id not in tried
    ]
    return min(fit, key=lambda way: _rank(way, answered), default=None)


def _rank(way: Way, answered: bool) -> tuple[bool, bool, int, int]:
    return (answered and not way.two_way, way.provider_id is None, way.priority, way.id)


def firsts(ways: Collection[Way], providers: Iterable[int]) -> dict[int, set[tuple[int, bool]]]:
    """Whom each carrier is the first for: carrier → {(provider, whether an answer is waited for)}.

    Of messages that nobody was asked for yet.
    """
    found: dict[int, set[tuple[int, bool]]] = {}
    lanes = {(way.channel, way.lane) for way in ways}
    for provider_id in providers:
        for channel, lane in lanes:
            for answered in (True, False):
                way = first(ways, provider_id, channel, answered=answered, lane=lane)
                if way is not None:
                    found.setdefault(way.id, set()).add((provider_id, answered))
    return found


def mine(ways: Collection[Way], providers: Collection[int]) -> dict[int, set[tuple[int, bool]]]:
    """As `firsts`; for a carrier that does not work, whom it would be the first for if it did.

    With one of their messages it shows whether it works again.
    """
    found = firsts(ways, providers)
    for way in ways:
        if not way.up:
            would = [replace(one, up=one.up or one == way) for one in ways]
            found[way.id] = firsts(would, providers).get(way.id, set())
    return found


def again_after_s(attempts: int, asked_s: float | None = None) -> float:
    """Seconds until a message is tried again after so many attempts; longer when it was asked."""
    own = AGAIN_S[min(max(attempts, 1), len(AGAIN_S)) - 1]
    return max(float(own), asked_s or 0.0)


@dataclass(frozen=True, slots=True)
class Health:
    """What a line knows of its carrier. faults: refusals in a row; away_since: not connected."""

    faults: int = 0
    away_since: datetime | None = None
    last_fault: str = ""


def is_down(health: Health, now: datetime) -> bool:
    """Whether messages should go another way."""
    if health.faults >= FAULTS_MOST:
        return True
    return health.away_since is not None and now - health.away_since >= UNREACHABLE


class Throttle:
    """So many messages a second, in bursts of one second; the first of an incident is never held.

    What goes past it is taken from those that come after. Times are passed in, in seconds.
    """

    def __init__(self, per_second: float | None, now_s: float) -> None:
        self.per_second = per_second
        self._most = max(1.0, per_second or 0.0)
        self._left, self._at_s = self._most, now_s

    def room(self, now_s: float) -> float:
        """How many messages may go now, without those that are never held; may be below zero."""
        if self.per_second is None:
            return float("inf")
        gained = (now_s - self._at_s) * self.per_second
        self._left, self._at_s = min(self._most, self._left + gained), now_s
        return self._left

    def took(self, count: int) -> None:
        """So many went. What is owed is bounded: those after them wait no longer than that."""
        self._left -= count
        if self.per_second is not None:
            self._left = max(self._left, -_OWED_S * self.per_second)

    def wait_s(self, now_s: float) -> float:
        """Seconds until one more may go."""
        room = self.room(now_s)
        return 0.0 if self.per_second is None or room >= 1 else (1 - room) / self.per_second
