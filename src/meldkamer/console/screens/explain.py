"""Why: the rule behind a line of the course, a step or a refusal, and the values it rests on.

Shows what was decided by, never decides. Invariant: the values are those of the terms that the
incident was opened with, under the keys that the terms file has them under; a clause that rests on
no value shows none, and nothing is said that the journal or the terms do not have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from meldkamer.console import clauses, wording
from meldkamer.console.screens import course, values
from meldkamer.console.screens.steps import StepRow
from meldkamer.console.sources import source_of
from meldkamer.console.timing import clock_or_day
from meldkamer.journal.models import Entry
from meldkamer.rules.facts import IncidentFacts, SiteFacts
from meldkamer.terms import places
from meldkamer.terms.loader import load
from meldkamer.terms.model import Procedure, Terms


@dataclass(frozen=True, slots=True)
class Value:
    """`texting.wait_s`, 90 s, (securitas 2022-05)."""

    key: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Told:
    """The line that was opened: when, what, who, and what the entry itself carries."""

    time: str
    words: str
    actor: str = ""
    recorded: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """A clause with everything that explains it here."""

    clause: str
    reading: str
    source: str
    note: str = ""
    told: Told | None = None
    step: StepRow | None = None
    values: tuple[Value, ...] = field(default=())


def plain(clause: str) -> Explained | None:
    """A clause outside any incident; None when it is none of ours."""
    reading = clauses.reading(clause, get_language() or "en")
    return None if reading is None else Explained(clause, reading, source_of(clause))


def of_site(clause: str, terms_name: str, plan: str, formula: str) -> Explained | None:
    """A clause at a site outside any incident, with the values of the terms that bind it now."""
    found = plain(clause)
    if found is None:
        return None
    at = places.At(plan, formula)
    return replace(found, values=tuple(_values(clause, load(terms_name), at)))


def explain(
    clause: str,
    facts: IncidentFacts,
    terms_name: str,
    *,
    told: Told | None = None,
    step: StepRow | None = None,
) -> Explained | None:
    """A clause within an incident. terms_name: the terms that it was opened with."""
    found = plain(clause)
    if found is None:
        return None
    terms = load(terms_name)
    site = facts.site
    at = places.At(site.plan, site.formula, facts.type, facts.procedure)
    return Explained(
        clause=clause,
        reading=found.reading,
        source=found.source,
        note=_note(clause, facts.procedure),
        told=told,
        step=step,
        values=(*_values(clause, terms, at), *_of_the_site(clause, site)),
    )


def _values(clause: str, terms: Terms, at: places.At) -> list[Value]:
    found = places.values(clauses.places().get(clause, ()), terms, at)
    return [Value(v.key, values.words(v.key, v.value), _origin(v, terms)) for v in found]


def _origin(value: places.Value, terms: Terms) -> str:
    if value.scope == "site":
        return _("procedure of the site, version %(version)s") % {"version": value.version}
    if value.scope == "provider":
        return _("procedure of the provider, version %(version)s") % {"version": value.version}
    return f"{terms.house.slug} {terms.version}"


def _of_the_site(clause: str, site: SiteFacts) -> list[Value]:
    """What the sheet says instead: a shorter wait for a cold store (S10.1)."""
    if clause != "S10.1" or site.power_delay_s is None:
        return []
    return [Value("power_delay_s", values.duration(site.power_delay_s), _("sheet of this site"))]


def _note(clause: str, procedure: Procedure | None) -> str:
    if procedure is None or procedure.in_source or not clause.startswith("S"):
        return ""
    if clause not in {procedure.clause, *(step.clause for step in procedure.steps)}:
        return ""
    return _("The provider’s own text has no such procedure: the contract prints the standard one.")


def told(entry: Entry, zone: ZoneInfo, now: datetime, actor: str) -> Told:
    """A line of the course, with what the entry carries of its own."""
    return Told(
        clock_or_day(entry.at, now, zone),
        course.sentence(entry, zone),
        actor,
        recorded(entry, zone),
    )


def recorded(entry: Entry, zone: ZoneInfo) -> tuple[tuple[str, str], ...]:
    """The values that the journal has in this entry, with their words."""
    found = []
    for key, (label, tell) in _RECORDED.items():
        value = entry.data.get(key)
        if value not in (None, "", [], {}):
            found.append((str(label), tell(value, zone)))
    return tuple(found)


def _moment(value: Any, zone: ZoneInfo) -> str:
    there = datetime.fromisoformat(str(value)).astimezone(zone)
    return there.strftime("%d/%m/%Y %H:%M:%S")


def _duration(value: Any, zone: ZoneInfo) -> str:
    return values.duration(int(value))


def _list(value: Any, zone: ZoneInfo) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _missing(value: Any, zone: ZoneInfo) -> str:
    return ", ".join(wording.word(wording.CONDITIONS, str(one)) for one in value)


_RECORDED: Mapping[str, tuple[Any, Callable[[Any, ZoneInfo], str]]] = {
    "until": (gettext_lazy("until"), _moment),
    "due": (gettext_lazy("due"), _moment),
    "count": (gettext_lazy("counted"), _list),
    "signals": (gettext_lazy("signals"), _list),
    "sites": (gettext_lazy("sites"), _list),
    "round": (gettext_lazy("round"), _list),
    "gap_s": (gettext_lazy("apart"), _duration),
    "window_s": (gettext_lazy("within"), _duration),
    "window_days": (gettext_lazy("within"), lambda value, zone: values.days(int(value))),
    "warn_at": (gettext_lazy("warned from"), _list),
    "suspend_at": (gettext_lazy("suspended from"), _list),
    "detectors": (gettext_lazy("detectors"), _list),
    "missing": (gettext_lazy("not met"), _missing),
    "left": (gettext_lazy("tries left"), _list),
    "used": (gettext_lazy("used"), _list),
    "included": (gettext_lazy("included"), _list),
    "zones": (gettext_lazy("zones"), _list),
    "area": (gettext_lazy("area"), _list),
}
