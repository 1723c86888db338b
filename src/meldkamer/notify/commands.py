"""The only writer of the outbox and of what comes back.

`send` commits a message with the decision that made it; `hand_over` gives it to its carrier in a
transaction of its own; `receive` stores a reply before anything reacts to it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import connection, transaction

from meldkamer.notify.models import InboundMessage, OutboxMessage
from meldkamer.notify.templates import render

OUTBOX, INBOUND = "meldkamer_outbox", "meldkamer_inbound"
Carrier = Callable[[OutboxMessage, datetime], None]


class CarrierFault(Exception):
    """A carrier refused or could not be reached; the message stays and is tried again."""


def send(
    channel: str,
    template: str,
    *,
    address: str,
    recipient: str,
    language: str,
    clause: str,
    now: datetime,
    facts: dict[str, object],
    site_id: int | None = None,
    incident_id: int | None = None,
    contact_id: int | None = None,
) -> OutboxMessage:
    """Put a message into the outbox, in the recipient's language (M12.4)."""
    subject, body = render(template, language, facts)
    message = OutboxMessage.objects.create(
        channel=channel,
        template=template,
        address=address,
        recipient=recipient,
        language=language,
        clause=clause,
        subject=subject,
        body=body,
        created_at=now,
        site_id=site_id,
        incident_id=incident_id,
        contact_id=contact_id,
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [OUTBOX])
    return message


def receive(channel: str, sender: str, text: str, now: datetime, carrier_ref: str = "") -> int:
    """Store a reply; the same carrier reference is stored once. Returns its id."""
    sender, text = sender.replace("\0", ""), text.replace("\0", "")
    if carrier_ref:
        message, _ = InboundMessage.objects.get_or_create(
            channel=channel,
            carrier_ref=carrier_ref,
            defaults={"sender": sender, "text": text, "received_at": now},
        )
    else:
        message = InboundMessage.objects.create(
            channel=channel, sender=sender, text=text, received_at=now
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [INBOUND])
    return int(message.pk)


def hand_over(carriers: dict[str, Carrier], now: datetime, limit: int = 50) -> list[OutboxMessage]:
    """Give pending messages to their carriers, oldest first; what was handed over is returned.

    Each is locked while its carrier is asked, so two workers never send it twice; a refusal keeps
    it pending and is counted on the row.
    """
    handed = []
    pending = OutboxMessage.objects.filter(state=OutboxMessage.State.PENDING)
    for message_id in pending.order_by("id").values_list("id", flat=True)[:limit]:
        with transaction.atomic():
            message = pending.select_for_update(skip_locked=True).filter(pk=message_id).first()
            if message is not None and _give(message, carriers, now):
                handed.append(message)
    return handed


def _give(message: OutboxMessage, carriers: dict[str, Carrier], now: datetime) -> bool:
    message.attempts += 1
    try:
        carriers[message.channel](message, now)
    except (CarrierFault, OSError) as fault:
        message.last_fault = str(fault)[:500]
        message.save(update_fields=["attempts", "last_fault"])
        return False
    message.state = OutboxMessage.State.HANDED_OVER
    message.handed_over_at = now
    message.save(update_fields=["attempts", "state", "handed_over_at"])
    return True
