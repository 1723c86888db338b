"""Calls that speak a text: a key is the "ok" of the ladder, anything else is no answer."""

from __future__ import annotations

from datetime import datetime

import pytest

from meldkamer.contracts.models import Handling
from meldkamer.engine import cycle
from meldkamer.incidents.models import Incident
from meldkamer.incidents.operating import taking
from meldkamer.notify.carrier import ReceiptState
from meldkamer.notify.inbox import store_receipt
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.terms.loader import varied
from tests.incidents.town import Town, at, row_of, told

_LANDLINE = "+3292210018"


@pytest.fixture
def calling(town: Town) -> Town:
    """A town whose terms have contacts called who may not be texted; the first is one of them."""
    return under(town, {"announcing.untextable": True})


def under(town: Town, changes: dict[str, object]) -> Town:
    """The town under other terms, with a carrier for calls."""
    town.provider.terms = varied("securitas-2022-05", changes)
    town.provider.practice = False
    town.provider.save()
    first = town.contact(1)
    first.phone = _LANDLINE
    first.save()
    carrier("voice")
    return town


def carrier(channel: str, state: str = "up") -> WayOut:
    return WayOut.objects.create(channel=channel, kind="sip", name=channel, state=state)


def rings(when: datetime, channel: str = "voice") -> OutboxMessage:
    """The last message of a channel is at its carrier, which calls."""
    message = OutboxMessage.objects.filter(channel=channel).latest("id")
    way_out = WayOut.objects.get(channel=channel)
    message.state, message.handed_over_at = OutboxMessage.State.HANDED_OVER, when
    message.carrier, message.carrier_ref = way_out, f"ref-{message.pk}"
    message.save()
    return message


def receipt(message: OutboxMessage, state: ReceiptState, when: datetime, detail: str) -> None:
    """What the carrier tells of a call, consumed."""
    store_receipt(message.carrier_id or 0, message.carrier_ref, state, when, detail=detail)
    assert cycle.consume_all(when) == 1


@pytest.mark.clause("S7.6")
def test_without_the_terms_word_nobody_is_announced_to(town: Town) -> None:
    under(town, {})
    incident = town.incident("battery")
    assert [e.recipient for e in told("sms.sent", incident)] == ["Bert Claes"]
    assert not OutboxMessage.objects.filter(channel="voice")
    assert incident.state == Incident.State.TEXTING


@pytest.mark.clause("S7.1")
def test_who_may_not_be_texted_is_called_in_his_turn(calling: Town) -> None:
    incident = calling.incident("battery")
    (line,) = told("call.announced", incident)
    assert (line.recipient, line.clause, line.data["round"]) == ("An Peeters", "S7.1", 1)
    message = OutboxMessage.objects.get()
    assert (message.channel, message.template, message.address) == (
        "voice", "announced", _LANDLINE,
    )  # fmt: skip
    assert message.body == (
        "Dit is securitas, met een bericht over Bakkerij Peeters. "
        "Het gaat over: batterijspanning te laag, zone Voordeur."
    )
    assert message.first_of_incident
    assert incident.due == at(150)


@pytest.mark.clause("S7.3")
def test_a_key_is_the_ok_of_the_ladder(calling: Town) -> None:
    incident = calling.incident("battery")
    receipt(rings(at(5)), ReceiptState.ACKNOWLEDGED, at(40), "the key was pressed")
    incident.refresh_from_db()
    assert (incident.state, incident.outcome) == ("closed", "confirmed_by_call")
    (line,) = told("incident.closed", incident)
    assert (line.clause, line.reason) == ("S7.3", "the key was pressed")
    assert [e.recipient for e in told("message.acknowledged", incident)] == ["An Peeters"]
    assert not Handling.objects.filter(incident_id=incident.pk)


