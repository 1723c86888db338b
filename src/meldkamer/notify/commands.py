"""What goes into the outbox, and what the sandbox takes out of it.

`send` commits a message with the decision that made it; `hand_over` gives it to its carrier in a
transaction of its own. What carriers outside take is of `outbox`, what comes back of `inbox`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from functools import reduce
from operator import or_

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from meldkamer.agenda.commands import OF_NO_CLASS
from meldkamer.notify.carrier import CarrierFault, Rejected
from meldkamer.notify.kinds import SANDBOX
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.notify.templates import render
from meldkamer.sites.models import Provider

OUTBOX = "meldkamer_outbox"
#: class of the advisory locks that senders share; the other number is the provider's
_SENDERS = 7305012
_BEGIN = "SELECT pg_notify(%s, ''), pg_advisory_xact_lock_shared(%s, (%s %% 2147483647)::int)"
# smallint
_ATTEMPTS_MOST = 32_000
#: a carrier inside the house: it takes a message in the transaction that hands it over
Inside = Callable[[OutboxMessage, datetime], None]


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
    provider_id: int,
    site_id: int | None = None,
    incident_id: int | None = None,
    contact_id: int | None = None,
    first_of_incident: bool = False,
    urgency: int = OF_NO_CLASS,
    cloud: str = "",
) -> OutboxMessage:
    """Put a message into the outbox, in the recipient's language (M12.4).

    first_of_incident: no throttle holds it back. urgency: the class of what it is about; 1 first.
    cloud: the carrier of this name alone takes it (S8.3).
    """
    subject, body = render(template, language, facts, provider_id)
    _begin(provider_id)
    return OutboxMessage.objects.create(
        channel=channel,
        template=template,
        address=address,
        recipient=recipient,
        language=language,
        clause=clause,
        subject=subject,
        body=body,
        created_at=now,
        provider_id=provider_id,
        site_id=site_id,
        incident_id=incident_id,
        contact_id=contact_id,
        first_of_incident=first_of_incident,
        urgency=urgency,
        cloud=cloud,
    )


def send_another_way(
    message: OutboxMessage, channel: str, address: str, now: datetime
) -> OutboxMessage:
    """The same words to the same person over another channel; the first one stays as it is."""
    _begin(message.provider_id or 0)
    return OutboxMessage.objects.create(
        channel=channel,
        template=message.template,
        address=address,
        recipient=message.recipient,
        language=message.language,
        clause=message.clause,
        subject=message.subject,
        body=message.body,
        created_at=now,
        provider_id=message.provider_id,
        site_id=message.site_id,
        incident_id=message.incident_id,
        contact_id=message.contact_id,
        urgency=message.urgency,
    )


def _begin(provider_id: int) -> None:
    """Wake the lines at COMMIT; until then nobody moves the provider to the other side."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, [OUTBOX, _SENDERS, provider_id])


def wait_for_senders(provider_id: int) -> None:
    """Until every message of a provider that is being written now is committed; no more meanwhile.

    For the transaction that moves the provider into practice or out of it: a message is of one
    side or of the other.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, (%s %% 2147483647)::int)", [_SENDERS, provider_id]
        )


def hand_over(
    carriers: dict[str, Inside],
    now: datetime,
    limit: int = 50,
    turned_down: Callable[[OutboxMessage], object] | None = None,
    of: Collection[tuple[int, str]] | None = None,
) -> list[OutboxMessage]:
    """Give pending messages to carriers inside; what was handed over is returned.

    of: the (provider, channel) that are in the sandbox; None: all of them, as in a rehearsal.
    turned_down: called for a message that its carrier rejected, in the transaction that notes it.

    Oldest first, but those that were refused behind those that were not: nothing a carrier does not
    take stands in the way. Each is locked while its carrier is asked, so two workers never send it
    twice; a refusal keeps it pending and is counted on the row.
    """
    handed = []
    pending = OutboxMessage.objects.filter(state=OutboxMessage.State.PENDING)
    if of is not None:
        if not of:
            return []
        pending = pending.filter(reduce(or_, (Q(provider_id=p, channel=c) for p, c in of)))
    for message_id in pending.order_by("attempts", "id").values_list("id", flat=True)[:limit]:
        with transaction.atomic():
            mine = pending.select_for_update(skip_locked=True).filter(pk=message_id)
            # whose channel left the sandbox a moment ago is not taken by it
            message = (mine if of is None else mine.filter(stays_inside())).first()
            if message is None:
                continue
            if _give(message, carriers, now):
                handed.append(message)
            elif message.state == OutboxMessage.State.FAILED and turned_down is not None:
                turned_down(message)
    return handed


def stays_inside() -> Q:
    """Messages of a provider in practice, or of a channel that is in the sandbox."""
    practice = Provider.objects.filter(pk=OuterRef("provider_id"), practice=True)
    box = WayOut.objects.filter(
        Q(provider_id=None) | Q(provider_id=OuterRef("provider_id")),
        kind=SANDBOX,
        enabled=True,
        channel=OuterRef("channel"),
    )
    return Q(Exists(practice)) | Q(Exists(box))


def _give(message: OutboxMessage, carriers: dict[str, Inside], now: datetime) -> bool:
    message.attempts = min(message.attempts + 1, _ATTEMPTS_MOST)
    try:
        carrier = carriers.get(message.channel)
        if carrier is None:
            raise CarrierFault(f"no carrier for {message.channel}")
        carrier(message, now)
    except (CarrierFault, OSError) as fault:
        message.last_fault = str(fault)[:500]
        if isinstance(fault, Rejected):
            message.state = OutboxMessage.State.FAILED
        message.save(update_fields=["attempts", "last_fault", "state"])
        return False
    message.state = OutboxMessage.State.HANDED_OVER
    message.handed_over_at = now
    message.save(update_fields=["attempts", "state", "handed_over_at"])
    return True
