"""Calls that the exchange places for an operator: after the transaction, once, and only a hint."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from meldkamer.engine import cycle
from meldkamer.incidents import commands
from meldkamer.incidents.faults import NotYours, Refused
from meldkamer.incidents.models import Incident
from meldkamer.incidents.service import customer_calls
from meldkamer.incidents.telephone import desk_calls
from meldkamer.notify import way_commands
from meldkamer.notify.desk.models import DeskCall
from meldkamer.notify.models import WayOut
from meldkamer.people.models import Staff
from meldkamer.sites import service_numbers
from meldkamer.sites.service_numbers import ServiceNumberDraft
from tests.incidents.town import NOW, Town, at, told
from tests.notify.desk.exchange import Exchange, exchange


@pytest.fixture(scope="module")
def peer() -> Iterator[Exchange]:
    with exchange() as found:
        yield found


@pytest.fixture
def house(town: Town, peer: Exchange) -> Town:
    """Emma dials through the exchange; the provider is a real one."""
    peer.code, peer.wait_s = 200, 0.0
    peer.asked.clear()
    town.provider.practice = False
    town.provider.save()
    Staff.objects.filter(pk=town.emma.pk).update(dials="pbx", extension="201")
    town.emma.refresh_from_db()
    return town


@pytest.fixture
def pbx(house: Town, peer: Exchange) -> WayOut:
    return add(peer)


def add(peer: Exchange, name: str = "Exchange", **changes: Any) -> WayOut:
    settings = {"url": f"{peer.url}/originate", "body": '{"to": "{number}", "id": "{id}"}'}
    return way_commands.add("pbx_http", name, NOW, settings_given=settings | changes)


@pytest.fixture
def taken(house: Town) -> Incident:
    incident = house.incident()
    commands.take(house.emma, incident.pk, NOW)
    return incident


def dial(house: Town, incident: Incident, step: str = "call:premises", s: float = 1) -> DeskCall:
    call = desk_calls.dial(house.emma, incident.pk, step, at(s))
    assert call is not None
    return call


def test_the_exchange_is_asked_once_for_a_call(
    house: Town, pbx: WayOut, taken: Incident, peer: Exchange
) -> None:
    call = dial(house, taken)
    assert (call.state, call.ref) == ("placed", str(call.pk))
    assert [one.body for one in peer.asked] == [f'{{"to": "+3292210017", "id": "{call.pk}"}}']
    assert desk_calls.dial(house.emma, taken.pk, "call:premises", at(2)) is None
    assert len(peer.asked) == 1
    assert len(told("call.placed", taken)) == 1


def test_nothing_is_asked_while_the_step_is_not_committed(
    house: Town, pbx: WayOut, taken: Incident, peer: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(desk_calls.agenda, "schedule", broken)
    with pytest.raises(RuntimeError):
        dial(house, taken)
    assert peer.asked == []
    assert DeskCall.objects.count() == 0
    assert told("call.placed", taken) == []


@pytest.mark.clause("M12.3")
def test_a_dead_exchange_is_said_at_once_with_the_way_on(
    house: Town, taken: Incident, peer: Exchange
) -> None:
    add(peer, url="http://127.0.0.1:1/gone")
    call = dial(house, taken)
    assert call.state == "failed"
    assert "cannot be reached" in call.fault
    (entry,) = told("call.failed", taken)
    assert entry.clause == "M12.3"
    # the step itself goes on: it is dialled by hand
    commands.call_result(house.emma, taken.pk, "call:premises", "no_answer", "", at(30))


def test_the_second_exchange_takes_over_but_not_when_the_first_may_ring(
    house: Town, taken: Incident, peer: Exchange
) -> None:
    first = add(peer, "First", url="http://127.0.0.1:1/gone")
    add(peer, "Second")
    assert dial(house, taken).state == "placed"
    assert len(peer.asked) == 1
    commands.call_result(house.emma, taken.pk, "call:premises", "no_answer", "", at(5))
    peer.wait_s = 0.8
    way_commands.change(first.pk, at(5), values={"settings": {
        "url": f"{peer.url}/originate/{{number}}", "limit_s": 0.3}})  # fmt: skip
    call = dial(house, taken, f"call:{house.key(1)}", 6)
    assert (call.state, call.fault) == ("failed", desk_calls.IN_DOUBT)
    assert len(peer.asked) == 2


def test_who_has_no_telephone_entered_is_told(house: Town, pbx: WayOut, taken: Incident) -> None:
    Staff.objects.filter(pk=house.emma.pk).update(extension="")
    house.emma.refresh_from_db()
    assert dial(house, taken).fault == desk_calls.NO_EXTENSION


def test_by_hand_no_exchange_is_asked(
    house: Town, pbx: WayOut, taken: Incident, peer: Exchange
) -> None:
    for way in ("hand", "tel", "sip"):
        house.emma.dials = way
        assert desk_calls.dial(house.emma, taken.pk, "call:premises", at(1)) is None
    assert peer.asked == []


def test_in_practice_nobody_is_called(
    house: Town, pbx: WayOut, taken: Incident, peer: Exchange
) -> None:
    house.provider.practice = True
    house.provider.save()
    assert desk_calls.dial(house.emma, taken.pk, "call:premises", at(1)) is None
    assert peer.asked == []


def test_somebody_else_s_incident_calls_nobody(
    house: Town, pbx: WayOut, taken: Incident, peer: Exchange
) -> None:
    with pytest.raises(NotYours):
        desk_calls.dial(house.jef, taken.pk, "call:premises", at(1))
    assert peer.asked == []


def test_a_process_that_dies_before_it_asked_leaves_a_call_by_hand(
    house: Town, pbx: WayOut, taken: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_calls, "_placed", lambda call, now: call)
    assert dial(house, taken).state == "asked"
    assert cycle.act_on_due(at(desk_calls.WAIT_S)) == 0
    assert cycle.act_on_due(at(1 + desk_calls.WAIT_S)) > 0
    assert DeskCall.objects.get().fault == desk_calls.NO_SIGN


def test_a_call_that_was_placed_is_not_overdue(house: Town, pbx: WayOut, taken: Incident) -> None:
    dial(house, taken)
    cycle.act_on_due(at(60))
    assert DeskCall.objects.get().state == "placed"
    assert told("call.failed") == []


def hear(call: DeskCall, state: str, s: float, talked_s: int | None = None) -> bool:
    return desk_calls.heard(int(call.way_id or 0), call.pk, state, at(s), talked_s)


@pytest.mark.clause("S19.1", "M3.1")
def test_what_the_exchange_says_settles_no_step_and_identifies_nobody(
    house: Town, pbx: WayOut, taken: Incident
) -> None:
    call = dial(house, taken)
    for state, s in (("ringing", 2), ("answered", 5), ("ended", 65)):
        assert hear(call, state, s, 60)
    call.refresh_from_db()
    assert (call.state, call.talked_s) == ("ended", 60)
    assert told("call.result", taken) == []
    assert told("identified", taken) == []
    taken.refresh_from_db()
    assert taken.state == "taken"
    assert [e.data["state"] for e in told("call.heard", taken)] == ["answered", "ended"]
    commands.call_result(
        house.emma, taken.pk, "call:premises", "voicemail", "", at(70)
    )  # who listened knows better
    (result,) = told("call.result", taken)
    assert not result.data["accepted"]


def test_a_state_is_never_taken_back_and_told_twice_is_told_once(
    house: Town, pbx: WayOut, taken: Incident
) -> None:
    call = dial(house, taken)
    for state in ("busy", "ringing", "busy", "answered"):
        assert hear(call, state, 3)
    call.refresh_from_db()
    assert call.state == "busy"
    assert len(told("call.heard", taken)) == 1


def test_a_call_that_ends_unanswered_is_no_answer(
    house: Town, pbx: WayOut, taken: Incident
) -> None:
    call = dial(house, taken)
    hear(call, "ended", 40)
    call.refresh_from_db()
    assert call.state == "no_answer"


def test_after_a_doubt_the_exchange_may_yet_tell(house: Town, pbx: WayOut, taken: Incident) -> None:
    call = dial(house, taken)
    DeskCall.objects.filter(pk=call.pk).update(state="failed", fault=desk_calls.IN_DOUBT)
    assert hear(call, "answered", 9)
    call.refresh_from_db()
    assert (call.state, call.fault) == ("answered", "")


def test_another_provider_s_exchange_says_nothing_of_it(
    house: Town, pbx: WayOut, taken: Incident, peer: Exchange
) -> None:
    call = dial(house, taken)
    other = way_commands.add(
        "pbx_http", "Theirs", NOW, provider_id=house.other.pk,
        settings_given={"url": f"{peer.url}/{{number}}"},
    )  # fmt: skip
    assert not desk_calls.heard(other.pk, call.pk, "busy", at(3))
    assert not desk_calls.heard(int(pbx.pk), call.pk + 99, "busy", at(3))


@pytest.mark.clause("B1")
def test_the_number_of_a_service_is_that_of_the_site_s_zone(
    house: Town, pbx: WayOut, peer: Exchange
) -> None:
    house.site.police_zone = "PZ Antwerpen +32475999999"
    house.site.save()
    service_numbers.enter(
        house.provider,
        ServiceNumberDraft("police", "PZ Antwerpen", "03 338 55 11", "nl", "2000-2060"),
        NOW - timedelta(days=2), "office",
    )  # fmt: skip
    holdup = house.incident("holdup")
    commands.take(house.emma, holdup.pk, NOW)
    desk_calls.dial(house.emma, holdup.pk, "call:premises", at(1))
    commands.call_result(house.emma, holdup.pk, "call:premises", "no_answer", "", at(20))
    number, call = desk_calls.dial_service(house.emma, holdup.pk, "police", at(30))
    assert (number, call and call.number) == ("+3233385511", "+3233385511")
    (entry,) = told("service.dialled", holdup)
    assert (entry.clause, entry.data["zone"]) == ("B1", "PZ Antwerpen")


@pytest.mark.clause("B1", "S15.3")
def test_a_service_that_may_not_be_asked_is_not_dialled(
    house: Town, pbx: WayOut, taken: Incident, peer: Exchange
) -> None:
    with pytest.raises(Refused) as refused:
        desk_calls.dial_service(house.emma, taken.pk, "police", at(1))
    assert refused.value.clause == "S15.3"
    assert peer.asked == []
    assert told("service.dialled", taken) == []


def test_a_task_s_call_goes_the_same_way(
    house: Town, pbx: WayOut, peer: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    from meldkamer.contracts.models import Task
    from meldkamer.incidents.deciding.facts import terms_of
    from meldkamer.incidents.service.needless import propose

    house.site.customer.phone = "+3233385500"
    house.site.customer.save()
    propose(house.site, terms_of(house.site), NOW, owner="operators", count=5)
    task = Task.objects.get()
    desk_calls.dial_customer(house.emma, task.pk, customer_calls.CUSTOMER, at(1))
    call = DeskCall.objects.get()
    assert (call.task_id, call.incident_id, call.state) == (task.pk, None, "placed")
    assert len(peer.asked) == 1
