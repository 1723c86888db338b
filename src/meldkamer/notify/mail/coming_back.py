"""Keeping what came back: in one transaction the mail itself and the receipt that follows from it.

The only writer of `IncomingMail` and `BouncedAddress`. Whoever brings a mail is answered after this
has returned, so after COMMIT; brought again it is kept once.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from django.db import transaction

from meldkamer.journal import commands as journal
from meldkamer.notify import inbox
from meldkamer.notify.carrier import ReceiptState
from meldkamer.notify.mail.composing import message_ref
from meldkamer.notify.mail.models import BouncedAddress, IncomingMail
from meldkamer.notify.mail.returned import DELAYED, DELIVERED, FAILED, Returned, read_returned
from meldkamer.notify.models import OutboxMessage

#: so much of a mail is kept: its report is at its beginning, our own mail at its end
KEPT_BYTES = 256_000
_DETAIL_MOST = 500
_STATES = {FAILED: ReceiptState.FAILED, DELIVERED: ReceiptState.DELIVERED}


class NoSuchMessage(LookupError):
    """The address is one of ours and the message is not there: a database that was set back."""


@transaction.atomic
def store(message_id: int, content: bytes, now: datetime) -> Returned:
    """Keep a mail that came back to a message of ours; NoSuchMessage when there is none."""
    message = OutboxMessage.objects.filter(pk=message_id, channel="mail").first()
    if message is None:
        raise NoSuchMessage(f"no mail {message_id}")
    found = read_returned(content)
    _, new = IncomingMail.objects.get_or_create(
        message=message,
        sha256=sha256(content).hexdigest(),
        defaults={
            "kind": found.kind,
            "code": found.code,
            "detail": found.detail[:_DETAIL_MOST],
            "content": content[:KEPT_BYTES],
            "received_at": now,
        },
    )
    state = _STATES.get(found.kind)
    if state is not None and message.carrier_id is not None:
        detail = f"{found.code} {found.detail}".strip()
        inbox.store_receipt(message.carrier_id, message_ref(message_id), state, now, detail=detail)
    if new and found.kind == DELAYED:
        _late(message, found, now)
    return found


def _late(message: OutboxMessage, found: Returned, now: datetime) -> None:
    """Its server still tries: nothing follows, and whoever waits for the mail can see why."""
    journal.write(
        "message.delayed",
        now,
        provider_id=message.provider_id,
        site_id=message.site_id,
        incident_id=message.incident_id,
        clause=message.clause,
        reason=f"{found.code} {found.detail}".strip(),
        to=message.recipient,
        data={"message": message.pk, "channel": message.channel, "template": message.template},
    )
    if message.incident_id is not None:
        journal.announce(f"incident:{message.incident_id}")


def note_bounced(message: OutboxMessage, now: datetime) -> None:
    """A mail was turned down, at once or later: its address is in doubt from now on.

    Called in the transaction that notes the message as failed.
    """
    if message.channel != "mail" or not message.address or message.provider_id is None:
        return
    code, _, detail = message.last_fault.partition(" ")
    known = code.count(".") == 2
    BouncedAddress.objects.update_or_create(
        provider_id=message.provider_id,
        address=message.address.lower(),
        defaults={
            "bounced_at": now,
            "code": code[:12] if known else "",
            "detail": (detail if known else message.last_fault)[:_DETAIL_MOST],
            "message": message,
            "cleared_at": None,
            "cleared_by": "",
        },
    )


@transaction.atomic
def clear_address(provider_id: int, address: str, now: datetime, actor: str) -> bool:
    """Somebody made sure that it works again; False when it was not in doubt."""
    row = (
        BouncedAddress.objects.select_for_update()
        .filter(provider_id=provider_id, address=address.lower(), cleared_at=None)
        .first()
    )
    if row is None:
        return False
    row.cleared_at, row.cleared_by = now, actor
    row.save(update_fields=["cleared_at", "cleared_by"])
    journal.write(
        "address.cleared",
        now,
        provider_id=provider_id,
        clause="S22.1",
        actor=actor,
        data={"address": row.address},
    )
    return True
