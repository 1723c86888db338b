"""Addresses that mail came back from: marked on the record, read, and cleared."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from meldkamer.notify import commands as notify
from meldkamer.notify.mail.coming_back import note_bounced, store
from meldkamer.notify.mail.models import IncomingMail
from meldkamer.notify.models import OutboxMessage
from meldkamer.people.models import Staff
from meldkamer.sites.models import Provider, Site
from tests.notify.mail import reports
from tests.office.conftest import NOW, person

WORDS = "Mail to an@peeters.example came back on 20 Nov 2026: 5.1.1 user unknown"


@pytest.fixture
def message(bakery: Site) -> OutboxMessage:
    """A mail to the customer that was turned down."""
    row = notify.send(
        "mail", "resumed", address="An@Peeters.example", recipient="An", language="nl",
        clause="D908.1", now=NOW, facts={"provider": "S", "site": "B"},
        provider_id=bakery.provider_id, site_id=bakery.pk,
    )  # fmt: skip
    row.last_fault = "5.1.1 user unknown"
    note_bounced(row, NOW)
    return row


def test_an_address_is_marked_until_somebody_made_sure(
    office: Client, bakery: Site, message: OutboxMessage
) -> None:
    record = reverse("office:site", args=[bakery.pk])
    page = office.get(record).content.decode()
    assert WORDS in page
    assert "what came back" not in page
    answer = office.post(
        reverse("office:address_works", args=[bakery.pk]),
        {"address": "an@peeters.example"},
        follow=True,
    )
    assert "Noted: an@peeters.example works again." in answer.content.decode()
    assert WORDS not in office.get(record).content.decode()


def test_what_came_back_is_a_download_for_this_provider_alone(
    office: Client, bakery: Site, message: OutboxMessage, dtral: Provider,
    enter: Callable[[Staff], Client],
) -> None:  # fmt: skip
    store(message.pk, reports.report(), NOW)
    address = reverse("office:came_back", args=[bakery.pk, IncomingMail.objects.get().pk])
    assert address in office.get(reverse("office:site", args=[bakery.pk])).content.decode()
    answer = office.get(address)
    assert answer.content == reports.report()
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    other = enter(person("els", Staff.Role.OFFICE, dtral))
    assert other.get(address).status_code == 404
    assert office.get(reverse("office:came_back", args=[bakery.pk, 999])).status_code == 404
