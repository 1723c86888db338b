"""How a message goes from the outbox to its carrier, outside of the house.

claim (COMMIT) → the carrier is asked, in no transaction → what came of it is noted (COMMIT). A
process that dies in between leaves a claim, which stands on the agenda: the message is sent again
and counted as perhaps doubled, for it is not known whether the carrier had it. Nothing is dropped:
what nobody takes waits on the agenda for its next try.

The functions that note what came of a message are called within the transaction of its caller, who
locks the message's site first (see `engine.sending`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.models import AgendaRow
from meldkamer.notify.carrier import REF_MOST, TEST, CarrierFault, InDoubt, Parcel, storable
from meldkamer.notify.commands import OUTBOX
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.rules import routing

#: kind of the agenda's rows: a claim that may be lost, a message that waits for its next try
AGAIN = "message.again"
#: woken when it changes which carrier is asked first
WAYS = "meldkamer_ways"
#: longer than any carrier may take to answer (its own time limit)
CLAIM_S = 90.0
LADDER = "ladder"
#: a call in the place of a text of the ladder, and one to a supervisor
ANNOUNCED, REMINDER = "announced", "supervisor_reminder"
#: the messages that an incident waits for: its rungs
RUNGS = (LADDER, ANNOUNCED)
State = OutboxMessage.State
#: it has not left the house yet
UNSENT = (State.PENDING, State.SENDING, State.WAITING)
_FAULT_MOST = 500
_TAKEN = ("state", "handed_over_at", "carrier_ref", "last_fault")

# a message of a provider in practice, or of a channel in the sandbox, is no carrier's to take:
# it is here, in the one statement that takes messages, so that nothing can go round it
_OUTSIDE = """
    NOT EXISTS (SELECT FROM sites_provider AS whose
        WHERE whose.id = message.provider_id AND whose.practice)
    AND NOT EXISTS (SELECT FROM notify_wayout AS box
        WHERE box.kind = 'sandbox' AND box.enabled AND box.channel = %(channel)s
        AND coalesce(box.provider_id, message.provider_id) = message.provider_id)"""
# each provider is looked at once and not each message: so these come in the order of their index,
# and as few are read as are taken, however many wait
_CLAIM = f"""
WITH mine AS MATERIALIZED (
    SELECT provider_id, answered
    FROM unnest(%(providers)s::bigint[], %(answered)s::boolean[]) AS message (provider_id, answered)
    WHERE {_OUTSIDE}
), free AS (
    SELECT one.id, one.first_of_incident, one.urgency
    FROM mine, LATERAL (
        SELECT id, first_of_incident, urgency FROM notify_outboxmessage AS message
        WHERE state = 'pending' AND channel = %(channel)s
            AND message.provider_id = mine.provider_id
            AND carrier_id IS NULL AND (template = 'ladder') = mine.answered
            AND message.cloud = %(lane)s
            AND (first_of_incident OR NOT %(firsts)s)
        ORDER BY first_of_incident DESC, urgency, id LIMIT %(limit)s
    ) AS one
    UNION ALL
    SELECT id, first_of_incident, urgency FROM notify_outboxmessage AS message
    WHERE state = 'pending' AND channel = %(channel)s AND carrier_id = %(carrier)s
        AND (first_of_incident OR NOT %(firsts)s) AND {_OUTSIDE}
), chosen AS (
    SELECT id FROM free ORDER BY first_of_incident DESC, urgency, id LIMIT %(limit)s
)
UPDATE notify_outboxmessage AS message
SET state = 'sending', carrier_id = %(carrier)s, claimed_at = %(now)s,
    attempts = least(attempts + 1, 32000)
