"""Prints every clause with the tests and stories that hold it, and what is missing.

A clause counts as held only by a test that exists now, passed in the last run, and checks the
clause itself: its assertions quote it, or the expected timeline of its story does. A few clauses no
line ever quotes; they stand in `[unquoted]` of the list, each with the reason. Everything else is
missing, and said to be so.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LIST = Path("docs/reference/clauses.toml")
RESULTS = Path("var/clauses.json")
STORIES = Path("rehearsals")
TIMELINES = Path("tests/rehearsal/expected")
#: clause: {word of a line: stories}, held by the test that plays them
QUOTES = Path("tests/rehearsal/quotes.toml")
#: the test that plays a story and compares each line of it
PLAYS = "test_the_story_plays_as_the_contract_says"


@dataclass
class Held:
    """What is known of one clause."""

    section: int
    title: str
    #: why no line and no assertion can quote it; "" for nearly all
    unquoted: str = ""
    passed: list[str] = field(default_factory=list)
    not_passed: list[str] = field(default_factory=list)
    #: they bear the clause and never look at it: not counted
    unchecked: list[str] = field(default_factory=list)
    stories: list[str] = field(default_factory=list)

    def add(self, test: str, passed: bool, checks: bool) -> None:
        """Count a test that names this clause."""
        rows = self.passed if passed else self.not_passed
        if not checks and not self.unquoted:
            rows = self.unchecked
        if test not in rows:
            rows.append(test)


def known_clauses(root: Path) -> dict[str, Held]:
    """Every clause of docs/reference/clauses.toml, in its order."""
    listed = tomllib.loads((root / LIST).read_text("utf-8"))
    clauses = {
        clause: Held(section["number"], title)
        for section in listed["section"]
        for clause, title in section["clauses"].items()
    }
    for clause, reason in listed.get("unquoted", {}).items():
        if clause not in clauses or not reason:
            raise ValueError(
                f"{LIST}: unquoted {clause}: expected a clause of the list and a reason"
            )
        clauses[clause].unquoted = reason
    return clauses


def survey(root: Path) -> dict[str, Held]:
    """Every clause with its tests and stories.

    Raises ValueError naming the story or test that names an unknown clause.
    """
    clauses = known_clauses(root)
    results = json.loads((root / RESULTS).read_text()) if (root / RESULTS).exists() else {}
    existing = _collected(root)
    for test, described in existing.items():
        for clause in described["named"]:
            clauses[clause].add(test, _passed(results, test), clause in described["checked"])
    quotes = _quotes(root)
    for story, named in _stories(root).items():
        strange = sorted(set(named) - set(clauses))
        if strange:
            raise ValueError(f"{story}: no clause {', '.join(strange)} in {LIST}")
        lines = _quoted_in(root, Path(story).stem) | quotes.get(Path(story).stem, set())
        plays = [test for test in existing if test.endswith(f"::{PLAYS}[{Path(story).stem}]")]
        for clause in named:
            clauses[clause].stories.append(story)
            for test in plays:
                clauses[clause].add(test, _passed(results, test), clause in lines)
    return clauses


def _passed(results: dict[str, Any], test: str) -> bool:
    return bool(results.get(test, {}).get("outcome") == "passed")


def _quoted_in(root: Path, stem: str) -> set[str]:
    """The clauses that the lines of a story's expected timeline quote."""
    file = root / TIMELINES / f"{stem}.jsonl"
    if not file.exists():
        return set()
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
    return {str(line.get("clause", "")) for line in lines}


def _quotes(root: Path) -> dict[str, set[str]]:
    """The clauses that other lines of a story are held to quote, by story."""
    found: dict[str, set[str]] = defaultdict(set)
    if (root / QUOTES).exists():
        for clause, words in tomllib.loads((root / QUOTES).read_text("utf-8")).items():
            for stories in words.values():
                for story in stories:
                    found[story].add(clause)
    return found


