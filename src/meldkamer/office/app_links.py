"""The link that lets a contact's phone into the app: made and sent in one transaction.

It goes to the address on the call list alone, so that nobody in the office holds one. Its token is
in the message and as a hash in the table; once it was used, reading the message gains nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse

from meldkamer.notify import commands as notify
from meldkamer.notify.models import OutboxMessage
from meldkamer.notify.push import commands as push
from meldkamer.notify.push import queries
from meldkamer.sites.models import Contact
from meldkamer.sites.phones import may_be_texted
from meldkamer.terms.loader import load


class NoWay(Exception):
    """A contact with neither a number that may be texted nor an address for mail."""


@transaction.atomic
def send_link(contact: Contact, request: HttpRequest, now: datetime, actor: str) -> OutboxMessage:
    """A new link, as a text where he may be texted (S7.6), else as a mail. NoWay without both."""
    site = contact.site
    texting = load(site.provider.terms).texting
    by_text = bool(contact.phone) and may_be_texted(contact.phone, texting.mobile_countries)
    if not by_text and not contact.email:
        raise NoWay
    token = push.issue_link(contact, now, actor)
    path = reverse("app:join", args=[token])
    base = settings.MELDKAMER_APP_ADDRESS
    return notify.send(
        "sms" if by_text else "mail",
        "app_link",
        address=contact.phone if by_text else contact.email,
        recipient=contact.name,
        language=contact.language,
        clause="S8.3",
        now=now,
        facts={
            "provider": site.provider.name,
            "site": site.name,
            "link": f"{base.rstrip('/')}{path}" if base else request.build_absolute_uri(path),
            "count": push.GOOD_FOR.days,
        },
        provider_id=site.provider_id,
        site_id=site.pk,
        contact_id=contact.pk,
    )


@dataclass(slots=True)
class AppState:
    """Of one contact: when his last link was sent, phones that were let in, those pushed to."""

    sent: datetime | None = None
    let_in: int = 0
    pushed: int = 0


def states(contact_ids: Collection[int], now: datetime) -> dict[int, AppState]:
    """Who of these has the app. A link that nobody used and that is over counts for nothing."""
    found = {number: AppState() for number in contact_ids}
    for link in queries.links_of(contact_ids):
        if link.phone is None and link.until <= now:
            continue
        state = found[link.contact_id]
        state.sent = state.sent or link.made_at
        if link.phone is not None:
            state.let_in += 1
            state.pushed += any(one.gone_at is None for one in link.phone.subscriptions.all())
    return found
