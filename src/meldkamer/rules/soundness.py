"""Can a procedure be worked? Checked before it is released, by walking every way through it.

Why: a step that never comes, a list without anybody, a wait without an end are found at a desk in
the daytime, not at night in an incident. What refuses blocks the release; a warning must be ticked.
Never: judge the law (`terms.law`). Invariant: a procedure without a refused finding closes, however
the called people answer, in trial and out of it, verified or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from meldkamer.rules import reach
from meldkamer.rules.facts import ContactFacts, IncidentFacts, SiteFacts
from meldkamer.rules.procedures import Step as Target
from meldkamer.rules.procedures import called_by, targets
from meldkamer.rules.walk import NO_ANSWER, Answers, Course, Reply, walk
from meldkamer.terms.findings import Finding
from meldkamer.terms.model import Procedure, Step, Terms

#: a second pass sooner than this calls the same people without a pause
SHORTEST_AGAIN_S = 60
MOST_PASSES = 5
#: nobody is asked at which hour it is walked; any moment will do
_WHEN = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
_SAID = ("coming", "false_alarm", "send_patrol")


def check(
    procedure: Procedure,
    site: SiteFacts,
    reachable: Mapping[str, str] | None = None,
    base: Procedure | None = None,
) -> list[Finding]:
    """What is wrong with a procedure at a site; empty when nothing.

    reachable: by contact key the hours in which he can be reached, as `rules.reach` reads them.
    base: the terms file's own; a step that it has too is not warned of as never coming by itself.
    """
    found = [*_calls(procedure, site), *_agains(procedure), *_messages(procedure, site)]
    if any(finding.refused for finding in found):
        return found  # walked when it can be
    courses = [
        course
        for kind in _kinds(procedure, site.terms)
        for course in _courses(procedure, site, kind)
    ]
    found += _ends(courses)
    own = {step.id for step in base.steps if step in procedure.steps} if base else set()
    found += [f for f in _never_reached(procedure, site, courses) if f.refused or f.item not in own]
    found += _hours(procedure, site, reachable or {})
    return found


def sample_site(terms: Terms) -> SiteFacts:
    """A site as any of the provider's may be: for a procedure of the provider as a whole."""
    plan = next(iter(terms.plans))
    formula = next(reversed(terms.formulas), "") if terms.plans[plan].formula else ""
    contacts = tuple(
        ContactFacts(n, f"contact {n}", f"+3247000000{n}", f"c{n}@example.invalid", "nl", True)
        for n in (1, 2, 3)
    )
    return SiteFacts(
        id=0, provider_id=0, name="", timezone=ZoneInfo(terms.timezone), plan=plan,
        formula=formula, types=None, options=frozenset({"patrol"}), premises_phone="+3220000000",
        premises_person="", contacts=contacts, zones={}, terms=terms,
    )  # fmt: skip


def _no(code: str, step: str, reason: str, **numbers: object) -> Finding:
    return Finding("S14.1", step, reason, True, code, numbers)


def _mind(code: str, step: str, reason: str, clause: str = "S14.1", **numbers: object) -> Finding:
    return Finding(clause, step, reason, False, code, numbers)


def _facts(procedure: Procedure, site: SiteFacts, kind: str) -> IncidentFacts:
    return IncidentFacts(0, kind, _WHEN, "taken", site, procedure, ())


def _calls(procedure: Procedure, site: SiteFacts) -> Iterator[Finding]:
    """Nobody to call, somebody without a number, somebody called twice in one pass."""
    facts = _facts(procedure, site, procedure.types[0])
    if not targets(facts):
        yield _no("nobody_to_call", "", "nobody on the list has a number; expected one at least")
        return
    called: set[str] = set()
    for step in procedure.steps:
        if step.do != "call":
            continue
        keys = {target.to for target in called_by(facts, step)}
        if not keys:
            yield _nobody(step, site)
        elif keys <= called:
            yield _no("never_reached", step.id, f"step {step.id} calls only those called before it")
        called |= keys
    for contact in site.contacts:
        if not contact.phone:
            yield _mind(
                "number_missing", "", f"{contact.name} has no number and is never called",
                "S17.1", name=contact.name,
            )  # fmt: skip


def _nobody(step: Step, site: SiteFacts) -> Finding:
    """A call step without anybody behind it."""
    if step.who == "contact":
        known = any(contact.name == step.name for contact in site.contacts)
        code = "contact_without_number" if known else "contact_unknown"
        reason = "has no number" if known else "is not on the call list"
        return _no(code, step.id, f"{step.name} {reason}", name=step.name)
    if step.who == "premises":
        reason = "the premises have no telephone; this step is skipped"
        return _mind("premises_without_number", step.id, reason)
    return _no("nobody_to_call", step.id, f"step {step.id} calls nobody who has a number")


def _agains(procedure: Procedure) -> Iterator[Finding]:
    """Passes that follow each other at once, or too many of them: a loop."""
    agains = [step for step in procedure.steps if step.do == "again"]
    for step in agains:
        if step.after_s < SHORTEST_AGAIN_S:
            reason = f"calls again after {step.after_s} s; expected {SHORTEST_AGAIN_S} or more"
            yield _no("loop", step.id, reason, found=step.after_s, least=SHORTEST_AGAIN_S)
    if len(agains) > MOST_PASSES:
        reason = f"{len(agains)} more passes; expected {MOST_PASSES} at most"
        yield _no("passes", agains[-1].id, reason, found=len(agains), most=MOST_PASSES)


