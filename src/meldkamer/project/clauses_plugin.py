"""A pytest plugin that writes down which clauses have a test, and how that test ended.

`make clauses` reads it (clauses.py). It must never make a clause look tested that was not: a
test whose clause is not in docs/reference/clauses.toml stops the run, a test that was skipped or
failed is written down as such, and a run of a few tests changes only what it ran.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from meldkamer.project.clauses import RESULTS, known_clauses
from meldkamer.project.clauses_checked import quoted

PROPERTY = "clauses"
#: set by `make clauses`: write what exists to this file and run nothing
LIST_TO = "MELDKAMER_CLAUSES_LIST"
#: set by `make test`: forget the results of tests that are no more
WHOLE = "MELDKAMER_WHOLE_SUITE"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Hang each test's clauses on its report; refuse ids that nobody knows."""
    known = known_clauses(config.rootpath)
    for item in items:
        marks = item.iter_markers("clause")
        named = [str(clause) for mark in marks for clause in mark.args]
        strange = sorted(set(named) - set(known))
        if strange:
            raise pytest.UsageError(
                f"{item.nodeid}: no clause {', '.join(strange)} in docs/reference/clauses.toml"
            )
        item.user_properties.append((PROPERTY, sorted(set(named))))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """For `make clauses`: what exists."""
    target = os.environ.get(LIST_TO)
    if target:
        Path(target).write_text(
            json.dumps({item.nodeid: _described(item) for item in session.items})
        )


def _named(item: pytest.Item) -> list[Any]:
    return next((list(v) for k, v in item.user_properties if k == PROPERTY), [])  # type: ignore[call-overload]


def _described(item: pytest.Item) -> dict[str, list[str]]:
    """The clauses that a test names, and those of them that its assertions look at."""
    named: list[str] = [str(clause) for clause in _named(item)]
    if not named or not isinstance(item, pytest.Function):
        return {"named": named, "checked": []}
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    words = quoted(Path(item.path), item.function.__name__, parameters, item.module)
    # a sentence that holds the clause quotes it too
    checked = [
        c for c in named if any(re.search(rf"(?<!\w){re.escape(c)}(?![\w])", w) for w in words)
    ]
    return {"named": named, "checked": checked}


class Recorder:
    """Collects how each test ended, in the process that reports (not in the workers)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.outcomes: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """passed only when set-up, call and tear-down all passed."""
        clauses = dict(report.user_properties).get(PROPERTY, [])
        row = self.outcomes.setdefault(report.nodeid, {"clauses": clauses, "outcome": "none"})
        if report.outcome != "passed":
            row["outcome"] = report.outcome
        elif report.when == "call" and row["outcome"] == "none":
            row["outcome"] = "passed"

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Merge into var/clauses.json; the whole suite replaces it."""
        if not self.outcomes:
            return
        file = self.root / RESULTS
        file.parent.mkdir(mode=0o755, exist_ok=True)
        before: dict[str, Any] = {}
        if not os.environ.get(WHOLE) and file.exists():
            before = json.loads(file.read_text())
        new = file.with_name(f".clauses-{os.getpid()}.json")
        new.write_text(json.dumps(before | self.outcomes, indent=0, sort_keys=True))
        new.replace(file)


def pytest_configure(config: pytest.Config) -> None:
    """Only the process that reports writes; xdist's workers have `workerinput`."""
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        config.pluginmanager.register(Recorder(config.rootpath), "clauses-recorder")
