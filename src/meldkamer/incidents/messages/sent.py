"""What becomes of a message after it left: taken, turned down, delivered, acknowledged.

Called with the message's site locked, in the transaction that notes it. A text of the ladder moves
its incident; everything else is written down where the incident's course shows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Max

from meldkamer.incidents import notices
from meldkamer.incidents.deciding import gathering
from meldkamer.incidents.deciding.carry_out import RUNG_LINES, Docket, wait_until
from meldkamer.incidents.deciding.due import lock_docket, lock_site_of, lock_sites
from meldkamer.incidents.locking import lock_site
from meldkamer.incidents.messages import another_way
from meldkamer.incidents.models import Incident
from meldkamer.journal import commands as journal
from meldkamer.notify.authority import commands as authority
from meldkamer.notify.carrier import Parcel
from meldkamer.notify.mail.coming_back import note_bounced
from meldkamer.notify.models import OutboxMessage
from meldkamer.notify.outbox import RUNGS
from meldkamer.rules import ladder
from meldkamer.rules.acts import LadderWait
from meldkamer.terms.loader import load


def lock_for(site_id: int | None, incident_id: int | None) -> None:
    """What a message is about, locked for this transaction: before the message itself."""
    if incident_id is not None:
        lock_site_of(incident_id)
    elif site_id is not None:
        lock_site(site_id)


def lock_sites_of(parcels: Iterable[Parcel]) -> None:
    """The sites of several messages, locked for this transaction in the order of their numbers."""
    lock_sites(parcel.site_id for parcel in parcels if parcel.site_id is not None)


def closed(incident_ids: Iterable[int]) -> set[int]:
    """Incidents that are closed: a text that asks for an answer to one would only confuse."""
    rows = Incident.objects.filter(pk__in=set(incident_ids), closed_at__isnull=False)
    return set(rows.values_list("pk", flat=True))


def handed_over(messages: Iterable[OutboxMessage], now: datetime) -> None:
    """Carriers have these: where one is the last rung of a ladder its wait begins now (S7.2).

    The sites are locked. In the same instant as the decision nothing moves. A later rung, an
    operator or the end of the incident has its own due time, which stays.
    """
    rungs = {
        message.incident_id: message
        for message in messages
        if message.template in RUNGS and message.incident_id is not None
    }
    if not rungs:
        return
    texting = Incident.objects.filter(pk__in=list(rungs), state=Incident.State.TEXTING)
    last = _last_rungs(rungs)
    with gathering.gathered():
        for incident in texting.select_related("provider").order_by("pk"):
            message = rungs[incident.pk]
            by = "voice" if message.channel == "voice" else "sms"
            due = now + ladder.wait_for(by, load(incident.provider.terms))
            if last[incident.pk] == message.pk and incident.due != due:
                wait_until(incident, due, now)


def _last_rungs(incident_ids: Iterable[int | None]) -> dict[int | None, int]:
    """The last text or announced call of each incident's ladder, by the incident."""
    rungs = OutboxMessage.objects.filter(incident_id__in=list(incident_ids), template__in=RUNGS)
    return dict(
        rungs.values("incident_id").annotate(last=Max("pk")).values_list("incident_id", "last")
    )


def turned_down(message: OutboxMessage, now: datetime) -> None:
    """The carrier rejected a message, at once or later: told, and the ladder moves on (S7.2)."""
    note_bounced(message, now)
    if message.incident_id is None:
        _of_no_incident(message, f"{message.channel}.rejected", message.last_fault, now)
        another_way.turned_down(message, None, now)
        return
    docket = lock_docket(message.incident_id, now)
    docket.say(
        f"{message.channel}.rejected",
        "S7.2" if message.template in RUNGS else message.clause,
        message.last_fault,
        to=message.recipient,
        data={"message": message.pk},
    )
    docket.save()
    another_way.turned_down(message, docket, now)
    if waits_for(docket, message.pk):
        docket.carry_out([LadderWait(now)])


def left_behind(message: OutboxMessage, now: datetime) -> None:
    """What came of a message is noted and its incident could not follow: a person looks (M12.1)."""
    whose = Incident.objects.select_related("site")
    incident = whose.get(pk=message.incident_id) if message.incident_id is not None else None
    site = incident.site if incident else None
    notices.add(
        "message", "M12.1", message.recipient, now, site=site, incident=incident,
        provider_id=message.provider_id,
    )  # fmt: skip


def delivered(message: OutboxMessage, detail: str, now: datetime) -> None:
    """It is on the phone: shown in the course and nothing else, so the incident is not read."""
    if message.incident_id is None:
        _of_no_incident(message, "message.delivered", detail, now)
        return
    journal.write(
        "message.delivered",
        now,
        provider_id=message.provider_id,
        site_id=message.site_id,
        incident_id=message.incident_id,
        incident_type=Incident.objects.values_list("type", flat=True).get(pk=message.incident_id),
        clause=message.clause,
        reason=detail,
        to=message.recipient,
        data=_line(message),
    )
    journal.announce(f"incident:{message.incident_id}")


def told(message: OutboxMessage, word: str, detail: str, now: datetime) -> None:
    """Acknowledged or unanswered, as its carrier says.

    What a service acknowledges by wire it has taken on (B1).
    """
    if message.template == authority.TEMPLATE and word == "message.acknowledged":
        word = "service.accepted"
    if message.incident_id is None:
        _of_no_incident(message, word, detail, now)
        return
    docket = lock_docket(message.incident_id, now)
    docket.say(word, message.clause, detail, to=message.recipient, data=_line(message))
    docket.save()


def waits_for(docket: Docket, message_id: int) -> bool:
    """Whether the incident's ladder waits for the answer to this very text or call."""
    if docket.opened.state != Incident.State.TEXTING:
        return False
    texts = [past for past in docket.facts().history if past.what in RUNG_LINES]
    return bool(texts) and texts[-1].data.get("message") == message_id


def _of_no_incident(message: OutboxMessage, word: str, reason: str, now: datetime) -> None:
    journal.write(
        word,
        now,
        provider_id=message.provider_id,
        site_id=message.site_id,
        clause=message.clause,
        reason=reason,
        to=message.recipient,
        data=_line(message),
    )


def _line(message: OutboxMessage) -> dict[str, object]:
    return {"message": message.pk, "channel": message.channel, "template": message.template}
