"""A message leaves the house once, by whoever takes it; what came of it moves its incident."""

from __future__ import annotations

import pytest

from meldkamer.contracts.commands import count_handling
from meldkamer.engine import cycle
from meldkamer.incidents.deciding.facts import incident_facts, terms_of
from meldkamer.incidents.messages import carrier_faults
from meldkamer.incidents.models import Incident, Verdict
from meldkamer.incidents.operating import taking
from meldkamer.journal.models import Entry
from meldkamer.notify import inbox, outbox, way_commands, ways
from meldkamer.notify.carrier import CarrierFault, InDoubt, ReceiptState, Rejected
from meldkamer.notify.kinds import CHANNELS, SANDBOX, SettingsFault
from meldkamer.notify.models import OutboxMessage, Receipt, WayOut
from meldkamer.rules import procedures, routing
from meldkamer.sites.models import Site
from tests.engine.outside import HOUSE, MORE, again_rows, carrier, claim, message_of, one
from tests.incidents.town import Town, at, row_of, told


@pytest.mark.clause("S7.2")
def test_the_ladder_waits_from_the_moment_the_carrier_took_the_text(outside: Town) -> None:
    row = carrier()
    incident = outside.incident("battery")
    claimed = one(row, at(5))
    HOUSE.taken([(claimed, "ref-1")], at(7))
    incident.refresh_from_db()
    assert incident.due == at(97) == row_of(incident).due
    message = message_of(claimed)
    assert (message.state, message.carrier_ref, message.handed_over_at) == (
        "handed_over", "ref-1", at(7),
    )  # fmt: skip
    assert not again_rows()


@pytest.mark.clause("M12.1")
def test_a_claim_stands_on_the_agenda_and_is_sent_again_when_its_line_died(outside: Town) -> None:
    row = carrier()
    outside.incident("battery")
    first = one(row, at(1))
    assert [found.due for found in again_rows()] == [at(1 + outbox.CLAIM_S)]
    assert claim(row, at(2)) == []
    cycle.act_on_due(at(1 + outbox.CLAIM_S))
    second = one(row, at(100))
    assert second.parcel.id == first.parcel.id
    assert message_of(second).doubts == 1


@pytest.mark.clause("M12.1")
def test_the_successor_of_a_dead_line_sends_what_that_had_in_hand(outside: Town) -> None:
    row = carrier()
    outside.incident("battery")
    first = one(row, at(1))
    assert outbox.release_lost(row.pk, at(2)) == 1
    second = one(row, at(2))
    # the dead one was not dead: its word comes late and the message is not sent a third time
    HOUSE.taken([(first, "late")], at(3))
    HOUSE.taken([(second, "second")], at(4))
    message = message_of(second)
    assert (message.state, message.carrier_ref, message.doubts) == ("handed_over", "second", 2)
    assert not again_rows()


@pytest.mark.clause("M12.1")
def test_what_went_late_is_not_sent_again(outside: Town) -> None:
    row = carrier()
    outside.incident("battery")
    first = one(row, at(1))
    outbox.release_lost(row.pk, at(2))
    HOUSE.taken([(first, "late")], at(3))
    assert claim(row, at(4)) == []
    assert message_of(first).state == "handed_over"


@pytest.mark.clause("S7.2")
def test_a_rejected_text_moves_the_ladder_on_at_once(outside: Town) -> None:
    row = carrier()
    incident = outside.incident("battery")
    claimed = one(row, at(1))
    HOUSE.refused(claimed, Rejected("no such number"), at(2))
    assert message_of(claimed).state == "failed"
    [entry] = told("sms.rejected", incident)
    assert (entry.clause, entry.reason) == ("S7.2", "no such number")
    cycle.act_on_due(at(2))
    assert len(told("sms.sent", incident)) == 2


def test_the_next_carrier_is_asked_at_once_and_the_agenda_after_the_last(outside: Town) -> None:
    first, second = carrier(), carrier("second", 2)
    outside.incident("battery")
    claimed = one(first, at(1))
    HOUSE.refused(claimed, CarrierFault("queue full"), at(1))
    assert claim(first, at(1)) == []
    claimed = one(second, at(1))
    HOUSE.refused(claimed, CarrierFault("out of service"), at(2))
    message = message_of(claimed)
    assert (message.state, message.carrier_id, message.tried) == ("waiting", None, [])
    [row] = again_rows()
    assert row.due == at(2 + routing.again_after_s(2))
    cycle.act_on_due(row.due)
    assert one(first, row.due).parcel.id == message.pk


