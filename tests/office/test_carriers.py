"""The office's page of carriers: seeing, entering, changing, testing, the sandbox (M12.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from meldkamer.journal.models import Entry
from meldkamer.notify import health, inbox, way_commands, ways
from meldkamer.notify.channel_words import CHANNEL_WORDS
from meldkamer.notify.kinds import CHANNELS, KINDS, SettingsFault, settings_type
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.office.carrier_forms import CarrierForm
from meldkamer.office.screens import carriers as screen
from meldkamer.people.models import Staff
from meldkamer.sites.models import Provider
from tests.office.conftest import person

LIST = "/office/carriers/"
CLOUD = {
    "name": "Ajax", "priority": "1", "two_way": "on", "provider": "every",
    "s_address": "https://cloud.example/x", "x_key": "agreed-in-secret",
}  # fmt: skip

#: what a setting that must be there may be, where a word will not do
NEEDED = {
    ("", "url"): "https://gateway.example/x?to={number}",
    ("", "address"): "https://cloud.example/x",
    ("", "contact"): "a@b.example",
    ("", "target"): "sip:{number}@exchange.example",
    ("pbx_ari", "url"): "https://exchange.example/ari",
    ("smtp", "sender"): "alarm@b.example",
    ("smpp", "sender"): "+32470000000",
}


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def mail(securitas: Provider) -> WayOut:
    """A mail server that works, driven by somebody."""
    row = way_commands.add(
        "smtp", "relay A", now(), provider_id=securitas.pk,
        settings_given={"host": "smtp.example", "sender": "alarm@securitas.example"},
        secrets={"password": "hunter2hunter2"},
    )  # fmt: skip
    WayOut.objects.filter(pk=row.pk).update(state="up", beat_at=now(), since=now())
    row.refresh_from_db()
    return row


def entered(client: Client, **more: str) -> str:
    answer = client.post(f"{LIST}new/?kind=app_cloud", CLOUD | more, follow=True)
    return answer.content.decode()


@pytest.mark.clause("M12.3", "S8.3")
def test_a_carrier_is_entered_with_its_settings_and_its_secret_is_never_shown(
    office: Client, securitas: Provider
) -> None:
    page = entered(office, provider=str(securitas.pk))
    assert "Ajax is entered." in page
    row = WayOut.objects.get()
    assert (row.kind, row.channel, row.provider_id) == ("app_cloud", "app", securitas.pk)
    assert row.settings["address"] == "https://cloud.example/x"
    assert ways.secrets_of(row) == {"key": "agreed-in-secret"}
    assert b"agreed" not in bytes(row.secrets_sealed or b"")
    assert "agreed-in-secret" not in page
    [entry] = Entry.objects.filter(what="carrier.entered")
    assert (entry.clause, entry.recipient) == ("M12.3", "Ajax")
    assert entry.actor.startswith("staff:")
    assert "agreed" not in str(entry.data)


def test_an_empty_secret_leaves_it_and_a_new_one_replaces_it(office: Client) -> None:
    entered(office)
    row = WayOut.objects.get()
    page = office.post(f"{LIST}{row.pk}/", CLOUD | {"x_key": "", "priority": "3"}, follow=True)
    assert "Saved." in page.content.decode()
    row.refresh_from_db()
    assert (row.priority, row.version, ways.secrets_of(row)["key"]) == (3, 2, "agreed-in-secret")
    office.post(f"{LIST}{row.pk}/", CLOUD | {"x_key": "another"})
    row.refresh_from_db()
    assert ways.secrets_of(row)["key"] == "another"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("s_address", "http://cloud.example/x", "expected https://"),
        ("s_limit_s", "900", "expected 1 to 60 seconds"),
        ("s_limit_s", "soon", "Enter a number."),
        ("s_address", "", "This field is required."),
        ("name", "a\0b", "NUL"),
        ("priority", "0", "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    office: Client, field: str, value: str, said: str
) -> None:
    answer = office.post(f"{LIST}new/?kind=app_cloud", CLOUD | {field: value})
    assert answer.status_code in (400, 422)
    page = answer.content.decode()
    assert said in page
    if answer.status_code == 422:
        assert re.search(rf'id="id_{field}_error"', page), "the fault stands at its field"
        assert "agreed-in-secret" not in page
    assert not WayOut.objects.exists()


SMPP = {
    "name": "Centre", "provider": "every", "priority": "1", "two_way": "on",
    "s_host": "smsc.example", "s_system_id": "arc", "s_sender": "+32460001122",
    "s_bind": "transceiver",
    "s_alphabet": "gsm", "s_long_text": "udh", "s_receipt_ids": "same", "x_password": "geheim",
}  # fmt: skip
GATEWAY = {
    "name": "Gateway", "provider": "every", "priority": "1", "two_way": "on", "s_url": "https://gateway.example/send",
    "s_username": "arc", "s_sender": "8850", "x_password": "geheim",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "sent", "field", "value", "said"),
    [
        ("smpp", SMPP, "s_region", "XX", "of a country (ISO 3166), as BE, not 'XX'"),
        ("smpp", SMPP, "s_host", "smsc .example", "expected a name or an address alone"),
        ("smpp", SMPP, "x_password", "longer than eight", "at most 8 characters"),
        ("sms_http", GATEWAY, "s_url", "ftp://gateway.example", "expected https://"),
        ("sms_http", GATEWAY, "s_sender", "Securitas", "nobody can answer to the name"),
        ("sms_http", GATEWAY, "s_connections", "900", "expected 1 to 64"),
        ("sms_http", GATEWAY, "help_phone", "call me", "call me is no telephone number."),
        ("app_cloud", CLOUD, "x_key", "", "is missing"),
    ],
)
def test_what_its_line_would_refuse_is_refused_where_it_is_typed(
    office: Client, kind: str, sent: dict[str, str], field: str, value: str, said: str
) -> None:
    """Else a slip of the office comes to an operator as an incident of the house."""
    answer = office.post(f"{LIST}new/?kind={kind}", sent | {field: value})
    page = answer.content.decode()
    assert answer.status_code == 422
    at_field = unescape(page.partition(f'id="id_{field}_error"')[2].partition("</p>")[0])
    assert said in at_field, "the fault stands at its field"
    assert f"{kind}: " not in at_field, "of which carrier it is, the form says already"
    assert not WayOut.objects.exists()
    assert office.post(f"{LIST}new/?kind={kind}", sent).status_code == 302


@pytest.mark.clause("M12.4")
def test_faults_are_in_the_language_of_the_office(office: Client, mail: WayOut) -> None:
    WayOut.objects.filter(pk=mail.pk).update(
        state="down", last_fault="smtp.example: [Errno 111] Connection refused"
    )
    office.cookies[settings.LANGUAGE_COOKIE_NAME] = "fr"
    for page in (LIST, f"{LIST}{mail.pk}/"):
        assert "smtp.example : connexion refusée" in office.get(page).content.decode(), page
    answer = office.post(f"{LIST}new/?kind=smpp", SMPP | {"s_port": "99999"})
    assert "attendu de 1 à 65535, et non 99999" in answer.content.decode()


def test_a_form_says_what_holds_for_an_empty_field_as_a_person_writes_it() -> None:
    with translation.override("en"):
        fields = CarrierForm(KINDS["cap"], [], None).fields
        port = CarrierForm(KINDS["smtp"], [], None).fields["s_port"]
    assert fields["s_services"].help_text == "police, fire, medical when empty"
    assert fields["s_status"].help_text == "", "a choice is never empty"
    assert port.help_text == "", "that of its tls"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_a_form_that_gives_back_its_own_settings(kind: str, db: None) -> None:
    """What a form shows of settings, sent back untouched, is the same settings."""
    known = KINDS[kind]
    needed = {
        found.name: NEEDED.get((kind, found.name), NEEDED.get(("", found.name), "word"))
        for found in msgspec.structs.fields(settings_type(known))
        if found.required
    }
    row = WayOut(kind=kind, channel=known.channel, name="one", settings=needed)
    shown = CarrierForm(known, [], row)
    sent = {
        name: shown[name].field.prepare_value(shown[name].value())
        if hasattr(shown[name].field, "prepare_value")
        else shown[name].value()
        for name in shown.fields
    }
    sent = {
        name: ("on" if value is True else str(value))
        for name, value in sent.items()
        if value not in (None, False, "")
    }
    form = CarrierForm(known, [], row, sent)
    assert form.is_valid(), form.errors
    convert = settings_type(known)
    before = msgspec.convert(needed, convert)
    assert msgspec.convert(form.settings(), convert) == before


@pytest.mark.clause("M12.1")
def test_the_page_says_what_fails_what_takes_its_place_and_what_waits(
    office: Client, mail: WayOut, securitas: Provider
) -> None:
    second = way_commands.add(
        "smtp", "relay B", now(), provider_id=securitas.pk, priority=2,
        settings_given={"host": "b.example", "sender": "alarm@b.example"},
    )  # fmt: skip
    WayOut.objects.filter(pk=second.pk).update(state="up", beat_at=now())
    assert "works" in office.get(LIST).content.decode()
    WayOut.objects.filter(pk=mail.pk).update(state="down", last_fault="550 no relaying")
    for state in ("pending", "waiting"):
        OutboxMessage.objects.create(
            channel="mail", template="x", address="a@b.example", recipient="a", language="nl",
            clause="S8.4", body="x", created_at=now(), provider_id=securitas.pk, state=state,
        )  # fmt: skip
    page = office.get(LIST).content.decode()
    for words in (
        "Mail, Securitas: on its second carrier", "relay A fails, relay B is used",
        "2 messages wait", "550 no relaying",
    ):  # fmt: skip
        assert words in page
    WayOut.objects.filter(pk=second.pk).update(beat_at=now() - timedelta(minutes=2))
    assert "Mail, Securitas: does not work" in office.get(LIST).content.decode()


def test_a_carrier_that_nobody_drives_is_not_called_good(
    office: Client, mail: WayOut, securitas: Provider
) -> None:
    [channel] = health.channels([securitas.pk], now())
    assert channel.state == "good"
    [later] = health.channels([securitas.pk], now() + timedelta(minutes=1))
    assert later.state == "unknown"
    assert later.attention


def test_a_channel_without_a_carrier_is_told_when_messages_wait_for_it(
    securitas: Provider, office: Client
) -> None:
    OutboxMessage.objects.create(
        channel="app", template="app", address="x", recipient="a", language="nl", cloud="Ajax",
        clause="S16.1", body="x", created_at=now(), provider_id=securitas.pk,
    )  # fmt: skip
    [channel] = health.channels([securitas.pk], now())
    assert (channel.channel, channel.lane, channel.state, channel.waiting) == (
        "app", "Ajax", "none", 1,
    )  # fmt: skip
    assert "App Ajax, Securitas: no carrier" in office.get(LIST).content.decode()


def test_a_test_message_goes_over_this_very_carrier_and_says_that_it_is_one(
    office: Client, mail: WayOut
) -> None:
    page = office.post(f"{LIST}{mail.pk}/test/", {"address": "me@home.example"}, follow=True)
    assert "The test is on its way to me@home.example." in page.content.decode()
    [message] = OutboxMessage.objects.all()
    assert (message.carrier_id, message.state, message.template) == (
        mail.pk, "pending", "carrier_test",
    )  # fmt: skip
    assert "this is a test of relay A" in message.body
    for odd in ("", "no address"):
        office.post(f"{LIST}{mail.pk}/test/", {"address": odd})
    assert OutboxMessage.objects.count() == 1


def test_nothing_is_tested_where_nothing_may_leave(
    office: Client, mail: WayOut, securitas: Provider
) -> None:
    Provider.objects.filter(pk=securitas.pk).update(practice=True)
    page = office.post(f"{LIST}{mail.pk}/test/", {"address": "me@home.example"}, follow=True)
    assert "Nothing leaves" in page.content.decode()
    assert not OutboxMessage.objects.exists()


def test_the_address_of_the_hooks_is_shown_once(office: Client) -> None:
    entered(office)
    row = WayOut.objects.get()
    answer = office.post(f"{LIST}{row.pk}/hook/")
    [token] = re.findall(r"http://testserver/hooks/([\w-]{40,})/app/", answer.content.decode())
    assert answer.headers["Cache-Control"] == "no-store"
    found = inbox.way_out_of(token)
    assert found is not None
    assert found.pk == row.pk
    assert token not in office.get(f"{LIST}{row.pk}/").content.decode()
    office.post(f"{LIST}{row.pk}/hook/")
    assert inbox.way_out_of(token) is None


def test_the_order_and_the_switch_are_a_button_each(office: Client, mail: WayOut) -> None:
    for act, field, value in (
        ("down", "priority", 2), ("up", "priority", 1), ("up", "priority", 1),
        ("off", "enabled", False), ("on", "enabled", True),
    ):  # fmt: skip
        office.post(f"{LIST}{mail.pk}/{act}/")
        mail.refresh_from_db()
        assert getattr(mail, field) == value


def test_a_channel_is_in_the_sandbox_or_outside_never_both(
    office: Client, mail: WayOut, securitas: Provider
) -> None:
    put = {"provider": str(securitas.pk), "channel": "mail", "put": "in"}
    page = office.post(f"{LIST}sandbox/", put, follow=True).content.decode()
    assert "never both; switch that one off first" in page
    assert health.in_practice([securitas.pk]) == []
    office.post(f"{LIST}{mail.pk}/off/")
    office.post(f"{LIST}sandbox/", put)
    assert health.in_practice([securitas.pk]) == [(securitas, ["mail"])]
    with pytest.raises(SettingsFault, match="never both"):
        way_commands.change(mail.pk, now(), values={"enabled": True})
    assert "never both" in office.post(f"{LIST}{mail.pk}/on/", follow=True).content.decode()
    office.post(f"{LIST}sandbox/", put | {"put": "out"})
    office.post(f"{LIST}{mail.pk}/on/")
    mail.refresh_from_db()
    assert mail.enabled


def test_what_is_of_another_provider_does_not_exist_and_what_is_of_all_is_for_who_works_for_all(
    office: Client, mail: WayOut, dtral: Provider, enter: Callable[[Staff], Client]
) -> None:
    stranger = enter(person("dirk", Staff.Role.OFFICE, dtral))
    assert "relay A" not in stranger.get(LIST).content.decode()
    assert stranger.get(f"{LIST}{mail.pk}/").status_code == 404
    assert stranger.post(f"{LIST}{mail.pk}/off/").status_code == 404
    put = {"provider": str(mail.provider_id), "channel": "sms", "put": "in"}
    assert stranger.post(f"{LIST}sandbox/", put).status_code == 404
    WayOut.objects.filter(pk=mail.pk).update(provider_id=None)
    assert "relay A" in stranger.get(LIST).content.decode()
    assert stranger.get(f"{LIST}{mail.pk}/").status_code == 403
    answer = stranger.post(f"{LIST}new/?kind=app_cloud", CLOUD)
    assert answer.status_code == 422, "every provider is not offered to him"
    operator = enter(person("eva", Staff.Role.OPERATOR, dtral))
    assert operator.get(LIST).status_code == 403


def test_the_page_costs_the_same_for_many_carriers(office: Client, mail: WayOut) -> None:
    with CaptureQueriesContext(connection) as one:
        office.get(LIST)
    for number in range(8):
        way_commands.add(
            "smtp", f"relay {number}", now(),
            settings_given={"host": "b.example", "sender": "alarm@b.example"},
        )  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        office.get(LIST)
    assert len(many) == len(one)


KANNEL = {
    "name": "Kannel", "provider": "every", "priority": "1", "s_url": "https://gateway.example/sendsms",
    "s_username": "arc", "x_password": "s3cret", "s_hooks": '{"sender": "msisdn"}',
}  # fmt: skip


@pytest.mark.parametrize(
    ("secure", "plain", "told"), [(True, "", True), (False, "", False), (False, "on", True)]
)
def test_a_gateway_is_told_where_it_brings_receipts(
    office: Client, secure: bool, plain: str, told: bool
) -> None:
    given = KANNEL | ({"s_plain_http": plain} if plain else {})
    answer = office.post(f"{LIST}new/?kind=sms_http", given)
    assert answer.status_code == 302
    row = WayOut.objects.get(kind="sms_http")
    assert row.settings["hooks"] == {"sender": "msisdn"}
    answer = office.post(f"{LIST}{row.pk}/hook/", secure=secure)
    page = answer.content.decode()
    [address] = set(re.findall(r"https?://testserver/hooks/[\w-]{40,}/", page))
    row.refresh_from_db()
    assert ways.secrets_of(row) == {"password": "s3cret"} | ({"hook_url": address} if told else {})
    assert ("Enter the address under hook_url as well" in page) is not told


@pytest.fixture
def supervisor(securitas: Provider, enter: Callable[[Staff], Client], settings: Any) -> Client:
    settings.MELDKAMER_SECOND_FACTOR_ROLES = frozenset()
    settings.MELDKAMER_DEMO = False
    return enter(person("sam", Staff.Role.SUPERVISOR, securitas))


def waiting(provider: Provider, state: str = "pending") -> OutboxMessage:
    return OutboxMessage.objects.create(
        channel="mail", template="x", address="a@b.example", recipient="a", language="nl",
        clause="S8.4", body="x", created_at=now(), provider_id=provider.pk, state=state,
    )  # fmt: skip


@pytest.mark.clause("M12.3")
def test_going_live_is_a_supervisors_act_with_the_name_typed_and_takes_no_exercise_along(
    supervisor: Client, office: Client, securitas: Provider, settings: Any
) -> None:
    Provider.objects.filter(pk=securitas.pk).update(practice=True)
    exercise = waiting(securitas, "waiting")
    go = {"provider": str(securitas.pk), "put": "live", "name": "securitas"}
    address = f"{LIST}practice/"
    assert office.post(address, go).status_code == 403
    assert (
        "Type the name" in supervisor.post(address, go | {"name": ""}, follow=True).content.decode()
    )
    settings.MELDKAMER_DEMO = True
    assert "never goes live" in supervisor.post(address, go, follow=True).content.decode()
    settings.MELDKAMER_DEMO = False
    securitas.refresh_from_db()
    assert securitas.practice
    assert "Go live" in supervisor.get(LIST).content.decode()
    page = supervisor.post(address, go, follow=True).content.decode()
    assert "really leave the house. 1 message made in practice was cancelled." in page
    securitas.refresh_from_db()
    exercise.refresh_from_db()
    assert (securitas.practice, exercise.state) == (False, "cancelled")
    [entry] = Entry.objects.filter(what="provider.goes_live")
    assert (entry.clause, entry.recipient) == ("M12.3", "Securitas")
    assert entry.actor.startswith("staff:")


@pytest.mark.clause("M12.1")
def test_practice_never_begins_over_a_real_message_that_waits(
    supervisor: Client, office: Client, securitas: Provider
) -> None:
    real = waiting(securitas)
    go = {"provider": str(securitas.pk), "put": "practice", "name": "Securitas"}
    page = supervisor.post(f"{LIST}practice/", go, follow=True).content.decode()
    assert "real messages wait: 1;" in page
    put = {"provider": str(securitas.pk), "channel": "mail", "put": "in"}
    page = office.post(f"{LIST}sandbox/", put, follow=True).content.decode()
    assert "real messages wait: 1;" in page
    real.refresh_from_db()
    assert real.state == "pending"
    OutboxMessage.objects.filter(pk=real.pk).update(state="handed_over")
    office.post(f"{LIST}sandbox/", put)
    assert health.in_practice([securitas.pk]) == [(securitas, ["mail"])]
    exercise = waiting(securitas)
    office.post(f"{LIST}sandbox/", put | {"put": "out"})
    exercise.refresh_from_db()
    assert exercise.state == "cancelled"
    supervisor.post(f"{LIST}practice/", go)
    securitas.refresh_from_db()
    assert securitas.practice


@pytest.mark.clause("M12.4")
def test_every_kind_and_channel_has_words() -> None:
    assert set(KINDS) <= set(screen.KIND_WORDS)
    assert set(CHANNELS) == set(CHANNEL_WORDS)
