"""A procedure as the office sees it: which holds, its versions, its checks, what happens when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from meldkamer.office import procedure_wording as wording
from meldkamer.people.models import Staff
from meldkamer.rules import soundness, versions
from meldkamer.rules.facts import PREMISES, SiteFacts
from meldkamer.rules.procedures import Step as Target
from meldkamer.rules.walk import NO_ANSWER, Answers, Course, Reply, walk
from meldkamer.sites import procedure_checks, procedure_queries
from meldkamer.sites.models import ProcedureVersion, Provider, Site
from meldkamer.terms.findings import Finding
from meldkamer.terms.loader import load
from meldkamer.terms.model import Procedure


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version in a list: its state now, and who drafted and released it."""

    row: ProcedureVersion
    state: str
    look: str
    drafted_by: str
    released_by: str

    @property
    def name(self) -> str:
        """The procedure's name in words."""
        return wording.name_of(self.row.name)


@dataclass(frozen=True, slots=True)
class Holding:
    """A procedure of the terms, and what holds of it now."""

    name: str
    words: str
    source: str
    procedure: Procedure
    until: datetime | None
    versions: tuple[VersionRow, ...]

    @property
    def steps(self) -> list[tuple[str, str, str]]:
        """Words, condition and clause of each step."""
        return steps(self.procedure)


def steps(procedure: Procedure) -> list[tuple[str, str, str]]:
    """Words, condition and clause of each step."""
    return [(wording.words_of(s), wording.condition_of(s), s.clause) for s in procedure.steps]


def holding(provider: Provider, site: Site | None, now: datetime) -> list[Holding]:
    """Every procedure with what holds now, and its versions (S14.1)."""
    terms = load(provider.terms)
    site_id = site.pk if site else None
    in_force = versions.in_force(procedure_queries.released(provider.pk, site_id), now)
    rows = version_rows(procedure_queries.of_record(provider.pk, site_id), now)
    found, names = [], [procedure.name for procedure in terms.procedures]
    names += [row.row.name for row in rows if row.row.name not in names]
    for name in dict.fromkeys(names):
        own = next((v for v in in_force if v.procedure.name == name), None)
        base = next((p for p in terms.procedures if p.name == name), None)
        procedure = own.procedure if own else base or terms.procedure(name)
        mine = tuple(row for row in rows if row.row.name == name)
        found.append(
            Holding(name, wording.name_of(name), _source(procedure, terms.name), procedure,
                    own.ends_at if own else None, mine)
        )  # fmt: skip
    return found


def alone(provider: Provider) -> list[tuple[str, str]]:
    """The types that share a procedure of the terms file with others: each may have its own."""
    shared = [p.types for p in load(provider.terms).procedures if len(p.types) > 1]
    names = [p.name for p in load(provider.terms).procedures]
    return [(t, wording.name_of(t)) for types in shared for t in types if t not in names]


def _source(procedure: Procedure, terms: str) -> str:
    if procedure.scope == "site":
        return _("of this site, version %(n)s") % {"n": procedure.version}
    if procedure.scope == "provider":
        return _("of the provider, version %(n)s") % {"n": procedure.version}
    return _("terms %(name)s") % {"name": terms}


def version_rows(rows: Iterable[ProcedureVersion], now: datetime) -> list[VersionRow]:
    """Versions with their state at this moment and the names of people."""
    rows = list(rows)
    people = names({row.drafted_by for row in rows} | {row.released_by for row in rows})
    return [
        VersionRow(
            row,
            *state(row, now),
            drafted_by=people.get(row.drafted_by, row.drafted_by),
            released_by=people.get(row.released_by, row.released_by),
        )
        for row in rows
    ]


def state(row: ProcedureVersion, now: datetime) -> tuple[str, str]:
    """Its state in words, and its sign: pending, current or done."""
    if row.state == "draft":
        return _("draft"), "pending"
    if row.state == "withdrawn":
        return _("withdrawn"), "done"
    if row.starts_at is not None and row.starts_at > now:
        return _("planned"), "pending"
    if row.ends_at is not None and row.ends_at <= now:
        return _("ended"), "done"
    return _("in its time"), "current"


