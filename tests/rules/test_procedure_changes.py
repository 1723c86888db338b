"""Versions in force, what differs between two, the walk and the check before release: all pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from meldkamer.rules import reach, soundness
from meldkamer.rules.differences import differences
from meldkamer.rules.facts import ContactFacts
from meldkamer.rules.procedures import Step
from meldkamer.rules.versions import Version, in_force, overlay
from meldkamer.rules.walk import NO_ANSWER, Reply, walk
from meldkamer.terms.law import breaches
from meldkamer.terms.loader import load, shipped
from meldkamer.terms.model import Procedure
from meldkamer.terms.procedures import base_of, read
from tests.rules.values import NOW, TERMS, site

PREMISES = {"do": "call", "who": "premises"}
CONTACTS = {"do": "call", "who": "contacts"}
POLICE = {"do": "request", "service": "police", "when": "verified_and_consulted"}
AGAIN = {"do": "again", "after_s": 300}
TELL = {"do": "tell"}


def procedure(*steps: dict[str, Any], name: str = "intrusion") -> Procedure:
    return read(TERMS, name, list(steps))


def version(id: int, of_site: bool, start_h: float, end_h: float | None = None) -> Version:
    ends_at = None if end_h is None else NOW + timedelta(hours=end_h)
    own = msgspec.structs.replace(procedure(CONTACTS), version=id)
    return Version(id, of_site, own, NOW + timedelta(hours=start_h), ends_at)


@pytest.mark.clause("S14.1", "S22.1")
def test_the_order_is_site_then_provider_each_a_period_before_for_good() -> None:
    every = [
        version(1, False, 0),
        version(2, False, 0, 9),
        version(3, True, 0),
        version(4, True, 0, 9),
    ]
    for most in (4, 3, 2, 1):
        assert in_force(every[:most], NOW)[0].id == most
    assert overlay(TERMS, every, NOW).procedure("intrusion").version == 4
    assert overlay(TERMS, every, NOW).procedure("sabotage").version == 4
    assert overlay(TERMS, every, NOW).procedure("fire") == TERMS.procedure("fire")
    assert overlay(TERMS, [], NOW) is TERMS


@pytest.mark.clause("S22.1")
def test_the_first_instant_is_in_a_period_and_the_last_is_not() -> None:
    one = version(1, True, 1, 2)
    held = [one.holds(NOW + timedelta(hours=h)) for h in (0.999, 1, 1.999, 2)]
    assert held == [False, True, True, False]


def test_of_two_permanent_ones_the_later_holds_and_a_withdrawn_one_never_does() -> None:
    first, second = version(1, True, 0), version(2, True, 1)
    assert in_force([second, first], NOW + timedelta(hours=2))[0].id == 2
    withdrawn = replace(second, withdrawn_at=NOW + timedelta(hours=2))
    assert [v.id for v in in_force([first, withdrawn], NOW + timedelta(hours=2))] == [1]


# --- what differs


def test_differences_are_told_step_by_step_and_field_by_field() -> None:
    old = procedure(PREMISES, CONTACTS, POLICE, AGAIN, TELL)
    new = procedure(
        CONTACTS | {"leave_message": True}, POLICE, {"do": "patrol"}, AGAIN | {"after_s": 60}
    )
    assert [str(one) for one in differences(old, new)] == [
        "removed, place 1: call premises (S15.2)",
        "removed, place 5: tell everybody (M3.2)",
        "changed, place 1: call contacts: leave_message False → True",
        "added, place 3: send a patrol (S6.1)",
        "changed, place 4: call once more after 60 s: after_s 300 → 60",
    ]
    assert differences(old, old) == []


def test_as_few_steps_as_possible_count_as_moved() -> None:
    old = procedure(PREMISES, CONTACTS, POLICE, AGAIN, TELL)
    new = procedure(CONTACTS, POLICE, AGAIN, TELL, PREMISES)
    assert [(d.kind, d.step and d.step.id) for d in differences(old, new)] == [
        ("moved", "premises")
    ]


def test_another_end_of_the_list_is_a_difference() -> None:
    old = read(TERMS, "technical", [CONTACTS])
    new = read(TERMS, "technical", {"steps": [CONTACTS], "exhausted": "nobody_reached"})
    assert [str(one) for one in differences(old, new)] == [
        "list exhausted: notified → nobody_reached"
    ]


# --- the check before release


def codes(changed: Procedure, where: Any = None, hours: Any = None) -> list[tuple[bool, str, str]]:
    base = base_of(TERMS, changed.name)
    found = soundness.check(changed, where or site(), hours, base)
    return [(f.refused, f.code, f.item) for f in found]


@pytest.mark.clause("S14.1")
@pytest.mark.parametrize("name", shipped())
def test_the_shipped_procedures_can_be_worked(name: str) -> None:
    terms = load(name)
    for own in terms.procedures:
        assert soundness.check(own, soundness.sample_site(terms), base=own) == []


UNSOUND: dict[str, tuple[Procedure, list[tuple[bool, str, str]]]] = {
    "the same people twice": (
        procedure(CONTACTS, {"do": "call", "who": "contact", "name": "Contact 1"}, TELL),
        [(True, "never_reached", "contact"), (False, "police_left_out", "")],
    ),
    "a second request": (
        read(TERMS, "fire", [CONTACTS, *(
            {"do": "request", "service": "fire", "when": "consulted_or_exhausted", "after_s": 9}
            for _ in (1, 2)), TELL]),
        [(True, "never_reached", "fire_2")],
    ),
    "to inform without a request": (
        read(TERMS, "technical", [CONTACTS, {"do": "inform", "who": "contacts"}, TELL]),
        [(True, "never_reached", "inform_or_contacts")],
    ),
    "a second pass at once": (
        procedure(CONTACTS, POLICE, AGAIN | {"after_s": 5}, TELL), [(True, "loop", "again")]
    ),
    "six passes": (
        procedure(CONTACTS, POLICE, *[AGAIN] * 6, TELL), [(True, "passes", "again_6")]
    ),
    "somebody who is not on the list": (
        procedure({"do": "call", "who": "contact", "name": "Nemo"}, CONTACTS, POLICE, TELL),
        [(True, "contact_unknown", "contact")],
    ),
    "nobody is told": (procedure(CONTACTS, POLICE), [(False, "nobody_told", "")]),
    "police left out": (procedure(CONTACTS, TELL), [(False, "police_left_out", "")]),
    "a patrol that was not taken": (
        procedure(CONTACTS, POLICE, {"do": "patrol", "when": "exhausted"}, TELL),
        [(False, "patrol_not_taken", "patrol")],
    ),
    "a number without a code": (
        procedure(CONTACTS, {"do": "call", "who": "number", "name": "Guard", "phone": "+3220"},
                  POLICE, TELL),
        [(False, "without_code", "number")],
    ),
}  # fmt: skip


@pytest.mark.clause("S14.1")
@pytest.mark.parametrize("name", UNSOUND)
def test_a_procedure_that_cannot_be_worked_is_found(name: str) -> None:
    changed, expected = UNSOUND[name]
    found = [(r, c, "inform_or_contacts" if c == "never_reached" and i == "contacts_2" else i)
             for r, c, i in codes(changed)]  # fmt: skip
    assert found == expected


@pytest.mark.clause("S14.1")
def test_nobody_to_call_and_missing_numbers_are_found() -> None:
    silent = tuple(replace(c, phone="") for c in site().contacts)
    assert codes(procedure(CONTACTS, POLICE, TELL), site(contacts=silent)) == [
        (True, "nobody_to_call", "")
    ]
    one_silent = (silent[0], site().contacts[1])
    assert codes(procedure(CONTACTS, POLICE, TELL), site(contacts=one_silent)) == [
        (False, "number_missing", "")
    ]
    without_line = site(premises_phone="")
    assert codes(procedure(PREMISES, CONTACTS, POLICE, TELL), without_line) == [
        (False, "premises_without_number", "premises")
    ]
    named = procedure({"do": "call", "who": "contact", "name": "Contact 1"}, CONTACTS, TELL)
    assert (True, "contact_without_number", "contact") in codes(named, site(contacts=one_silent))


@pytest.mark.clause("S14.1")
def test_nobody_reachable_at_night_is_found() -> None:
    changed = procedure(CONTACTS, POLICE, TELL)
    by_day = {"c1": "mon-fri 08:00-18:00", "c2": "sat-sun"}
    assert codes(changed, hours=by_day) == [(False, "nobody_at_night", "")]
    found = soundness.check(changed, site(), by_day)
    assert "nobody can be reached from mon 00:00 to mon 08:00" in found[0].reason
    assert codes(changed, hours=by_day | {"c2": "18:00-08:00, sat-sun"}) == []
    assert codes(changed, hours={"c1": "mon-fri 08:00-18:00"}) == []  # the other one always


# --- hours


def test_hours_of_a_week_are_read() -> None:
    assert len(reach.minutes("")) == 7 * 96
    assert len(reach.minutes("mon-fri 08:00-18:00")) == 5 * 40
    assert len(reach.minutes("22:00-06:00")) == 7 * 32
    assert reach.minutes("sun 22:00-06:00") >= {0, 345}  # into Monday
    assert reach.minutes("fri-mon") == reach.minutes("fri, sat, sun, mon")
    assert reach.gaps(["mon-sat"]) == [(6 * 1440, 7 * 1440)]
    assert reach.gaps(["mon 06:00-24:00, tue-sat, sun 00:00-20:00"]) == [(6 * 1440 + 1200, 360)]


@pytest.mark.parametrize("text", ["by day", "mon-xyz", "08:00", "25:00-26:00", "mon;tue", ","])
def test_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(reach.ReachFault):
        reach.minutes(text)


# --- the walk


def test_a_walk_has_the_times_and_clauses_of_the_course() -> None:
    course = walk(site(), TERMS.procedure("intrusion"), "intrusion", lambda _: NO_ANSWER, NOW,
                  verified_by="detectors")  # fmt: skip
    shown = ("call.placed", "supervisor.notified", "incident.waiting", "told.all")
    told = [
        (int((x.at - NOW).total_seconds()), x.what, x.to, x.clause)
        for x in course.lines
        if x.what in shown
    ]
    assert told == [
        (20, "call.placed", "premises", "S15.2"),
        (40, "call.placed", "Contact 1", "S15.2"),
        (60, "call.placed", "Contact 2", "S15.2"),
        (60, "supervisor.notified", "", "S15.3"),
        (60, "incident.waiting", "", "M3.2"),
        (680, "call.placed", "premises", "S15.2"),
        (700, "call.placed", "Contact 1", "S15.2"),
        (720, "call.placed", "Contact 2", "S15.2"),
        (720, "told.all", "", "M3.2"),
    ]
    assert course.outcome == "nobody_reached"


def every_lawful_procedure() -> Iterator[Procedure]:
    """The shipped ones, and changed ones that the law lets through."""
    yield from TERMS.procedures
    guard = {"do": "call", "who": "number", "name": "Guard", "phone": "+3220"}
    for steps in (
        [CONTACTS, POLICE],
        [guard, {"do": "patrol", "when": "in_turn"}, CONTACTS, POLICE, AGAIN, AGAIN, TELL],
        [CONTACTS],
    ):
        yield procedure(*steps)
    first, police = {"do": "call", "who": "premises_or_first"}, POLICE | {"when": "unsatisfied"}
    yield read(TERMS, "holdup", [first, CONTACTS, police])


@pytest.mark.clause("S4.3", "S15.3", "B1")
def test_no_lawful_procedure_ever_sends_police_unverified_or_in_trial() -> None:
    trial = NOW + timedelta(days=14)
    answers = [NO_ANSWER, Reply("voicemail"), *(
        Reply("reached", who, says)
        for who in ("right", "none") for says in ("real", "coming", "send_patrol", "nothing")
    )]  # fmt: skip
    for own in every_lawful_procedure():
        assert breaches(own, TERMS, base_of(TERMS, own.name)) == []
        for kind in own.types:
            for reply in answers:

                def all_say(_step: Step, reply: Reply = reply) -> Reply:
                    return reply

                course = walk(
                    site(trial_until=trial), own, kind, all_say, NOW, verified_by="camera"
                )
                assert not course.of("police.requested") + course.of("fire.requested")
                assert course.outcome
                if kind in ("intrusion", "sabotage"):
                    unverified = walk(site(premises_phone=""), own, kind, all_say, NOW)
                    assert not unverified.of("police.requested")


def test_the_list_of_contacts_is_the_sheets_and_a_call_to_one_is_his() -> None:
    named = procedure({"do": "call", "who": "contact", "name": "Contact 2"}, CONTACTS, POLICE, TELL)
    course = walk(site(), named, "intrusion", lambda _: NO_ANSWER, NOW)
    assert [line.to for line in course.of("call.placed")] == ["Contact 2", "Contact 1"]
    renamed = (ContactFacts(9, "Other", "+32470000009", "", "nl", True),)
    course = walk(site(contacts=renamed), named, "intrusion", lambda _: NO_ANSWER, NOW)
    assert [line.to for line in course.of("call.placed")] == ["Other"]
