"""What goes on in the sandbox: who is being called and what he says, and the texts of each phone.

Reads only. The codes of the demo's people are computed again from the installation's pepper and
checked against the stored hash; a code that the office issued anew is nobody's to show.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from meldkamer.incidents.models import Incident
from meldkamer.journal.models import Entry
from meldkamer.notify.commands import stays_inside
from meldkamer.notify.models import InboundMessage, OutboxMessage, PatrolUnit
from meldkamer.office.sandbox.people import PREMISES, Answer, answer, candidate
from meldkamer.people.codes import code_mac
from meldkamer.sites.models import Contact, IdentificationCode, Site

_TRIES = 40
_RECENT = timedelta(hours=24)
_UNIT: dict[str, Any] = {
    PatrolUnit.State.FREE: pgettext_lazy("patrol", "free"),
    PatrolUnit.State.OFFERED: pgettext_lazy("patrol", "is asked"),
    PatrolUnit.State.SENT: pgettext_lazy("patrol", "on the way"),
    PatrolUnit.State.ARRIVED: pgettext_lazy("patrol", "on site"),
    PatrolUnit.State.OFF: pgettext_lazy("patrol", "off duty"),
}


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


#: what is which thing on the table: a phone gets texts, the app's messages and announced calls
THINGS = {
    "sms": "phone",
    "app": "phone",
    "voice": "phone",
    "mail": "mailbox",
    "letter": "letter",
    "authority": "service",
}


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone, mailbox, letter box or service with its latest message."""

    address: str
    owner: str
    site: str
    channel: str
    last: str
    at: datetime

    @property
    def thing(self) -> str:
        """phone, mailbox, letter or service."""
        return THINGS.get(self.channel, "phone")


def _inside(provider_ids: Collection[int], now: datetime) -> QuerySet[OutboxMessage]:
    """Messages of the last day that stay in the house: what left it is nobody's to answer here."""
    return OutboxMessage.objects.filter(
        stays_inside(), provider_id__in=list(provider_ids), created_at__gt=now - _RECENT
    )


def phones(provider_ids: Collection[int], now: datetime, limit: int = 60) -> list[Phone]:
    """What got something in the last day, the latest first."""
    rows = list(_inside(provider_ids, now).order_by("-pk")[:400])
    names = dict(
        Site.objects.filter(pk__in={row.site_id for row in rows if row.site_id}).values_list(
            "pk", "name"
        )
    )
    found: dict[str, Phone] = {}
    for row in rows:
        if row.address in found:
            continue
        site = names.get(row.site_id or 0, "")
        found[row.address] = Phone(
            row.address, row.recipient, site, row.channel, row.body, row.created_at
        )
        if len(found) >= limit:
            break
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a conversation: theirs or ours. id: of ours. open: it can be answered."""

    at: datetime
    ours: bool
    channel: str
    text: str
    subject: str = ""
    state: str = ""
    id: int = 0
    open: bool = False
    seen_at: datetime | None = None


def conversation(address: str, provider_ids: Collection[int], now: datetime) -> list[Line]:
    """What went to and came from a phone or mailbox in the last day, the oldest first."""
    lines = [
        Line(
            row.created_at,
            True,
            row.channel,
            row.body,
            row.subject,
            row.state,
            int(row.pk),
            _is_open(row) and row.channel in ("app", "voice"),
            row.acknowledged_at,
        )
        for row in _inside(provider_ids, now).filter(address=address)
    ]
    if lines:
        came = InboundMessage.objects.filter(sender=address, received_at__gt=now - _RECENT)
        lines += [Line(m.received_at, False, m.channel, m.text) for m in came]
    return sorted(lines, key=lambda line: line.at)


def may_reply(address: str, provider_ids: Collection[int], now: datetime) -> bool:
    """Whether a text can come from there: it was texted."""
    return _inside(provider_ids, now).filter(address=address, channel="sms").exists()


def _is_open(row: OutboxMessage) -> bool:
    return (
        row.state == OutboxMessage.State.HANDED_OVER
        and row.acknowledged_at is None
        and row.carrier_id is None
    )


@dataclass(frozen=True, slots=True)
class Ring:
    """An announced call that rings now: who, and what is said."""

    id: int
    person: str
    address: str
    site: str
    text: str
    at: datetime


#: an exchange gives up then; here the person decides, but nothing rings for ever
_RINGS = timedelta(minutes=2)


def rings(provider_ids: Collection[int], now: datetime) -> list[Ring]:
    """Announced calls that ring now, the oldest first."""
    rows = (
        _inside(provider_ids, now)
        .filter(
            channel="voice",
            state=OutboxMessage.State.HANDED_OVER,
            acknowledged_at=None,
            handed_over_at__gt=now - _RINGS,
        )
        .order_by("handed_over_at")[:20]
    )
    names = dict(
        Site.objects.filter(pk__in={row.site_id for row in rows if row.site_id}).values_list(
            "pk", "name"
        )
    )
    return [
        Ring(
            int(row.pk),
            row.recipient,
            row.address,
            names.get(row.site_id or 0, ""),
            row.body,
            row.handed_over_at or row.created_at,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Patrol:
    """One unit with its provider's name and its state in words."""

    unit: PatrolUnit
    provider: str
    state: str


def patrols(providers: Mapping[int, str]) -> list[Patrol]:
    """The patrols' phones: their own page is opened with a link of the office.

    providers: names by number; two of them may have a unit of the same name.
    """
    units = PatrolUnit.objects.filter(provider_id__in=list(providers)).order_by("name", "pk")
    return [Patrol(one, providers[one.provider_id], str(_UNIT[one.state])) for one in units]
