"""A message that tries one carrier out: over its own line, and saying that it is a test.

It belongs to no incident, so nothing that comes of it moves one. Whom it may reach is found here:
who is typed for texts, calls, mail and letters; a contact who has the app, by his number; and the
one recipient that a service's carrier has. Never: anything of a site in what goes to a service.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from meldkamer.notify import commands
from meldkamer.notify.authority import cap
from meldkamer.notify.carrier import TEST
from meldkamer.notify.kinds import BY_NAME
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.notify.post.paper import address_lines
from meldkamer.notify.push.queries import live_links
from meldkamer.sites import phones
from meldkamer.sites.models import Contact, Provider
from meldkamer.terms.loader import load

#: the channels that have a test; a desk's exchange is tried from the desk, with a real call
CHANNELS = ("sms", "mail", "voice", "app", "letter", "authority")
_SUGGESTED_MOST, _LETTER_LINES_LEAST = 20, 3


class NotTried(ValueError):
    """Nothing was sent. code: a sentence of the screen; found: what was typed."""

    def __init__(self, code: str, found: str = "") -> None:
        super().__init__(code)
        self.code, self.found = code, found[:60]


@dataclass(frozen=True, slots=True)
class Reached:
    """Whom the test is for. provider: whose message it is, one that does not practise."""

    provider: Provider
    address: str
    recipient: str
    contact: Contact | None = None


def reached(row: WayOut, providers: Collection[Provider], typed: str) -> Reached:
    """Who is meant by what was typed; NotTried says why nobody is, or why nothing may leave."""
    if row.channel not in CHANNELS:
        raise NotTried("none")
    mine = [one for one in providers if not one.practice and row.provider_id in (None, one.pk)]
    if not mine or not row.enabled:
        raise NotTried("inside")
    text = " ".join(typed.split())
    if row.channel == "app":
        contact = _with_app(row, mine, text)
        owner = next(one for one in mine if one.pk == contact.site.provider_id)
        return Reached(owner, contact.phone, contact.name, contact)
    if row.channel == "letter":
        return Reached(mine[0], *_letter(text))
    if row.channel == "authority":
        recipient = str(row.settings.get("recipient") or "authority")
        return Reached(mine[0], recipient, recipient)
    address = _mail(text) if row.channel == "mail" else _number(text)
    return Reached(mine[0], address, address)


def contacts_with_app(row: WayOut, providers: Collection[Provider]) -> list[Contact]:
    """Contacts whose app this carrier reaches, a few of them: to be suggested."""
    ids = [one.pk for one in providers if row.provider_id in (None, one.pk)]
    people = Contact.objects.filter(site__provider_id__in=ids).exclude(phone="")
    if row.kind in BY_NAME:
        people = people.filter(site__app_cloud=row.name)
    else:
        people = people.filter(
            site__app_cloud="", app_links__used_at__isnull=False, app_links__voided_at=None
        )
    found = people.select_related("site").distinct().order_by("-pk")
    return list(found[:_SUGGESTED_MOST])


def _with_app(row: WayOut, providers: Collection[Provider], text: str) -> Contact:
    people = Contact.objects.filter(
        site__provider_id__in=[one.pk for one in providers], phone=_number(text)
    ).select_related("site")
    if row.kind in BY_NAME:
        found = people.filter(site__app_cloud=row.name).order_by("pk").first()
        if found is None:
            raise NotTried("no_cloud", text)
        return found
    links = live_links(list(people.values_list("pk", flat=True)))
    found = people.filter(pk__in=links.values("contact_id")).order_by("pk").first()
    if found is None:
        raise NotTried("no_app", text)
    return found


def _mail(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        raise NotTried("mail", text) from None
    return text


def _number(text: str) -> str:
    try:
        number = phones.normal(text)
    except ValueError:
        number = ""
    if not number:
        raise NotTried("number", text)
    return number


def _letter(text: str) -> tuple[str, str]:
    """Address and recipient of "name, street, postal code and town"."""
    recipient, _comma, address = text.partition(",")
    lines = address_lines(recipient, address)
    if len(lines) < _LETTER_LINES_LEAST or not any(sign.isdigit() for sign in address):
        raise NotTried("letter", text)
    return address.strip()[:254], recipient.strip()[:120]


@transaction.atomic
def send(row: WayOut, to: Reached, language: str, now: datetime) -> OutboxMessage:
    """Commit the test for this very carrier."""
    contact = to.contact
    message = commands.send(
        row.channel,
        TEST,
        address=to.address,
        recipient=to.recipient,
        language=contact.language if contact else language,
        clause="M12.3",
        now=now,
        facts={"provider": to.provider.name, "carrier": row.name},
        provider_id=to.provider.pk,
        site_id=contact.site_id if contact else None,
        contact_id=contact.pk if contact else None,
        cloud=row.name if row.kind in BY_NAME else "",
    )
    values: dict[str, Any] = {"carrier": row}
    if row.channel == "authority":
        values["body"] = _cap(row, to, message, now)
    OutboxMessage.objects.filter(pk=message.pk).update(**values)
    return message


def _cap(row: WayOut, to: Reached, message: OutboxMessage, now: datetime) -> str:
    """A message that nobody can take for a real one: status Test, and no place, person or event."""
    sender = str(row.settings.get("sender") or f"meldkamer-{to.provider.slug}")
    alert = cap.Alert(
        identifier=f"meldkamer-test-{message.pk}",
        sender=cap.identifier(sender),
        sent=now.astimezone(ZoneInfo(load(to.provider.terms).timezone)),
        status="Test",
        message="Alert",
        recipients=(to.address,),
        language=f"{message.language}-BE",
        categories=("Other",),
        event="TEST",
        response="None",
        urgency="Unknown",
        severity="Unknown",
        certainty="Unknown",
        sender_name=to.provider.name,
        headline=f"TEST: {message.subject}",
        description=message.body,
        instruction="",
        contact="",
        parameters=(("verification.method", "none: a test of the connection"),),
        place=cap.Place("TEST"),
        incident="",
    )
    return cap.write(alert)
