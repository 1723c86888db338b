"""Which supervisor is called about an incident that nobody takes, if any (M12.2).

A call is a reminder and nothing else: the incident keeps its owner and its due time, and the list
on the supervisors' screens stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from meldkamer.terms.model import Terms


@dataclass(frozen=True, slots=True)
class Reminders:
    """What is known of the calls about one incident, and of those of its provider.

    called: those who were called about it, in order. known_at: when one of them last pressed the
    key. busy: one of these supervisors is being called at this moment.
    """

    called: tuple[int, ...] = ()
    known_at: datetime | None = None
    busy: bool = False


def whom(
    supervisors: Sequence[int], past: Reminders, terms: Terms, now: datetime, *, first: bool
) -> int | None:
    """Who is called now; None for nobody.

    supervisors: who has a telephone and is on duty, in order. first: they are told for the first
    time (`notified`), not reminded. In turn: the next after who was called last; a key stops the
    calls for `quiet_s`, and one call at a time keeps a storm from their telephones.
    """
    rules = terms.announcing
    if rules.supervisor == "never" or (first and rules.supervisor == "reminded"):
        return None
    if not supervisors or past.busy:
        return None
    if past.known_at is not None and now < past.known_at + timedelta(seconds=rules.quiet_s):
        return None
    last = next((one for one in reversed(past.called) if one in supervisors), None)
    if last is None:
        return supervisors[0]
    return supervisors[(supervisors.index(last) + 1) % len(supervisors)]
