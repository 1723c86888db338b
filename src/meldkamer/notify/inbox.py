"""What comes back from carriers: receipts and replies, stored before anybody is answered.

The only writer of both. What is stored twice is stored once: a carrier that heard no answer
from us brings it again. Nothing is decided here.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from meldkamer.notify.carrier import REF_MOST, ReceiptState, storable
from meldkamer.notify.models import InboundMessage, OutboxMessage, Receipt, WayOut

INBOUND = "meldkamer_inbound"
#: a receipt from before its message was claimed is of another that had the same number; the clocks
#: of two machines may differ by so much
CLOCKS = timedelta(seconds=60)
_DETAIL_MOST, _NUMBER_MOST = 500, 60
#: a longer reply is kept up to here: a text has a few hundred characters
_TEXT_MOST = 20_000


@transaction.atomic
def store_reply(
    carrier_id: int, sender: str, text: str, now: datetime, *, to: str = "", ref: str = ""
) -> int:
    """Store a reply that this carrier brought; the same ref is stored once. Returns its id.

    Without a ref nothing can be known twice, so each is stored. The empty text is one (S7.4).
    """
    channel = WayOut.objects.values_list("channel", flat=True).get(pk=carrier_id)
    own = _digest(f"{carrier_id}:{storable(ref, len(ref))}") if ref else ""
    carrier = {"carrier_id": carrier_id, "to": storable(to, _NUMBER_MOST)}
    return _store(channel, sender, text, now, own, **carrier)


@transaction.atomic
def store_inside(sender: str, text: str, now: datetime, ref: str = "") -> int:
    """Store a text that no carrier brought: of the sandbox, of a rehearsal. Else as a reply."""
    return _store("sms", sender, text, now, ref)


def _store(channel: str, sender: str, text: str, now: datetime, ref: str, **carrier: object) -> int:
    values = {
        "sender": storable(sender, _NUMBER_MOST),
        "text": storable(text, _TEXT_MOST),
        "received_at": now,
        **carrier,
    }
    if ref:
        message, _ = InboundMessage.objects.get_or_create(
            channel=channel, carrier_ref=ref, defaults=values
        )
    else:
        message = InboundMessage.objects.create(channel=channel, **values)
    _wake()
    return int(message.pk)


@transaction.atomic
def store_receipt(
    carrier_id: int, ref: str, state: ReceiptState, now: datetime, *, detail: str = ""
) -> None:
    """Store what a carrier told of the message with this ref; told twice, stored once.

    A ref that the carrier gave to a later message again is told anew, also where what it told of
    the one before was of nobody here and still lies there.
    """
    values = {"detail": storable(detail, _DETAIL_MOST), "received_at": now}
    row, is_new = Receipt.objects.get_or_create(
        carrier_id=carrier_id, ref=storable(ref, REF_MOST), state=state.value, defaults=values
    )
    if not is_new and (row.consumed_at is not None or row.sought is not None):
        later = OutboxMessage.objects.filter(
            carrier_id=carrier_id, carrier_ref=row.ref, claimed_at__gt=row.received_at
        ).exclude(carrier_ref="")
        if later.exists():
            again = {"consumed_at": None, "sought": None, "aside": False}
            Receipt.objects.filter(pk=row.pk).update(**values, **again)
    _wake()


def forget_unknown(before: datetime) -> int:
    """Old receipts of messages that nobody knows wait no longer; they stay stored. How many.

    A carrier that is shared with others, or a database restored from elsewhere, brings them.
    """
    known = OutboxMessage.objects.filter(
        ~Q(carrier_ref="") & ~Q(claimed_at__gte=OuterRef("received_at") + CLOCKS),
        carrier_id=OuterRef("carrier_id"),
        carrier_ref=OuterRef("ref"),
    )
    old = Receipt.objects.filter(~Exists(known), consumed_at=None, received_at__lt=before)
    return old.update(consumed_at=before)


def way_out_of(token: str) -> WayOut | None:
    """The carrier whose hooks have this token in their address; None when there is none.

    Looked up by the token's hash, so the time it takes says nothing of the token.
    """
    mac = hook_mac(token)
    found = WayOut.objects.filter(hook_mac=mac, enabled=True).first()
    if found is None or not hmac.compare_digest(bytes(found.hook_mac or b""), mac):
        return None
    return found


def hook_mac(token: str) -> bytes:
    """What is stored of a hook's token. The token is long and random, so a plain hash will do."""
    return sha256(token.encode()).digest()


def _digest(ref: str) -> str:
    """As it is when it is short enough to be read, else its hash: never cut off."""
    return ref if len(ref) <= REF_MOST else sha256(ref.encode()).hexdigest()


def _wake() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [INBOUND])