FROM chosen WHERE message.id = chosen.id AND message.state = 'pending'
RETURNING message.id
"""  # noqa: S608 - put together of constants alone

_HANDED_OVER = """
UPDATE notify_outboxmessage AS message
SET state = 'handed_over', handed_over_at = %s, carrier_ref = taken.ref, last_fault = ''
FROM unnest(%s::bigint[], %s::text[]) AS taken (id, ref) WHERE message.id = taken.id
"""
# all of them, whatever they say: one that is just being looked at is waited for
_KNOWN = """
UPDATE notify_receipt AS receipt SET sought = NULL, aside = false
FROM unnest(%s::bigint[], %s::text[]) AS taken (carrier_id, ref)
WHERE receipt.carrier_id = taken.carrier_id AND receipt.ref = taken.ref AND taken.ref <> ''
    AND receipt.consumed_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that a line has, since when, and whose: told apart from a later claim."""

    parcel: Parcel
    at: datetime
    carrier_id: int


def claim(
    way: routing.Way,
    mine: Collection[tuple[int, bool]],
    limit: int,
    now: datetime,
    *,
    firsts: bool = False,
) -> list[Claimed]:
    """Take so many messages for this carrier, the first of an incident and the urgent ones before.

    mine: (provider, whether an answer is waited for) that the carrier is the first to be asked for.
    firsts: only the first of an incident, which no throttle holds back.
    """
    providers = sorted(mine)
    with transaction.atomic(), agenda.gathered():
        with connection.cursor() as cursor:
            cursor.execute(
                _CLAIM,
                {
                    "providers": [provider for provider, _ in providers],
                    "answered": [answered for _, answered in providers],
                    "channel": way.channel,
                    "lane": way.lane,
                    "carrier": way.id,
                    "limit": limit,
                    "firsts": firsts,
                    "now": now,
                },
            )
            ids = [row[0] for row in cursor.fetchall()]
        messages = OutboxMessage.objects.in_bulk(ids)
        lost = now + timedelta(seconds=CLAIM_S)
        for message in messages.values():
            _on_agenda(message, lost, now)
    found = sorted(messages.values(), key=lambda m: (not m.first_of_incident, m.urgency, m.pk))
    return [Claimed(_parcel(message), now, way.id) for message in found]


def _parcel(message: OutboxMessage) -> Parcel:
    return Parcel(
        id=int(message.pk),
        channel=message.channel,
        template=message.template,
        address=message.address,
        recipient=message.recipient,
        language=message.language,
        subject=message.subject,
        body=message.body,
        provider_id=message.provider_id or 0,
        site_id=message.site_id,
        incident_id=message.incident_id,
        contact_id=message.contact_id,
        created_at=message.created_at,
        attempt=message.attempts,
    )


def locked(claimed: Claimed) -> OutboxMessage | None:
    """The message of a claim, locked; None when the claim was lost and somebody else has it."""
    return (
        OutboxMessage.objects.select_for_update()
        .filter(pk=claimed.parcel.id, state=State.SENDING, claimed_at=claimed.at)
        .first()
    )


def note_taken(message: OutboxMessage, ref: str, now: datetime) -> None:
    """Its carrier has it."""
    message.state, message.handed_over_at, message.carrier_ref = State.HANDED_OVER, now, ref
    message.last_fault = ""
    message.save(update_fields=_TAKEN)
    _off_agenda(message, now)
    _known([message])


def note_all_taken(took: Sequence[tuple[Claimed, str]], now: datetime) -> list[OutboxMessage]:
    """Carriers have these; those that are noted as handed over now are returned, oldest first.

    A claim that was given up meanwhile: the message does not go again, if it did not go yet.
    """
    given = {claimed.parcel.id: (claimed, storable(ref, REF_MOST)) for claimed, ref in took}
    held: list[OutboxMessage] = []
    late: list[OutboxMessage] = []
    rows = OutboxMessage.objects.filter(pk__in=list(given)).order_by("pk").select_for_update()
    for message in rows:
        claimed, ref = given[message.pk]
        if message.state == State.SENDING and message.claimed_at == claimed.at:
            message.state, message.handed_over_at = State.HANDED_OVER, now
            message.carrier_ref, message.last_fault = ref, ""
            _off_agenda(message, now)
            held.append(message)
        elif _taken_late(message, claimed, ref, now):
            late.append(message)
    with connection.cursor() as cursor:
        refs = [message.carrier_ref for message in held]
        cursor.execute(_HANDED_OVER, [now, [message.pk for message in held], refs])
    _known(held)
    return sorted([*held, *late], key=lambda message: message.pk)


def _known(messages: Sequence[OutboxMessage]) -> None:
    """Receipts that came before their message was noted are of somebody now."""
    given = sorted({(int(one.carrier_id or 0), one.carrier_ref) for one in messages})
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [[carrier for carrier, _ in given], [ref for _, ref in given]])


def note_rejected(message: OutboxMessage, fault: str, now: datetime) -> None:
    """Its carrier turned it down for good."""
    message.state, message.last_fault = State.FAILED, fault[:_FAULT_MOST]
    message.save(update_fields=["state", "last_fault"])
    _off_agenda(message, now)


def note_cancelled(message: OutboxMessage, reason: str, now: datetime) -> None:
    """It is no longer wanted: what it asked was answered meanwhile."""
    message.state, message.last_fault = State.CANCELLED, reason[:_FAULT_MOST]
    message.save(update_fields=["state", "last_fault"])
    _off_agenda(message, now)


def note_fault(
    message: OutboxMessage, fault: CarrierFault, ways: Iterable[routing.Way], now: datetime
) -> None:
    """Not taken: the next carrier is asked at once; after the last it waits on the agenda."""
    tried = [*message.tried, int(message.carrier_id or 0)]
    answered = message.template == LADDER
    following = routing.first(
        ways,
        message.provider_id or 0,
        message.channel,
        answered=answered,
        tried=tried,
        lane=message.cloud,
    )
    message.last_fault = str(fault)[:_FAULT_MOST]
    message.doubts += isinstance(fault, InDoubt)
    if following is not None:
        message.state, message.carrier_id, message.tried = State.PENDING, following.id, tried
        _off_agenda(message, now)
        _wake()
    else:
        message.state, message.carrier_id, message.tried = State.WAITING, None, []
        wait_s = routing.again_after_s(message.attempts, fault.after_s)
        _on_agenda(message, now + timedelta(seconds=wait_s), now)
    message.save(update_fields=["state", "carrier_id", "tried", "last_fault", "doubts"])


def lock_of(row: AgendaRow) -> None:
    """The message of an agenda's row, locked before the row: in that order they are noted."""
    OutboxMessage.objects.select_for_update().filter(pk=row.payload["message"]).first()


