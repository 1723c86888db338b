"""What a key press, or none, does: the answers to announced calls, and to whatever is acknowledged.

Only a key answers; a call that was taken up without one is as no answer (S7.2). A key is the "ok"
of the ladder (S7.3), also when it comes late (S7.7). A supervisor's key says that he knows, and
moves neither the owner nor the due time of an incident (M12.2).

Called with the message's site locked, in the transaction that consumes the receipt.
"""

from __future__ import annotations

from datetime import datetime

from meldkamer.incidents.deciding.carry_out import UNANSWERED
from meldkamer.incidents.deciding.due import lock_docket
from meldkamer.incidents.messages import sent
from meldkamer.incidents.messages.supervisor_calls import KNOWS
from meldkamer.notify.models import OutboxMessage
from meldkamer.notify.outbox import ANNOUNCED, REMINDER
from meldkamer.rules import ladder
from meldkamer.rules.acts import Close, LadderWait

_ACKNOWLEDGED = "message.acknowledged"


def acknowledged(message: OutboxMessage, detail: str, now: datetime) -> None:
    """A person acted on it."""
    if message.template == REMINDER:
        sent.told(message, KNOWS, detail, now)
        return
    sent.told(message, _ACKNOWLEDGED, detail, now)
    if message.template != ANNOUNCED or message.incident_id is None:
        return
    docket = lock_docket(message.incident_id, now)
    incident = docket.opened
    if incident.closed_at is None and incident.type in ladder.TEXTED_TYPES:
        docket.carry_out([Close("confirmed_by_call", "S7.3", detail)])


def unanswered(message: OutboxMessage, detail: str, now: datetime) -> None:
    """Nobody acted: the ladder that waits for it moves on at once (S7.2)."""
    sent.told(message, UNANSWERED, detail, now)
    if message.template != ANNOUNCED or message.incident_id is None:
        return
    docket = lock_docket(message.incident_id, now)
    if sent.waits_for(docket, message.pk):
        docket.carry_out([LadderWait(now)])
