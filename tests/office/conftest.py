"""Two providers, their people, and one finished site."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client

from meldkamer.people.models import Staff
from meldkamer.sites import whole
from meldkamer.sites.drafts import (
    ContactDraft,
    CustomerDraft,
    SiteDraft,
    TransmitterDraft,
    WholeSite,
    ZoneDraft,
)
from meldkamer.sites.models import Provider, Site

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
KEY = "hex:00112233445566778899AABBCCDDEEFF"


@pytest.fixture
def securitas(db: None) -> Provider:
    return Provider.objects.create(slug="securitas", name="Securitas", terms="securitas-2022-05")


@pytest.fixture
def dtral(db: None) -> Provider:
    return Provider.objects.create(slug="dtral", name="D'Tral", terms="dtral")


def person(username: str, role: str, *providers: Provider) -> Staff:
    staff = Staff.objects.create(username=username, role=role, language="en")
    staff.providers.set(providers)
    return staff


@pytest.fixture
def clerk(securitas: Provider) -> Staff:
    return person("karel", Staff.Role.OFFICE, securitas)


@pytest.fixture
def enter() -> Callable[[Staff], Client]:
    """A browser of a person who has logged in."""

    def log_in(staff: Staff) -> Client:
        client = Client()
        client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return log_in


@pytest.fixture
def office(clerk: Staff, enter: Callable[[Staff], Client]) -> Client:
    """The clerk's browser."""
    return enter(clerk)


def draft(account: str = "1234", **sheet: object) -> WholeSite:
    site = {"name": "Bakkerij Peeters", "plan": "homeguard", "formula": "mix"} | sheet
    return WholeSite(
        customer=CustomerDraft("An Peeters", email="an@peeters.example"),
        site=SiteDraft(**site),  # type: ignore[arg-type]
        transmitters=(TransmitterDraft(account, key=KEY),),
        zones=(ZoneDraft("1", "Back door", kind="contact"), ZoneDraft("2", "Shop", kind="pir")),
        contacts=(
            ContactDraft("An Peeters", phone="0470 00 12 01"),
            ContactDraft("Tom Maes", phone="+32 470 00 12 02"),
            ContactDraft("Els Maes", phone="+49 30 0000 1203"),
        ),
    )


@pytest.fixture
def bakery(securitas: Provider) -> Site:
    site, _ = whole.bring(securitas, draft(), NOW, "test")
    return site