def test_a_carrier_that_is_in_doubt_is_asked_again_and_that_is_counted(outside: Town) -> None:
    row = carrier()
    outside.incident("battery")
    HOUSE.refused(one(row, at(1)), InDoubt("the connection broke"), at(2))
    assert OutboxMessage.objects.get().doubts == 1
    cycle.act_on_due(at(60))
    HOUSE.taken([(one(row, at(60)), "r")], at(61))


def test_a_carrier_that_asks_for_a_pause_gets_it(outside: Town) -> None:
    row = carrier()
    outside.incident("battery")
    HOUSE.refused(one(row, at(1)), CarrierFault("throttled", after_s=30), at(2))
    [found] = again_rows()
    assert found.due == at(32)


def test_the_first_message_of_an_incident_passes_every_throttle(outside: Town) -> None:
    row = carrier()
    site = outside.build_site("Second")
    outside.incident("battery")
    HOUSE.taken([(one(row, at(0)), "r1")], at(0))
    cycle.act_on_due(at(90))  # the second text of the first incident
    outside.signal("battery", code="YT", site=site, when=at(91))
    cycle.judge_all(at(91))
    [first] = claim(row, at(92), firsts=True)
    assert (first.parcel.site_id, message_of(first).first_of_incident) == (site.pk, True)
    [rest] = claim(row, at(92))
    assert (rest.parcel.site_id, message_of(rest).first_of_incident) == (outside.site.pk, False)


@pytest.mark.clause("S7.2", "S7.5")
def test_nobody_is_passed_over_whose_text_still_lies_in_the_house(outside: Town) -> None:
    row = carrier(per_second=0.1)
    incident = outside.incident("battery")
    for seconds in range(90, 290, 10):  # a throttle or a storm holds it
        cycle.act_on_due(at(seconds))
    assert len(told("sms.sent", incident)) == 1
    HOUSE.taken([(one(row, at(290)), "r1")], at(290))
    cycle.act_on_due(at(379))
    assert len(told("sms.sent", incident)) == 1
    cycle.act_on_due(at(380))
    assert [entry.clause for entry in told("sms.sent", incident)] == ["S7.1", "S7.2"]


@pytest.mark.clause("M12.2")
def test_a_text_that_lies_in_the_house_for_too_long_calls_an_operator(outside: Town) -> None:
    carrier()
    incident = outside.incident("battery")
    for seconds in range(90, 320, 10):
        cycle.act_on_due(at(seconds))
    incident.refresh_from_db()
    assert incident.state == Incident.State.QUEUED
    [entry] = told("incident.queued", incident)
    assert (entry.clause, entry.at) == ("M12.2", at(310))  # the look after five minutes


def test_what_is_urgent_goes_before_what_came_earlier(outside: Town) -> None:
    row = carrier()
    outside.incident("battery")
    site = outside.build_site("Second", formula="app")
    outside.signal("holdup", code="HA", site=site, when=at(1))
    cycle.judge_all(at(1))
    claimed = claim(row, at(2))
    assert [one.parcel.template for one in claimed] == ["information", "ladder"]


@pytest.mark.clause("M12.1")
def test_nothing_of_a_provider_in_practice_is_any_carriers_to_take(outside: Town) -> None:
    row = carrier()
    outside.incident("battery")
    message = OutboxMessage.objects.get()
    outside.provider.practice = True
    outside.provider.save()
    facts = ways.facts(row, at(1))
    everyone = {(outside.provider.pk, True), (outside.provider.pk, False)}
    assert outbox.claim(facts, everyone, MORE, at(1)) == []
    # not even when it was meant for this very carrier before
    OutboxMessage.objects.update(carrier_id=row.pk)
    assert outbox.claim(facts, everyone, MORE, at(1)) == []
    outside.provider.practice = False
    outside.provider.save()
    assert [claimed.parcel.id for claimed in outbox.claim(facts, everyone, MORE, at(2))] == [
        message.pk
    ]


def test_a_channel_is_in_the_sandbox_or_outside_and_never_both(outside: Town) -> None:
    box = way_commands.add(SANDBOX, "box", at(0), provider_id=outside.provider.pk, channel="sms")
    row = carrier(enabled=False)
    with pytest.raises(SettingsFault, match="never both"):
        way_commands.change(row.pk, at(1), values={"enabled": True})
    row.refresh_from_db()
    assert not row.enabled
    outside.incident("battery")
    WayOut.objects.filter(pk=row.pk).update(enabled=True)
    everyone = {(outside.provider.pk, True)}
    assert outbox.claim(ways.facts(row, at(1)), everyone, MORE, at(1)) == []
    assert cycle.hand_over({"sms": lambda *_: None}, at(1), of=ways.in_sandbox()) == 1
    WayOut.objects.filter(pk=row.pk).update(enabled=False)
    way_commands.change(box.pk, at(2), values={"enabled": False})
    assert ways.in_sandbox() == [(outside.other.pk, one) for one in CHANNELS]


