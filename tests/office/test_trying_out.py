"""Every kind of carrier that can be tried out is: over its own line, and nobody is misled."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from meldkamer.incidents.messages import receipts, sent
from meldkamer.incidents.models import Notice
from meldkamer.journal.models import Entry
from meldkamer.notify import outbox, trying_out, way_commands
from meldkamer.notify.carrier import ReceiptState
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.notify.push import commands as push
from meldkamer.office.screens import carriers as screen
from meldkamer.people.models import Staff
from meldkamer.sites.models import Contact, Provider, Site
from tests.notify.authority.checker import faults

LIST = "/office/carriers/"
SETTINGS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "cap": ({"url": "https://pz.example/cap", "sender": "c@b.example", "recipient": "pz-gent"}, {}),
    "webpush": ({"contact": "push@b.example"}, {}),
    "app_cloud": ({"address": "https://cloud.example/x"}, {"key": "agreed"}),
    "print_queue": ({}, {}),
    "pbx_http": ({"url": "https://pbx.example/{number}"}, {}),
}


def now() -> datetime:
    return datetime.now(UTC)


def carrier(kind: str, provider: Provider, name: str = "Ours") -> WayOut:
    given, secrets = SETTINGS[kind]
    return way_commands.add(
        kind, name, now(), provider_id=provider.pk, settings_given=given, secrets=secrets
    )


def attempt(office: Client, row: WayOut, typed: str = "") -> str:
    page = office.post(f"{LIST}{row.pk}/test/", {"address": typed}, follow=True)
    return page.content.decode()


@pytest.fixture
def first(bakery: Site) -> Contact:
    return bakery.contacts.get(position=1)


@pytest.fixture
def phone(first: Contact) -> Contact:
    """He has the app on a phone."""
    push.enter(push.issue_link(first, now(), "staff:1"), "", now())
    return first


@pytest.mark.clause("B1")
def test_nobody_can_take_the_test_of_a_service_s_carrier_for_a_real_message(
    office: Client, securitas: Provider, bakery: Site
) -> None:
    row = carrier("cap", securitas)
    assert "The test is on its way to pz-gent." in attempt(office, row)
    [message] = OutboxMessage.objects.all()
    assert (message.carrier_id, message.incident_id, message.site_id) == (row.pk, None, None)
    assert faults(message.body) == []
    said = {
        one.tag.rpartition("}")[2]: one.text or "" for one in ET.fromstring(message.body).iter()
    }
    assert (said["status"], said["event"], said["areaDesc"]) == ("Test", "TEST", "TEST")
    assert (said["urgency"], said["severity"], said["certainty"]) == ("Unknown",) * 3
    assert said["responseType"] == "None"
    assert said["headline"].startswith("TEST: ")
    assert "Peeters" not in message.body
    # its acceptance is that of a test, and of no request for help
    message.carrier_ref = "cap-1"
    receipts.take(message, ReceiptState.ACKNOWLEDGED, "", now())
    words = set(Entry.objects.values_list("what", flat=True))
    assert "message.acknowledged" in words
    assert "service.accepted" not in words


@pytest.mark.clause("S8.3")
def test_our_push_is_tried_on_the_phones_of_a_contact_who_is_named_by_his_number(
    office: Client, securitas: Provider, phone: Contact
) -> None:
    row = carrier("webpush", securitas)
    page = office.get(f"{LIST}{row.pk}/").content.decode()
    assert f'<option value="{phone.phone}">{phone.name}' in page
    assert f"The test is on its way to {phone.name}." in attempt(office, row, "0470 00 12 01")
    [message] = OutboxMessage.objects.all()
    assert (message.contact_id, message.carrier_id, message.language) == (
        phone.pk, row.pk, phone.language,
    )  # fmt: skip
    assert row.name in message.body
    # what is turned down is shown here, and is nobody's to tell a customer
    outbox.note_rejected(message, "the phone is gone", now())
    sent.turned_down(message, now())
    assert not Notice.objects.exists()
    assert "turned down" in office.get(f"{LIST}{row.pk}/").content.decode()


def test_who_has_the_app_on_no_phone_is_not_pushed_to(
    office: Client, securitas: Provider, first: Contact
) -> None:
    row = carrier("webpush", securitas)
    assert "has the app on a phone" in attempt(office, row, first.phone)
    assert "is no telephone number" in attempt(office, row, "An")
    assert not OutboxMessage.objects.exists()


@pytest.mark.clause("S8.3")
def test_a_cloud_is_tried_with_a_contact_whose_site_names_it(
    office: Client, securitas: Provider, first: Contact
) -> None:
    row = carrier("app_cloud", securitas, "Ajax")
    assert "names this cloud" in attempt(office, row, first.phone)
    Site.objects.filter(pk=first.site_id).update(app_cloud="Ajax")
    assert "The test is on its way" in attempt(office, row, first.phone)
    [message] = OutboxMessage.objects.all()
    assert (message.cloud, message.address) == ("Ajax", first.phone)


def test_a_contact_of_another_provider_is_nobody_here(
    enter: Callable[[Staff], Client], securitas: Provider, dtral: Provider, phone: Contact
) -> None:
    row = carrier("webpush", dtral)
    staff = Staff.objects.create(username="d", role=Staff.Role.OFFICE, language="en")
    staff.providers.set([dtral])
    other = enter(staff)
    assert phone.phone not in other.get(f"{LIST}{row.pk}/").content.decode()
    assert "has the app on a phone" in attempt(other, row, phone.phone)


def test_the_test_of_a_print_queue_is_addressed_as_it_is_typed(
    office: Client, securitas: Provider
) -> None:
    row = carrier("print_queue", securitas)
    for odd in ("", "An Peeters", "An Peeters, Gent", "Kerkstraat 1"):
        assert "is no address for a letter" in attempt(office, row, odd)
    assert "on its way to An Peeters" in attempt(office, row, "An Peeters, Kerkstraat 1, 9000 Gent")
    [message] = OutboxMessage.objects.all()
    assert (message.recipient, message.address) == ("An Peeters", "Kerkstraat 1, 9000 Gent")


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", "has no test message"),
        ("nl", "geen testbericht"),
        ("fr", "pas de message d’essai"),
        ("de", "keine Testnachricht"),
    ],
)
def test_an_exchange_has_no_test_and_says_so_in_every_language(
    office: Client, clerk: Staff, securitas: Provider, language: str, says: str
) -> None:
    Staff.objects.filter(pk=clerk.pk).update(language=language)
    row = carrier("pbx_http", securitas)
    assert says in office.get(f"{LIST}{row.pk}/").content.decode()
    assert says in attempt(office, row, "+32475000001")
    assert not OutboxMessage.objects.exists()


def test_nothing_is_tried_where_nothing_may_leave(
    office: Client, securitas: Provider, phone: Contact
) -> None:
    rows = [carrier(kind, securitas) for kind in ("cap", "webpush", "print_queue")]
    Provider.objects.filter(pk=securitas.pk).update(practice=True)
    for row in rows:
        assert "Nothing leaves" in attempt(office, row, phone.phone)
    Provider.objects.filter(pk=securitas.pk).update(practice=False)
    for row in rows:
        way_commands.change(row.pk, now(), values={"enabled": False})
        assert "Nothing leaves" in attempt(office, row, phone.phone)
    assert not OutboxMessage.objects.exists()


def test_every_channel_has_its_test_or_the_reason_why_not() -> None:
    for channel in trying_out.CHANNELS:
        assert channel in screen.TEST_FIELDS or channel in screen.TEST_WORDS
    for state in OutboxMessage.State.values:
        assert state in screen.MESSAGE_STATES
