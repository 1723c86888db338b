"""A service's machine is posted to over a real socket; its answer is the acceptance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from meldkamer.notify.authority import cap
from meldkamer.notify.carrier import TEST, CarrierFault, InDoubt, Parcel, ReceiptState, Rejected
from meldkamer.notify.kinds import SettingsFault, build
from tests.notify.authority.test_cap import ACK, alert
from tests.notify.desk.exchange import Exchange, exchange


class Ears:
    carrier_id = 7

    def __init__(self) -> None:
        self.heard: list[tuple[str, ReceiptState, str]] = []

    def reply(self, sender: str, text: str, *, to: str = "", ref: str = "") -> None:
        raise AssertionError

    def receipt(self, ref: str, state: ReceiptState, *, detail: str = "") -> None:
        self.heard.append((ref, state, detail))


@pytest.fixture(scope="module")
def peer() -> Iterator[Exchange]:
    with exchange() as found:
        yield found


@pytest.fixture(autouse=True)
def fresh(peer: Exchange) -> None:
    peer.code, peer.wait_s, peer.auth, peer.body = 200, 0.0, "", b""
    peer.asked.clear()


def parcel(**changes: Any) -> Parcel:
    values: dict[str, Any] = {
        "id": 5, "channel": "authority", "template": "cap", "address": "pz-gent",
        "recipient": "police", "language": "nl", "subject": "", "body": cap.write(alert()),
        "provider_id": 1, "site_id": 1, "incident_id": 1, "contact_id": None,
        "created_at": datetime(2026, 3, 2, tzinfo=UTC), "attempt": 1,
    }  # fmt: skip
    return Parcel(**(values | changes))


def carrier(peer: Exchange, ears: Ears, **settings: Any) -> Any:
    given = {"url": f"{peer.url}/cap", "sender": "centre@example.be", "recipient": "pz-gent"}
    return build("cap", {**given, **settings}, {"authorization": "Bearer s3"}, ears)


def test_the_message_is_posted_as_it_was_written(peer: Exchange) -> None:
    ears = Ears()
    assert carrier(peer, ears).send(parcel()) == "cap-5"
    (one,) = peer.asked
    assert one.body == cap.write(alert())
    assert one.headers["content-type"] == "application/cap+xml; charset=utf-8"
    assert one.headers["authorization"] == "Bearer s3"
    assert ears.heard == [("cap-5", ReceiptState.ACKNOWLEDGED, "")]


def test_an_ack_in_the_answer_is_kept(peer: Exchange) -> None:
    peer.body, ears = ACK.format(kind="Ack", note="opgenomen").encode(), Ears()
    carrier(peer, ears).send(parcel())
    assert ears.heard == [("cap-5", ReceiptState.ACKNOWLEDGED, "PZ-77 opgenomen")]


def test_an_error_in_the_answer_is_a_refusal(peer: Exchange) -> None:
    peer.body, ears = ACK.format(kind="Error", note="onbekende zone").encode(), Ears()
    with pytest.raises(Rejected, match="onbekende zone"):
        carrier(peer, ears).send(parcel())
    assert ears.heard == []


@pytest.mark.parametrize(("code", "fault"), [(400, Rejected), (500, CarrierFault)])
def test_other_answers_accept_nothing(peer: Exchange, code: int, fault: type[Exception]) -> None:
    peer.code, ears = code, Ears()
    with pytest.raises(fault):
        carrier(peer, ears).send(parcel())
    assert ears.heard == []


def test_a_machine_that_is_silent_leaves_a_doubt(peer: Exchange) -> None:
    peer.wait_s, ears = 1.6, Ears()
    with pytest.raises(InDoubt):
        carrier(peer, ears, limit_s=1).send(parcel())
    assert ears.heard == []


def test_an_exercise_is_never_sent_as_the_real_thing_nor_the_reverse(peer: Exchange) -> None:
    for own, written in (("Actual", "Exercise"), ("Exercise", "Actual")):
        body = cap.write(alert(status=written))
        with pytest.raises(Rejected, match=own):
            carrier(peer, Ears(), status=own).send(parcel(body=body))
    assert peer.asked == []


def test_a_message_for_another_service_waits_for_its_own_carrier(peer: Exchange) -> None:
    with pytest.raises(CarrierFault, match="another service") as caught:
        carrier(peer, Ears()).send(parcel(address="fire-oost"))
    assert caught.value.after_s == 0.0
    assert peer.asked == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "http://pz.example/cap"}, "https"),
        ({"sender": "the centre"}, "sender"),
        ({"services": ["coastguard"]}, "services"),
        ({"status": "Real"}, "status"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(
    peer: Exchange, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingsFault, match=said):
        carrier(peer, Ears(), **settings)


def test_a_test_goes_as_a_test_whatever_the_carrier_sends_else(peer: Exchange) -> None:
    for own in ("Actual", "Exercise", "Test"):
        tried = parcel(template=TEST, body=cap.write(alert(status="Test")))
        assert carrier(peer, Ears(), status=own).send(tried) == "cap-5"
        assert "<status>Test</status>" in peer.asked[-1].body
        real = parcel(template=TEST, body=cap.write(alert(status="Actual")))
        with pytest.raises(Rejected, match="not written as Test"):
            carrier(peer, Ears(), status=own).send(real)
