"""What somebody does at the phones of the sandbox: the same as a carrier would tell of it.

Only for messages that stay in the house. A message that left it is answered by its carrier alone:
here that is refused, whoever asks, so practice can never speak for the real thing.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from meldkamer.incidents.messages import receipts, sent
from meldkamer.notify import outbox
from meldkamer.notify.carrier import ReceiptState
from meldkamer.notify.commands import stays_inside
from meldkamer.notify.models import OutboxMessage


class NotHere(Exception):
    """Not a message of the sandbox, or nothing to answer to any more."""


@transaction.atomic
def answer(message_id: int, state: ReceiptState, detail: str, now: datetime) -> None:
    """Acknowledge a message of the sandbox, or let it ring out. NotHere for any other."""
    about = OutboxMessage.objects.filter(pk=message_id).values_list("site_id", "incident_id")
    found = about.first()
    if found is None:
        raise NotHere
    sent.lock_for(*found)
    message = (
        OutboxMessage.objects.select_for_update(of=("self",))
        .filter(stays_inside(), pk=message_id, carrier=None)
        .first()
    )
    if message is None or message.state != OutboxMessage.State.HANDED_OVER:
        raise NotHere
    # it rang, or was opened: once
    outbox.note_delivered(message, now)
    receipts.take(message, state, detail, now)
