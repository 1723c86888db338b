"""A faulty story ends with exit 2 and one line that names file, line, key and what was expected.

faulty.toml says for each file of faulty/ which words that line must hold. Each is given to the
command alone; several at once are tested for the rule that none is played then (R29).
"""

import subprocess
import sys
import tomllib
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from meldkamer.rehearsal.cli import main

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent / "faulty"
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads(FOLDER.with_suffix(".toml").read_text("utf-8"))
SOUND = ROOT / "rehearsals" / "battery-the-first-contact-answers-ok.toml"


def rehearse(*paths: Path) -> subprocess.CompletedProcess[str]:
    """`meldkamer rehearse --json` as a user starts it, at the root of the checkout."""
    program = "import sys; from meldkamer.project.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, "rehearse", "--json", *map(str, paths)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def complaints(name: str, code: int, out: str, err: str) -> list[str]:
    """What is wrong with the answer to a faulty story, none when it is as it must be."""
    wanted = EXPECTED[name]
    words = [f"{name}.toml", *wanted["names"]]
    if "line" in wanted:
        words.append(f".toml:{wanted['line']}:")
    found = [f"does not say {word}" for word in words if word not in err]
    if code != 2:
        found.append(f"exit {code}")
    if out:
        found.append("printed lines of a timeline")
    if len(err.splitlines()) != 1:
        found.append("did not print one line on stderr")
    return found


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_faulty_story_is_refused_and_says_why(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--json", str(FOLDER / f"{name}.toml")], _no_database)
    printed = capsys.readouterr()
    assert complaints(name, code, printed.out, printed.err) == [], printed.err


def _no_database(purpose: str) -> AbstractContextManager[str]:
    raise AssertionError(f"a faulty story asked for a database to {purpose}")


def test_every_faulty_story_has_its_expectation() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(EXPECTED)


def test_a_silent_or_vague_answer_is_found() -> None:
    name, line = "a-word-that-is-no-answer", EXPECTED["a-word-that-is-no-answer"]["line"]
    good = f"faulty/{name}.toml:{line}: answers: 'maybe'; expected yes, no or voicemail\n"
    assert complaints(name, 2, "", good) == []
    assert complaints(name, 0, "", good)
    assert complaints(name, 2, "{}", good)
    assert complaints(name, 2, "", good.replace("voicemail", "…"))
    assert complaints(name, 2, "", good.replace(f":{line}:", ":1:"))
    assert complaints(name, 2, "", good + "Traceback\n")


def test_one_faulty_story_among_sound_ones_and_none_is_played() -> None:
    done = rehearse(SOUND, FOLDER / "this-is-not-toml.toml", SOUND)
    assert done.returncode == 2
    assert done.stdout == ""
    assert complaints("this-is-not-toml", 2, "", done.stderr) == []


def test_a_file_that_is_not_there_is_named() -> None:
    done = rehearse(SOUND, FOLDER / "nowhere" / "no-such-story.toml")
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "no-such-story.toml" in done.stderr
