"""Walks a procedure with scripted answers: what an operator would do, and what would follow.

Why: who writes a procedure sees what happens before anybody works by it, and the check of its
soundness asks every way through it. The decisions are the production rules; this module only keeps
the history that they read, as `incidents` does with tables. Never: decide anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from meldkamer.rules import calls
from meldkamer.rules.acts import Act, BecomeHoldup, Close, Mail, Say, Text, Verify, Wait
from meldkamer.rules.facts import IncidentFacts, Past, SignalFacts, SiteFacts
from meldkamer.rules.procedures import Step, current, proposed_close
from meldkamer.rules.settle import settle
from meldkamer.terms.model import Procedure

#: steps after which a walk is taken to have no end; the longest sound one has far fewer
LONGEST = 120
_PATROL = "patrol"


@dataclass(frozen=True, slots=True)
class Reply:
    """How somebody answers: result, identity and words as in `rules.calls`."""

    result: str = "no_answer"
    identity: str = "right"
    says: str = ""


NO_ANSWER = Reply()
#: who answers how, by the key of the person and the round
Answers = Callable[[Step], Reply]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the course, in the words of the timeline."""

    at: datetime
    what: str
    to: str = ""
    clause: str = ""
    reason: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Course:
    """What happened. outcome: of the closing; "" when the procedure has no end."""

    lines: tuple[Line, ...]
    outcome: str

    def of(self, what: str) -> list[Line]:
        """The lines of a word."""
        return [line for line in self.lines if line.what == what]


@dataclass(slots=True)
class _Walker:
    facts: IncidentFacts
    at: datetime
    pace: timedelta
    lines: list[Line] = field(default_factory=list)
    outcome: str = ""

    def carry_out(self, acts: Iterable[Act]) -> None:
        for act in acts:
            self._one(act)

    def _one(self, act: Act) -> None:
        if isinstance(act, Say):
            self.say(act.what, act.clause, act.reason, act.to, act.data)
        elif isinstance(act, Text):
            data = {"key": act.contact_key, "purpose": act.purpose, "round": act.round}
            self.say("sms.sent", act.clause, to=self._name(act.contact_key), data=data)
        elif isinstance(act, Mail):
            self.say("mail.sent", act.clause, to=self._name(act.to), data=act.data)
        elif isinstance(act, Verify):
            self.facts = replace(self.facts, verified_by=act.by)
            self.say("incident.verified", act.clause, data={"by": act.by})
        elif isinstance(act, BecomeHoldup):
            holdup = self.facts.terms.procedure("holdup")
            self.facts = replace(self.facts, type="holdup", procedure=holdup)
            self.say("incident.duress", act.clause)
        elif isinstance(act, Wait):
            data = {"until": act.until.isoformat(), "for": act.purpose}
            self.say("incident.waiting", act.clause, data=data)
            self.at = act.until
            self.say("incident.waited", act.clause, data={"for": act.purpose})
            if act.purpose == "second_pass":
                self.say("incident.queued", act.clause, "second pass")
        elif isinstance(act, Close):
            self.outcome = act.outcome
            self.say("incident.closed", act.clause, act.reason, data={"outcome": act.outcome})

    def _name(self, key: str) -> str:
        contact = self.facts.site.contact(key)
        return contact.name if contact else key

    def say(
        self,
        what: str,
        clause: str = "",
        reason: str = "",
        to: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> None:
        kept = dict(data or {})
        self.lines.append(Line(self.at, what, to, clause, reason, kept))
        past = Past(self.at, what, to, clause, kept)
        self.facts = replace(self.facts, history=(*self.facts.history, past))

    def follow(self) -> None:
        """What follows by itself, and the closing once no step is open."""
        for _ in range(4):
            acts = settle(self.facts, self.at)
            if not acts:
                break
            self.carry_out(acts)
        if current(self.facts, self.at, self.at) is None:
            close = proposed_close(self.facts, self.at)
            if close is not None:
                self.carry_out([close])

    def step(self, answers: Answers) -> bool:
        """The next step, with the time it takes; False when there is none."""
        since = self.at
        if current(self.facts, since, since) is None:
            return False
        self.at += self.pace
        step = current(self.facts, self.at, since)
        if step is None:
            return False
        if step.do == "request":
            self.carry_out(calls.requested(self.facts, step.service, step.clause, self.at))
        elif step.do == "patrol":
            self.carry_out(calls.patrol(self.facts, _PATROL))
        else:
            reply, name = answers(step), step.name or step.to
            self.carry_out(calls.dialled(self.facts, step, calls.step_to(step, name)))
            self.carry_out(
                calls.answered(
                    self.facts, step, name, reply.result, reply.identity, reply.says, self.at
                )
            )
        return True


def walk(
    site: SiteFacts,
    procedure: Procedure,
    kind: str,
    answers: Answers,
    now: datetime,
    *,
    verified_by: str = "",
    signals: tuple[SignalFacts, ...] = (),
    pace_s: float = 20,
    free_patrols: int = 1,
) -> Course:
    """The course from the moment an operator has the incident to its closing (R5–R15)."""
    facts = IncidentFacts(
        id=0, type=kind, opened_at=now, state="taken", site=site, procedure=procedure,
        history=(), signals=signals, verified_by=verified_by, free_patrols=free_patrols,
    )  # fmt: skip
    walker = _Walker(facts, now, timedelta(seconds=pace_s))
    walker.follow()
    for _ in range(LONGEST):
        if walker.outcome or not walker.step(answers):
            break
        walker.follow()
    return Course(tuple(walker.lines), walker.outcome)
