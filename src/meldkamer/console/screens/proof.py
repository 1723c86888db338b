"""How sure are we: the verification with what it rests on, and the AVS-01 level, explained.

Shows what rules found; verifies nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from meldkamer.console import wording
from meldkamer.console.timing import clock, gap
from meldkamer.rules import avs
from meldkamer.rules.facts import IncidentFacts, Past, SignalFacts

_WAYS = {"for": "plus", "against": "cross", "missing": "cross", "would_raise": "arrow"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason, with its sign."""

    way: str
    icon: str
    way_words: str
    words: str


@dataclass(frozen=True, slots=True)
class Proof:
    """The verification block."""

    icon: str
    sure: bool
    headline: str
    sub: str
    window: str
    clause: str
    level: int | None
    level_words: str
    evidence: tuple[Evidence, ...]


def proof(
    facts: IncidentFacts,
    signals: tuple[SignalFacts, ...],
    around: avs.Surroundings,
    now: datetime,
) -> Proof:
    """The block for one incident."""
    level = avs.assess(facts, signals, around, now)
    icon, sure, headline, sub, clause = _headline(facts, signals)
    return Proof(
        icon=icon,
        sure=sure,
        headline=headline,
        sub=sub,
        window=_window(facts),
        clause=clause,
        level=level.level if level else None,
        level_words=_level_words(level.level) if level else "",
        evidence=tuple(_evidence(fact) for fact in level.facts) if level else (),
    )


def _window(facts: IncidentFacts) -> str:
    if facts.type not in facts.terms.verification.types or facts.verified_by not in (
        "",
        "detectors",
    ):
        return ""
    return _("window %(minutes)s min") % {"minutes": facts.terms.verification.window_s // 60}


def _headline(
    facts: IncidentFacts, signals: tuple[SignalFacts, ...]
) -> tuple[str, bool, str, str, str]:
    if facts.verified_by:
        past = next(p for p in reversed(facts.history) if p.what == "incident.verified")
        return _verified(facts, past)
    procedure = facts.procedure.clause if facts.procedure else "S9.1"
    if facts.type not in facts.terms.verification.types:
        return "user", False, _("No verification by detectors asked"), "", procedure
    detectors = {
        s.detector(facts.site.zones) for s in signals if s.role == "event" and not s.entry_exit
    } - {None}
    words = ngettext("%(count)s detector", "%(count)s detectors", len(detectors)) % {
        "count": len(detectors)
    }
    return "check", False, _("Not verified: %(what)s") % {"what": words}, "", "S9.1"


def _verified(facts: IncidentFacts, past: Past) -> tuple[str, bool, str, str, str]:
    zone = facts.site.timezone
    at = clock(past.at, zone)
    if facts.verified_by == "camera":
        return "camera", True, _("Verified by images"), at, past.clause
    if facts.verified_by == "person":
        who = str(past.data.get("who", ""))
        return "user", True, _("Verified by a person: %(who)s") % {"who": who}, at, past.clause
    detectors = past.data.get("detectors") or ()
    count = max(2, len(detectors))
    words = ngettext("Verified: %(count)s detector", "Verified: %(count)s detectors", count)
    sub = at
    if "gap_s" in past.data:
        sub = _("%(gap)s apart") % {"gap": gap(int(past.data["gap_s"]))}
    return "checks", True, words % {"count": count}, sub, past.clause


def _evidence(fact: avs.Fact) -> Evidence:
    ways = {
        "for": _("for"),
        "against": _("against"),
        "missing": _("missing"),
        "would_raise": _("would raise it"),
    }
    tell = _FACTS.get(fact.what)
    words = tell(fact.values) if tell else fact.what
    return Evidence(fact.way, _WAYS[fact.way], ways[fact.way], words)


def _level_words(level: int) -> str:
    return (
        _("no reason to call a service"),
        _("an alarm, nothing known of anybody"),
        _("most likely somebody is there"),
        _("somebody is there, a burglary is seen"),
        _("life is threatened"),
    )[level]


def _several(values: Mapping[str, object]) -> str:
    return _("%(count)s different detectors within %(gap)s") % {
        "count": values["count"],
        "gap": gap(int(str(values["gap_s"]))),
    }


_FACTS: dict[str, Callable[[Mapping[str, object]], str]] = {
    "several detectors": _several,
    "one detector": lambda v: _("one detector"),
    "armed": lambda v: _("the system was armed"),
    "not armed": lambda v: _("the system was not armed"),
    "outside the hours": lambda v: _("outside the opening hours"),
    "within the hours": lambda v: _("within the opening hours"),
    "duress code": lambda v: _("a duress code was given"),
    "cry for help": lambda v: _("somebody asked for help"),
    "images show an intruder": lambda v: _("the images show an intruder"),
    "a person on site confirms": lambda v: _("a person on site confirms it"),
    "contact expects nobody": lambda v: (
        _("%(name)s, code right: real alarm")
        % {"name": v["name"] or wording.word(wording.SERVICE_NAMES, "premises")}
    ),
    "said to be false": lambda v: _("an identified person says false alarm"),
    "no cameras": lambda v: _("no cameras at this site"),
    "nobody spoken to": lambda v: _("nobody spoken to yet"),
    "to 2 with a second detector": lambda v: _("2 with a second detector"),
    "to 3 when a burglary is seen on site": lambda v: _("3 once a burglary is seen on site"),
    "to 4 when life is threatened": lambda v: _("4 when life is threatened"),
}
