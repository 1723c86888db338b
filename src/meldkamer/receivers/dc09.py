"""What the DC-09 transports share: a frame is decided on, queued, and answered after commit.

Never: answer by itself; every answer goes through the writer. Invariant: the number of frames
that came in = queued + dropped + doubted ones left + noise counted.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum, auto

from meldkamer.journal.records import ACCEPTED, CLOCK, UNSUPPORTED
from meldkamer.receivers.directory import Directory
from meldkamer.receivers.intake import Origin, receive
from meldkamer.receivers.limits import Gate, Limits, Source
from meldkamer.receivers.policy import Policy
from meldkamer.receivers.writer import Answer, GroupCommit

#: frames of a known account whose key, if any, fitted
BELIEVED = frozenset({ACCEPTED, CLOCK, UNSUPPORTED})


class Taken(Enum):
    """What became of a frame: believed or not, and whether an answer is owed after commit."""

    NOISE = auto()
    DOUBTED = auto()
    DOUBTED_OWED = auto()
    BELIEVED = auto()
    OWED = auto()


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class Intake:
    """Shared by all listeners of a process."""

    def __init__(
        self,
        writer: GroupCommit,
        *,
        policy: Policy | None = None,
        limits: Limits | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.writer = writer
        self.directory = Directory()
        self.policy = policy or Policy()
        self.gate = Gate(limits or Limits())
        self.clock = clock
        self.counts: Counter[str] = Counter()

    def take(self, raw: bytes, origin: Origin, source: Source, answer: Answer) -> Taken:
        """Decide about one frame and queue it."""
        received = receive(raw, origin, self.directory, self.clock(), self.policy)
        if received is None:
            self.counts["not dc09"] += 1
            return Taken.NOISE
        record = received.record
        self.counts[record.disposition] += 1
        believed = record.disposition in BELIEVED
        now_s = asyncio.get_running_loop().time()
        if believed:
            source.believed(now_s)
        elif not source.take_doubted(self.gate.limits, now_s):
            self.counts["left"] += 1
            return Taken.DOUBTED
        queued = self.writer.submit(record, received.reply, answer)
        if queued and received.reply is not None:
            return Taken.OWED if believed else Taken.DOUBTED_OWED
        return Taken.BELIEVED if believed else Taken.DOUBTED
