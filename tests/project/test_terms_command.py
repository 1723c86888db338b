"""`meldkamer terms`: what is shipped holds together, a broken file is explained."""

import json
from pathlib import Path

import pytest

from meldkamer.project.cli import main
from meldkamer.terms import loader


def test_both_shipped_files_hold_together(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["terms", "check"]) == 0
    shown = capsys.readouterr().out
    assert "securitas-2022-05" in shown
    assert "dtral" in shown


@pytest.mark.clause("D0")
def test_what_dtral_does_not_say_is_marked_so() -> None:
    terms = loader.load("dtral")
    assert [step.name for step in terms.procedures if step.in_source] == []
    assert terms.trial.days == 0
    assert (terms.formulas, terms.plans["dtral"].formula) == ({}, False)


def test_a_broken_file_is_refused_with_its_name_and_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (loader.DIRECTORY / "dtral.toml").read_text("utf-8")
    broken = tmp_path / "broken.toml"
    broken.write_text(whole.replace("detectors = 2", "detectors = 1"))
    assert main(["terms", "check", str(broken)]) == 1
    assert "broken.toml: verification.detectors: expected 2 or more" in capsys.readouterr().err


def test_every_value_can_be_read_by_people_and_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["terms", "show", "dtral"]) == 0
    assert "verification.detectors = 2" in capsys.readouterr().out.splitlines()
    assert main(["terms", "show", "dtral", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verification"]["detectors"] == 2


def test_unknown_terms_are_named_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["terms", "show", "securitas"]) == 1
    assert "there are: dtral, securitas-2022-05" in capsys.readouterr().err


@pytest.mark.clause("S14.1", "B1")
def test_a_file_against_the_law_or_that_cannot_be_worked_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (loader.DIRECTORY / "dtral.toml").read_text("utf-8")
    unlawful = tmp_path / "unlawful.toml"
    unlawful.write_text(whole.replace('when = "verified_and_consulted"', 'when = "exhausted"'))
    assert main(["terms", "check", str(unlawful)]) == 1
    assert "against S15.3: police for intrusion when exhausted" in capsys.readouterr().err
    endless = tmp_path / "endless.toml"
    endless.write_text(whole.replace("after_s = 600", "after_s = 5"))
    assert main(["terms", "check", str(endless)]) == 1
    said = capsys.readouterr().err
    assert "procedure intrusion, step again: calls again after 5 s; expected 60 or more" in said


def test_what_differs_between_two_files_is_told_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (loader.DIRECTORY / "dtral.toml").read_text("utf-8")
    changed = tmp_path / "changed.toml"
    premises = '    { id = "premises", do = "call", who = "premises", clause = "S16.2" },\n'
    changed.write_text(whole.replace("wait_s = 90", "wait_s = 60").replace(premises, ""))
    assert main(["terms", "diff", "dtral", str(changed)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "texting.wait_s: 90 → 60",
        "procedure external_technical: removed, place 1: call premises (S16.2)",
    ]
    assert main(["terms", "diff", "dtral", "dtral"]) == 0
    assert capsys.readouterr().out == "nothing differs\n"
