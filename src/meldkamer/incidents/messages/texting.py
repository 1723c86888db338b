"""Replies to texts: stored first, consumed once, answered by the rules of section 4."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import CharField, Exists, Min, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.faults import is_passing
from meldkamer.agenda.models import AgendaRow
from meldkamer.incidents import notices
from meldkamer.incidents.deciding.carry_out import Docket
from meldkamer.incidents.deciding.due import lock_docket, lock_sites
from meldkamer.incidents.deciding.facts import site_facts
from meldkamer.incidents.models import Incident
from meldkamer.journal import commands as journal
from meldkamer.notify.commands import stays_inside
from meldkamer.notify.models import InboundMessage, OutboxMessage
from meldkamer.rules import ladder
from meldkamer.rules.acts import Close, Enqueue, Open
from meldkamer.rules.ladder import Answer, Texted
from meldkamer.sites.models import Contact, Site
from meldkamer.terms.loader import load
from meldkamer.terms.model import Terms

_WITH_OPERATOR = (Incident.State.QUEUED, Incident.State.TAKEN, Incident.State.HELD)


AGAIN = "reply.again"


def _waiting() -> QuerySet[InboundMessage]:
    """Replies to be consumed, without those that were put aside and stand on the agenda."""
    aside = AgendaRow.objects.filter(
        kind=AGAIN,
        subject=Concat(Value("reply:"), Cast(OuterRef("pk"), CharField())),
        done_at=None,
    )
    return InboundMessage.objects.filter(~Exists(aside), consumed_at=None)


def consume_next(now: datetime) -> bool:
    """Consume the oldest reply in one transaction; False when there is none.

    One that cannot be consumed is put aside for the agenda and stops no other.
    """
    message = None
    try:
        with transaction.atomic():
            message = (
                _waiting().select_for_update(skip_locked=True, of=("self",)).order_by("id").first()
            )
            if message is None:
                return False
            _take(message, now)
    except Exception as fault:
        if message is not None and not is_passing(fault):
            _put_aside(message, now)
        raise
    return True


@transaction.atomic
def consume_again(message_id: int, now: datetime) -> None:
    """Consume a reply that was put aside; a fault leaves it on the agenda."""
    message = InboundMessage.objects.select_for_update().get(pk=message_id)
    if message.consumed_at is None:
        _take(message, now)


def _take(message: InboundMessage, now: datetime) -> None:
    message.consumed_at = now
    message.save(update_fields=["consumed_at"])
    _consume(message, now)


@transaction.atomic
def _put_aside(message: InboundMessage, now: datetime) -> None:
    agenda.put_aside(AGAIN, f"reply:{message.pk}", now, {"message": message.pk})
    notices.add("reply", "S7.10", f"{message.sender}: {message.text}", now)


def oldest_unconsumed() -> datetime | None:
    """When the oldest reply came that still waits to be consumed."""
    oldest: datetime | None = _waiting().aggregate(oldest=Min("received_at"))["oldest"]
    return oldest


def _consume(message: InboundMessage, now: datetime) -> None:
    lock_sites(texted.site for texted in _texted(message))
    # read again: what was open may have been closed before we had the lock
    texted = _texted(message)
    if not texted:
        _unexpected(message, now)
        return
    last = max(texted, key=lambda t: (t.text_at, t.incident))
    terms = load(Site.objects.select_related("provider").get(pk=last.site).provider.terms)
    answer = ladder.answer(texted, message.text, terms, now)
    if answer.answered:
        for number, one in enumerate(answer.answered):
            _answer(one, answer, message, now, first=number == 0)
    elif answer.late_for is not None:
        _late(answer.late_for, answer, message, now)
    else:
        _unexpected(message, now)


def _texts(message: InboundMessage) -> QuerySet[OutboxMessage]:
    """Texts to the number that replied; of the provider whose carrier brought the reply.

    A carrier of every provider, and the sandbox, say nothing of whose text was answered; but nobody
    outside answers a text that stayed in the sandbox.
    """
    rows = OutboxMessage.objects.filter(channel="sms", address=message.sender)
    if message.carrier is None:
        return rows
    rows = rows.exclude(stays_inside(), carrier=None)
    provider_id = message.carrier.provider_id
    return rows if provider_id is None else rows.filter(provider_id=provider_id)


def _texted(message: InboundMessage) -> list[Texted]:
    """Every incident of which this number was texted, with the last text to it."""
    rows = _texts(message).filter(incident_id__isnull=False)
    last: dict[int, OutboxMessage] = {}
    for row in rows.order_by("created_at", "id"):
        last[int(row.incident_id or 0)] = row
    incidents = Incident.objects.in_bulk(list(last))
    return [
        Texted(
            incident=incident_id,
            type=incidents[incident_id].type,
            text_at=row.handed_over_at or row.created_at,
            closed_at=incidents[incident_id].closed_at,
            site=incidents[incident_id].site_id,
            contact_key=f"c{row.contact_id}",
        )
        for incident_id, row in last.items()
    ]


def _answer(
    one: Texted, answer: Answer, message: InboundMessage, now: datetime, *, first: bool
) -> None:
    docket = lock_docket(one.incident, now)
    if docket.opened.closed_at is not None:
        return
    technical = docket.opened.type in ladder.TEXTED_TYPES
    _say_received(
        docket, one, message, answer.clause, first=first, other=technical and not answer.ok
    )
    if not technical:
        return
    if answer.ok:
        docket.carry_out([Close("confirmed_by_sms", "S7.3")])
    elif docket.opened.state not in _WITH_OPERATOR:
        docket.carry_out([Enqueue("S7.4", "reply other than ok")])


def _name_then(one: Texted, message: InboundMessage) -> str:
    """Who was texted at this number, though he left the list since (S22.1)."""
    rows = _texts(message).filter(incident_id=one.incident).order_by("-id")
    return rows.values_list("recipient", flat=True).first() or message.sender


def _say_received(
    docket: Docket,
    one: Texted,
    message: InboundMessage,
    clause: str,
    *,
    first: bool,
    other: bool,
) -> None:
    """One line per text; further incidents that it answers get an entry of their own history."""
    contact = docket.site_facts.contact(one.contact_key)
    docket.say(
        "sms.received" if first else "sms.answered",
        clause if first else "S7.9",
        to=contact.name if contact else _name_then(one, message),
        data={
            "text": message.text,
            "key": one.contact_key,
            "other": other,
            "message": message.pk,
            "from": message.sender,
        },
    )


def _late(one: Texted, answer: Answer, message: InboundMessage, now: datetime) -> None:
    """After closing: "ok" changes nothing, anything else opens a new incident (S7.7, S7.8)."""
    closed = lock_docket(one.incident, now)
    _say_received(closed, one, message, answer.clause, first=True, other=False)
    if answer.ok:
        return
    site = closed.site
    running = Incident.objects.filter(site=site, type=one.type, closed_at=None).first()
    docket = Docket(site, site_facts(site, now), now, incident=running)
    if running is None:
        if _answers_by_itself(one, docket.site_facts.terms, now):
            _list(closed.site, "S7.8", f"{_name_then(one, message)}: {message.text}", now)
            return
        priority = docket.site_facts.terms.priority(one.type)
        docket.carry_out(
            [Open(one.type, priority, "S7.8", "late_reply", origin="late_reply", line={})]
        )
    _say_received(docket, one, message, "S7.8", first=False, other=True)
    if running is None or running.state not in _WITH_OPERATOR:
        docket.carry_out([Enqueue("S7.8", "late reply")])


def _list(
    site: Site | None, clause: str, text: str, now: datetime, provider_id: int | None = None
) -> None:
    """Onto the operators' list."""
    notices.add("reply", clause, text, now, site=site, provider_id=provider_id)


