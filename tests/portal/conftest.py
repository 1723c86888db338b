"""A site with a contact who has the app, and what its phones do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client

from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.notify.push import commands
from meldkamer.sites import whole
from meldkamer.sites.models import Contact, Provider, Site
from tests.office.conftest import draft


@pytest.fixture
def securitas(db: None) -> Provider:
    return Provider.objects.create(
        slug="securitas", name="Securitas", terms="securitas-2022-05", emergency_phone="+3222630000"
    )


@pytest.fixture
def site(securitas: Provider) -> Site:
    return whole.bring(securitas, draft(), datetime.now(UTC), "test")[0]


@pytest.fixture
def an(site: Site) -> Contact:
    """An Peeters, the first of the list."""
    contact = site.contacts.get(position=1)
    contact.language = "nl"
    contact.save()
    return contact


@pytest.fixture
def webpush(securitas: Provider) -> WayOut:
    """Our own push, as the office entered it."""
    return WayOut.objects.create(
        provider_id=securitas.pk, channel="app", kind="webpush", name="push", two_way=True,
        state="up", settings={"contact": "technic@securitas.example"},
    )  # fmt: skip


def link_of(contact: Contact, when: datetime | None = None) -> str:
    """The token of a link as the office issues it."""
    return commands.issue_link(contact, when or datetime.now(UTC), "staff:1")


@pytest.fixture
def phone(an: Contact) -> Client:
    """An's phone: she opened her link and pressed the button."""
    browser = Client()
    address = f"/app/join/{link_of(an)}/"
    assert browser.get(address).status_code == 200
    assert browser.post(address).status_code == 302
    return browser


@pytest.fixture
def told(webpush: WayOut) -> Callable[..., OutboxMessage]:
    """A message to the app that its carrier took."""

    def tell(contact: Contact, body: str = "batterij zwak bij Bakkerij Peeters") -> OutboxMessage:
        now = datetime.now(UTC)
        message = OutboxMessage.objects.create(
            channel="app", template="app", address=contact.phone, recipient=contact.name,
            language=contact.language, clause="S16.1", body=body, created_at=now,
            provider_id=contact.site.provider_id, site_id=contact.site_id, contact_id=contact.pk,
            state="handed_over", handed_over_at=now, carrier=webpush,
        )  # fmt: skip
        message.carrier_ref = f"push-{message.pk}"
        message.save()
        return message

    return tell
