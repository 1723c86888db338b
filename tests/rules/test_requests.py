"""May a service be asked for now? Out of turn it takes somebody consulted (B1, M3.1, S15.3)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from meldkamer.rules.facts import ContactFacts, IncidentFacts, Past, SiteFacts
from meldkamer.rules.procedures import current, offered, request_refusal
from meldkamer.terms.loader import load

NOW = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)
TERMS = load("securitas-2022-05")


def incident(
    kind: str, *history: Past, verified_by: str = "", trial: bool = False
) -> IncidentFacts:
    """An incident of a site with a line at the premises and one contact."""
    site = SiteFacts(
        id=1,
        provider_id=1,
        name="Bakkerij Peeters",
        timezone=ZoneInfo("Europe/Brussels"),
        plan="homeguard",
        formula="operator",
        types=None,
        options=frozenset(),
        premises_phone="+3232345678",
        premises_person="",
        contacts=(ContactFacts(7, "An", "+32475123456", "an@example.be", "nl", True),),
        zones={},
        terms=TERMS,
        trial_until=NOW + timedelta(days=1) if trial else None,
    )
    return IncidentFacts(
        id=1,
        type=kind,
        opened_at=NOW,
        state="taken",
        site=site,
        procedure=TERMS.procedure(kind),
        history=history,
        verified_by=verified_by,
    )


def call(key: str, result: str, says: str = "") -> Past:
    """The result of a call; with words, those of an identified person."""
    data = {"key": key, "round": 1, "result": result, "says": says, "accepted": bool(says)}
    return Past(NOW, "call.result", data=data)


@pytest.mark.clause("B1")
def test_police_are_not_called_for_a_holdup_before_anybody_was_called() -> None:
    refusal = request_refusal(incident("holdup"), "police", NOW)
    assert refusal is not None
    assert (refusal.clause, refusal.reason) == ("B1", "not consulted")


@pytest.mark.clause("S15.4")
def test_police_are_called_for_a_holdup_once_the_premises_did_not_answer() -> None:
    facts = incident("holdup", call("premises", "no_answer"))
    step = current(facts, NOW)
    assert step is not None
    assert (step.do, step.service, step.clause) == ("request", "police", "S15.4")
    assert request_refusal(facts, "police", NOW) is None


@pytest.mark.clause("S15.5")
def test_the_fire_brigade_is_asked_for_first_two_minutes_after_opening() -> None:
    facts = incident("fire")
    assert request_refusal(facts, "fire", NOW + timedelta(seconds=119)) is not None
    assert request_refusal(facts, "fire", NOW + timedelta(seconds=120)) is None


@pytest.mark.clause("S15.3")
def test_police_for_an_intrusion_need_verification_and_a_consultation() -> None:
    consulted = call("c7", "reached", "coming")
    for facts, missing in (
        (incident("intrusion"), ("verified", "consulted")),
        (incident("intrusion", verified_by="detectors"), ("consulted",)),
        (incident("intrusion", consulted), ("verified",)),
    ):
        refusal = request_refusal(facts, "police", NOW)
        assert refusal is not None
        assert (refusal.clause, refusal.missing) == ("S15.3", missing)
    both = incident("intrusion", consulted, verified_by="detectors")
    assert request_refusal(both, "police", NOW) is None


@pytest.mark.clause("S4.3")
def test_the_trial_is_named_before_the_missing_verification() -> None:
    refusal = request_refusal(incident("intrusion", trial=True), "police", NOW)
    assert refusal is not None
    assert refusal.clause == "S4.3"


@pytest.mark.clause("M3.1")
def test_a_forbidden_step_keeps_its_place_with_its_reason() -> None:
    rows = {row.id: row for row in offered(incident("intrusion"), NOW)}
    assert [row.state for row in rows.values()] == ["now", "next", "not_allowed", "not_allowed"]
    assert rows["request:police"].clause == "S15.3"
    assert rows["patrol"].clause == "S6.1"


@pytest.mark.clause("M7.1")
def test_after_a_duress_code_police_are_next_without_any_call() -> None:
    facts = incident("holdup", Past(NOW, "incident.duress"))
    step = current(facts, NOW)
    assert step is not None
    assert (step.do, step.service, step.clause) == ("request", "police", "M7.1")
    calls = [row for row in offered(facts, NOW) if row.do == "call"]
    assert {row.state for row in calls} == {"not_allowed"}


@pytest.mark.clause("M3.1", "S15.5")
def test_whom_to_inform_once_the_service_comes_stands_in_the_list_once() -> None:
    facts = incident("fire", Past(NOW, "fire.requested"))
    step = current(facts, NOW)
    assert step is not None
    assert step.do == "inform"
    rows = offered(facts, NOW)
    assert [row for row in rows if row.state == "now"] == [step]
