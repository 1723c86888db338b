"""Replies and receipts that a gateway brings to the hooks."""

from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from meldkamer.notify.models import InboundMessage, Receipt, WayOut
from tests.api.conftest import RECEIPT, REPLY

pytestmark = pytest.mark.usefixtures("as_application")


@pytest.fixture
def caller(gateway: WayOut) -> Client:
    return Client(enforce_csrf_checks=True)


def stored() -> list[tuple[str, str]]:
    rows = InboundMessage.objects.order_by("id").values_list("sender", "text")
    return [(sender, text) for sender, text in rows]


def test_a_reply_is_stored_with_its_carrier_and_answered_without_words(
    caller: Client, gateway: WayOut
) -> None:
    answer = caller.get(
        REPLY, {"from": "+32470000001", "to": "3200", "text": "ok", "id": "faa466f7"}
    )
    assert (answer.status_code, answer.content) == (200, b"")
    row = InboundMessage.objects.get()
    assert (row.channel, row.sender, row.to, row.text) == ("sms", "+32470000001", "3200", "ok")
    assert row.carrier_id == gateway.pk
    assert row.consumed_at is None


@pytest.mark.clause("S7.4")
@pytest.mark.parametrize("text", ["", "%20"])
def test_the_empty_reply_is_a_reply(caller: Client, text: str) -> None:
    answer = caller.get(f"{REPLY}?from=%2B32470000001&text={text}")
    assert answer.status_code == 200
    assert stored() == [("+32470000001", text.replace("%20", " "))]


def test_a_reply_brought_twice_is_stored_once(caller: Client) -> None:
    for _ in range(2):
        given = {"from": "+32470000001", "text": "ok", "id": "7"}
        assert caller.get(REPLY, given).status_code == 200
    assert len(stored()) == 1


@pytest.mark.parametrize(
    ("raw", "charset", "words"),
    [
        (quote("één €"), "", "één €"),
        (quote("één".encode("latin-1")), "ISO-8859-1", "één"),
        (quote("привет".encode("utf-16-be")), "UTF-16BE", "привет"),
        (quote("привет".encode("utf-16-be")), "UCS-2", "привет"),
        (quote("bonjour \xe9".encode("latin-1")), "8-BIT", "bonjour \xe9"),
        ("%FF%FEok", "UTF-8", "��ok"),
        ("ok%00", "", "ok"),
        ("b2s%3D", "base64", "b2s="),
    ],
)
def test_words_in_any_character_set_are_kept(
    caller: Client, raw: str, charset: str, words: str
) -> None:
    answer = caller.get(f"{REPLY}?from=%2B32470000001&text={raw}&charset={charset}")
    assert answer.status_code == 200
    assert stored() == [("+32470000001", words)]


@pytest.mark.clause("S7.9")
@pytest.mark.parametrize(
    "sender", ["+32470000001", "32470000001", "0032470000001", "0470000001", " +32470000001 "]
)
def test_however_the_number_is_written_it_is_the_contacts(caller: Client, sender: str) -> None:
    caller.get(REPLY, {"from": sender, "text": "ok"})
    assert stored() == [("+32470000001", "ok")]


@pytest.mark.clause("S7.10")
@pytest.mark.parametrize("sender", ["8989", "Proximus", "0800"])
def test_a_sender_that_is_no_number_is_kept_as_it_came(caller: Client, sender: str) -> None:
    caller.get(REPLY, {"from": sender, "text": "stop"})
    assert stored() == [(sender, "stop")]


def test_another_gateways_names_are_settings_of_its_carrier(
    caller: Client, gateway: WayOut
) -> None:
    gateway.settings = {
        "url": "https://gateway.example/send",
        "hooks": {
            "sender": "data.msisdn", "text": "data.body", "id": "uuid", "empty_left_out": True,
            "ref": "data.reference", "state": "data.result", "states": {"ARRIVED": "delivered"},
            "country": "NL",
        },
    }  # fmt: skip
    gateway.save()
    reply = {"uuid": 12, "data": {"msisdn": "0612345678", "parts": [1, True, None]}}
    assert caller.post(REPLY, reply, "application/json").status_code == 200
    assert stored() == [("+31612345678", "")]
    receipt = {"data": {"reference": "77", "result": "arrived"}}
    assert caller.post(RECEIPT, receipt, "application/json").status_code == 200
    assert Receipt.objects.get().state == "delivered"


def test_a_form_is_read_as_well(caller: Client) -> None:
    body = "from=%2B32470000001&text=" + quote("été".encode("latin-1")) + "&charset=latin1"
    answer = caller.post(REPLY, body, "application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert stored() == [("+32470000001", "été")]


@pytest.mark.parametrize(
    ("word", "state"),
    [("1", "delivered"), ("2", "failed"), ("16", "failed"), ("DELIVRD", "delivered"),
     ("undeliv", "failed"), ("EXPIRED", "expired")],
)  # fmt: skip
def test_a_receipt_is_stored_once(caller: Client, gateway: WayOut, word: str, state: str) -> None:
    for _ in range(2):
        answer = caller.get(RECEIPT, {"ref": "77", "state": word, "detail": "id:1 err:000"})
        assert (answer.status_code, answer.content) == (200, b"")
    row = Receipt.objects.get()
    assert (row.carrier_id, row.ref, row.state) == (gateway.pk, "77", state)
    assert row.detail == "id:1 err:000"


@pytest.mark.parametrize("word", ["4", "8", "ENROUTE"])
def test_on_its_way_is_no_receipt(caller: Client, word: str) -> None:
    assert caller.get(RECEIPT, {"ref": "77", "state": word}).status_code == 200
    assert not Receipt.objects.exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"text": "ok"}, "from: is missing; expected the number it came from"),
        ({"from": " ", "text": "ok"}, "from: is empty; expected the number it came from"),
        ({"from": "+324700"}, "text: is missing; expected the words; they may be empty"),
        ({"from": "1" * 61, "text": ""}, "from: has 61 characters; expected at most 60"),
        ({"from": "1", "text": "x" * 20_001}, "text: has 20001 characters; expected at most 20000"),
        ({"from": ["1", "2"], "text": ""}, "from: is there twice; expected it once"),
        (
            {"from": "1", "text": "", "id": "x" * 501},
            "id: has 501 characters; expected at most 500",
        ),
    ],
)
def test_bad_input_is_told_what_was_wrong(caller: Client, given: dict[str, Any], said: str) -> None:
    answer = caller.get(REPLY, given)
    assert answer.status_code == 400
    assert answer.content.decode().startswith(said)
    assert stored() == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"state": "1"}, "ref: is missing; expected the message's reference"),
        ({"ref": "77"}, "state: is missing; expected what became of it"),
        ({"ref": "77", "state": "99"}, "state: '99'; expected one of 1, 16, 2, 4, 8, ACCEPTD,"),
    ],
)
def test_a_receipt_that_says_nothing_is_told_so(
    caller: Client, given: dict[str, str], said: str
) -> None:
    answer = caller.get(RECEIPT, given)
    assert answer.status_code == 400
    assert answer.content.decode().startswith(said)
    assert not Receipt.objects.exists()