def _collected(root: Path) -> dict[str, dict[str, list[str]]]:
    """Every test that exists now, with its clauses: pytest itself says it."""
    with tempfile.TemporaryDirectory(prefix="meldkamer-") as directory:
        target = Path(directory) / "tests.json"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"],
            cwd=root,
            env=os.environ | {"MELDKAMER_CLAUSES_LIST": str(target)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 5) or not target.exists():
            last = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
            raise ValueError(f"pytest cannot collect the tests:\n{last}")
        found: dict[str, dict[str, list[str]]] = json.loads(target.read_text())
        return found


def _stories(root: Path) -> dict[str, list[str]]:
    found = {}
    for file in sorted((root / STORIES).glob("**/*.toml")):
        try:
            story = tomllib.loads(file.read_text("utf-8"))
        except tomllib.TOMLDecodeError as fault:
            raise ValueError(f"{file.relative_to(root)}: {fault}") from None
        named = story.get("clauses", [])
        found[str(file.relative_to(root))] = [str(clause) for clause in named]
    return found


def table(clauses: dict[str, Held]) -> str:
    """The table for a person."""
    lines = [f"{'clause':<8} {'passed':>6} {'not':>4} {'blind':>5} {'stories':>7}  what it says"]
    section = 0
    for clause, held in clauses.items():
        if held.section != section:
            section = held.section
            lines.append(f"-- {section}")
        mark = " " if held.passed else "!"
        lines.append(
            f"{clause:<8} {len(held.passed):>6} {len(held.not_passed):>4} "
            f"{len(held.unchecked):>5} {len(held.stories):>7} {mark}{held.title}"
        )
    return "\n".join(lines)


def summary(clauses: dict[str, Held]) -> str:
    """How many are held, and which are missing, by section."""
    missing = defaultdict(list)
    for clause, held in clauses.items():
        if not held.passed:
            missing[held.section].append(clause)
    count = sum(map(len, missing.values()))
    lines = [
        f"{len(clauses)} clauses, {len(clauses) - count} with a test that passed, {count} missing"
    ]
    lines += [f"missing in {section}: {', '.join(named)}" for section, named in missing.items()]
    blind = sum(len(held.unchecked) for held in clauses.values())
    if blind:
        lines.append(
            f"{blind} marks are not counted: their tests do not look at the clause (blind)"
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """0; with --strict 1 when a clause of a named section is missing, 2 when it cannot tell."""
    parser = argparse.ArgumentParser(prog="make clauses", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the checkout")
    parser.add_argument("--tests", action="store_true", help="name the tests of each clause")
    parser.add_argument("--quiet", action="store_true", help="print what is lost alone")
    parser.add_argument(
        "--strict", nargs="+", default=[], metavar="SECTION", help="sections or clauses to hold"
    )
    options = parser.parse_args(argv)
    try:
        clauses = survey(options.root)
    except (ValueError, OSError) as fault:
        print(f"clauses: {fault}", file=sys.stderr)
        return 2
    if options.quiet:
        pass
    elif options.tests:
        for clause, held in clauses.items():
            for test in held.passed:
                print(f"{clause:<8} passed      {test}")
            for test in held.not_passed:
                print(f"{clause:<8} not passed  {test}")
            for test in held.unchecked:
                print(f"{clause:<8} blind       {test}")
            if held.unquoted:
                print(f"{clause:<8} not quoted  {held.unquoted}")
    else:
        print(table(clauses))
    if not (options.root / RESULTS).exists():
        print(f"\nno results in {RESULTS}: run `make test` first; nothing counts as passed")
    if not options.quiet:
        print("\n" + summary(clauses))
    return _strict(clauses, options.strict)


def _strict(clauses: dict[str, Held], wanted: Sequence[str]) -> int:
    sections = {str(held.section) for held in clauses.values()}
    strange = [name for name in wanted if name not in sections and name not in clauses]
    if strange:
        print(f"clauses: no section or clause {', '.join(strange)}", file=sys.stderr)
        return 2
    lost = [
        clause
        for clause, held in clauses.items()
        if (clause in wanted or str(held.section) in wanted) and not held.passed
    ]
    if lost:
        print(f"clauses: without a passing test: {', '.join(lost)}", file=sys.stderr)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