@pytest.mark.clause("S16.2", "M12.2")
def test_a_carrier_that_fails_is_an_incident_of_the_house_until_somebody_acted(
    outside: Town,
) -> None:
    row = carrier(help_phone="+3222000000")
    outside.incident("battery")
    carrier_faults.fails(row.pk, "connection refused", at(10))
    carrier_faults.fails(row.pk, "connection refused", at(11))
    cycle.judge_all(at(12))
    house = Site.objects.get(house=True)
    [incident] = Incident.objects.filter(site=house)
    assert (incident.type, incident.state, incident.zone) == (
        "external_technical", "queued", f"C{row.pk}",
    )  # fmt: skip
    assert incident.owner
    assert incident.due
    zone = house.zones.get()
    assert (zone.name, zone.service_phone) == ("sms: first", "+3222000000")
    [entry] = Entry.objects.filter(what="carrier.failed")
    assert (entry.reason, entry.clause) == ("connection refused", "M12.1")
    # whoever takes it has somebody to call: the help desk, then whoever the office named
    taking.take_next(outside.emma, at(15))
    facts = incident_facts(Incident.objects.get(pk=incident.pk), at(16))
    step = procedures.current(facts, at(16))
    assert step is not None
    assert (step.do, step.phone, step.clause) == ("call", "+3222000000", "S16.2")
    assert [contact.phone for contact in house.contacts.all()] == ["+3222632400"]
    carrier_faults.works(row.pk, at(60))
    cycle.judge_all(at(61))
    assert Incident.objects.filter(site=house).count() == 1
    assert Verdict.objects.filter(incident=incident).count() == 2


def test_a_carrier_that_fails_in_another_way_says_how_and_is_told_once(outside: Town) -> None:
    row = carrier(help_phone="+3222000000")
    carrier_faults.fails(row.pk, "connection refused", at(10))
    carrier_faults.fails(row.pk, "the centre refused the login", at(70))
    row.refresh_from_db()
    assert (row.last_fault, row.since) == ("the centre refused the login", at(10))
    assert Site.objects.get(house=True).zones.get().detector == "the centre refused the login"
    assert Entry.objects.filter(what="carrier.failed").count() == 1
    cycle.judge_all(at(71))
    assert Incident.objects.filter(site__house=True).count() == 1


def test_when_the_first_carrier_is_down_the_second_takes_what_was_meant_for_it(
    outside: Town,
) -> None:
    first, second = carrier(), carrier("second", 2)
    outside.incident("battery")
    OutboxMessage.objects.update(carrier_id=first.pk)
    assert claim(second, at(1)) == []
    carrier_faults.fails(first.pk, "connection refused", at(2))
    HOUSE.taken([(one(second, at(3)), "r")], at(3))


@pytest.mark.clause("S7.2")
def test_a_receipt_that_it_will_never_arrive_counts_as_a_rejection(outside: Town) -> None:
    row = carrier()
    incident = outside.incident("battery")
    claimed = one(row, at(1))
    # it comes before the answer to the text was noted, and twice
    for _ in range(2):
        inbox.store_receipt(row.pk, "r1", ReceiptState.FAILED, at(2), detail="absent subscriber")
    cycle.consume_all(at(2))
    assert Receipt.objects.filter(consumed_at=None).count() == 1
    HOUSE.taken([(claimed, "r1")], at(3))
    cycle.consume_all(at(4))
    cycle.consume_all(at(5))
    [entry] = told("sms.rejected", incident)
    assert (entry.clause, entry.reason, entry.at) == ("S7.2", "absent subscriber", at(4))
    assert message_of(claimed).state == "failed"
    cycle.act_on_due(at(5))
    assert len(told("sms.sent", incident)) == 2


def test_a_delivery_is_shown_in_the_course_and_moves_nothing(outside: Town) -> None:
    row = carrier()
    incident = outside.incident("battery")
    HOUSE.taken([(one(row, at(1)), "r1")], at(1))
    inbox.store_receipt(row.pk, "r1", ReceiptState.DELIVERED, at(3))
    cycle.consume_all(at(4))
    [entry] = told("message.delivered", incident)
    assert entry.recipient == outside.contact().name
    incident.refresh_from_db()
    assert incident.due == at(91)
    assert OutboxMessage.objects.get().delivered_at == at(4)


