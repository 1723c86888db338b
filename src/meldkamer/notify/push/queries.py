"""Reads of the app's phones: who is let in, where a contact is pushed to, what a phone may read."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256

from django.db.models import QuerySet

from meldkamer.notify.models import OutboxMessage
from meldkamer.notify.push.models import AppLink, AppPhone, PushSubscription

#: how long a message is kept to be read on the phone
SHOWN = timedelta(days=30)


def token_mac(token: str) -> bytes:
    """What is stored of a token. It is long and random, so a plain hash will do."""
    return sha256(token.encode()).digest()


def live_links(contact_ids: Collection[int]) -> QuerySet[AppLink]:
    """Links that are used and were not taken back."""
    return AppLink.objects.filter(contact_id__in=contact_ids, used_at__isnull=False, voided_at=None)


def links_of(contact_ids: Collection[int]) -> list[AppLink]:
    """Links that were not taken back, the latest first: for the office's page of contacts."""
    return list(
        AppLink.objects.filter(contact_id__in=contact_ids, voided_at=None)
        .select_related("phone")
        .prefetch_related("phone__subscriptions")
        .order_by("-made_at")
    )


def subscriptions_of(contact_id: int) -> list[PushSubscription]:
    """Where this contact is pushed to now, the latest first."""
    phones = live_links([contact_id]).values("phone_id")
    return list(
        PushSubscription.objects.filter(phone_id__in=phones, gone_at=None).order_by("-made_at")
    )


def phone_of(token: str) -> AppPhone | None:
    """The phone that holds this token and still has a link; None otherwise."""
    if not token:
        return None
    phone = AppPhone.objects.filter(token_mac=token_mac(token)).first()
    if phone is None or not phone.links.filter(voided_at=None).exists():
        return None
    return phone


def contacts_of(phone: AppPhone) -> list[AppLink]:
    """The links of a phone, each with its contact, site and provider."""
    return list(
        phone.links.filter(voided_at=None)
        .select_related("contact__site__provider")
        .order_by("contact__site__name", "pk")
    )


def messages(phone: AppPhone, now: datetime) -> QuerySet[OutboxMessage]:
    """What this phone may read: messages to the app of its contacts, since they were let in."""
    links = contacts_of(phone)
    if not links:
        return OutboxMessage.objects.none()
    since = min(link.made_at for link in links)
    return (
        OutboxMessage.objects.filter(
            channel="app",
            contact_id__in=[link.contact_id for link in links],
            created_at__gt=max(since, now - SHOWN),
        )
        .exclude(state=OutboxMessage.State.CANCELLED)
        .order_by("-created_at", "-id")
    )
