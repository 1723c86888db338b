"""The sandbox: every message stays in the house, for demo, training and rehearsals.

It is inside, so a message is handed over in one transaction and never twice. What it took is read
on the sandbox page.
"""

from __future__ import annotations

from datetime import datetime

from meldkamer.notify.carrier import Rejected
from meldkamer.notify.commands import Inside
from meldkamer.notify.kinds import CHANNELS
from meldkamer.notify.models import OutboxMessage


def sandbox(message: OutboxMessage, now: datetime) -> None:
    """Takes what has an address."""
    if not message.address:
        raise Rejected(f"no address for {message.recipient}")


def all_sandbox() -> dict[str, Inside]:
    """Every channel in the sandbox."""
    return dict.fromkeys(CHANNELS, sandbox)
