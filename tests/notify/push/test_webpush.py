"""Our own push, against a push service that opens what it gets and checks who sent it (S8.3)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from meldkamer.notify.carrier import CarrierFault, InDoubt, Parcel, Rejected
from meldkamer.notify.push.book import Address
from meldkamer.notify.push.webpush import (
    WebPush,
    WebPushSettings,
    is_known,
    payload,
    public_key,
)
from tests.notify.push.service import Browser, PushService, unpadded

KEY = bytes(range(32))
PARCEL = Parcel(
    id=41,
    channel="app",
    template="app",
    address="+32470001201",
    recipient="An Peeters",
    language="nl",
    subject="",
    body="batterij zwak, zone Voordeur bij Bakkerij Peeters",
    provider_id=1,
    site_id=2,
    incident_id=3,
    contact_id=4,
    created_at=datetime(2026, 11, 20, 10, tzinfo=UTC),
    attempt=1,
)


class Pages:
    """A book on paper."""

    def __init__(self, *phones: Address) -> None:
        self.phones = list(phones)
        self.ended: list[int] = []

    def addresses(self, contact_id: int) -> Sequence[Address]:
        return [p for p in self.phones if p.id not in self.ended] if contact_id == 4 else []

    def gone(self, address_id: int) -> None:
        self.ended.append(address_id)


@pytest.fixture(scope="module")
def running() -> Iterator[PushService]:
    service = PushService()
    service.voters = public_key(KEY)
    yield service
    service.close()


@pytest.fixture
def service(running: PushService) -> PushService:
    running.got.clear()
    running.refused.clear()
    return running


def at(service: PushService, browser: Browser, number: int = 1) -> Address:
    endpoint = service.address + browser.path
    return Address(number, endpoint, browser.p256dh, unpadded(browser.auth))


def carrier(book: Pages, limit_s: float = 5.0, *, anywhere: bool = True) -> WebPush:
    settings = WebPushSettings("technic@securitas.example", limit_s=limit_s)
    return WebPush(settings, book, KEY, anywhere=anywhere)


@pytest.mark.clause("S8.3", "M12.4")
def test_the_phone_reads_the_message_in_its_language_and_the_push_service_does_not(
    service: PushService,
) -> None:
    browser = service.browser()
    book = Pages(at(service, browser))
    assert carrier(book).send(PARCEL) == "push-41"
    assert service.refused == []
    [got] = service.got
    assert got.said == {"id": 41, "title": "", "body": PARCEL.body, "lang": "nl"}
    assert got.headers["urgency"] == "high"
    assert got.headers["topic"] == "m41"
    assert got.claims["sub"] == "mailto:technic@securitas.example"


def test_every_phone_of_the_contact_is_pushed_to_and_one_that_takes_it_is_enough(
    service: PushService,
) -> None:
    first, second = service.browser(), service.browser()
    service.answers[first.path] = [(503, {})]
    book = Pages(at(service, first, 1), at(service, second, 2))
    assert carrier(book).send(PARCEL) == "push-41"
    assert [got.path for got in service.got] == [second.path]


@pytest.mark.parametrize("code", [404, 410])
def test_a_phone_that_took_the_app_off_is_not_pushed_to_again(
    service: PushService, code: int
) -> None:
    browser = service.browser()
    service.answers[browser.path] = [(code, {})]
    book = Pages(at(service, browser))
    with pytest.raises(Rejected, match="took the app off"):
        carrier(book).send(PARCEL)
    assert book.ended == [1]
    with pytest.raises(Rejected, match="on no phone"):
        carrier(book).send(PARCEL)
    assert service.got == []


@pytest.mark.clause("S8.3")
def test_a_contact_without_the_app_is_turned_down_with_a_reason() -> None:
    with pytest.raises(Rejected, match="An Peeters has the app on no phone"):
        carrier(Pages()).send(PARCEL)
    with pytest.raises(Rejected):
        carrier(Pages()).send(replace(PARCEL, contact_id=None))


def test_a_push_service_that_has_too_much_says_how_long_to_leave_it_alone(
    service: PushService,
) -> None:
    browser = service.browser()
    service.answers[browser.path] = [(429, {"Retry-After": "120"})]
    with pytest.raises(CarrierFault) as fault:
        carrier(Pages(at(service, browser))).send(PARCEL)
    assert fault.value.after_s == 120
    # a phone names its push service itself: what that says must not stop push to all others
    assert fault.value.blames is False
    assert not isinstance(fault.value, (Rejected, InDoubt))


@pytest.mark.parametrize("kind", ["silent", "trickles"])
def test_no_answer_after_the_message_was_given_is_a_doubt_and_ends_in_time(
    service: PushService, kind: str
) -> None:
    browser = service.browser()
    getattr(service, kind).add(browser.path)
    began_s = time.monotonic()
    with pytest.raises(InDoubt):
        carrier(Pages(at(service, browser)), limit_s=1.0).send(PARCEL)
    assert time.monotonic() - began_s < 3


def test_the_phones_of_a_contact_share_the_time_that_a_claim_holds(
    service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meldkamer.notify.push.webpush._ALL_S", 0.8)
    slow, good = service.browser(), service.browser()
    service.trickles.add(slow.path)
    with pytest.raises(InDoubt):
        carrier(Pages(at(service, slow, 1), at(service, good, 2)), limit_s=5.0).send(PARCEL)
    assert service.got == []


def test_a_push_service_that_is_down_is_a_fault_without_doubt() -> None:
    stopped = PushService()
    browser = stopped.browser()
    stopped.close()
    with pytest.raises(CarrierFault) as fault:
        carrier(Pages(at(stopped, browser))).send(PARCEL)
    assert type(fault.value) is CarrierFault
    assert fault.value.blames is False
    assert browser.path not in str(fault.value)


def test_the_key_of_another_installation_is_refused_and_told(service: PushService) -> None:
    browser = service.browser()
    settings = WebPushSettings("technic@securitas.example")
    other = WebPush(settings, Pages(at(service, browser)), bytes(32), anywhere=True)
    with pytest.raises(CarrierFault, match="403"):
        other.send(PARCEL)
    assert service.refused == ["AssertionError('another key')"]


def test_an_address_of_our_own_house_is_not_called(service: PushService) -> None:
    browser = service.browser()
    with pytest.raises(CarrierFault, match="no address outside this house"):
        carrier(Pages(at(service, browser)), anywhere=False).send(PARCEL)
    assert service.got == []
    assert service.refused == []


def test_a_redirect_into_the_house_is_not_followed(service: PushService) -> None:
    browser, inner = service.browser(), service.browser()
    service.answers[browser.path] = [(307, {"Location": service.address + inner.path})]
    with pytest.raises(CarrierFault, match="307"):
        carrier(Pages(at(service, browser))).send(PARCEL)
    assert service.got == []


def test_a_long_message_is_cut_to_what_a_push_service_takes() -> None:
    long = payload(replace(PARCEL, body="é" * 5000))
    assert len(long) <= 2000
    assert long.decode().count("é") > 900
    assert "…" in long.decode()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "missing required field `contact`"),
        ({"contact": "technic"}, "contact: expected an address of e-mail"),
        ({"contact": "a@b.example", "keep_s": 5}, "keep_s: expected"),
        ({"contact": "a@b.example", "limit_s": 900}, "limit_s: expected"),
        ({"contact": "a@b.example", "at_once": 0}, "at_once: expected"),
        ({"contact": "a@b.example", "key": "x"}, "unknown field `key`"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_what_was_expected(
    settings: dict[str, object], said: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert(settings, WebPushSettings)


@pytest.mark.parametrize(
    ("endpoint", "known"),
    [
        ("https://fcm.googleapis.com/fcm/send/x", True),
        ("https://web.push.apple.com/x", True),
        ("https://fcm.googleapis.com.evil.example/x", False),
        ("https://notfcm.googleapis.com/x", False),
        ("https://evil.example/fcm.googleapis.com", False),
    ],
)
def test_only_push_services_that_people_have_speak_for_push_as_a_whole(
    endpoint: str, known: bool
) -> None:
    assert is_known(endpoint) is known
