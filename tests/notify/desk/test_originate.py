"""Exchanges are asked over real sockets: any by HTTP, Asterisk by ARI."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from meldkamer.notify.carrier import CarrierFault, InDoubt, Parcel, ReceiptState, Rejected
from meldkamer.notify.desk import numbers
from meldkamer.notify.kinds import SettingsFault, build
from tests.notify.desk.exchange import Exchange, exchange


class Ears:
    carrier_id = 7

    def reply(self, sender: str, text: str, *, to: str = "", ref: str = "") -> None:
        raise AssertionError

    def receipt(self, ref: str, state: ReceiptState, *, detail: str = "") -> None:
        raise AssertionError


@pytest.fixture(scope="module")
def peer() -> Iterator[Exchange]:
    with exchange() as found:
        yield found


@pytest.fixture(autouse=True)
def fresh(peer: Exchange) -> None:
    peer.code, peer.wait_s, peer.auth, peer.body = 200, 0.0, "", b""
    peer.asked.clear()
    peer.channels.clear()


def parcel(number: str = "+32475123456", extension: str = "201", id: int = 42) -> Parcel:
    return Parcel(
        id=id, channel="desk", template="originate", address=number, recipient="c1", language="",
        subject="", body=extension, provider_id=1, site_id=1, incident_id=1, contact_id=None,
        created_at=datetime(2026, 3, 2, tzinfo=UTC), attempt=1,
    )  # fmt: skip


def by_http(peer: Exchange, secret: str = "", **settings: Any) -> Any:
    given = {"url": f"{peer.url}/call?to={{number}}", **settings}
    return build("pbx_http", given, {"authorization": secret} if secret else {}, Ears())


def by_ari(peer: Exchange, **settings: Any) -> Any:
    given = {"url": f"{peer.url}/ari", "user": "desk", "context": "from-desk", **settings}
    return build("pbx_ari", given, {"password": "a secret"}, Ears())


def test_any_exchange_gets_extension_number_and_id_where_its_template_says(peer: Exchange) -> None:
    body = '{"from": "{extension}", "to": "{number}", "ref": "{id}"}'
    carrier = by_http(peer, "Bearer abc", url=f"{peer.url}/originate", body=body)
    assert carrier.send(parcel()) == "42"
    (one,) = peer.asked
    assert json.loads(one.body) == {"from": "201", "to": "+32475123456", "ref": "42"}
    assert (one.method, one.headers["authorization"]) == ("POST", "Bearer abc")


def test_what_is_put_in_stays_a_value(peer: Exchange) -> None:
    assert numbers.in_address("/c/{number}?x={id}", {"number": "../a b&c", "id": "1&y=2"}) == (
        "/c/..%2Fa%20b%26c?x=1%26y%3D2"
    )
    filled = numbers.in_body('{"n": "{number}"}', "application/json", {"number": 'a"b\\'})
    assert json.loads(filled) == {"n": 'a"b\\'}


@pytest.mark.parametrize(
    ("form", "prefix", "number", "dialled"),
    [
        ("e164", "", "+32475123456", "+32475123456"),
        ("00", "0", "+32475123456", "00032475123456"),
        ("national", "", "+32475123456", "0475123456"),
        ("national", "0", "+31201234567", "00031201234567"),
        ("national", "", "112", "112"),
        ("00", "0", "101", "0101"),
    ],
)
def test_a_number_has_the_form_that_the_exchange_dials(
    form: Any, prefix: str, number: str, dialled: str
) -> None:
    assert numbers.dialled(number, form, prefix) == dialled


@pytest.mark.parametrize("number", ["", "+", "0475;wait", "112\n", "tel:112", "+32 475", "٣٢٤"])
def test_what_is_no_number_is_never_dialled(peer: Exchange, number: str) -> None:
    with pytest.raises(Rejected, match="no number to dial"):
        by_http(peer).send(parcel(number))
    assert peer.asked == []


def test_what_is_no_extension_is_never_rung(peer: Exchange) -> None:
    with pytest.raises(Rejected, match="no extension"):
        by_ari(peer).send(parcel(extension="201&Local/999"))
    assert peer.asked == []


def test_asterisk_rings_the_desk_and_goes_on_in_the_dialplan(peer: Exchange) -> None:
    carrier = by_ari(peer, prefix="0", number_form="00", caller_id="Centre <+3222630000>")
    assert carrier.send(parcel()) == "meldkamer-42"
    (one,) = peer.asked
    assert (one.method, one.path) == ("POST", "/ari/channels/meldkamer-42")
    assert one.query == {
        "endpoint": "PJSIP/201", "extension": "00032475123456", "context": "from-desk",
        "priority": "1", "timeout": "20", "callerId": "Centre <+3222630000>",
    }  # fmt: skip
    assert json.loads(one.body) == {"variables": {"MELDKAMER_CALL": "42"}}
    user = base64.b64decode(one.headers["authorization"].removeprefix("Basic ")).decode()
    assert user == "desk:a secret"


def test_asked_twice_asterisk_rings_once(peer: Exchange) -> None:
    carrier = by_ari(peer)
    assert carrier.send(parcel()) == carrier.send(parcel()) == "meldkamer-42"
    assert peer.channels == {"/ari/channels/meldkamer-42"}


def test_its_health_is_asked(peer: Exchange) -> None:
    by_ari(peer).check()
    assert peer.asked[-1].path == "/ari/asterisk/info"
    peer.code = 503
    with pytest.raises(CarrierFault, match="503"):
        by_ari(peer).check()


@pytest.mark.parametrize(("code", "fault"), [(401, Rejected), (404, Rejected), (500, CarrierFault),
                                             (429, CarrierFault), (302, CarrierFault)])  # fmt: skip
def test_what_it_refuses_is_a_fault_and_no_redirect_is_followed(
    peer: Exchange, code: int, fault: type[Exception]
) -> None:
    peer.code = code
    with pytest.raises(fault) as caught:
        by_http(peer, "Bearer abc").send(parcel())
    assert type(caught.value) is fault
    assert len(peer.asked) == 1
    assert "abc" not in str(caught.value)


def test_one_that_does_not_answer_is_left_within_its_limit(peer: Exchange) -> None:
    peer.wait_s = 1.5
    began_s = time.monotonic()
    with pytest.raises(InDoubt, match=r"0\.3 s"):
        by_http(peer, limit_s=0.3).send(parcel())
    assert time.monotonic() - began_s < 1.2


def test_one_that_is_not_there_is_known_at_once(peer: Exchange) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(CarrierFault, match="cannot be reached") as caught:
        by_http(peer, url=f"http://127.0.0.1:{port}/secret-path?{{number}}").send(parcel())
    assert "secret-path" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "http://exchange.example/{number}"}, "expected https"),
        ({"url": "https://u:p@exchange.example/{number}"}, "secret"),
        ({"url": "https://exchange.example/{nummer}"}, r"\{nummer\} is unknown"),
        ({"url": "https://exchange.example/call"}, "number"),
        ({"limit_s": 60}, "limit_s"),
        ({"unanswered_after_s": 10**15}, "unanswered_after_s"),
        ({"auth_header": "X: y"}, "auth_header"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(
    peer: Exchange, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingsFault, match=said):
        by_http(peer, **settings)


def test_asterisk_s_settings_too(peer: Exchange) -> None:
    for settings, said in (
        ({"url": "https://exchange.example"}, "/ari"),
        ({"endpoint": "PJSIP/201"}, "extension"),
        ({"context": " "}, "context"),
        ({"limit_s": 0.1}, "limit_s"),
        ({"unanswered_after_s": -1}, "unanswered_after_s"),
    ):
        with pytest.raises(SettingsFault, match=said):
            by_ari(peer, **settings)
