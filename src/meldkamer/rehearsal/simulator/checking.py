"""The table of all checkers: name, clauses, and the function that looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from meldkamer.rehearsal.simulator import incident_checks, signal_checks, texting_checks
from meldkamer.rehearsal.simulator.observed import Broken, Run, Said


@dataclass(frozen=True)
class Checker:
    """One checker; `look` is None for those that do not look at a single finished run."""

    name: str
    clauses: tuple[str, ...]
    look: Callable[[Run], Said] | None = None


CHECKERS = (
    # after every instant (watching)
    Checker("open has owner and due", ("M12.2",)),
    Checker("overdue is acted on", ("M12.2",)),
    Checker("nothing waits", ("M12.1",)),
    Checker("journal equals tables", ("M12.3",)),
    Checker("time ascends", ("M12.3",)),
    # of a finished run
    Checker("one verdict per signal", ("M12.1",), signal_checks.one_verdict),
    Checker("acknowledged is stored, once", ("M12.1",), signal_checks.stored_once),
    Checker("one open incident per site and type", ("M12.1",), signal_checks.lifecycle),
    Checker("verified by what counts", ("S9.1",), signal_checks.verified),
    Checker("nothing is reacted to in test", ("S20.1",), signal_checks.in_test),
    Checker("only what was selected", ("S6.3", "S10.5"), signal_checks.selected),
    Checker("missed tests are counted", ("S10.3",), signal_checks.line_tests),
    Checker("nobody texted twice in a round", ("S7.5",), texting_checks.texted_once),
    Checker("the ladder stops", ("S7.3", "S7.4"), texting_checks.silent_after_ok),
    Checker(
        "ladder order and waits",
        ("S7.1", "S7.2", "S7.5", "S7.6", "S16.1"),
        texting_checks.order_and_waits,
    ),
    Checker("replies are answered", ("S7.3", "S7.4", "S7.7", "S7.8"), texting_checks.replies),
    Checker("no service against the rules", ("S15.3", "S4.3", "B1"), incident_checks.services),
    Checker("nobody unidentified is obeyed", ("S19.1",), incident_checks.identified),
    Checker("no call after duress", ("M7.1",), incident_checks.duress),
    Checker("calls in order, once a round", ("S15.2", "S16.1", "M3.2"), incident_checks.calls),
    Checker("quota counted once", ("M8.1", "S13.1", "D904.3"), incident_checks.handlings),
    Checker("the queue's order", ("S15.1",), incident_checks.queue_order),
    Checker("power waits", ("S10.1",), incident_checks.power_waits),
    Checker("outcomes rest on the course", ("M3.1",), incident_checks.outcomes),
    Checker("every line names its rule", ("M12.3",), incident_checks.clauses),
    Checker("everything settles", ("M12.2",), incident_checks.settles),
    # of several runs, and of the program itself
    Checker("crashes change nothing", ("M12.1",)),
    Checker("live agrees", ("M12.1",)),
    Checker("the chain holds", ("M12.3",)),
    Checker("no step fails", ("M12.1",)),
)
NAMES = tuple(checker.name for checker in CHECKERS)


def check(run: Run) -> None:
    """Raises Broken at the first rule that did not hold in a finished run."""
    for checker in CHECKERS:
        if checker.look is not None:
            for sentence in checker.look(run):
                raise Broken(checker.name, sentence)
