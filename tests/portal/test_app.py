"""The customer's app: who gets in, what is shown, and what "seen" does (S8.3, S16.1, S19.1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from meldkamer.incidents.messages import receipts
from meldkamer.journal.models import Entry
from meldkamer.notify.models import OutboxMessage, Receipt
from meldkamer.notify.push import commands
from meldkamer.notify.push.book import TableBook
from meldkamer.notify.push.faults import LinkFault
from meldkamer.notify.push.models import AppLink, AppPhone, PushSubscription
from meldkamer.office.screens.site import changes
from meldkamer.sites.models import Contact, Site
from tests.incidents.together import together
from tests.notify.push.service import Browser, unpadded
from tests.portal.conftest import link_of

Tell = Callable[..., OutboxMessage]


def now() -> datetime:
    return datetime.now(UTC)


def subscription(path: str = "/push/1") -> dict[str, str]:
    browser = Browser(path)
    return {
        "endpoint": f"https://updates.push.services.mozilla.com{path}",
        "p256dh": browser.p256dh,
        "auth": unpadded(browser.auth),
    }


@pytest.mark.clause("S8.3", "M12.3")
def test_a_link_lets_one_phone_in_once_and_the_journal_says_so(an: Contact) -> None:
    address = f"/app/join/{link_of(an)}/"
    mine, other = Client(), Client()
    # what looks at addresses by itself uses nothing up
    for _ in range(2):
        assert mine.get(address).status_code == 200
    assert mine.post(address).headers["Location"] == "/app/"
    cookie = mine.cookies["meldkamer_app"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/app/")
    page = other.post(address)
    assert page.status_code == 404
    assert "used already" in page.content.decode()
    assert "Bakkerij" not in other.get("/app/").content.decode()
    entries = Entry.objects.filter(site_id=an.site_id, what__startswith="app.").order_by("id")
    assert [(e.what, e.clause, e.recipient) for e in entries] == [
        ("app.link_issued", "S8.3", "An Peeters"),
        ("app.link_used", "S8.3", "An Peeters"),
    ]
    assert changes(an.site)[0].who == "An Peeters", "as the office reads it"


def test_neither_the_link_nor_the_phone_can_be_read_out_of_the_tables(an: Contact) -> None:
    token = link_of(an)
    _phone, own = commands.enter(token, "a phone", now())
    assert own is not None
    for table in (AppLink, AppPhone):
        assert token.encode() not in bytes(table.objects.get().token_mac)
        assert own.encode() not in bytes(table.objects.get().token_mac)
    said = [str(entry.data) + entry.reason for entry in Entry.objects.all()]
    assert not any(token in text or own in text for text in said)


def test_two_phones_with_one_link_at_the_same_time_find_one_winner(
    transactional_db: None, an: Contact
) -> None:
    token = link_of(an)
    results = together(*[partial(commands.enter, token, f"phone {n}", now()) for n in range(4)])
    refused = [found for found in results if isinstance(found, LinkFault)]
    assert [fault.why for fault in refused] == ["used"] * 3
    assert AppPhone.objects.count() == 1


@pytest.mark.parametrize("why", ["unknown", "over", "taken_back"])
def test_a_link_that_lets_nobody_in_says_why(an: Contact, why: str) -> None:
    made = now() - timedelta(days=7) if why == "over" else now()
    token = link_of(an, made)
    if why == "taken_back":
        assert commands.take_back_links(an, now(), "staff:1") == 1
    token = "x" + token[1:] if why == "unknown" else token
    page = Client().get(f"/app/join/{token}/")
    assert page.status_code == 404
    assert {"unknown": "not one of ours", "over": "too old", "taken_back": "taken back"}[
        why
    ] in page.content.decode()


def test_a_new_link_takes_an_unused_one_back(an: Contact) -> None:
    first, second = link_of(an), link_of(an)
    with pytest.raises(LinkFault, match="taken_back"):
        commands.look_up(first, now())
    assert commands.look_up(second, now()).contact_id == an.pk


def test_the_link_can_be_pasted_into_an_app_that_knows_nothing_of_the_browser(an: Contact) -> None:
    token = link_of(an)
    installed = Client()
    for text in (f"https://alarm.example/app/join/{token}/", f" {token} "):
        found = installed.post("/app/join/", {"link": text})
        assert found.headers["Location"] == f"/app/join/{token}/"
    for odd in ("", "https://evil.example/?a=b&c", "javascript:alert(1)", "../../x y"):
        assert installed.post("/app/join/", {"link": odd}).status_code == 404


@pytest.mark.clause("S8.3")
def test_the_phone_shows_what_was_said_to_its_contact_and_nothing_else(
    phone: Client, an: Contact, site: Site, told: Tell
) -> None:
    told(an)
    told(site.contacts.get(position=2), "niet voor An")
    page = phone.get("/app/").content.decode()
    assert "batterij zwak bij Bakkerij Peeters" in page
    assert "niet voor An" not in page
    for secret in ("+3247000", "Tom Maes", site.customer.email, "homeguard"):
        assert secret not in page
    assert 'lang="nl"' in page
    assert "Noodlijn" in page


@pytest.mark.clause("S16.1", "S8.3", "S19.1")
def test_seen_is_a_receipt_that_is_written_down_once_and_ends_nothing(
    phone: Client, an: Contact, told: Tell
) -> None:
    message = told(an)
    for _ in range(2):
        assert phone.post(f"/app/messages/{message.pk}/seen/").status_code == 302
    [receipt] = Receipt.objects.all()
    assert (receipt.ref, receipt.state) == (f"push-{message.pk}", "acknowledged")
    assert receipts.consume_next(now())
    message.refresh_from_db()
    assert message.acknowledged_at is not None
    assert message.state == "handed_over"
    [entry] = Entry.objects.filter(what="message.acknowledged")
    assert (entry.clause, entry.recipient, entry.data["channel"]) == ("S16.1", "An Peeters", "app")
    page = phone.get("/app/").content.decode()
    assert "I have seen it" not in page
    assert f"/app/messages/{message.pk}/seen/" not in page


def test_a_message_of_another_contact_cannot_be_said_to_be_seen(
    phone: Client, site: Site, told: Tell
) -> None:
    message = told(site.contacts.get(position=2))
    assert phone.post(f"/app/messages/{message.pk}/seen/").status_code == 404
    assert Client().post(f"/app/messages/{message.pk}/seen/").headers["Location"] == "/app/"
    assert not Receipt.objects.exists()


def test_a_message_that_is_not_sent_yet_is_read_and_not_receipted(
    phone: Client, an: Contact, told: Tell
) -> None:
    message = told(an)
    OutboxMessage.objects.filter(pk=message.pk).update(state="pending", carrier_ref="")
    assert "batterij zwak" in phone.get("/app/").content.decode()
    phone.post(f"/app/messages/{message.pk}/seen/")
    assert not Receipt.objects.exists()


def test_a_phone_whose_link_was_taken_back_reads_nothing_and_is_not_pushed_to(
    phone: Client, an: Contact, told: Tell
) -> None:
    told(an)
    assert phone.post("/app/subscribe/", subscription()).status_code == 204
    assert len(TableBook().addresses(an.pk)) == 1
    commands.take_back_links(an, now(), "staff:1")
    assert TableBook().addresses(an.pk) == []
    assert "batterij" not in phone.get("/app/").content.decode()
    assert phone.get("/app/list/").headers["HX-Redirect"] == "/app/"
    assert phone.post("/app/subscribe/", subscription("/push/2")).status_code == 403


def test_a_contact_who_is_removed_takes_his_phone_with_him(phone: Client, an: Contact) -> None:
    phone.post("/app/subscribe/", subscription())
    number = an.pk
    an.delete()
    assert TableBook().addresses(number) == []
    assert "was not let in" in phone.get("/app/").content.decode()


def test_one_phone_serves_a_person_of_two_sites(
    phone: Client, an: Contact, site: Site, told: Tell
) -> None:
    second = site.contacts.get(position=2)
    phone.post("/app/subscribe/", subscription())
    assert phone.post(f"/app/join/{link_of(second)}/").status_code == 302
    assert AppPhone.objects.count() == 1
    told(second, "voor de tweede")
    assert "voor de tweede" in phone.get("/app/").content.decode()
    assert [len(TableBook().addresses(who.pk)) for who in (an, second)] == [1, 1]


def test_a_subscription_is_kept_once_and_ends_when_its_push_service_says_so(
    phone: Client, an: Contact
) -> None:
    where = subscription()
    for _ in range(2):
        assert phone.post("/app/subscribe/", where).status_code == 204
    [address] = TableBook().addresses(an.pk)
    TableBook().gone(address.id)
    row = PushSubscription.objects.get()
    assert row.gone_at is not None
    assert TableBook().addresses(an.pk) == []
    phone.post("/app/subscribe/", where)
    phone.post("/app/quiet/")
    assert TableBook().addresses(an.pk) == []


def test_a_phone_has_few_subscriptions_and_the_oldest_goes(phone: Client, an: Contact) -> None:
    for number in range(commands.SUBSCRIPTIONS_MOST + 2):
        assert phone.post("/app/subscribe/", subscription(f"/push/{number}")).status_code == 204
    endpoints = [address.endpoint[-1] for address in TableBook().addresses(an.pk)]
    assert sorted(endpoints) == ["2", "3", "4", "5", "6"]


@pytest.mark.parametrize("field", ["endpoint", "p256dh", "auth"])
def test_a_subscription_that_is_none_is_refused_with_what_was_expected(
    phone: Client, field: str
) -> None:
    answer = phone.post("/app/subscribe/", subscription() | {field: "http://10.0.0.1/x"})
    assert answer.status_code == 400
    assert "https" in answer.content.decode() or "base64url" in answer.content.decode()
    assert not PushSubscription.objects.exists()


def test_a_strangers_phone_is_told_how_it_gets_in_and_nothing_is_written(
    client: Client, db: None
) -> None:
    page = client.get("/app/")
    assert page.status_code == 200
    assert "was not let in" in page.content.decode()
    client.cookies["meldkamer_app"] = "x" * 43
    assert "was not let in" in client.get("/app/").content.decode()
    assert client.get("/app/list/").status_code == 204
    assert client.post("/app/join/", {"link": "a\0b"}).status_code == 400


@pytest.mark.clause("M12.4")
@pytest.mark.parametrize(
    ("language", "words"),
    [("nl", "Berichten"), ("fr", "Messages"), ("de", "Nachrichten"), ("en", "Messages")],
)
def test_the_app_speaks_the_language_of_its_contact(
    phone: Client, an: Contact, language: str, words: str
) -> None:
    Contact.objects.filter(pk=an.pk).update(language=language)
    page = phone.get("/app/").content.decode()
    assert f'lang="{language}"' in page
    assert f"<h1>{words}</h1>" in page


def test_the_manifest_and_the_worker_make_it_an_app(phone: Client) -> None:
    manifest = phone.get("/app/manifest.webmanifest").json()
    assert (manifest["scope"], manifest["start_url"]) == ("/app/", "/app/")
    assert "Securitas" in manifest["name"]
    for icon in manifest["icons"]:
        assert phone.get(icon["src"]).status_code == 200
    worker = phone.get("/app/sw.js")
    assert worker.headers["Service-Worker-Allowed"] == "/app/"
    assert worker.headers["Content-Type"].startswith("text/javascript")


def test_practice_is_said_on_the_phone(phone: Client, an: Contact) -> None:
    assert "banner practice" not in phone.get("/app/").content.decode()
    provider = an.site.provider
    provider.practice = True
    provider.save()
    assert "banner practice" in phone.get("/app/").content.decode()


def test_the_page_costs_the_same_for_many_messages(phone: Client, an: Contact, told: Tell) -> None:
    told(an)
    with CaptureQueriesContext(connection) as one:
        phone.get("/app/")
    for _ in range(20):
        told(an)
    with CaptureQueriesContext(connection) as many:
        phone.get("/app/")
    assert len(many) == len(one) <= 9
