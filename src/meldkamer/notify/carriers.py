"""Carriers there are: the sandbox, which keeps every message in the house for demo and training.

Each channel gets its own folder once a real carrier stands behind it. A carrier raises
CarrierFault when it did not take a message; returning means that it did.
"""

from __future__ import annotations

from datetime import datetime

from meldkamer.notify.commands import Carrier, Rejected
from meldkamer.notify.models import OutboxMessage

CHANNELS = ("sms", "app", "mail", "letter")


def sandbox(message: OutboxMessage, now: datetime) -> None:
    """Takes what has an address; the message is read on the sandbox page."""
    if not message.address:
        raise Rejected(f"no address for {message.recipient}")


def all_sandbox() -> dict[str, Carrier]:
    """Every channel in the sandbox."""
    return dict.fromkeys(CHANNELS, sandbox)
