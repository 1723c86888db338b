"""No procedure says what the law forbids, and each refusal names its rule (S14.1, B1)."""

from typing import Any

import msgspec
import pytest

from meldkamer.terms.law import breaches
from meldkamer.terms.loader import load, shipped
from meldkamer.terms.model import Procedure
from meldkamer.terms.procedures import ProcedureFault, base_of, read

TERMS = load("securitas-2022-05")
PREMISES = {"do": "call", "who": "premises"}
FIRST = {"do": "call", "who": "premises_or_first"}
CONTACTS = {"do": "call", "who": "contacts"}
TELL = {"do": "tell"}


def request(service: str, when: str, **more: Any) -> dict[str, Any]:
    return {"do": "request", "service": service, "when": when, **more}


POLICE = request("police", "verified_and_consulted")
HELP = request("police", "unsatisfied")
FIRE = request("fire", "consulted_or_exhausted", after_s=120)


def found(name: str, *steps: dict[str, Any], **more: Any) -> list[tuple[str, str, str]]:
    procedure = read(TERMS, name, {"steps": list(steps), **more})
    return [(f.clause, f.item, f.code) for f in breaches(procedure, TERMS, base_of(TERMS, name))]


@pytest.mark.clause("S14.1", "B1")
@pytest.mark.parametrize("name", shipped())
def test_the_shipped_procedures_are_lawful(name: str) -> None:
    terms = load(name)
    for procedure in terms.procedures:
        assert breaches(procedure, terms, procedure) == []


@pytest.mark.clause("S14.1")
def test_what_a_sheet_may_change_is_not_refused() -> None:
    neighbour = {"do": "call", "who": "contact", "name": "Cis"}
    guard = {"do": "call", "who": "number", "name": "Guard", "phone": "+3232999999"}
    patrol = {"do": "patrol", "when": "in_turn"}
    assert found("intrusion", neighbour, patrol, guard, CONTACTS, POLICE) == []
    assert found("intrusion", CONTACTS, TELL) == []  # without police, premises and second pass
    assert found("holdup", FIRST, CONTACTS, HELP) == []
    assert found("fire", CONTACTS, PREMISES, FIRE | {"after_s": 60}) == []
    assert (
        found("technical", CONTACTS | {"identify": "always"}, {"do": "again", "after_s": 60}) == []
    )


@pytest.mark.clause("S15.3", "B1")
@pytest.mark.parametrize("when", ["unsatisfied", "consulted_or_exhausted", "exhausted", ""])
@pytest.mark.parametrize("name", ["intrusion", "sabotage"])
def test_police_for_a_burglary_unverified_is_refused(name: str, when: str) -> None:
    expected = [("S15.3", "police", "law_police_unverified")]
    assert found(name, CONTACTS, request("police", when)) == expected


@pytest.mark.clause("S15.2", "B1")
def test_police_before_anybody_was_called_is_refused() -> None:
    expected = [("S15.2", "police", "law_police_unconsulted")]
    assert found("intrusion", POLICE, CONTACTS) == expected


@pytest.mark.clause("S15.4", "B1")
def test_a_hold_up_keeps_its_call_and_its_police() -> None:
    assert found("holdup", FIRST, TELL) == [("S15.4", "", "law_holdup_without_police")]
    assert found("holdup", HELP, FIRST) == [("S15.4", "police", "law_holdup_uncalled")]
    assert found("holdup", FIRST, POLICE) == [("S15.4", "police", "law_holdup_when")]
    guard = {"do": "call", "who": "number", "name": "Guard", "phone": "+3232999999"}
    assert found("holdup", guard, HELP) == [("S15.4", "police", "law_holdup_uncalled")]


@pytest.mark.clause("S15.5", "B1")
def test_fire_and_medical_keep_their_service_and_its_time() -> None:
    assert found("fire", CONTACTS) == [("S15.5", "", "law_service_removed")]
    assert found("medical", CONTACTS) == [("S15.5", "", "law_service_removed")]
    only_consulted = FIRE | {"when": "verified_and_consulted"}
    assert found("fire", CONTACTS, only_consulted) == [("S15.5", "fire", "law_service_when")]
    assert found("fire", FIRE, CONTACTS) == [("B1", "fire", "law_service_uncalled")]
    for after_s in (0, 121):
        late = FIRE | {"after_s": after_s}
        assert found("fire", CONTACTS, late) == [("S15.5", "fire", "law_service_late")]


