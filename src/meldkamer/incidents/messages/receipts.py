"""Receipts: what carriers tell later of what they took. Stored first, consumed once.

A receipt may come before it is noted that the carrier took the message; it waits until then, and
whoever notes that has it looked at again. A carrier that is shared with others brings receipts of
messages that nobody here knows: each is looked for twice and then lies aside, and costs nothing. A
carrier may give a number again (a centre that was restarted): a receipt is of a message that the
carrier had by then. One that cannot be consumed is put aside for the agenda and stops no other.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.faults import is_passing
from meldkamer.incidents import notices
from meldkamer.incidents.messages import announced, sent
from meldkamer.notify import outbox
from meldkamer.notify.carrier import ReceiptState
from meldkamer.notify.inbox import CLOCKS
from meldkamer.notify.models import OutboxMessage, Receipt

AGAIN = "receipt.again"


# asked by every worker all day and at every instant of a rehearsal: as SQL, for the query that
# Django would build takes longer to write than to answer
_MESSAGE = """
    SELECT id FROM notify_outboxmessage
    WHERE carrier_id = receipt.carrier_id AND carrier_ref = receipt.ref AND carrier_ref <> ''
        AND (claimed_at >= receipt.received_at + make_interval(secs => %(clocks_s)s)) IS NOT TRUE
    ORDER BY id DESC LIMIT 1
"""
_OLDEST = f"""
SELECT receipt.id, message.id FROM notify_receipt receipt
CROSS JOIN LATERAL ({_MESSAGE}) AS message
WHERE receipt.consumed_at IS NULL AND NOT receipt.aside AND NOT EXISTS (
    SELECT FROM agenda_agendarow WHERE kind = %(again)s AND done_at IS NULL
        AND subject = 'receipt:' || receipt.id
) ORDER BY receipt.id LIMIT 1
"""  # noqa: S608 - put together of constants alone
# Whoever notes a message touches the receipts that there are with its ref (`outbox`). So once all
# that began before the first look has ended, a message that is still not there is noted by somebody
# who sees the receipt, and it may lie aside. What began before is what has a lower number than the
# look itself, which gets its own (in a transaction of its own) after it saw what there was; not
# what is below the snapshot's xmax, which says nothing of what runs and is younger than all that
# ended. What is locked now is being noted or consumed.
_SEEK = f"""
UPDATE notify_receipt AS sought SET aside = sought.sought IS NOT NULL,
    sought = coalesce(sought.sought, pg_current_xact_id()::text::bigint)
FROM (
    SELECT receipt.id FROM notify_receipt receipt WHERE receipt.id = ANY(ARRAY(
        SELECT id FROM notify_receipt WHERE consumed_at IS NULL AND NOT aside
        ORDER BY id LIMIT %(most)s
    )) AND receipt.consumed_at IS NULL AND NOT receipt.aside AND (receipt.sought IS NULL
        OR receipt.sought <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
    AND NOT EXISTS ({_MESSAGE}) FOR UPDATE OF receipt SKIP LOCKED
) AS unknown WHERE sought.id = unknown.id
"""  # noqa: S608 - put together of constants alone
_SEEK_MOST = 1000


def _oldest() -> tuple[int, int] | None:
    """The oldest receipt whose message is known, without those put aside: (receipt, message)."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST, {"clocks_s": CLOCKS.total_seconds(), "again": AGAIN})
        found: tuple[int, int] | None = cursor.fetchone()
    return found


def seek() -> None:
    """Put aside whose message was looked for before and is still not there; for every cycle."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEK, {"clocks_s": CLOCKS.total_seconds(), "most": _SEEK_MOST})


def consume_next(now: datetime) -> bool:
    """Consume the oldest receipt in one transaction; False when there is none."""
    oldest = _oldest()
    if oldest is None:
        return False
    receipt_id, message_id = oldest
    try:
        with transaction.atomic():
            _consume(receipt_id, message_id, now)
    except Exception as fault:
        if not is_passing(fault):
            _put_aside(receipt_id, now)
        raise
    return True


@transaction.atomic
def consume_again(receipt_id: int, now: datetime) -> None:
    """Consume a receipt that was put aside; a fault leaves it on the agenda."""
    row = Receipt.objects.get(pk=receipt_id)
    message = OutboxMessage.objects.filter(
        ~Q(claimed_at__gte=row.received_at + CLOCKS),
        carrier_id=row.carrier_id,
        carrier_ref=row.ref,
    ).last()
    if message is not None:
        _consume(receipt_id, message.pk, now)


def _consume(receipt_id: int, message_id: int, now: datetime) -> None:
    about = OutboxMessage.objects.values_list("site_id", "incident_id").get(pk=message_id)
    sent.lock_for(*about)
    receipt = Receipt.objects.select_for_update().get(pk=receipt_id)
    if receipt.consumed_at is not None:  # another worker was before us
        return
    receipt.consumed_at = now
    receipt.save(update_fields=["consumed_at"])
    message = OutboxMessage.objects.select_for_update().get(pk=message_id)
    take(message, ReceiptState(receipt.state), receipt.detail, now)


def take(message: OutboxMessage, state: ReceiptState, detail: str, now: datetime) -> None:
    """What came of a message, locked after its site; in the transaction of the caller."""
    if state == ReceiptState.DELIVERED:
        outbox.note_delivered(message, now)
        sent.delivered(message, detail, now)
    elif state in (ReceiptState.FAILED, ReceiptState.EXPIRED):
        reason = detail or state.value
        if outbox.note_undelivered(message, reason):
            sent.turned_down(message, now)
        else:
            sent.told(message, "message.undelivered", reason, now)
    elif state == ReceiptState.ACKNOWLEDGED:
        if outbox.note_acknowledged(message, now):
            announced.acknowledged(message, detail, now)
    else:
        announced.unanswered(message, detail, now)


@transaction.atomic
def _put_aside(receipt_id: int, now: datetime) -> None:
    agenda.put_aside(AGAIN, f"receipt:{receipt_id}", now, {"receipt": receipt_id})
    row = Receipt.objects.select_related("carrier").get(pk=receipt_id)
    text = f"{row.carrier.name}: {row.ref} {row.state}"
    notices.add("receipt", "M12.1", text, now, provider_id=row.carrier.provider_id)