def again(row: AgendaRow, now: datetime) -> None:
    """The agenda's row: the wait is over, or a line died with the message."""
    message = OutboxMessage.objects.get(pk=row.payload["message"])
    if message.state == State.SENDING:
        _release(message)
    elif message.state == State.WAITING:
        message.state = State.PENDING
        message.save(update_fields=["state"])
    _wake()


def note_delivered(message: OutboxMessage, now: datetime) -> None:
    """It is where it had to be."""
    if message.state == State.HANDED_OVER:
        message.state = State.DELIVERED
    message.delivered_at = message.delivered_at or now
    message.save(update_fields=["state", "delivered_at"])


def note_undelivered(message: OutboxMessage, reason: str) -> bool:
    """Its carrier gave up; False when that is no news (it failed or was delivered before)."""
    if message.state != State.HANDED_OVER:
        return False
    message.state, message.last_fault = State.FAILED, reason[:_FAULT_MOST]
    message.save(update_fields=["state", "last_fault"])
    return True


def note_acknowledged(message: OutboxMessage, now: datetime) -> bool:
    """A person acted on it; False when that is no news."""
    if message.acknowledged_at is not None:
        return False
    message.acknowledged_at = now
    message.save(update_fields=["acknowledged_at"])
    return True


def release_lost(carrier_id: int, now: datetime) -> int:
    """What a line that died had in hand is sent again; how many. Called by its successor alone."""
    with transaction.atomic(), agenda.gathered():
        lost = OutboxMessage.objects.select_for_update().filter(
            carrier_id=carrier_id, state=State.SENDING
        )
        count = 0
        for message in lost:
            _release(message)
            _off_agenda(message, now)
            count += 1
    return count


def _release(message: OutboxMessage) -> None:
    """Nobody knows whether the carrier had it, so it is sent again and counted."""
    message.state, message.doubts = State.PENDING, message.doubts + 1
    if message.template != TEST:
        message.carrier_id = None
    message.save(update_fields=["state", "carrier_id", "doubts"])


def unpin(carrier_id: int) -> int:
    """What was to go to a carrier that does not work is free for any other."""
    return _free(OutboxMessage.objects.filter(carrier_id=carrier_id))


def unpin_idle(now: datetime) -> int:
    """What waits for a carrier that is off, rests or does not work is free for any other.

    Whoever switches one off frees what waits for it then; not what another line gives to it in that
    very moment, nor what waits when no worker runs.
    """
    idle = WayOut.objects.filter(
        ~Q(state=WayOut.State.UP) | Q(enabled=False) | Q(rests_until__gt=now)
    )
    return _free(OutboxMessage.objects.filter(carrier_id__in=idle.values("pk")))


def _free(messages: QuerySet[OutboxMessage]) -> int:
    """Those of them that wait, for any carrier; a test is of this one and shows when it works."""
    count = messages.filter(state=State.PENDING).exclude(template=TEST).update(carrier_id=None)
    if count:
        _wake()
    return count


def beat(carrier_id: int, now: datetime) -> None:
    """A line runs for this carrier."""
    WayOut.objects.filter(pk=carrier_id).update(beat_at=now)


def note_rest(carrier_id: int, until: datetime) -> None:
    """A carrier asked to be left alone; whoever runs the lines looks at once who is asked now."""
    WayOut.objects.filter(pk=carrier_id).update(rests_until=until)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [WAYS])


def note_health(row: WayOut, state: WayOut.State, fault: str, now: datetime) -> None:
    """Write down that a carrier, locked, works or does not."""
    row.state, row.since, row.beat_at, row.last_fault = state, now, now, fault[:_FAULT_MOST]
    row.save(update_fields=["state", "since", "beat_at", "last_fault"])


def note_reason(row: WayOut, fault: str) -> bool:
    """Write down why a carrier, locked, does not work now; whether it is another reason."""
    before, row.last_fault = row.last_fault, fault[:_FAULT_MOST]
    if row.last_fault == before:
        return False
    row.save(update_fields=["last_fault"])
    return True


def _taken_late(message: OutboxMessage, claimed: Claimed, ref: str, now: datetime) -> bool:
    """Whether it is handed over by that; one that another has by now went twice, perhaps."""
    if message.state in (State.PENDING, State.WAITING):
        # whoever was to have it next knows nothing of this ref
        message.carrier_id, message.claimed_at = claimed.carrier_id, claimed.at
        message.save(update_fields=["carrier", "claimed_at"])
        note_taken(message, ref, now)
        return True
    message.doubts += 1
    message.save(update_fields=["doubts"])
    return False


def _on_agenda(message: OutboxMessage, due: datetime, now: datetime) -> None:
    agenda.schedule(
        AGAIN,
        f"message:{message.pk}",
        due,
        now,
        urgency=message.urgency,
        payload={"message": message.pk},
    )


def _off_agenda(message: OutboxMessage, now: datetime) -> None:
    agenda.strike(AGAIN, f"message:{message.pk}", now)


def _wake() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [OUTBOX])