@pytest.mark.clause("B1")
def test_no_service_is_asked_for_what_cannot_be_verified_for_it() -> None:
    expected = [("B1", "police", "law_wrong_service")]
    for name in ("open_close", "technical", "external_technical", "undefined"):
        assert found(name, CONTACTS, HELP) == expected
    assert ("B1", "police", "law_wrong_service") in found("fire", CONTACTS, FIRE, POLICE)


@pytest.mark.clause("S19.1")
def test_identification_cannot_be_removed() -> None:
    unasked = CONTACTS | {"identify": "never"}
    assert found("intrusion", unasked) == [("S19.1", "contacts", "law_unidentified")]
    assert found("technical", unasked) == []  # S19.2 does not ask there


@pytest.mark.clause("M3.2")
def test_told_is_not_enough_where_somebody_may_be_in_danger() -> None:
    expected = [("M3.2", "", "law_told_is_not_enough")]
    assert found("intrusion", CONTACTS, exhausted="notified") == expected
    assert found("open_close", CONTACTS, exhausted="notified") == []


def test_each_breach_says_what_was_found_and_what_is_expected() -> None:
    procedure = read(TERMS, "fire", [CONTACTS, FIRE | {"after_s": 300}])
    (breach,) = breaches(procedure, TERMS, base_of(TERMS, "fire"))
    assert breach.reason == "the fire brigade after 300 s at the latest; expected 1 to 120 s"


def test_a_procedure_that_was_not_read_keeps_the_terms_files_clauses() -> None:
    procedure = read(TERMS, "intrusion", [CONTACTS, POLICE, {"do": "patrol"}, TELL])
    assert [(s.id, s.clause) for s in procedure.steps] == [
        ("contacts", "S15.2"), ("police", "S15.3"), ("patrol", "S6.1"), ("tell", "M3.2"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([{"do": "shout"}], "step 1: do: Invalid enum value 'shout'"),
        ([{"do": "call", "whom": "An"}], "step 1: no key whom; expected id, do, clause"),
        ([{"do": "call"}], "step call: a call says who"),
        ([{"do": "call", "who": "contact"}], "who = 'contact' says the name"),
        ([{"do": "call", "who": "number", "name": "x"}], "who = 'number' says the phone"),
        ([TELL], "nobody is called"),
        (["call"], "step 1: expected a table"),
        (7, "found no steps"),
        ([CONTACTS | {"id": "a"}, PREMISES | {"id": "a"}], "step a stands there twice"),
        ([CONTACTS | {"when": "in_turn"}], "only a patrol goes in_turn"),
        ([CONTACTS, {"do": "again", "after_s": -1}], "after_s -1; expected 0 or more"),
        ([CONTACTS | {"id": "a\0"}], "no NUL characters"),
    ],
)
def test_steps_that_cannot_be_read_are_named(steps: Any, words: str) -> None:
    with pytest.raises(ProcedureFault) as fault:
        read(TERMS, "intrusion", steps)
    assert words in str(fault.value)


def test_an_unknown_procedure_is_refused_and_a_type_alone_is_one() -> None:
    with pytest.raises(ProcedureFault) as fault:
        read(TERMS, "burglary", [CONTACTS])
    assert "expected one of: intrusion, holdup, fire" in str(fault.value)
    assert read(TERMS, "sabotage", [CONTACTS]).types == ("sabotage",)
    assert read(TERMS, "technical", [CONTACTS]).types == ("battery", "power", "line_test")


def test_a_breach_of_a_terms_file_itself_is_found() -> None:
    fire = TERMS.procedure("fire")
    spoiled: Procedure = msgspec.structs.replace(fire, steps=fire.steps[:2])
    assert [f.code for f in breaches(spoiled, TERMS)] == ["law_service_removed"]
