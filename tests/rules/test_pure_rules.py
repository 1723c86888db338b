"""Edges of the rules that no story stands on exactly."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest

from meldkamer.rules import avs, ladder, queue, services, verdicts, verification
from meldkamer.rules.acts import Open
from meldkamer.rules.facts import Past
from meldkamer.rules.ladder import Texted
from meldkamer.rules.queue import Waiting
from tests.rules.values import NOW, TERMS, at, call, incident, signal, site

LIFE_FIRST = msgspec.structs.replace(
    TERMS,
    queue=msgspec.structs.replace(
        TERMS.queue, ageing_types=("fire", "medical", "holdup"), ageing_after_s=60
    ),
)


def order(terms: Any, now: datetime, *waiting: Waiting) -> list[int]:
    return [w.id for w in sorted(waiting, key=lambda w: queue.place(w, terms, now))]


# --- the queue


@pytest.mark.clause("S15.1")
def test_class_before_age_before_number() -> None:
    fire = Waiting(1, "fire", 2, at(-900))
    power = Waiting(2, "power", 3, at(-9000))
    burglary, older, same = (
        Waiting(3, "intrusion", 1, at(-1)),
        Waiting(9, "sabotage", 1, at(-2)),
        Waiting(4, "holdup", 1, at(-1)),
    )
    assert order(TERMS, NOW, same, power, fire, burglary, older) == [9, 3, 4, 1, 2]


@pytest.mark.clause("S15.1")
@pytest.mark.parametrize(("age_s", "first"), [(59, 2), (60, 1), (61, 1)])
def test_life_first_after_so_many_seconds_where_the_terms_say_so(age_s: int, first: int) -> None:
    fire = Waiting(1, "fire", 2, at(-age_s))
    burglary = Waiting(2, "intrusion", 1, at(-3600))
    assert order(LIFE_FIRST, NOW, fire, burglary)[0] == first
    assert order(TERMS, NOW, fire, burglary)[0] == 2


@pytest.mark.clause("M12.2")
def test_the_last_rung_repeats_for_ever() -> None:
    rung, due, told = queue.climb(0, NOW, TERMS)
    assert (rung, told) == (1, False)
    for _ in range(5):
        rung, following, told = queue.climb(rung, due, TERMS)
        assert (rung, told) == (2, True)
        assert following > due
        due = following


# --- M1.3


@pytest.mark.clause("M1.3")
@pytest.mark.parametrize(
    ("before", "raised"),
    [
        ({"type": "line_test", "klass": "line_fault"}, True),
        ({"type": "sabotage"}, True),
        ({"type": "battery"}, False),
        ({"type": "sabotage", "role": "restore"}, False),
    ],
)
@pytest.mark.parametrize(("age_s", "in_time"), [(600, True), (601, False)])
def test_a_line_fault_or_sabotage_shortly_before_raises_to_priority_one(
    before: dict[str, Any], raised: bool, age_s: int, in_time: bool
) -> None:
    priority, reason, clause = verdicts.priority_of("fire", site(), [signal(-age_s, **before)], NOW)
    expected = raised and in_time
    assert (priority, clause) == ((1, "M1.3") if expected else (2, "S15.1"))
    assert bool(reason) is expected


@pytest.mark.clause("M1.3")
def test_one_of_the_same_class_raises_nothing() -> None:
    assert verdicts.priority_of("intrusion", site(), [signal(type="sabotage")], NOW)[0] == 1
    line_fault = signal(type="line_test", klass="line_fault")
    assert verdicts.priority_of("power", site(), [line_fault], NOW)[0] == 3
    judged = verdicts.judge(signal(type="fire"), site(), [], [signal(type="sabotage")], NOW)
    opening = judged.acts[0]
    assert isinstance(opening, Open)
    assert (opening.priority, opening.clause) == (1, "M1.3")


# --- verification


def verified(*signals: Any, now: datetime = NOW, type: str = "intrusion") -> bool:
    return verification.by_detectors(signals, site().zones, type, TERMS, now) is not None


@pytest.mark.clause("S9.1")
@pytest.mark.parametrize(("age_s", "counts"), [(0, True), (1800, True), (1801, False)])
def test_two_detectors_count_within_the_window_its_edge_included(age_s: int, counts: bool) -> None:
    assert verified(signal(-age_s, zone="1"), signal(zone="3")) is counts


@pytest.mark.clause("S9.1")
def test_what_does_not_verify() -> None:
    assert not verified(signal(zone="1"), signal(zone="2"))  # two zones, one detector
    assert not verified(signal(zone="1"), signal(zone="3", entry_exit=True))
    assert not verified(signal(zone="1"), signal(zone="3", type="sabotage"))
    assert not verified(signal(zone="1"), signal(zone="3", role="restore"))
    assert not verified(signal(zone=None), signal(zone="3"))
    assert not verified(signal(zone="1", type="fire"), signal(zone="3", type="fire"), type="fire")
    assert not verified(signal(-1801, verifies=True))


@pytest.mark.clause("S9.1")
def test_an_unlisted_zone_is_a_detector_of_its_own_and_a_code_may_say_it_alone() -> None:
    assert verified(signal(zone="1"), signal(zone="77"))
    assert verified(signal(zone=None, code="BV", verifies=True))
    found = verification.by_detectors(
        [signal(-29, zone="1"), signal(zone="3")], site().zones, "intrusion", TERMS, NOW
    )
    assert found is not None
    assert found.evidence == {"detectors": ["door", "pir"], "gap_s": 29, "window_s": 1800}


# --- services


@pytest.mark.clause("S4.3", "S15.3")
def test_the_trial_is_named_before_the_verification_until_its_very_end() -> None:
    trial = site(trial_until=at(60))
    unverified = incident(where=trial)
    for now, clause in ((NOW, "S4.3"), (at(59), "S4.3"), (at(60), "S15.3")):
        refusal = services.refusal(unverified, "police", now)
        assert refusal is not None
        assert refusal.clause == clause


@pytest.mark.clause("S4.3")
def test_in_trial_a_medical_service_may_be_asked_for_and_the_fire_brigade_not() -> None:
    trial = site(trial_until=at(60))
    assert services.refusal(incident(type="medical", where=trial), "medical", NOW) is None
    refusal = services.refusal(incident(type="fire", where=trial), "fire", NOW)
    assert refusal is not None
    assert refusal.clause == "S4.3"


@pytest.mark.clause("S15.3")
@pytest.mark.parametrize("type", ["intrusion", "sabotage"])
@pytest.mark.parametrize(
    ("by", "consulted", "missing"),
    [
        ("", False, ("verified", "consulted")),
        ("", True, ("verified",)),
        ("camera", False, ("consulted",)),
        ("detectors", True, None),
    ],
)
def test_police_need_a_verification_and_a_consultation(
    type: str, by: str, consulted: bool, missing: tuple[str, ...] | None
) -> None:
    course = [call()] if consulted else [call(accepted=False)]
    refusal = services.refusal(incident(*course, type=type, verified_by=by), "police", NOW)
    assert (refusal.missing if refusal else None) == missing


@pytest.mark.clause("M7.1")
def test_a_duress_code_opens_the_way_to_the_police_but_not_past_the_trial() -> None:
    duress = Past(NOW, "incident.duress")
    assert services.refusal(incident(duress), "police", NOW) is None
    refusal = services.refusal(incident(duress, where=site(trial_until=at(1))), "police", NOW)
    assert refusal is not None
    assert refusal.clause == "S4.3"


# --- replies


@pytest.mark.clause("S7.3")
@pytest.mark.parametrize("text", ["ok", "OK", " Ok\n", "oK\t"])
def test_ok_in_any_case_with_blanks_around_is_ok(text: str) -> None:
    assert ladder.is_ok(text)


@pytest.mark.clause("S7.4")
@pytest.mark.parametrize("text", ["", " ", "ok!", "o k", "okay", "niet ok", "0k"])
def test_anything_else_is_something_else(text: str) -> None:
    assert not ladder.is_ok(text)


def texted(number: int, after_s: float, closed_s: float | None = None) -> Texted:
    closed = None if closed_s is None else at(closed_s)
    return Texted(number, "battery", at(after_s), closed, 1, "c1")


@pytest.mark.clause("S7.9")
@pytest.mark.parametrize(("gap_s", "answered"), [(9.9, [2]), (10, [1, 2])])
def test_a_reply_answers_the_last_and_those_texted_ten_seconds_before(
    gap_s: float, answered: list[int]
) -> None:
    found = ladder.answer([texted(1, -gap_s), texted(2, 0)], "ok", TERMS, NOW)
    assert [one.incident for one in found.answered] == answered


@pytest.mark.clause("S7.8")
@pytest.mark.parametrize(("after_s", "late"), [(86_400, True), (86_401, False)])
def test_a_late_reply_counts_for_a_day(after_s: int, late: bool) -> None:
    found = ladder.answer([texted(1, 0, closed_s=10)], "?", TERMS, at(10 + after_s))
    assert (found.late_for is not None) is late
    assert found.clause == ("S7.8" if late else "S7.10")


# --- how likely is somebody there


@pytest.mark.parametrize(
    ("by", "course", "type", "level"),
    [
        ("", [], "intrusion", 1),
        ("detectors", [], "intrusion", 2),
        ("camera", [], "intrusion", 3),
        ("", [call(says="false_alarm")], "intrusion", 0),
        ("camera", [Past(NOW, "incident.duress")], "intrusion", 4),
        ("", [], "holdup", 1),
        ("person", [], "holdup", 4),
    ],
)
def test_the_level_rises_with_what_is_known(
    by: str, course: list[Past], type: str, level: int
) -> None:
    about = incident(*course, type=type, verified_by=by)
    found = avs.assess(about, (signal(type=type),), avs.Surroundings(), NOW)
    assert found is not None
    assert found.level == level


def test_there_is_no_level_for_a_fire_and_none_above_one_where_the_site_is_not_armed() -> None:
    assert avs.assess(incident(type="fire"), (), avs.Surroundings(), NOW) is None
    two = (signal(zone="1"), signal(zone="3"))
    found = avs.assess(incident(), two, avs.Surroundings(armed=False), NOW)
    assert found is not None
    assert found.level == 1
