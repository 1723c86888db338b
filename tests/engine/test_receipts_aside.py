"""Receipts of messages that nobody here knows cost nothing, and none that is ours waits for it."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection, transaction

from meldkamer.engine import cycle
from meldkamer.incidents.messages import receipts
from meldkamer.notify import inbox
from meldkamer.notify.carrier import ReceiptState
from meldkamer.notify.models import Receipt, WayOut
from tests.engine.outside import HOUSE, carrier, message_of, one
from tests.incidents.town import NOW, Town, at, told

pytestmark = pytest.mark.django_db(transaction=True)
#: a test beside this one may be in one transaction for long, and is waited for
_LIMIT_S = 180.0


@pytest.fixture
def town(committed_town: Town) -> Town:
    committed_town.provider.practice = False
    committed_town.provider.save()
    return committed_town


def comes(row: WayOut, ref: str, s: float) -> None:
    inbox.store_receipt(row.pk, ref, ReceiptState.DELIVERED, at(s))


def until_aside(count: int) -> None:
    end_s = time.monotonic() + _LIMIT_S
    while Receipt.objects.filter(aside=True).count() < count:
        assert time.monotonic() < end_s, "they are looked for again and again"
        receipts.seek()


def looked_at() -> int:
    """How many receipts a look for the oldest goes through."""
    with connection.cursor() as cursor:
        wanted: dict[str, float | str] = {"clocks_s": 60.0, "again": receipts.AGAIN}
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + receipts._OLDEST, wanted)
        nodes = [cursor.fetchone()[0][0]["Plan"]]
    found = 0
    for node in nodes:
        nodes += node.get("Plans", [])
        if node.get("Relation Name") == "notify_receipt":
            found += int(node["Actual Rows"])
    return found


@pytest.mark.clause("M12.1")
def test_what_another_system_sent_over_the_same_account_is_not_walked_again(town: Town) -> None:
    row = carrier()
    Receipt.objects.bulk_create(
        Receipt(carrier=row, ref=f"theirs {n}", state="delivered", received_at=NOW)
        for n in range(3000)
    )
    assert looked_at() == 3000
    until_aside(3000)
    assert looked_at() == 0
    # what is ours is consumed at once, whatever lies there
    incident = town.incident("battery")
    claimed = one(row, at(1))
    HOUSE.taken([(claimed, "ours")], at(2))
    comes(row, "ours", 3)
    assert cycle.consume_all(at(4)) == 1
    assert len(told("message.delivered", incident)) == 1


@pytest.mark.clause("M12.1")
def test_a_receipt_that_lies_aside_is_consumed_at_once_when_its_message_is_noted(
    town: Town,
) -> None:
    row = carrier()
    town.incident("battery")
    claimed = one(row, at(1))
    comes(row, "r1", 2)
    until_aside(1)
    assert cycle.consume_all(at(3)) == 0
    HOUSE.taken([(claimed, "r1")], at(4))
    assert cycle.consume_all(at(5)) == 1
    assert message_of(claimed).state == "delivered"


@pytest.mark.clause("M12.1")
def test_a_receipt_never_lies_aside_while_its_message_is_being_noted(town: Town) -> None:
    """The transaction that notes the message may be as slow as it likes."""
    row = carrier()
    town.incident("battery")
    claimed = one(row, at(1))
    noted, stored = threading.Event(), threading.Event()

    def notes() -> None:
        try:
            with transaction.atomic():
                HOUSE.taken([(claimed, "r1")], at(2))
                noted.set()
                stored.wait(_LIMIT_S)
        finally:
            connection.close()

    slow = threading.Thread(target=notes)
    slow.start()
    assert noted.wait(_LIMIT_S)
    # it came after who notes the message looked for it, and before he committed
    comes(row, "r1", 3)
    for _ in range(5):
        assert cycle.consume_all(at(4)) == 0
    assert not Receipt.objects.get().aside
    stored.set()
    slow.join(_LIMIT_S)
    assert cycle.consume_all(at(5)) == 1
    assert message_of(claimed).state == "delivered"


@pytest.mark.clause("M12.1")
def test_a_receipt_that_was_begun_to_be_stored_before_its_message_was_noted_lies_not_aside(
    town: Town,
) -> None:
    """Neither saw the other: the storing was begun first and ended while the noting still ran."""
    row = carrier()
    town.incident("battery")
    claimed = one(row, at(1))
    begun, noted, committed, looked = (threading.Event() for _ in range(4))

    def stores() -> None:
        try:
            with transaction.atomic():
                comes(row, "r1", 3)
                begun.set()
                noted.wait(_LIMIT_S)
        finally:
            connection.close()
            committed.set()

    def notes() -> None:
        try:
            with transaction.atomic():
                HOUSE.taken([(claimed, "r1")], at(2))
                noted.set()
                looked.wait(_LIMIT_S)
        finally:
            connection.close()

    threads = [threading.Thread(target=stores), threading.Thread(target=notes)]
    threads[0].start()
    assert begun.wait(_LIMIT_S)
    threads[1].start()
    assert committed.wait(_LIMIT_S)
    for _ in range(5):
        assert cycle.consume_all(at(4)) == 0
    aside = Receipt.objects.get().aside
    looked.set()
    for thread in threads:
        thread.join(_LIMIT_S)
    assert not aside
    assert cycle.consume_all(at(5)) == 1
    assert message_of(claimed).state == "delivered"


def test_a_ref_that_is_given_again_while_its_old_receipt_lies_aside_is_looked_for_anew(
    town: Town,
) -> None:
    """The old receipt was of somebody else's message; ours may not wait for its day to be over."""
    row = carrier()
    comes(row, "77", 0)
    until_aside(1)
    town.incident("battery")
    claimed = one(row, at(3600))
    HOUSE.taken([(claimed, "77")], at(3601))
    assert cycle.consume_all(at(3602)) == 0
    comes(row, "77", 3603)
    assert cycle.consume_all(at(3604)) == 1
    assert message_of(claimed).state == "delivered"


def test_an_old_receipt_of_nobody_waits_no_longer_though_its_ref_was_given_again(
    town: Town,
) -> None:
    row = carrier()
    comes(row, "77", 0)
    until_aside(1)
    town.incident("battery")
    HOUSE.taken([(one(row, at(3600)), "77")], at(3601))
    assert inbox.forget_unknown(at(90_000)) == 1
    # what is told of ours later is not of the day before
    comes(row, "77", 90_001)
    assert cycle.consume_all(at(90_002)) == 1


def test_a_ref_that_is_given_again_is_looked_for_anew(town: Town) -> None:
    """Aside for a day, forgotten, and then the centre gives the number to a text of ours."""
    row = carrier()
    comes(row, "77", 0)
    until_aside(1)
    assert inbox.forget_unknown(at(1)) == 1
    town.incident("battery")
    claimed = one(row, at(90_000))
    HOUSE.taken([(claimed, "77")], at(90_001))
    comes(row, "77", 90_002)
    assert cycle.consume_all(at(90_003)) == 1
    assert message_of(claimed).state == "delivered"