def _answers_by_itself(one: Texted, terms: Terms, now: datetime) -> bool:
    """Whether late replies opened so many incidents of late that it can be no person (S7.8).

    A phone that answers each text would open one for every message of the last; from here on its
    replies stand on the operators' list, where a person sees them.
    """
    rules = terms.texting
    since = now - timedelta(seconds=rules.late_replies_within_s)
    opened = Incident.objects.filter(
        site_id=one.site, type=one.type, origin="late_reply", opened_at__gt=since
    )
    return opened.count() >= rules.late_replies


def _unexpected(message: InboundMessage, now: datetime) -> None:
    """Nobody was texted at this number: to the operators' list (S7.10)."""
    whose = message.carrier.provider_id if message.carrier else None
    people = Contact.objects.filter(phone=message.sender).select_related("site__provider")
    contact = (people if whose is None else people.filter(site__provider_id=whose)).first()
    site = contact.site if contact else None
    journal.write(
        "sms.received",
        now,
        provider_id=site.provider_id if site else whose,
        site_id=site.pk if site else None,
        clause="S7.10",
        reason="no open text to this number",
        to=contact.name if contact else message.sender,
        data={"text": message.text, "from": message.sender, "message": message.pk},
    )
    _list(site, "S7.10", f"{message.sender}: {message.text}", now, whose)
