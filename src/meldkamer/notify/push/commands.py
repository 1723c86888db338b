"""The only writer of the app's links, phones and subscriptions.

Tokens leave this module once, to whom they were made for; what is kept is their hash. A link is
used once: two phones that come with it at the same time find one winner.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Replace

from meldkamer.journal import commands as journal
from meldkamer.notify import inbox
from meldkamer.notify.carrier import ReceiptState
from meldkamer.notify.models import OutboxMessage
from meldkamer.notify.push import queries
from meldkamer.notify.push.faults import LinkFault
from meldkamer.notify.push.models import AppLink, AppPhone, PushSubscription
from meldkamer.notify.push.queries import token_mac
from meldkamer.notify.push.subscriptions import Subscribed
from meldkamer.sites.models import Contact

#: how long a link that nobody used lets somebody in
GOOD_FOR = timedelta(days=7)
#: a phone that is subscribed so often is a broken one: the oldest goes
SUBSCRIPTIONS_MOST = 5
_BYTES, _AGENT_MOST = 32, 200
_SEEN_EVERY = timedelta(hours=1)


@transaction.atomic
def issue_link(contact: Contact, now: datetime, actor: str) -> str:
    """A new link for a contact, good once until GOOD_FOR; an unused one of his is taken back.

    Returns its token: for the message to him alone.
    """
    Contact.objects.select_for_update(no_key=True).get(pk=contact.pk)
    AppLink.objects.filter(contact=contact, used_at=None, voided_at=None).update(voided_at=now)
    token = secrets.token_urlsafe(_BYTES)
    AppLink.objects.create(
        contact=contact,
        token_mac=token_mac(token),
        made_at=now,
        made_by=actor,
        until=now + GOOD_FOR,
    )
    _say("app.link_issued", contact, now, actor)
    return token


@transaction.atomic
def take_back_links(contact: Contact, now: datetime, actor: str) -> int:
    """Let no phone of this contact in any more, nor push to it; how many links that were."""
    count = AppLink.objects.filter(contact=contact, voided_at=None).update(voided_at=now)
    if count:
        _say("app.link_taken_back", contact, now, actor)
    return count


def look_up(token: str, now: datetime) -> AppLink:
    """The link of this token, to be used. LinkFault says why it lets nobody in."""
    return _usable(AppLink.objects.filter(token_mac=token_mac(token)), now)


@transaction.atomic
def enter(
    token: str, user_agent: str, now: datetime, phone: AppPhone | None = None
) -> tuple[AppPhone, str | None]:
    """Use a link: the phone it lets in, and that phone's own token when it is a new one.

    phone: one that has the app already, and now gets another contact's messages as well.
    """
    link = _usable(
        AppLink.objects.select_for_update(of=("self",)).filter(token_mac=token_mac(token)), now
    )
    own = None
    if phone is None:
        own = secrets.token_urlsafe(_BYTES)
        phone = AppPhone.objects.create(
            token_mac=token_mac(own),
            user_agent=user_agent.replace("\0", "")[:_AGENT_MOST],
            made_at=now,
            seen_at=now,
        )
    link.used_at, link.phone = now, phone
    link.save(update_fields=["used_at", "phone"])
    _forget(token, link.contact)
    _say("app.link_used", link.contact, now, f"contact:{link.contact_id}")
    return phone, own


def _forget(token: str, contact: Contact) -> None:
    """The message that brought the link keeps its words without it: it opens nothing any more."""
    OutboxMessage.objects.filter(
        address__in=[one for one in (contact.phone, contact.email) if one],
        template="app_link",
        body__contains=token,
    ).update(body=Replace("body", Value(token), Value("…")))


def _usable(found: object, now: datetime) -> AppLink:
    link: AppLink | None = found.select_related("contact__site").first()  # type: ignore[attr-defined]
    if link is None:
        raise LinkFault("unknown")
    if link.voided_at is not None:
        raise LinkFault("taken_back")
    if link.used_at is not None:
        raise LinkFault("used")
    if now >= link.until:
        raise LinkFault("over")
    return link


def seen(phone: AppPhone, now: datetime) -> None:
    """The app was looked at; noted once an hour."""
    AppPhone.objects.filter(pk=phone.pk, seen_at__lt=now - _SEEN_EVERY).update(seen_at=now)


@transaction.atomic
def subscribe(phone: AppPhone, where: Subscribed, now: datetime) -> PushSubscription:
    """Push to this phone there. The same endpoint again renews its keys; the last phone has it."""
    AppPhone.objects.select_for_update(no_key=True).get(pk=phone.pk)
    PushSubscription.objects.filter(endpoint=where.endpoint, gone_at=None).exclude(
        phone=phone, p256dh=where.p256dh, auth=where.auth
    ).update(gone_at=now)
    made, _ = PushSubscription.objects.get_or_create(
        phone=phone,
        endpoint=where.endpoint,
        gone_at=None,
        defaults={"p256dh": where.p256dh, "auth": where.auth, "made_at": now},
    )
    mine = phone.subscriptions.filter(gone_at=None).order_by("-made_at", "-pk")
    too_many = list(mine.values_list("pk", flat=True)[SUBSCRIPTIONS_MOST:])
    PushSubscription.objects.filter(pk__in=too_many).update(gone_at=now)
    return made


def unsubscribe(phone: AppPhone, now: datetime) -> None:
    """Its owner wants no more messages there."""
    phone.subscriptions.filter(gone_at=None).update(gone_at=now)


def note_gone(subscription_id: int, now: datetime) -> None:
    """Its push service says that nobody is there any more."""
    PushSubscription.objects.filter(pk=subscription_id, gone_at=None).update(gone_at=now)


def acknowledge(phone: AppPhone, message_id: int, now: datetime) -> OutboxMessage | None:
    """Its reader has seen a message: a receipt, as any carrier brings it (S8.2, S16.1).

    It never stands an alarm down: nobody gave a name and a code (S19.1). Said twice it counts
    once. None for a message that is not this phone's; one that was not sent yet is not receipted.
    """
    message = queries.messages(phone, now).filter(pk=message_id).first()
    if message is None:
        return None
    if message.carrier_id is not None and message.carrier_ref and not message.acknowledged_at:
        inbox.store_receipt(
            message.carrier_id, message.carrier_ref, ReceiptState.ACKNOWLEDGED, now, detail="app"
        )
    return message


def _say(what: str, contact: Contact, now: datetime, actor: str) -> None:
    journal.write(
        what,
        now,
        provider_id=contact.site.provider_id,
        site_id=contact.site_id,
        clause="S8.3",
        to=contact.name,
        actor=actor,
        data={"contact": contact.pk},
    )
