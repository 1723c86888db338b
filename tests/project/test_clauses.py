"""`make clauses`: a clause is held by a test that exists and passed, by nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from meldkamer.project.clauses_checked import quoted
from meldkamer.project.clauses_plugin import WHOLE

CLAUSES = """
[[section]]
number = 1
title = "One"
[section.clauses]
"S1.1" = "held"
"S1.2" = "skipped"
"S1.3" = "failed"
"S1.4" = "nobody"
"S1.5" = "blind"
"S1.6" = "never quoted"
[[section]]
number = 2
title = "Two"
[section.clauses]
"M2.1" = "held by a story"
"M2.2" = "a story that names it and does not quote it"
"M2.3" = "quoted by a line that is held apart"
[unquoted]
"S1.6" = "it is about the languages of all pages"
"""
TESTS = """
import pytest
@pytest.mark.clause("S1.1")
def test_held(): assert said() == "S1.1"
def said(): return "S1.1"
@pytest.mark.clause("S1.2")
def test_skipped():
    pytest.skip("later")
    assert "S1.2"
@pytest.mark.clause("S1.3", "S1.1")
def test_failed(): assert ("S1.3", "S1.1") == ()
@pytest.mark.clause("S1.5")
def test_blind():
    "S1.5"
    assert said()
@pytest.mark.clause("S1.6")
def test_languages(): assert said()
@pytest.mark.parametrize("story", ["night"])
def test_the_story_plays_as_the_contract_says(story): pass
"""
LINE = '{"what": "police.refused", "clause": "M2.1"}\n'
QUOTES = '["M2.3"]\n"call.placed" = ["night"]\n'
SHOWN = "9 clauses, 4 with a test that passed, 5 missing"
INI = "[pytest]\naddopts = -p meldkamer.project.clauses_plugin\nmarkers = clause\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "docs/reference").mkdir(parents=True)
    (tmp_path / "docs/reference/clauses.toml").write_text(CLAUSES)
    (tmp_path / "rehearsals").mkdir()
    (tmp_path / "rehearsals/night.toml").write_text('clauses = ["M2.1", "M2.2", "M2.3"]')
    (tmp_path / "tests/rehearsal/expected").mkdir(parents=True)
    (tmp_path / "tests/rehearsal/expected/night.jsonl").write_text(LINE)
    (tmp_path / "tests/rehearsal/quotes.toml").write_text(QUOTES)
    (tmp_path / "test_all.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text(INI)
    return tmp_path


def python(checkout: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    # a run of its own, also when the whole suite runs around it
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    environment.pop(WHOLE, None)
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_only_what_passed_counts(checkout: Path) -> None:
    python(checkout, "pytest", "-q")
    shown = python(checkout, "meldkamer.project.clauses").stdout
    assert SHOWN in shown
    assert "missing in 1: S1.2, S1.3, S1.4, S1.5" in shown
    assert "missing in 2: M2.2" in shown


def test_a_test_that_never_looks_at_its_clause_is_named_and_not_counted(checkout: Path) -> None:
    python(checkout, "pytest", "-q")
    shown = python(checkout, "meldkamer.project.clauses", "--tests").stdout
    assert "S1.5     blind       test_all.py::test_blind" in shown
    assert "M2.2     blind       test_all.py::test_the_story_plays" in shown
    assert "2 marks are not counted" in shown
    assert "S1.6     not quoted  it is about the languages of all pages" in shown
    assert "S1.6     passed      test_all.py::test_languages" in shown


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('assert clause_of(x) == "S1.1"', {"S1.1"}),
        ('wanted = "S1.1"; assert clause_of(x) == wanted', {"S1.1"}),
        ("assert given == 1", {"S1.1", "S1.2"}),
        ('check("S1.1")', {"S1.1"}),
        ('other("S1.1")', set()),
        ('"S1.1"; assert True', set()),
        ('with pytest.raises(ValueError, match="S1.1"): pass', {"S1.1"}),
    ],
)
def test_what_a_test_looks_at(tmp_path: Path, code: str, found: set[str]) -> None:
    file = tmp_path / "some.py"
    helpers = "def check(c): assert c\ndef other(c): print(c)\n"
    file.write_text(f"{helpers}def test_it(given):\n    {code}\n")
    words = quoted(file, "test_it", {"given": ("S1.1", ["S1.2"])}, None)
    assert {word for word in words if word.startswith("S1.")} == found


def test_results_are_the_same_with_several_workers(checkout: Path) -> None:
    python(checkout, "pytest", "-q", "-p", "xdist", "-n", "2")
    shown = python(checkout, "meldkamer.project.clauses").stdout
    assert SHOWN in shown


def test_without_a_run_nothing_counts(checkout: Path) -> None:
    shown = python(checkout, "meldkamer.project.clauses").stdout
    assert "run `make test` first" in shown
    assert "0 with a test that passed" in shown


def test_a_test_that_is_no_more_does_not_count(checkout: Path) -> None:
    python(checkout, "pytest", "-q")
    (checkout / "test_all.py").write_text(TESTS.replace("def test_held", "def no_more"))
    assert "S1.1" in python(checkout, "meldkamer.project.clauses", "--strict", "S1.1").stderr


def test_strict_fails_on_a_gap_in_what_is_named_only(checkout: Path) -> None:
    python(checkout, "pytest", "-q")
    assert python(checkout, "meldkamer.project.clauses", "--strict", "1").returncode == 1
    assert python(checkout, "meldkamer.project.clauses", "--strict", "M2.1").returncode == 0
    assert python(checkout, "meldkamer.project.clauses", "--strict", "9").returncode == 2


def test_an_unknown_clause_stops_the_tests_and_the_table(checkout: Path) -> None:
    (checkout / "test_all.py").write_text(TESTS.replace("S1.2", "S9.9"))
    done = python(checkout, "pytest", "-q")
    assert done.returncode != 0
    assert "no clause S9.9" in done.stdout + done.stderr
    (checkout / "test_all.py").write_text(TESTS)
    (checkout / "rehearsals/night.toml").write_text('clauses = ["M7.7"]')
    done = python(checkout, "meldkamer.project.clauses")
    assert (done.returncode, "rehearsals/night.toml: no clause M7.7" in done.stderr) == (2, True)


def test_a_run_of_one_test_keeps_the_results_of_the_others(checkout: Path) -> None:
    python(checkout, "pytest", "-q")
    python(checkout, "pytest", "-q", "test_all.py::test_languages")
    shown = python(checkout, "meldkamer.project.clauses").stdout
    assert "4 with a test that passed" in shown
