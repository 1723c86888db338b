"""One message, receipt or carrier in trouble holds no other back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from django.db import connection, connections, transaction

from meldkamer.engine import cycle
from meldkamer.engine.sending import Lines
from meldkamer.incidents.messages import sent
from meldkamer.incidents.models import Incident, Notice
from meldkamer.notify import going_live, inbox, outbox
from meldkamer.notify.carrier import TEST, CarrierFault, ReceiptState, Rejected
from meldkamer.notify.kinds import SettingsFault
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.notify.sandbox import all_sandbox
from meldkamer.sites.models import Provider
from tests.engine.outside import HOUSE, MORE, carrier, claim, message_of, one
from tests.incidents.town import Town, at, told

Execute = Callable[[str, Any, bool, Any], Any]


@pytest.mark.clause("M12.1")
def test_a_fault_of_the_incident_does_not_send_a_text_twice(
    outside: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = carrier()
    incident = outside.incident("battery")
    claimed = one(row, at(1))
    due = incident.due

    def breaks(*_: object) -> None:
        raise ValueError("a fault of ours")

    monkeypatch.setattr("meldkamer.engine.sending.sent.handed_over", breaks)
    HOUSE.taken([(claimed, "r1")], at(2))
    assert message_of(claimed).state == "handed_over"
    incident.refresh_from_db()
    assert incident.due == due


@pytest.mark.clause("S7.2")
def test_a_fault_of_one_incident_does_not_hurry_the_ladders_that_were_noted_with_it(
    outside: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = carrier()
    broken = outside.incident("battery")
    outside.signal("battery", code="YT", site=outside.build_site("Second"), when=at(0))
    cycle.judge_all(at(0))
    claimed = claim(row, at(1))
    assert len(claimed) == 2
    does = sent.handed_over

    def breaks(messages: Sequence[OutboxMessage], now: datetime) -> None:
        if any(message.incident_id == broken.pk for message in messages):
            raise ValueError("a fault of ours")
        does(messages, now)

    monkeypatch.setattr("meldkamer.engine.sending.sent.handed_over", breaks)
    HOUSE.taken([(taken, f"r{taken.parcel.id}") for taken in claimed], at(20))
    assert {message_of(taken).state for taken in claimed} == {"handed_over"}
    assert Incident.objects.exclude(pk=broken.pk).get().due == at(110)


@pytest.mark.clause("M12.1")
def test_a_fault_of_the_incident_does_not_keep_a_refusal_in_the_hands_of_its_line(
    outside: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = carrier()
    incident = outside.incident("battery")
    claimed = one(row, at(1))

    def breaks(*_: object) -> None:
        raise ValueError("a fault of ours")

    monkeypatch.setattr("meldkamer.engine.sending.sent.turned_down", breaks)
    HOUSE.refused(claimed, Rejected("no such number"), at(2))
    message = message_of(claimed)
    assert (message.state, message.last_fault) == ("failed", "no such number")
    notice = Notice.objects.get(kind="message", clause="M12.1")
    assert (notice.incident_id, notice.site_id) == (incident.pk, incident.site_id)
    # the ladder moves on at its own deadline
    incident.refresh_from_db()
    assert incident.due == at(90)


@pytest.mark.clause("M12.1")
def test_whatever_characters_a_carrier_says_what_it_said_is_noted(outside: Town) -> None:
    row = carrier()
    outside.incident("battery")
    claimed = one(row, at(1))
    HOUSE.refused(claimed, CarrierFault("busy\0 \ud800"), at(2))
    assert message_of(claimed).state == "waiting"
    assert message_of(claimed).last_fault == "busy ?"
    cycle.act_on_due(at(60))
    claimed = one(row, at(60))
    ref = "r\0" + "1" * 500
    inbox.store_receipt(row.pk, ref, ReceiptState.DELIVERED, at(61), detail="on\ud800")
    HOUSE.taken([(claimed, ref)], at(62))
    cycle.consume_all(at(63))
    assert message_of(claimed).state == "delivered"


@pytest.mark.clause("M12.1")
@pytest.mark.parametrize("change", [{"enabled": False}, {"state": "down"}])
def test_what_was_meant_for_a_carrier_that_is_gone_goes_another_way(
    outside: Town, change: dict[str, object]
) -> None:
    first, second = carrier(), carrier("second", 2)
    outside.incident("battery")
    claimed = one(first, at(1))
    HOUSE.refused(claimed, CarrierFault("queue full"), at(1))
    # while no worker runs, or in the very transaction that chose it
    WayOut.objects.filter(pk=second.pk).update(**change)
    assert outbox.unpin_idle(at(1)) == 1
    assert one(first, at(2)).parcel.id == claimed.parcel.id


@pytest.mark.clause("S7.3")
def test_many_receipts_hold_no_answer_back(outside: Town) -> None:
    row = carrier()
    incident = outside.incident("battery")
    HOUSE.taken([(one(row, at(1)), "r0")], at(1))
    for number in range(4):
        OutboxMessage.objects.create(
            channel="sms", provider_id=outside.provider.pk, recipient="An", address="+32475000001",
            language="nl", template="information", body="x", clause="S7.1", created_at=at(0),
            state="handed_over", carrier=row, carrier_ref=f"r{number + 1}",
        )  # fmt: skip
        inbox.store_receipt(row.pk, f"r{number + 1}", ReceiptState.DELIVERED, at(2))
    inbox.store_reply(row.pk, outside.contact().phone, "ok", at(3))
    assert cycle.consume_all(at(3), limit=2) == 2
    incident.refresh_from_db()
    assert incident.outcome == "confirmed_by_sms"
    assert cycle.consume_all(at(4), limit=2) == 2
    assert cycle.consume_all(at(5)) == 1


@pytest.mark.clause("S7.9")
def test_an_answer_from_outside_answers_no_text_that_stayed_in_the_house(outside: Town) -> None:
    row = carrier()
    incident = outside.incident("battery")
    HOUSE.taken([(one(row, at(1)), "r1")], at(1))
    phone = outside.contact().phone
    # an exercise of another provider that has the same person on its list
    OutboxMessage.objects.create(
        channel="sms", provider_id=outside.other.pk, recipient="An", address=phone, language="nl",
        template="ladder", body="x", clause="S7.1", created_at=at(5), handed_over_at=at(5),
        state="handed_over", incident_id=incident.pk + 1,
    )  # fmt: skip
    practised = Incident.objects.get(pk=incident.pk)
    practised.pk, practised.provider = incident.pk + 1, outside.other
    practised.site = outside.build_site("Exercise", codes=False)
    practised.save(force_insert=True)
    inbox.store_reply(row.pk, phone, "ok", at(8))
    cycle.consume_all(at(8))
    incident.refresh_from_db()
    practised.refresh_from_db()
    assert (incident.outcome, practised.outcome) == ("confirmed_by_sms", None)


@pytest.mark.clause("M12.1")
def test_whoever_looks_at_the_carriers_outlives_a_fault_of_ours(
    outside: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = threading.Event()
    faults = [ValueError("a fault of ours")]

    def listen(self: Lines) -> None:
        if faults:
            raise faults.pop()
        looked.set()
        self._stopping.wait(10)

    monkeypatch.setattr(Lines, "_listen", listen)
    lines = Lines()
    lines.start()
    assert looked.wait(10)
    lines.stop()
    assert not lines.is_alive()


def test_a_line_reads_as_few_messages_as_it_takes_however_many_wait(outside: Town) -> None:
    row = carrier()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO notify_outboxmessage (channel, provider_id, recipient, address, language,"
            " template, cloud, subject, body, clause, created_at, state, attempts, last_fault,"
            " first_of_incident, urgency, carrier_ref, tried, doubts)"
            " SELECT 'sms', %s, 'An', '+32475000001', 'nl', 'ladder', '', '', 'x', 'S7.1', now(),"
            " 'pending', 0, '', n %% 5 = 0, n %% 5 + 1, '', '{}', 0"
            " FROM generate_series(1, 9000) AS n",
            [outside.provider.pk],
        )
        cursor.execute("ANALYZE notify_outboxmessage")
    plans: list[str] = []

    def explained(execute: Execute, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql == outbox._CLAIM:
            execute("EXPLAIN " + sql, params, many, context)
            plans.append("\n".join(line for (line,) in context["cursor"].fetchall()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        assert len(claim(row, at(1))) == MORE
    [plan] = plans
    assert "Index Scan using outbox_pending" in plan


@pytest.mark.clause("S7.2")
def test_a_number_that_a_centre_gives_a_second_time_is_of_the_second_text(outside: Town) -> None:
    """A centre that was restarted begins to count anew."""
    row = carrier()
    incident = outside.incident("battery")
    HOUSE.taken([(one(row, at(1)), "1")], at(1))
    inbox.store_receipt(row.pk, "1", ReceiptState.FAILED, at(2), detail="absent")
    cycle.consume_all(at(3))
    cycle.act_on_due(at(3))
    second = one(row, at(4))
    HOUSE.taken([(second, "1")], at(4))
    for _ in range(2):
        inbox.store_receipt(row.pk, "1", ReceiptState.FAILED, at(5), detail="barred")
        cycle.consume_all(at(6))
    assert (message_of(second).state, message_of(second).last_fault) == ("failed", "barred")
    assert len(told("sms.rejected", incident)) == 2


@pytest.mark.clause("S7.2")
def test_a_receipt_from_before_a_text_was_given_to_its_carrier_is_not_of_that_text(
    outside: Town,
) -> None:
    """Of somebody else's, at a centre that is shared, or from before it was restarted."""
    row = carrier()
    inbox.store_receipt(row.pk, "77", ReceiptState.FAILED, at(-600))
    outside.incident("battery")
    claimed = one(row, at(1))
    HOUSE.taken([(claimed, "77")], at(2))
    cycle.consume_all(at(3))
    assert message_of(claimed).state == "handed_over"
    inbox.store_receipt(row.pk, "77", ReceiptState.DELIVERED, at(4))
    cycle.consume_all(at(5))
    assert message_of(claimed).state == "delivered"