@pytest.mark.clause("S7.3")
def test_a_text_of_an_incident_that_was_closed_meanwhile_is_not_sent(outside: Town) -> None:
    row = carrier()
    outside.incident("battery")
    phone = outside.contact().phone
    HOUSE.taken([(one(row, at(1)), "r1")], at(1))
    cycle.act_on_due(at(91))
    inbox.store_reply(row.pk, phone, " Ok ", at(92))
    cycle.consume_all(at(92))
    claimed = claim(row, at(93))
    assert len(claimed) == 1
    assert HOUSE.unwanted(claimed, at(93)) == {claimed[0].parcel.id}
    assert message_of(claimed[0]).state == "cancelled"
    assert not again_rows()


@pytest.mark.clause("S7.4")
def test_the_empty_reply_is_stored_once_and_calls_an_operator(outside: Town) -> None:
    row = carrier()
    incident = outside.incident("battery")
    HOUSE.taken([(one(row, at(1)), "r1")], at(1))
    for _ in range(2):
        inbox.store_reply(row.pk, outside.contact().phone, "", at(20), ref="mo-1")
    cycle.consume_all(at(20))
    incident.refresh_from_db()
    assert incident.state == Incident.State.QUEUED
    assert [entry.clause for entry in told("sms.received", incident)] == ["S7.4"]


@pytest.mark.clause("M12.2")
def test_when_no_carrier_takes_texts_an_operator_is_not_kept_waiting_for_the_rounds(
    outside: Town,
) -> None:
    row = carrier()
    incident = outside.incident("battery")
    carrier_faults.fails(row.pk, "connection refused", at(10))
    cycle.act_on_due(at(90))
    incident.refresh_from_db()
    assert incident.state == Incident.State.QUEUED
    [entry] = told("incident.queued", incident)
    assert (entry.clause, entry.reason) == ("M12.2", "no carrier takes texts")
    assert len(told("sms.sent", incident)) == 1


@pytest.mark.clause("S7.9", "S7.10")
def test_a_reply_answers_the_texts_of_the_provider_whose_carrier_brought_it(outside: Town) -> None:
    ours = carrier(provider_id=outside.provider.pk)
    theirs = carrier("theirs", provider_id=outside.other.pk)
    incident = outside.incident("battery")
    HOUSE.taken([(one(ours, at(1)), "r1")], at(1))
    phone = outside.contact().phone
    inbox.store_reply(theirs.pk, phone, "ok", at(10))
    cycle.consume_all(at(10))
    incident.refresh_from_db()
    assert incident.state == Incident.State.TEXTING
    [entry] = Entry.objects.filter(what="sms.received")
    assert (entry.clause, entry.provider_id) == ("S7.10", outside.other.pk)
    inbox.store_reply(ours.pk, phone, "ok", at(11))
    cycle.consume_all(at(11))
    incident.refresh_from_db()
    assert incident.outcome == "confirmed_by_sms"


def test_the_house_of_a_provider_counts_against_no_quota(outside: Town) -> None:
    row = carrier()
    carrier_faults.fails(row.pk, "connection refused", at(10))
    cycle.judge_all(at(10))
    house = Site.objects.get(house=True)
    incident = Incident.objects.get(site=house)
    terms = terms_of(house)
    assert count_handling(house, incident.pk, "intrusion", terms, at(20)) is None
    assert count_handling(outside.site, incident.pk, "intrusion", terms, at(20)) is not None


def test_a_receipt_of_a_message_that_nobody_knows_is_set_aside_after_a_day(outside: Town) -> None:
    row = carrier()
    outside.incident("battery")
    HOUSE.taken([(one(row, at(1)), "ours")], at(1))
    for ref in ("ours", "theirs"):
        inbox.store_receipt(row.pk, ref, ReceiptState.DELIVERED, at(2))
    assert inbox.forget_unknown(at(1)) == 0
    assert inbox.forget_unknown(at(3)) == 1
    waiting = Receipt.objects.filter(consumed_at=None)
    assert [receipt.ref for receipt in waiting] == ["ours"]


def test_what_left_the_sandbox_a_moment_ago_is_not_swallowed_by_it(outside: Town) -> None:
    outside.incident("battery")
    # the worker read where messages stay before the office changed it
    before = [(outside.provider.pk, "sms")]
    assert cycle.hand_over({"sms": lambda *_: None}, at(1), of=before) == 0
    assert OutboxMessage.objects.get().state == "pending"


def test_while_a_carrier_rests_the_next_one_is_asked_also_for_the_first_message(
    outside: Town,
) -> None:
    first, second = carrier(), carrier("second", 2)
    outside.incident("battery")
    HOUSE.resting(first.pk, at(60))
    assert claim(first, at(1)) == []
    assert one(second, at(1)).parcel.template == "ladder"
    site = outside.build_site("Second")
    outside.signal("battery", code="YT", site=site, when=at(61))
    cycle.judge_all(at(61))
    assert claim(second, at(61)) == []
    assert one(first, at(61)).parcel.site_id == site.pk