def names(actors: Iterable[str]) -> dict[str, str]:
    """Names of the staff that the journal knows as staff:<id>."""
    ids = [a.removeprefix("staff:") for a in actors if a.startswith("staff:")]
    return {
        f"staff:{staff.pk}": staff.get_full_name() or staff.username
        for staff in Staff.objects.filter(pk__in=[i for i in ids if i.isdecimal()])
    }


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: good, poor (ticked at the release) or bad (blocks it)."""

    health: str
    words: str
    code: str
    clause: str
    step: str


def checks(found: Iterable[Finding], procedure: Procedure) -> list[Check]:
    """The findings in words, each with the step it is about."""
    places = {step.id: place for place, step in enumerate(procedure.steps, start=1)}
    rows = []
    for finding in found:
        known = wording.FAULTS.get(finding.code)
        told = str(known) % wording.numbers(finding.numbers) if known else finding.reason
        at = _("Step %(n)s") % {"n": places[finding.item]} if finding.item in places else ""
        health = "bad" if finding.refused else "poor"
        rows.append(Check(health, told, finding.code, finding.clause, at))
    return rows or [Check("good", _("Lawful, and it can be worked."), "", "S14.1", "")]


@dataclass(frozen=True, slots=True)
class CourseRow:
    """One line of "what happens when": after how long, what, and why."""

    after: str
    words: str
    clause: str
    look: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way through a procedure."""

    title: str
    rows: tuple[CourseRow, ...]


def beforehand(procedure: Procedure, provider: Provider, site: Site | None) -> str:
    """What comes before an operator at this site; empty where he comes first (section 2)."""
    terms = load(provider.terms)
    facts = soundness.sample_site(terms)
    plan, formula = (site.plan, site.formula) if site else (facts.plan, facts.formula)
    return str(wording.BEFOREHAND[terms.treatment(plan, formula, procedure.types[0])])


def scenarios(
    procedure: Procedure, provider: Provider, site: Site | None, now: datetime
) -> list[Scenario]:
    """What happens when: the procedure walked with scripted answers."""
    facts = (
        procedure_checks.sheet(site, now) if site else soundness.sample_site(load(provider.terms))
    )
    facts = replace(facts, trial_until=None)
    kind = procedure.types[0]
    verifiable = kind in facts.terms.verification.types
    found = [
        _scenario(_("Nobody answers"), facts, procedure, lambda _target: NO_ANSWER, now),
        _scenario(
            _("The first contact is coming"), facts, procedure, _first_contact("coming"), now
        ),
        _scenario(
            _("False alarm, with the right code"), facts, procedure, _all("false_alarm"), now
        ),
        _scenario(_("A wrong code"), facts, procedure, _all("false_alarm", "wrong"), now),
        _scenario(_("A duress code"), facts, procedure, _all("coming", "duress"), now),
    ]
    if kind in facts.terms.identification.exempt_types:
        found = found[:2]
    if verifiable:
        found[1:1] = [
            _scenario(
                _("Verified, and nobody answers"), facts, procedure, lambda _target: NO_ANSWER,
                now, "detectors",
            ),
            _scenario(
                _("Verified, and the first contact says it is real"), facts, procedure,
                _first_contact("real"), now, "detectors",
            ),
        ]  # fmt: skip
    if facts.takes("patrol") and verifiable:
        found.append(
            _scenario(
                _("A contact asks for the patrol"), facts, procedure,
                _first_contact("send_patrol"), now,
            )
        )  # fmt: skip
    return found


def _first_contact(says: str) -> Answers:
    def answers(target: Target) -> Reply:
        return NO_ANSWER if target.to == PREMISES else Reply("reached", "right", says)

    return answers


def _all(says: str, identity: str = "right") -> Answers:
    return lambda _target: Reply("reached", identity, says)


def _scenario(
    title: str,
    facts: SiteFacts,
    procedure: Procedure,
    answers: Answers,
    now: datetime,
    verified_by: str = "",
) -> Scenario:
    course = walk(facts, procedure, procedure.types[0], answers, now, verified_by=verified_by)
    return Scenario(title, tuple(_rows(course, now)))


def _rows(course: Course, start: datetime) -> Iterable[CourseRow]:
    for line in course.lines:
        words = wording.line_in_words(line)
        if words:
            yield CourseRow(_after(line.at - start), words, line.clause, _look(line.what))


def _after(since: timedelta) -> str:
    minutes, seconds = divmod(int(since.total_seconds()), 60)
    return f"{minutes}:{seconds:02}"


def _look(what: str) -> str:
    if what.endswith(".requested"):
        return "strong"
    return "refused" if what.endswith(".refused") else ""
