"""What goes on in the sandbox: who is being called and what he says, and the texts of each phone.

Reads only. The codes of the demo's people are computed again from the installation's pepper and
checked against the stored hash; a code that the office issued anew is nobody's to show.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from meldkamer.incidents.models import Incident
from meldkamer.journal.models import Entry
from meldkamer.notify.models import InboundMessage, OutboxMessage
from meldkamer.office.sandbox.people import PREMISES, Answer, answer, candidate
from meldkamer.people.codes import code_mac
from meldkamer.sites.models import Contact, IdentificationCode, Site

_TRIES = 40
_RECENT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that rings now: who, where, and what the person does, in the reader's language."""

    incident_id: int
    site: str
    person: str
    at: datetime
    answer: Answer
    words: str
    code: str


def demo_code(contact: Contact, *, duress: bool = False) -> str:
    """The code a demo person knows, spaced for reading; "" when the office gave him another."""
    transmitter = contact.site.transmitters.filter(active=True).order_by("pk").first()
    if transmitter is None:
        return ""
    stored = (
        IdentificationCode.objects.filter(contact=contact, duress=duress)
        .values_list("code_mac", flat=True)
        .first()
    )
    pepper, provider_id = settings.MELDKAMER_CODE_PEPPER, contact.site.provider_id
    for attempt in range(_TRIES):
        code = candidate(pepper, transmitter.account, contact.position, attempt, duress=duress)
        if stored is not None and code_mac(code, provider_id, pepper) == bytes(stored):
            return f"{code[:3]} {code[3:]}"
    return ""


def running_call(incident: Incident) -> Call | None:
    """The call of an incident that has no result yet."""
    placed = None
    for entry in Entry.objects.filter(
        incident_id=incident.pk, what__in=("call.placed", "call.result")
    ).order_by("id"):
        placed = entry if entry.what == "call.placed" else None
    return _call(incident, placed) if placed is not None else None


def _call(incident: Incident, entry: Entry) -> Call:
    key = str(entry.data.get("key") or PREMISES)
    does = answer(key, incident.pk, incident.type, bool(incident.verified_by))
    person = None
    if key == PREMISES:
        person = incident.site.contacts.first()
    elif key[1:].isdecimal():
        person = Contact.objects.filter(pk=int(key[1:]), site=incident.site).first()
    name = person.name if person is not None and key != PREMISES else _("the premises")
    return Call(
        incident.pk,
        incident.site.name,
        name,
        entry.at,
        does,
        _(does.words) if does.words else "",
        _spoken_code(does, person),
    )


def _spoken_code(does: Answer, person: Contact | None) -> str:
    """The code as he says it; "" when he knows none."""
    if does.picks_up != "yes" or does.gives_code == "none" or person is None:
        return ""
    code = demo_code(person)
    if does.gives_code == "right" or not code:
        return code
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def running_calls(provider_ids: Collection[int]) -> list[Call]:
    """All calls that ring now, the oldest first."""
    incidents = Incident.objects.filter(
        provider_id__in=provider_ids, closed_at=None, holder__isnull=False
    ).select_related("site")
    calls = [call for incident in incidents if (call := running_call(incident)) is not None]
    return sorted(calls, key=lambda call: call.at)


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone or mailbox with its latest message."""

    address: str
    owner: str
    site: str
    channel: str
    last: str
    at: datetime


def phones(provider_ids: Collection[int], now: datetime, limit: int = 40) -> list[Phone]:
    """Phones and mailboxes that got something in the last day, the latest first."""
    names = dict(Site.objects.filter(provider_id__in=provider_ids).values_list("pk", "name"))
    found: dict[str, Phone] = {}
    rows = OutboxMessage.objects.filter(created_at__gt=now - _RECENT).order_by("-pk")[:400]
    for row in rows:
        if row.site_id not in names or row.address in found:
            continue
        found[row.address] = Phone(
            row.address, row.recipient, names[row.site_id], row.channel, row.body, row.created_at
        )
        if len(found) >= limit:
            break
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a conversation: theirs or ours."""

    at: datetime
    ours: bool
    channel: str
    text: str
    subject: str = ""
    state: str = ""


def conversation(address: str, provider_ids: Collection[int], now: datetime) -> list[Line]:
    """What went to and came from a phone or mailbox in the last day, the oldest first."""
    sites = Site.objects.filter(provider_id__in=provider_ids).values("pk")
    sent = OutboxMessage.objects.filter(
        address=address, site_id__in=sites, created_at__gt=now - _RECENT
    )
    lines = [Line(m.created_at, True, m.channel, m.body, m.subject, m.state) for m in sent]
    if lines:
        came = InboundMessage.objects.filter(sender=address, received_at__gt=now - _RECENT)
        lines += [Line(m.received_at, False, m.channel, m.text) for m in came]
    return sorted(lines, key=lambda line: line.at)