def test_a_receipt_that_came_before_its_text_was_noted_and_comes_again_is_read_once(
    outside: Town,
) -> None:
    row = carrier()
    incident = outside.incident("battery")
    claimed = one(row, at(1))
    inbox.store_receipt(row.pk, "r", ReceiptState.DELIVERED, at(2))
    HOUSE.taken([(claimed, "r")], at(3))
    cycle.consume_all(at(4))
    inbox.store_receipt(row.pk, "r", ReceiptState.DELIVERED, at(5))
    cycle.consume_all(at(6))
    assert len(told("message.delivered", incident)) == 1


@pytest.mark.clause("M12.1")
def test_in_the_sandbox_too_a_fault_of_one_incident_holds_no_other_message(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.incident("battery")
    site = town.build_site("Second", codes=False)
    town.signal("battery", code="YT", site=site, when=at(1))
    cycle.judge_all(at(1))
    first, second = OutboxMessage.objects.order_by("pk")
    OutboxMessage.objects.filter(pk=first.pk).update(address="")

    def breaks(*_: object) -> None:
        raise ValueError("a fault of ours")

    monkeypatch.setattr("meldkamer.engine.cycle.sent.turned_down", breaks)
    assert cycle.hand_over(all_sandbox(), at(2)) == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("failed", "handed_over")
    assert Notice.objects.filter(kind="message", clause="M12.1").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_message_that_is_being_written_is_seen_by_who_begins_to_practise(
    committed_town: Town,
) -> None:
    provider = committed_town.provider
    Provider.objects.filter(pk=provider.pk).update(practice=False)
    written, go_on = threading.Event(), threading.Event()

    def write() -> None:
        try:
            with transaction.atomic():
                committed_town.incident("battery")
                written.set()
                go_on.wait(20)
        finally:
            connections.close_all()

    writer = threading.Thread(target=write)
    writer.start()
    assert written.wait(20)
    threading.Timer(0.3, go_on.set).start()
    # the text is of the world outside, so practice may not begin before it left
    with pytest.raises(SettingsFault, match="real messages wait: 1"):
        going_live.set_practice(provider.pk, True, at(1), "staff:1")
    writer.join(20)
    assert not Provider.objects.get(pk=provider.pk).practice


@pytest.mark.clause("M12.1")
def test_a_test_of_a_carrier_goes_over_no_other_and_ends_with_what_that_one_said(
    outside: Town,
) -> None:
    first, second = carrier(), carrier("second", 2)

    def tested(number: int) -> OutboxMessage:
        return OutboxMessage.objects.create(
            channel="sms", provider_id=outside.provider.pk, recipient="An", language="nl",
            address=f"+3247500000{number}", template=TEST, body="x", clause="M12.3",
            created_at=at(0), state="pending", carrier=first,
        )  # fmt: skip

    refused, lost, waits = tested(1), tested(2), tested(3)
    for claimed in claim(first, at(1)):
        if claimed.parcel.id == refused.pk:
            HOUSE.refused(claimed, CarrierFault("queue full"), at(1))
    refused.refresh_from_db()
    assert (refused.state, refused.carrier_id, refused.last_fault) == (
        "failed", first.pk, "queue full",
    )  # fmt: skip
    # its line died, then the carrier itself
    outbox.release_lost(first.pk, at(2))
    WayOut.objects.filter(pk=first.pk).update(state="down")
    outbox.unpin(first.pk)
    outbox.unpin_idle(at(3))
    assert claim(second, at(4)) == []
    assert [claimed.parcel.id for claimed in claim(first, at(5))] == [lost.pk, waits.pk]
