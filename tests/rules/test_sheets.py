"""What a sheet may hold: every refusal names its clause, and a good sheet is left alone."""

import pytest

from meldkamer.rules.sheets import Finding, check
from meldkamer.terms.loader import load

SECURITAS = load("securitas-2022-05")
DTRAL = load("dtral")


def found(findings: list[Finding]) -> list[tuple[str, str, bool]]:
    return [(f.clause, f.item, f.refused) for f in findings]


def test_a_sheet_within_its_plan_has_no_finding() -> None:
    types = ["intrusion", "sabotage", "holdup", "fire", "medical"]
    assert check("homeguard", "mix", types, 3, False, ["patrol"], SECURITAS) == []
    assert check("proguard", "operator", None, 5, True, ["open_close"], SECURITAS) == []


@pytest.mark.clause("S6.3")
def test_a_sixth_type_is_refused_on_homeguard_and_taken_on_proguard() -> None:
    types = ["intrusion", "sabotage", "holdup", "fire", "medical", "power"]
    assert found(check("homeguard", "mix", types, 3, False, [], SECURITAS)) == [
        ("S6.3", "types", True)
    ]
    assert check("proguard", "mix", types, 5, False, [], SECURITAS) == []


@pytest.mark.clause("S6.3")
def test_holdup_fire_and_medical_are_left_out_only_by_a_signed_tick() -> None:
    assert check("homeguard", "mix", ["intrusion"], 3, False, [], SECURITAS) == []
    unsigned = check(
        "homeguard", "mix", ["intrusion"], 3, False, [], SECURITAS, left_out_signed=False
    )
    assert found(unsigned) == [("S6.3", "types", True)]
    assert unsigned[0].numbers["missing"] == ["holdup", "fire", "medical"]
    whole = check("homeguard", "mix", None, 3, False, [], SECURITAS, left_out_signed=False)
    assert whole == []


@pytest.mark.clause("S17.1", "S4.4")
@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, [("S4.4", "contacts", True)]),
        (2, [("S17.1", "contacts", False)]),
        (3, []),
        (4, [("S17.1", "contacts", True)]),
    ],
)
def test_homeguard_has_three_contacts(count: int, expected: list[tuple[str, str, bool]]) -> None:
    assert found(check("homeguard", "app", None, count, False, [], SECURITAS)) == expected


@pytest.mark.clause("D904.5")
def test_dtral_takes_more_contacts_at_a_surcharge() -> None:
    most = DTRAL.plans["dtral"].contacts
    assert found(check("dtral", "", None, most + 1, False, [], DTRAL)) == [
        ("D904.5", "contacts", False)
    ]


@pytest.mark.clause("S11.1", "S5.1")
@pytest.mark.parametrize(
    ("types", "hours", "options"),
    [(None, True, []), (None, False, ["open_close"]), (["open_close"], False, [])],
)
def test_open_close_is_refused_on_homeguard(
    types: list[str] | None, hours: bool, options: list[str]
) -> None:
    findings = check("homeguard", "mix", types, 3, hours, options, SECURITAS)
    assert found(findings) == [("S11.1", "open_close", True)]


@pytest.mark.clause("S6.2")
def test_a_plan_without_formula_takes_none_and_one_with_formula_needs_a_known_one() -> None:
    assert found(check("dtral", "mix", None, 4, False, [], DTRAL)) == [("S6.2", "formula", True)]
    missing = check("homeguard", "", None, 3, False, [], SECURITAS)
    assert found(missing) == [("S6.2", "formula", True)]
    assert "app, mix, operator" in missing[0].reason


def test_an_unknown_plan_type_or_option_names_what_was_expected() -> None:
    assert "homeguard" in check("gold", "", None, 3, False, [], SECURITAS)[0].reason
    strange = check("proguard", "mix", ["flood"], 5, False, ["coffee"], SECURITAS)
    assert found(strange) == [("S6.3", "types", True), ("S6.1", "options", True)]
    assert "intrusion" in strange[0].reason
    assert "patrol" in strange[1].reason