def _messages(procedure: Procedure, site: SiteFacts) -> Iterator[Finding]:
    """Nobody is told, or what is left out of the terms file's course."""
    if not any(step.do == "tell" for step in procedure.steps):
        yield _mind("nobody_told", "", "nobody is told when nobody was reached", "M3.2")
    police = any(step.service == "police" for step in procedure.steps)
    if not police and {"intrusion", "sabotage"} & set(procedure.types):
        yield _mind("police_left_out", "", "police are never the next step", "S15.2")
    if any(step.do == "patrol" for step in procedure.steps) and not site.takes("patrol"):
        step = next(step for step in procedure.steps if step.do == "patrol")
        yield _mind("patrol_not_taken", step.id, "patrol not taken: refused at this step", "S6.1")
    asked = [kind for kind in procedure.types if kind not in _exempt(site)]
    for step in procedure.steps:
        if step.who == "number" and asked:
            reason = f"{step.name} has no code: what he says stands nothing down"
            yield _mind("without_code", step.id, reason, "S19.1", name=step.name)


def _exempt(site: SiteFacts) -> tuple[str, ...]:
    return tuple(site.terms.identification.exempt_types)


# --- every way through it


def _kinds(procedure: Procedure, terms: Terms) -> list[str]:
    """One type of each sort that the rules treat alike."""
    sorts: dict[tuple[object, ...], str] = {}
    for kind in procedure.types:
        alone = kind if kind in ("holdup", "fire", "medical") else ""
        sort = (kind in terms.verification.types, kind in terms.identification.exempt_types, alone)
        sorts.setdefault(sort, kind)
    return list(sorts.values())


def _courses(procedure: Procedure, site: SiteFacts, kind: str) -> Iterator[Course]:
    """Each person answering each thing, nobody, wrong codes; verified or not; in trial or not."""
    slow_s = max((step.after_s for step in procedure.steps if step.do == "request"), default=0)
    people = [target.to for target in targets(_facts(procedure, site, kind))]
    trial = replace(site, trial_until=_WHEN + timedelta(days=14))
    for place in (replace(site, trial_until=None), trial):
        for verified in ("", "detectors") if kind in site.terms.verification.types else ("",):
            for pace_s in {20.0, slow_s + 1.0} if slow_s else {20.0}:
                for answers in _answers(people):
                    yield walk(
                        place, procedure, kind, answers, _WHEN, verified_by=verified, pace_s=pace_s
                    )


def _answers(people: list[str]) -> Iterator[Answers]:
    yield lambda _target: NO_ANSWER
    yield lambda _target: Reply("voicemail")
    yield lambda _target: Reply("reached", "none", "coming")
    for key in people:
        for says in _SAID:
            yield _only(key, Reply("reached", "right", says))
        yield _only(key, Reply("reached", "duress", "coming"))


def _only(key: str, reply: Reply) -> Answers:
    def answers(target: Target) -> Reply:
        return reply if target.to == key else NO_ANSWER

    return answers


def _ends(courses: Iterable[Course]) -> Iterator[Finding]:
    if any(not course.outcome for course in courses):
        yield _no("no_end", "", "there is a way through it without an end")


def _never_reached(
    procedure: Procedure, site: SiteFacts, courses: list[Course]
) -> Iterator[Finding]:
    """Steps that no course has come by."""
    passes = max((len(_passes(course)) for course in courses), default=0)
    asked = {
        line.to
        for c in courses
        for line in c.lines
        if line.what.endswith((".requested", ".refused"))
    }
    informed = any(line.data.get("inform") for c in courses for line in c.of("call.placed"))
    told = any(course.of("told.all") for course in courses)
    agains = [step.id for step in procedure.steps if step.do == "again"]
    services: set[str | None] = set()
    for step in procedure.steps:
        there = True
        if step.do == "request":
            there = step.service in asked and step.service not in services
            services.add(step.service)
        elif step.do == "inform":
            there = informed
        elif step.do == "again":
            there = agains.index(step.id) < passes
        elif step.do == "tell":
            there = told
        elif step.do == "patrol" and site.takes("patrol") and "patrol" not in asked:
            there = any(course.of("patrol.sent") for course in courses)
            if not there:
                yield _mind("never_by_itself", step.id, "no patrol goes by itself", "S6.1")
            continue
        if there:
            continue
        if step.do in ("again", "tell"):  # kept for a service that a rule refuses
            yield _mind("never_by_itself", step.id, f"step {step.id} never comes by itself")
        else:
            yield _no("never_reached", step.id, f"step {step.id} is never reached")


def _passes(course: Course) -> list[object]:
    return [line for line in course.of("incident.waiting") if line.data.get("for") == "second_pass"]


# --- at night


def _hours(
    procedure: Procedure, site: SiteFacts, reachable: Mapping[str, str]
) -> Iterator[Finding]:
    """Hours of the week in which nobody of the list can be reached."""
    keys = {target.to for target in targets(_facts(procedure, site, procedure.types[0]))}
    texts = [reachable.get(contact.key, "") for contact in site.contacts if contact.key in keys]
    if not texts:
        return
    missing = reach.gaps(texts)
    if not missing:
        return
    (day, begin), (last, end) = reach.at(missing[0][0]), reach.at(missing[0][1])
    reason = f"nobody can be reached from {day} {begin} to {last} {end}"
    if len(missing) > 1:
        reason += f", and {len(missing) - 1} times more in a week"
    yield _mind(
        "nobody_at_night", "", reason, "S17.1",
        day=day, begin=begin, last=last, end=end, more=len(missing) - 1,
    )  # fmt: skip
