"""What is told twice, late, or of what is over does nothing a second time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from meldkamer.engine import cycle
from meldkamer.incidents.messages import receipts
from meldkamer.incidents.models import Incident
from meldkamer.notify import inbox, outbox
from meldkamer.notify.carrier import ReceiptState
from meldkamer.notify.models import OutboxMessage, Receipt
from tests.engine.outside import HOUSE, carrier, claim, message_of, one
from tests.incidents.town import Town, at, row_of, told


@pytest.mark.clause("S7.2")
def test_a_receipt_that_two_workers_take_up_moves_the_ladder_once(outside: Town) -> None:
    row = carrier()
    incident = outside.incident("battery")
    HOUSE.taken([(one(row, at(1)), "r1")], at(1))
    inbox.store_receipt(row.pk, "r1", ReceiptState.FAILED, at(2))
    assert cycle.consume_all(at(3)) == 1
    receipts.consume_again(Receipt.objects.get().pk, at(4))
    assert len(told("sms.rejected", incident)) == 1
    assert told("message.undelivered", incident) == []


def test_a_receipt_that_was_put_aside_is_not_of_a_later_text_with_the_same_number(
    outside: Town,
) -> None:
    row = carrier()
    inbox.store_receipt(row.pk, "77", ReceiptState.FAILED, at(-600))
    outside.incident("battery")
    claimed = one(row, at(1))
    HOUSE.taken([(claimed, "77")], at(2))
    receipts.consume_again(Receipt.objects.get().pk, at(3))
    assert message_of(claimed).state == "handed_over"


def test_a_key_that_is_told_of_twice_is_written_down_once(outside: Town) -> None:
    row = carrier()
    incident = outside.incident("battery")
    claimed = one(row, at(1))
    HOUSE.taken([(claimed, "r1")], at(1))
    for s in (2, 3):
        receipts.take(message_of(claimed), ReceiptState.ACKNOWLEDGED, "1", at(s))
    assert len(told("message.acknowledged", incident)) == 1


@pytest.mark.clause("S7.2")
def test_an_earlier_text_that_is_turned_down_late_does_not_hurry_the_one_after_it(
    outside: Town,
) -> None:
    row = carrier()
    incident = outside.incident("battery")
    HOUSE.taken([(one(row, at(0)), "r1")], at(0))
    cycle.act_on_due(at(90))
    HOUSE.taken([(one(row, at(91)), "r2")], at(91))
    due = row_of(incident).due
    inbox.store_receipt(row.pk, "r1", ReceiptState.FAILED, at(95))
    assert cycle.consume_all(at(96)) == 1
    assert row_of(incident).due == due == at(181)
    assert len(told("sms.sent", incident)) == 2


@pytest.mark.clause("S7.2")
def test_the_ladder_waits_also_for_a_text_of_which_it_is_said_late_that_it_went(
    outside: Town,
) -> None:
    row = carrier()
    incident = outside.incident("battery")
    claimed = one(row, at(1))
    outbox.release_lost(row.pk, at(80))
    HOUSE.taken([(claimed, "late")], at(85))
    assert row_of(incident).due == at(175)


@pytest.mark.clause("M12.2")
def test_no_supervisor_is_called_about_what_is_closed_meanwhile(outside: Town) -> None:
    row = carrier()
    incident = outside.incident("battery")
    OutboxMessage.objects.update(template=outbox.REMINDER)
    claimed = claim(row, at(1))
    Incident.objects.filter(pk=incident.pk).update(
        state="closed", closed_at=at(1), owner=None, due=None, outcome="handled"
    )
    assert HOUSE.unwanted(claimed, at(2)) == {claimed[0].parcel.id}
    assert message_of(claimed[0]).state == "cancelled"


def test_what_was_meant_for_a_carrier_that_rests_is_free_for_any_other(outside: Town) -> None:
    row = carrier(rests_until=at(60))
    outside.incident("battery")
    OutboxMessage.objects.update(carrier=row)
    assert outbox.unpin_idle(at(60) - timedelta(seconds=1)) == 1
    OutboxMessage.objects.update(carrier=row)
    assert outbox.unpin_idle(at(60)) == 0
