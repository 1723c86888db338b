"""Prints every clause with the tests and stories that hold it, and what is missing.

A clause counts as held only by a test that exists now and passed in the last run. Everything
else is missing, and said to be so.
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

LIST = Path("docs/reference/clauses.toml")
RESULTS = Path("var/clauses.json")
STORIES = Path("rehearsals")


@dataclass
class Held:
    """What is known of one clause."""

    section: int
    title: str
    passed: list[str] = field(default_factory=list)
    not_passed: list[str] = field(default_factory=list)
    stories: list[str] = field(default_factory=list)


def known_clauses(root: Path) -> dict[str, Held]:
    """Every clause of docs/reference/clauses.toml, in its order."""
    sections = tomllib.loads((root / LIST).read_text("utf-8"))["section"]
    return {
        clause: Held(section["number"], title)
        for section in sections
        for clause, title in section["clauses"].items()
    }


def survey(root: Path) -> dict[str, Held]:
    """Every clause with its tests and stories.

    Raises ValueError naming the story or test that names an unknown clause.
    """
    clauses = known_clauses(root)
    results = json.loads((root / RESULTS).read_text()) if (root / RESULTS).exists() else {}
    existing = _collected(root)
    for test, named in existing.items():
        passed = results.get(test, {}).get("outcome") == "passed"
        for clause in named:
            (clauses[clause].passed if passed else clauses[clause].not_passed).append(test)
    for story, named in _stories(root).items():
        strange = sorted(set(named) - set(clauses))
        if strange:
            raise ValueError(f"{story}: no clause {', '.join(strange)} in {LIST}")
        plays = [test for test in existing if Path(story).stem in test]
        for clause in named:
            held = clauses[clause]
            held.stories.append(story)
            for test in plays:
                passed = results.get(test, {}).get("outcome") == "passed"
                rows = held.passed if passed else held.not_passed
                if test not in rows:
                    rows.append(test)
    return clauses


def _collected(root: Path) -> dict[str, list[str]]:
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
            raise ValueError(f"pytest cannot collect the tests:\n{done.stdout}{done.stderr}")
        found: dict[str, list[str]] = json.loads(target.read_text())
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
    lines = [f"{'clause':<8} {'passed':>6} {'not':>4} {'stories':>7}  what it says"]
    section = 0
    for clause, held in clauses.items():
        if held.section != section:
            section = held.section
            lines.append(f"-- {section}")
        mark = " " if held.passed else "!"
        lines.append(
            f"{clause:<8} {len(held.passed):>6} {len(held.not_passed):>4} "
            f"{len(held.stories):>7} {mark}{held.title}"
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
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """0; with --strict 1 when a clause of a named section is missing, 2 when it cannot tell."""
    parser = argparse.ArgumentParser(prog="make clauses", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the checkout")
    parser.add_argument("--tests", action="store_true", help="name the tests of each clause")
    parser.add_argument(
        "--strict", nargs="+", default=[], metavar="SECTION", help="sections or clauses to hold"
    )
    options = parser.parse_args(argv)
    try:
        clauses = survey(options.root)
    except (ValueError, OSError) as fault:
        print(f"clauses: {fault}", file=sys.stderr)
        return 2
    if options.tests:
        for clause, held in clauses.items():
            for test in held.passed:
                print(f"{clause:<8} passed      {test}")
            for test in held.not_passed:
                print(f"{clause:<8} not passed  {test}")
    else:
        print(table(clauses))
    if not (options.root / RESULTS).exists():
        print(f"\nno results in {RESULTS}: run `make test` first; nothing counts as passed")
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
