"""The carriers of a story: the sandbox, misbehaving as the story says.

Only carriers are played here; what the house makes of their faults is the production code's.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from meldkamer.notify.carrier import CarrierFault, Rejected
from meldkamer.notify.commands import Inside
from meldkamer.notify.kinds import CHANNELS
from meldkamer.notify.models import OutboxMessage
from meldkamer.notify.sandbox import sandbox
from meldkamer.rehearsal.story import CarrierPart, Story, span


class Carriers:
    """Every channel, with the faults of the story."""

    def __init__(self, story: Story) -> None:
        self.faults = story.parts.carrier

    def all(self) -> dict[str, Inside]:
        """What `hand_over` takes."""
        return dict.fromkeys(CHANNELS, self._take)

    def _take(self, message: OutboxMessage, now: datetime) -> None:
        fault = self._fault(message.channel, now)
        if fault is not None and fault.does == "refuses":
            raise CarrierFault("out of service")
        if fault is not None and fault.does == "rejects":
            raise Rejected("no such number")
        sandbox(message, now)

    def _fault(self, channel: str, now: datetime) -> CarrierPart | None:
        """The fault that holds at an instant; it is over at its end."""
        for fault in self.faults:
            if fault.channel == channel and fault.begins <= now < fault.to:
                return fault
        return None

    def back_again(self, now: datetime) -> list[datetime]:
        """When carriers that refuse will take messages again."""
        return [f.to for f in self.faults if f.does == "refuses" and f.to > now]

    def replies(self, text: OutboxMessage, after: timedelta) -> list[datetime]:
        """When the reply to a text comes in: never when it was lost, twice when doubled."""
        handed = text.handed_over_at or text.created_at
        fault = self._fault(text.channel, handed)
        if fault is None:
            return [handed + after]
        if fault.does == "loses":
            return []
        if fault.does == "delays":
            return [handed + span(fault.by) + after]
        return [handed + after, handed + after + span(fault.by)]
