"""Every shipped story is played by the real program and compared with its expected timeline.

They are played in the tests' own database, by the code that the command uses; some of them by the
command itself, so that what is tested is what a supervisor uses.
"""

import json
import subprocess
import sys
import tomllib
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from meldkamer.project.clauses import known_clauses
from meldkamer.rehearsal.cli import play
from meldkamer.rehearsal.reading import read
from tests.rehearsal.compare import Line, differences, read_lines, read_story, strange_keys

ROOT = Path(__file__).resolve().parents[2]
STORIES = {path.stem: path for path in sorted((ROOT / "rehearsals").glob("*.toml"))}
TIMELINES = Path(__file__).parent / "expected"
QUOTES = tomllib.loads((Path(__file__).parent / "quotes.toml").read_text("utf-8"))
EXPECTED = {path.stem: path for path in sorted(TIMELINES.glob("*.jsonl"))}


def rehearse(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`meldkamer rehearse` as a user starts it, at the root of the checkout."""
    program = "import sys; from meldkamer.project.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, "rehearse", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("name", sorted(STORIES))
def test_the_story_plays_as_the_contract_says(name: str, db: None) -> None:
    played = play(read(str(STORIES[name])))
    instants = [datetime.fromisoformat(line["at"]) for line in played]
    assert instants == sorted(instants)
    found = differences(read_lines(EXPECTED[name]), played)
    found += missing_quotes(name, played)
    assert not found, "\n".join([name, *found])


def missing_quotes(name: str, played: list[Line]) -> list[str]:
    """The lines that were to quote a clause of the story's own, and do not."""
    said = {(line.get("clause"), line["what"]) for line in played}
    return [
        f"no {word} quotes {clause}"
        for clause, words in QUOTES.items()
        for word, stories in words.items()
        if name in stories and (clause, word) not in said
    ]


def test_a_clause_that_no_line_quotes_any_more_is_found() -> None:
    clause, words = next(iter(QUOTES.items()))
    word, stories = next(iter(words.items()))
    assert missing_quotes(stories[0], [{"what": word, "clause": "S0.0"}])
    assert f"no {word} quotes {clause}" in missing_quotes(stories[0], [])


def test_the_quotes_are_of_clauses_that_their_stories_name() -> None:
    for clause, words in QUOTES.items():
        for story in {story for stories in words.values() for story in stories}:
            assert clause in read_story(STORIES[story])["clauses"], (story, clause)


def test_the_command_prints_what_the_player_played() -> None:
    names = sorted(STORIES)[::40]
    done = rehearse("--json", *(str(STORIES[name].relative_to(ROOT)) for name in names))
    assert done.returncode == 0, done.stderr
    printed: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for text in done.stdout.splitlines():
        line = json.loads(text)
        printed[Path(line.pop("story")).stem].append(line)
    assert sorted(printed) == names
    for name in names:
        assert not differences(read_lines(EXPECTED[name]), printed[name]), name


@pytest.mark.parametrize("name", sorted(STORIES))
def test_the_story_uses_only_words_of_the_contract(name: str) -> None:
    story = read_story(STORIES[name])
    assert strange_keys(story) == []
    assert story["title"]
    assert story["clauses"]
    assert set(story["clauses"]) <= set(known_clauses(ROOT))


def test_a_strange_key_in_a_story_is_found() -> None:
    story = {"title": "x", "sites": [], "site": [{"nam": "x", "contact": [{"sms": {"txt": ""}}]}]}
    story["carrier"] = [{"channel": "sms", "from": "+0s", "to": "+1h", "dose": "refuses"}]
    story["event"] = [{"at": "+0s", "signal": "BA", "zoon": 1}, {"at": "+0s"}]
    assert strange_keys(story) == [
        "story: sites",
        "site: nam",
        "sms: txt",
        "carrier: dose",
        "event 1: zoon",
        "event 2: of kinds []",
    ]


def test_the_same_story_prints_the_same_bytes_and_an_end() -> None:
    name = "two-detectors-nobody-home-supervisor-is-called-in"
    first, second = (rehearse("--json", str(STORIES[name])).stdout for _ in range(2))
    assert first == second
    assert json.loads(first.splitlines()[-1])["what"] == "end"


def _altered(lines: list[dict[str, Any]]) -> list[tuple[str, list[Line]]]:
    """The same timeline with one deliberate fault each."""
    spoiled: list[tuple[str, list[Line]]] = [
        ("a line left out", [*lines[:3], *lines[4:]]),
        ("a line too many", [*lines, lines[-1]]),
        ("two lines exchanged", [lines[1], lines[0], *lines[2:]]),
    ]
    for key, value in (("what", "police.requested"), ("to", "nobody"), ("clause", "S0.0")):
        at = next(number for number, line in enumerate(lines) if key in line)
        spoiled.append((key, [*lines[:at], {**lines[at], key: value}, *lines[at + 1 :]]))
    late = {**lines[3], "at": lines[3]["at"].replace("22:00:", "22:01:")}
    spoiled.append(("at", [*lines[:3], late, *lines[4:]]))
    other = {**lines[3], "at": lines[3]["at"].replace("+01:00", "+02:00")}
    spoiled.append(("the offset of at", [*lines[:3], other, *lines[4:]]))
    return spoiled


def test_every_alteration_of_an_expected_timeline_is_found() -> None:
    lines = read_lines(EXPECTED["one-detector-a-contact-says-real-and-police-is-refused"])
    assert differences(lines, lines) == []
    for fault, altered in _altered(lines):
        assert differences(altered, lines), fault
