"""A message has one carrier at a time; whoever says late that it went is believed."""

from __future__ import annotations

import threading

import pytest
from django.db import connections, transaction

from meldkamer.engine import cycle
from meldkamer.incidents.messages import carrier_faults, receipts
from meldkamer.journal.models import Signal
from meldkamer.notify import inbox, outbox, ways
from meldkamer.notify.carrier import CarrierFault, ReceiptState, Rejected
from meldkamer.notify.models import OutboxMessage, Receipt, WayOut
from meldkamer.notify.outbox import Claimed
from meldkamer.sites.models import Provider, Site
from tests.engine.outside import HOUSE, again_rows, carrier, claim, message_of, one
from tests.incidents.together import until_somebody_waits
from tests.incidents.town import Town, at

_LIMIT_S = 20.0


def lost(row: WayOut, town: Town) -> Claimed:
    """What a line has in hand that was taken for dead."""
    town.incident("battery")
    claimed = one(row, at(1))
    assert outbox.release_lost(row.pk, at(2)) == 1
    return claimed


@pytest.mark.clause("M12.1")
@pytest.mark.django_db(transaction=True)
def test_two_carriers_that_claim_a_message_in_the_same_moment_do_not_both_have_it(
    committed_town: Town,
) -> None:
    """As when one stops being the first to be asked while it asks."""
    Provider.objects.update(practice=False)
    first, second = carrier(), carrier("second", 2)
    committed_town.incident("battery")
    mine, got = {(committed_town.provider.pk, True)}, []

    def other() -> None:
        try:
            got.extend(outbox.claim(ways.facts(second, at(1)), mine, 1, at(1)))
        finally:
            connections.close_all()

    thread = threading.Thread(target=other)
    with transaction.atomic():
        assert len(outbox.claim(ways.facts(first, at(1)), mine, 1, at(1))) == 1
        thread.start()
        until_somebody_waits()
    thread.join(_LIMIT_S)
    assert got == []
    assert OutboxMessage.objects.get().carrier_id == first.pk


@pytest.mark.clause("M12.1")
def test_what_went_late_is_not_sent_again_while_it_waits_for_its_next_try(outside: Town) -> None:
    row = carrier()
    claimed = lost(row, outside)
    HOUSE.refused(one(row, at(3)), CarrierFault("away"), at(4))
    assert message_of(claimed).state == "waiting"
    HOUSE.taken([(claimed, "late")], at(5))
    message = message_of(claimed)
    assert (message.state, message.carrier_id, message.carrier_ref) == (
        "handed_over", row.pk, "late",
    )  # fmt: skip
    assert not again_rows()


@pytest.mark.clause("S7.3")
def test_what_is_told_of_a_message_that_went_late_is_told_of_it(outside: Town) -> None:
    """Who had it says so, and not who was to have it next."""
    row, other = carrier(), carrier("second", 2)
    claimed = lost(row, outside)
    OutboxMessage.objects.update(carrier=other)
    inbox.store_receipt(row.pk, "late", ReceiptState.DELIVERED, at(3))
    receipts.seek()
    receipts.seek()
    HOUSE.taken([(claimed, "late")], at(4))
    assert not Receipt.objects.get().aside
    assert cycle.consume_all(at(5)) == 1
    assert (message_of(claimed).state, message_of(claimed).carrier_id) == ("delivered", row.pk)


@pytest.mark.clause("S7.2")
def test_what_was_turned_down_for_good_is_not_tried_again(outside: Town) -> None:
    outside.incident("battery")
    HOUSE.refused(one(carrier(), at(1)), Rejected("no such number"), at(2))
    assert not again_rows()


def test_what_another_carrier_gave_up_is_throttled_as_everything_else_is(outside: Town) -> None:
    row = carrier()
    outside.incident("battery")
    OutboxMessage.objects.update(carrier=row, first_of_incident=False)
    assert claim(row, at(1), firsts=True) == []
    assert len(claim(row, at(1))) == 1


def test_a_carrier_of_which_nothing_is_known_is_not_asked(outside: Town) -> None:
    first, second = carrier(state="unknown"), carrier("second", 2)
    outside.incident("battery")
    HOUSE.refused(one(second, at(1)), CarrierFault("away"), at(2))
    message = OutboxMessage.objects.get()
    assert (message.state, message.carrier_id) == ("waiting", None)
    assert not ways.facts(first, at(2)).up


def test_a_carrier_that_works_for_the_first_time_is_nothing_to_tell_an_operator(
    outside: Town,
) -> None:
    carrier_faults.works(carrier(state="unknown").pk, at(1))
    assert not Signal.objects.exists()
    assert not Site.objects.filter(house=True).exists()


@pytest.mark.clause("S16.2")
def test_a_carrier_of_all_that_fails_is_told_to_a_provider_that_does_not_practise(
    outside: Town,
) -> None:
    Provider.objects.filter(pk=outside.provider.pk).update(practice=True)
    Provider.objects.filter(pk=outside.other.pk).update(practice=False)
    assert outside.provider.pk < outside.other.pk
    carrier_faults.fails(carrier().pk, "connection refused", at(1))
    assert Site.objects.get(house=True).provider_id == outside.other.pk
