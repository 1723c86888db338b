"""Floods, interruptions and needless alarms, as the pure rules see them (D908.1, D908.3, S12.2)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meldkamer.rules import flood, needless
from meldkamer.rules.acts import HoldBack, Judgement, Open, Say, Text
from meldkamer.rules.facts import InterruptionFacts, SignalFacts, SiteFacts, TestFacts
from meldkamer.rules.verdicts import judge, left_in_test
from tests.rules.values import NOW, TERMS, at, signal, site

RULES = TERMS.flood
FLOODED = InterruptionFacts("flood", "D908.3", (), 7)


def of_flood(burst: int = 0, **more: object) -> SignalFacts:
    return signal(transmitter=7, burst=burst, **more)


def verdict(one: SignalFacts, where: SiteFacts) -> Judgement:
    return judge(one, where, (), (), NOW)


@pytest.mark.clause("D908.3")
def test_the_signal_that_is_one_too_many_is_held_and_its_transmitter_with_it() -> None:
    enough = verdict(of_flood(RULES.signals), site())
    assert enough.verdict == "opened"
    assert not [act for act in enough.acts if isinstance(act, HoldBack)]
    found = verdict(of_flood(RULES.signals + 1), site())
    assert (found.verdict, found.reason, found.clause) == ("held", "flood", "D908.3")
    assert found.acts == (
        Say("signal.held", "D908.3", "flood"),
        HoldBack(7, RULES.signals + 1, NOW),
    )


@pytest.mark.clause("D908.3")
@pytest.mark.parametrize("kind", ["holdup", "fire", "medical"])
def test_a_flood_never_holds_back_a_life_in_danger(kind: str) -> None:
    where = site(interruptions=(FLOODED,))
    assert verdict(of_flood(type=kind), where).verdict == "opened"
    greedy = replace(where, terms=_terms_that_hold(kind))
    assert verdict(of_flood(type=kind), greedy).verdict == "opened"
    restore = of_flood(type="restore", role="restore", restores_type=kind)
    assert flood.holds(restore, where) is False


def _terms_that_hold(kind: str):  # type: ignore[no-untyped-def]
    import msgspec

    kept = tuple(one for one in RULES.never_held if one != kind)
    return msgspec.structs.replace(TERMS, flood=msgspec.structs.replace(RULES, never_held=kept))


@pytest.mark.clause("D908.3")
def test_a_panels_duress_code_is_never_held_back() -> None:
    where = site(interruptions=(FLOODED,))
    assert verdict(of_flood(type="intrusion", duress=True), where).verdict == "opened"
    assert verdict(of_flood(type="intrusion"), where).reason == "flood"


@pytest.mark.clause("D908.3")
def test_a_flood_holds_back_its_transmitter_and_not_its_site() -> None:
    where = site(interruptions=(FLOODED,))
    assert verdict(signal(transmitter=8), where).verdict == "opened"
    assert verdict(signal(transmitter=None), where).verdict == "opened"


@pytest.mark.clause("D908.3")
def test_what_came_before_a_flood_is_acted_on_even_when_it_is_judged_after_its_start() -> None:
    where = site(interruptions=(replace(FLOODED, since=at(10)),))
    assert verdict(of_flood(5, after_s=9), where).verdict == "opened"
    assert verdict(of_flood(5, after_s=10), where).reason == "flood"
    late = verdict(of_flood(RULES.signals + 1, after_s=9), where)
    assert (late.reason, len(late.acts)) == ("flood", 1)


@pytest.mark.clause("D908.3")
def test_restores_that_end_an_incident_pass_and_others_are_journaled() -> None:
    where = site(interruptions=(FLOODED,))
    power = of_flood(type="restore", role="restore", restores_type="power")
    assert verdict(power, where).reason != "flood"
    burglary = verdict(of_flood(type="restore", role="restore", restores_type="intrusion"), where)
    assert (burglary.verdict, burglary.reason) == ("journaled", "flood")


@pytest.mark.clause("D908.3")
def test_messages_that_open_nothing_begin_a_flood_too() -> None:
    found = verdict(of_flood(RULES.signals + 1, role="test_message", type="line_test"), site())
    assert found.verdict == "journaled"
    assert found.acts == (HoldBack(7, RULES.signals + 1, NOW),)


@pytest.mark.clause("D908.3", "S20.1")
def test_a_flood_does_not_begin_in_a_test_or_before_the_contract_is_in_force() -> None:
    one = of_flood(RULES.signals + 1)
    in_test = site(tests=(TestFacts(1, (), ("9",), (), at(60)),))
    assert verdict(one, in_test).verdict == "opened"
    assert verdict(one, site(in_force=False)).reason == "not_in_force"


@pytest.mark.clause("D908.3", "D908.1")
def test_a_flood_at_an_interrupted_site_texts_nobody() -> None:
    unpaid = InterruptionFacts("unpaid", "D908.1")
    found = verdict(of_flood(), site(interruptions=(unpaid, FLOODED)))
    assert found.reason == "flood"
    assert not [act for act in found.acts if isinstance(act, Text)]


@pytest.mark.clause("D908.1")
@pytest.mark.parametrize("cause", ["broken", "out_of_service", "unpaid"])
def test_an_interruption_holds_every_type_and_tells_the_contacts(cause: str) -> None:
    where = site(interruptions=(InterruptionFacts(cause, "D908.1"),))
    for kind in ("intrusion", "fire", "battery"):
        found = verdict(signal(type=kind), where)
        assert (found.verdict, found.reason, found.clause) == ("held", "suspended", "D908.1")
        said = Say("signal.held", "D908.1", "suspended", data={"cause": cause})
        assert found.acts == (said, Text("c1", "held", "D908.1"), Text("c2", "held", "D908.1"))


@pytest.mark.clause("D908.1")
def test_what_did_not_come_is_held_too_but_texts_nobody() -> None:
    where = site(interruptions=(InterruptionFacts("out_of_service", "D908.1"),))
    found = verdict(signal(type="line_test", code="line_test.missed", origin="watch"), where)
    assert (found.verdict, len(found.acts)) == ("held", 1)


@pytest.mark.clause("S12.2")
def test_a_suspension_holds_its_types_and_never_a_duress_code() -> None:
    where = site(interruptions=(InterruptionFacts("suspended", "S12.2", ("intrusion",)),))
    assert verdict(signal(), where).clause == "S12.2"
    assert verdict(signal(type="sabotage"), where).verdict == "opened"
    assert verdict(signal(duress=True), where).verdict == "opened"


@pytest.mark.clause("S12.2")
def test_a_suspension_that_names_everything_still_lets_life_pass() -> None:
    where = site(interruptions=(InterruptionFacts("suspended", "S12.2"),))
    for kind in needless.NEVER_SUSPENDED:
        assert verdict(signal(type=kind), where).verdict == "opened"


@pytest.mark.clause("S12.2")
def test_the_count_warns_once_and_then_suspends() -> None:
    rules = TERMS.needless
    found = [needless.follows(count, rules, warned=count > 3) for count in range(1, 7)]
    assert found == ["", "", "warn", "", "suspend", "suspend"]


@pytest.mark.clause("S12.2")
def test_only_types_that_were_counted_are_suspended_and_never_life() -> None:
    counted = ["intrusion", "fire", "", "sabotage", "intrusion", "holdup", "medical"]
    assert needless.suspended_types(counted, TERMS.needless) == ("intrusion", "sabotage")


@pytest.mark.clause("S20.1")
def test_what_a_test_left_burning_opens_unless_something_else_keeps_it_back() -> None:
    fire = signal(type="fire", code="FA")
    acts = left_in_test(fire, site(), NOW)
    assert isinstance(acts[0], Open)
    assert (acts[0].clause, acts[0].origin) == ("S20.1", "test")
    assert left_in_test(fire, site(in_force=False), NOW) == []
    assert left_in_test(fire, site(types=frozenset({"intrusion"})), NOW) == []
    another = TestFacts(2, (), (), ("fire",), at(60))
    assert left_in_test(fire, site(tests=(another,)), NOW) == []
    unpaid = InterruptionFacts("unpaid", "D908.1")
    assert left_in_test(fire, site(interruptions=(unpaid,)), NOW) == []


@pytest.mark.clause("S20.1")
def test_a_test_covers_what_came_while_it_ran_however_late_that_is_judged() -> None:
    test = TestFacts(1, (), (), (), at(60), at(0))
    assert [test.runs_at(at(s)) for s in (-1, 0, 59, 60)] == [False, True, True, False]
