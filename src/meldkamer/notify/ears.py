"""What a carrier that hears for itself tells the house, stored in the carrier's own thread.

Each call returns after COMMIT. When the database is away it raises `NotStored`, and the carrier
answers whoever waits that it should come again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
from django.db import DatabaseError, connection

from meldkamer.notify import inbox
from meldkamer.notify.carrier import ReceiptState


class NotStored(Exception):
    """It could not be stored now; whoever brought it must bring it again."""


class StoringEars:
    """The ears of one carrier (see `notify.carrier.Ears`)."""

    def __init__(self, carrier_id: int) -> None:
        self.carrier_id = carrier_id

    def reply(self, sender: str, text: str, *, to: str = "", ref: str = "") -> None:
        """Store a reply; the same ref is stored once."""
        self._store(
            lambda now: inbox.store_reply(self.carrier_id, sender, text, now, to=to, ref=ref)
        )

    def receipt(self, ref: str, state: ReceiptState, *, detail: str = "") -> None:
        """Store a receipt; told twice it is stored once."""
        self._store(
            lambda now: inbox.store_receipt(self.carrier_id, ref, state, now, detail=detail)
        )

    def _store(self, act: Callable[[datetime], object]) -> None:
        try:
            act(datetime.now(UTC))
        except (DatabaseError, psycopg.Error) as fault:
            # a connection that broke is not used again in this thread
            connection.close()
            raise NotStored(type(fault).__name__) from fault
