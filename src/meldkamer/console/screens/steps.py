"""The steps as they are shown: state, sign, key, reason. Order and state are the rules' (M3.1).

A forbidden step keeps its place and says why. One step is current, and it has the one key D.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from meldkamer.console import wording
from meldkamer.console.phones import shown
from meldkamer.console.timing import clock, span
from meldkamer.rules import procedures, running_call
from meldkamer.rules.facts import PREMISES, IncidentFacts, Past
from meldkamer.rules.procedures import Step

LOOKS = {
    "done": "done",
    "now": "current",
    "next": "pending",
    "allowed": "allowed",
    "waived": "waived",
    "not_allowed": "forbidden",
}
SERVICE_KEYS = {"police": "P", "fire": "B", "medical": "M", "patrol": "R"}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a service: met or not."""

    words: str
    met: bool


@dataclass(frozen=True, slots=True)
class StepRow:
    """One row of the steps."""

    step: Step
    look: str
    title: str
    sub: str
    word: str
    why: str
    key: str
    code: str
    time: str
    conditions: tuple[Condition, ...]

    @property
    def current(self) -> bool:
        """Whether it carries D."""
        return self.look == "current"


@dataclass(frozen=True, slots=True)
class Ringing:
    """The call that runs: which step, since when."""

    key: str
    since: datetime


def ringing(history: Sequence[Past]) -> Ringing | None:
    """The call placed last that has no result yet."""
    found: Ringing | None = None
    for past in history:
        if past.what == "call.placed":
            found = Ringing(str(past.data.get("key", "")), past.at)
        elif past.what == "call.result" or past.what in running_call.HANDS:
            found = None
    return found


def rows(
    facts: IncidentFacts, now: datetime, number: Callable[[str], str] = lambda service: ""
) -> list[StepRow]:
    """All steps of the procedure. number: of a service, as it is dialled for this site."""
    offered = procedures.offered(facts, now)
    rings = ringing(facts.history)
    return [_row(facts, step, place, rings, number) for place, step in enumerate(offered, start=1)]


def _row(
    facts: IncidentFacts,
    step: Step,
    place: int,
    rings: Ringing | None,
    number: Callable[[str], str],
) -> StepRow:
    look = LOOKS[step.state]
    key, code = _key(step, place)
    return StepRow(
        step=step,
        look=look,
        title=title(facts, step),
        sub=_sub(facts, step, number),
        word=wording.word(wording.STEP_STATES, step.state),
        why=_why(facts, step, rings),
        key=key,
        code=code,
        time=clock(step.at, facts.site.timezone) if step.at else "",
        conditions=tuple(
            Condition(wording.word(wording.CONDITIONS, name), met) for name, met in step.conditions
        ),
    )


def _key(step: Step, place: int) -> tuple[str, str]:
    """What the cap shows, and the name under which the key module finds the button."""
    if step.state in ("done", "waived"):
        return "", ""
    if step.state == "now":
        return "D", "d"
    if step.service:
        cap = SERVICE_KEYS[step.service]
        return cap, cap.lower()
    return (f"⇧{place}", f"shift-{place}") if place < 10 else ("", "")


def title(facts: IncidentFacts, step: Step) -> str:
    """What is to be done, in a few words."""
    if step.service:
        return wording.word(wording.SERVICES, step.service)
    if step.do == "inform":
        return _("Inform %(who)s") % {"who": step.name}
    return _("Call %(who)s") % {"who": who(facts, step)}


def who(facts: IncidentFacts, step: Step) -> str:
    """Whom: the premises or the contact."""
    return _("the premises") if step.to == PREMISES else step.name


def _sub(facts: IncidentFacts, step: Step, number: Callable[[str], str]) -> str:
    if step.service:
        return number(step.service) if step.do == "request" else ""
    if step.to == PREMISES:
        return shown(step.phone)
    for place, contact in enumerate(facts.site.contacts, start=1):
        if contact.key == step.to:
            return _("contact %(place)s") % {"place": place}
    return shown(step.phone)


def _why(facts: IncidentFacts, step: Step, rings: Ringing | None) -> str:
    if step.state == "now":
        return _now(step, rings)
    if step.state == "done":
        words = [wording.word(wording.RESULTS, step.result)] if step.result else []
        if step.result == "reached" and step.says:
            words = [_("name and code right"), wording.word(wording.SAYS, step.says)]
        return ", ".join(words)
    if step.state == "next" and step.do == "call":
        return _("if nobody before answers")
    if step.state == "next" and step.do == "request":
        return _when(facts)
    if step.reason:
        return wording.reason(step.reason)
    if step.state == "allowed" and step.service == "patrol" and facts.case.patrol_wanted:
        return _("asked for by the customer")
    return ""


def _when(facts: IncidentFacts) -> str:
    """When a service is asked for that is not asked for yet; its key before that is refused."""
    request = procedures.service_step(facts.procedure) if facts.procedure else None
    if request is None or not request.after_s:
        return _("after the calls")
    return _("after the calls, or %(span)s after the alarm") % {"span": span(request.after_s)}


def _now(step: Step, rings: Ringing | None) -> str:
    if rings is not None and rings.key == step.to:
        return _("rings")
    return ""
