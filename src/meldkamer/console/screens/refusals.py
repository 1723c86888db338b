"""A refusal as it is shown: what was not done, why, the clause, and what can be done instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from meldkamer.console import wording
from meldkamer.console.timing import span
from meldkamer.incidents.faults import NotYours, Refused
from meldkamer.incidents.models import Incident


@dataclass(frozen=True, slots=True)
class Refusal:
    """`grave`: refused by a rule (critical); else a matter of who was first (information)."""

    head: str
    why: str
    clause: str
    instead: str = ""
    grave: bool = True


def of_service(service: str, clause: str, reason: str) -> Refusal:
    """A service or patrol that a rule forbids now."""
    instead = ""
    if service == "police":
        instead = _(
            "A supervisor may release it with a written reason. The refusal is in the course."
        )
    return Refusal(
        head=wording.word(wording.NOT_DONE, service),
        why=wording.reason(reason),
        clause=clause,
        instead=instead,
    )


def of_fault(fault: Refused, act: str, incident: Incident | None, now: datetime) -> Refusal:
    """A refused command."""
    if isinstance(fault, NotYours):
        return _taken(fault, incident, now)
    tell = _REASONS.get(fault.reason)
    return Refusal(
        head=wording.word(wording.NOT_DONE, act if act in wording.NOT_DONE else ""),
        why=tell(fault.detail) if tell else wording.reason(fault.reason),
        clause=fault.clause,
        instead=_INSTEAD[fault.reason]() if fault.reason in _INSTEAD else "",
    )


def _taken(fault: Refused, incident: Incident | None, now: datetime) -> Refusal:
    holder = str(fault.detail.get("holder", ""))
    if not holder:
        return Refusal(
            _("This incident is no longer in your hands."), "", fault.clause,
            _("It is back in the queue. N takes the next."), grave=False,
        )  # fmt: skip
    since = ""
    if incident is not None and incident.taken_at is not None:
        ago_s = (now - incident.taken_at).total_seconds()
        since = (
            _("%(seconds)s s earlier.") % {"seconds": f"{max(ago_s, 0):.1f}"}
            if ago_s < 60
            else _("%(span)s ago.") % {"span": span(ago_s)}
        )
    head = _("%(who)s has this incident") % {"who": holder}
    return Refusal(head, since, fault.clause, _("N takes the next, O takes over."), grave=False)


def _open_step(detail: Mapping[str, object]) -> str:
    return _("A required step is open.")


_REASONS: dict[str, Callable[[Mapping[str, object]], str]] = {
    "a required step is open": _open_step,
    "another outcome follows from the course": lambda d: (
        _("The course leads to another outcome: %(outcome)s.")
        % {"outcome": wording.word(wording.OUTCOMES, str(d.get("proposed") or "")) or "–"}
    ),
    "new signals were not seen": lambda d: _("New signals of this site were not seen yet."),
    "nobody identified said false alarm": lambda d: _("Nobody identified said false alarm."),
    "who attends, and when, or nobody": lambda d: _(
        "A service was asked: who attends, and when? “Nobody” is an answer."
    ),
    "hold is bounded": lambda d: (
        _("On hold for 1 to %(minutes)s minutes.") % {"minutes": d.get("ceiling_min", "")}
    ),
    "holding has a reason": lambda d: _("Holding has a reason."),
    "a take-over has a reason": lambda d: _("A take-over has a reason."),
    "an empty note": lambda d: _("The note is empty."),
    "the call is over": lambda d: _("The call is over."),
    "no tries left": lambda d: _("No tries left in this call."),
    "nobody was called yet": lambda d: _("Nobody was called yet."),
    "what the person said is missing": lambda d: _("What the person said is missing."),
    "already asked for": lambda d: _("It was asked for already."),
    "already closed": lambda d: _("The incident is closed already."),
    "not in the queue": lambda d: _("The incident is not in the queue: the system has it."),
    "only a supervisor may override": lambda d: _("Only a supervisor may override."),
    "an override has a written reason": lambda d: _("An override has a written reason."),
    "opening by hand has a reason": lambda d: _("Opening by hand has a reason."),
    "this incident is open already": lambda d: _("This incident is open already."),
    "no further call": lambda d: _("No further call: duress or a cry for help."),
    "the 24 hours by phone are used; longer in writing": lambda d: _(
        "The 24 hours by telephone are used. Longer in writing."
    ),
    "not on the sheet": lambda d: (
        _("%(found)s is not on the sheet. There are: %(expected)s.")
        % {"found": d.get("found", ""), "expected": d.get("expected", "") or "–"}
    ),
    "already done": lambda d: _("This was done already."),
    "taken by another": lambda d: _("A colleague does this now."),
    "unknown result": lambda d: _("Choose a result."),
    "no such number": lambda d: _("This number is no longer known."),
    "not from where the patrol stands": lambda d: _(
        "The patrol stands elsewhere by now. Look at the list."
    ),
    "why it is called off is missing": lambda d: _("Say why it is called off."),
    "passed on": lambda d: _("Too late: another unit was asked."),
    "called off": lambda d: _("It was called off already."),
    "declined before": lambda d: _("It had said that it cannot."),
    "accepted before": lambda d: _("It is on its way already."),
    "done before": lambda d: _("This job is done."),
    "another provider's": lambda d: _("It belongs to a provider you do not work for."),
}
_INSTEAD: dict[str, Callable[[], str]] = {
    "a required step is open": lambda: _("Do the step, or waive it with a reason."),
    "another outcome follows from the course": lambda: _(
        "Choose that outcome, or give the reason for this one."
    ),
    "new signals were not seen": lambda: _("G marks them as seen."),
    "no tries left": lambda: _("End the call. The procedure goes on."),
}
