"""Places in the terms: each is one that the model has, and is found where a file has the table."""

from __future__ import annotations

import msgspec
import pytest

from meldkamer.terms import places
from meldkamer.terms.loader import load
from meldkamer.terms.places import At, Value

SECURITAS = load("securitas-2022-05")
DTRAL = load("dtral")


def test_a_value_comes_with_the_key_that_the_file_has_it_under() -> None:
    assert places.values(["texting.wait_s"], SECURITAS, At()) == [Value("texting.wait_s", 90)]


def test_braces_are_the_site_s_plan_and_formula() -> None:
    at = At("proguard", "mix", "battery")
    found = places.values(["plans.{plan}.contacts", "formulas.{formula}.label"], SECURITAS, at)
    assert found == [Value("plans.proguard.contacts", 5), Value("formulas.mix.label", "Mix")]


def test_what_a_plan_without_formulas_includes_is_found_too() -> None:
    found = places.values(["plans.{plan}.included.{formula}"], DTRAL, At("dtral"))
    assert found == [Value("plans.dtral.included", 15)]


def test_the_treatment_is_the_formula_s_or_the_plan_s() -> None:
    assert places.values(["treatment"], SECURITAS, At("homeguard", "app", "power")) == [
        Value("formulas.app.treatment.power", "app")
    ]
    assert places.values(["treatment"], DTRAL, At("dtral", "", "power")) == [
        Value("plans.dtral.treatment.power", "text")
    ]


def test_a_value_of_a_step_is_of_the_procedure_that_the_incident_was_opened_with() -> None:
    place = ["procedure.again.after_s"]
    assert places.values(place, SECURITAS, At(type="holdup")) == [
        Value("procedures.holdup.steps.again.after_s", 600)
    ]
    own = msgspec.structs.replace(SECURITAS.procedure("holdup"), scope="site", version=3)
    assert places.values(place, SECURITAS, At(type="holdup", procedure=own)) == [
        Value("procedures.holdup.steps.again.after_s", 600, "site", 3)
    ]


def test_what_a_file_has_no_table_for_is_left_out() -> None:
    missing = ["formulas.{formula}.label", "procedure.request.after_s", "treatment"]
    assert places.values(missing, DTRAL, At("dtral", "", "battery")) == [
        Value("plans.dtral.treatment.battery", "text")
    ]
    assert places.values(missing, DTRAL, At()) == []


@pytest.mark.parametrize(
    ("place", "names"),
    [
        ("texting.wait", "wait"),
        ("textin.wait_s", "textin"),
        ("texting.wait_s.more", "more"),
        ("plans.{plan}.kontacts", "kontacts"),
        ("procedure.dance.after_s", "dance"),
        ("procedure.again.after", "after"),
        ("procedure.again", "expected"),
    ],
)
def test_a_place_that_no_file_can_have_is_named(place: str, names: str) -> None:
    assert names in places.fault_of(place)


@pytest.mark.parametrize(
    "place",
    [
        "texting.wait_s",
        "plans.{plan}.included.{formula}",
        "treatment",
        "procedure.call.leave_message",
    ],
)
def test_a_place_that_files_have_has_no_fault(place: str) -> None:
    assert places.fault_of(place) == ""