@pytest.mark.clause("S7.2")
@pytest.mark.parametrize(
    ("state", "detail"),
    [
        (ReceiptState.UNANSWERED, "answered, no key was pressed"),
        (ReceiptState.UNANSWERED, "answered, another key was pressed"),
        (ReceiptState.UNANSWERED, "busy"),
        (ReceiptState.FAILED, "the call broke off"),
    ],
)
def test_a_call_without_the_key_moves_the_ladder_on_at_once(
    calling: Town, state: ReceiptState, detail: str
) -> None:
    incident = calling.incident("battery")
    receipt(rings(at(5)), state, at(40), detail)
    assert row_of(incident).due == at(40)
    cycle.act_on_due(at(40))
    (line,) = told("sms.sent", incident)
    assert (line.recipient, line.clause) == ("Bert Claes", "S7.2")
    incident.refresh_from_db()
    assert (incident.state, incident.due) == ("texting", at(130))
    word = "message.unanswered" if state == ReceiptState.UNANSWERED else "voice.rejected"
    assert [(e.recipient, e.reason) for e in told(word, incident)] == [("An Peeters", detail)]


@pytest.mark.clause("S7.2")
def test_a_call_that_never_tells_its_end_is_waited_for_no_longer_than_the_terms_say(
    calling: Town,
) -> None:
    incident = calling.incident("battery")
    rings(at(5))
    cycle.act_on_due(at(150))
    incident.refresh_from_db()
    assert incident.due == at(155)  # from the moment it rang
    cycle.act_on_due(at(155))
    assert [e.recipient for e in told("sms.sent", incident)] == ["Bert Claes"]


@pytest.mark.clause("S7.7")
def test_a_late_key_counts_also_when_an_operator_has_it(calling: Town) -> None:
    incident = calling.incident("battery")
    message = rings(at(5))
    for seconds in (155, 245):
        cycle.act_on_due(at(seconds))
    incident.refresh_from_db()
    assert incident.state == "queued"
    taking.take(calling.emma, incident.pk, at(250))
    receipt(message, ReceiptState.ACKNOWLEDGED, at(260), "the key was pressed")
    incident.refresh_from_db()
    assert incident.outcome == "confirmed_by_call"


@pytest.mark.clause("S7.5")
def test_when_nobody_presses_a_key_an_operator_calls_them(calling: Town) -> None:
    calling.contact(2).delete()
    incident = calling.incident("battery")
    receipt(rings(at(5)), ReceiptState.UNANSWERED, at(40), "busy")
    cycle.act_on_due(at(40))
    incident.refresh_from_db()
    assert incident.state == "queued"
    assert [(e.clause, e.reason) for e in told("incident.queued", incident)] == [
        ("S16.1", "nobody confirmed")
    ]


@pytest.mark.clause("M12.2")
def test_without_a_carrier_for_texts_they_are_called_instead(town: Town) -> None:
    under(town, {"announcing.no_carrier": True})
    carrier("sms", "down")
    incident = town.incident("battery")
    assert [e.recipient for e in told("sms.sent", incident)] == ["Bert Claes"]
    cycle.act_on_due(at(90))  # it did not leave
    assert [e.recipient for e in told("call.announced", incident)] == ["Bert Claes"]
    receipt(rings(at(91)), ReceiptState.UNANSWERED, at(120), "no answer")
    cycle.act_on_due(at(120))
    incident.refresh_from_db()
    assert incident.state == "queued"


@pytest.mark.clause("M12.2")
def test_without_any_carrier_an_operator_has_it(town: Town) -> None:
    under(town, {"announcing.no_carrier": True})
    carrier("sms", "down")
    incident = town.incident("battery")
    WayOut.objects.filter(channel="voice").update(state="down")
    cycle.act_on_due(at(90))
    cycle.act_on_due(at(240))
    incident.refresh_from_db()
    assert incident.state == "queued"


def test_a_key_for_what_is_closed_changes_nothing(calling: Town) -> None:
    incident = calling.incident("battery")
    message = rings(at(5))
    calling.signal("battery", "YR", role="restore", restores="battery", when=at(30))
    cycle.judge_all(at(30))
    receipt(message, ReceiptState.ACKNOWLEDGED, at(40), "the key was pressed")
    incident.refresh_from_db()
    assert incident.outcome == "restored"
    assert told("message.acknowledged", incident)
