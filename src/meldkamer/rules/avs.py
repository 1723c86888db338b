"""How likely is somebody there, and with what intent: the alarm validation level, 0 to 4.

After TMA AVS-01 (alarm validation scoring): 0 no call for a service is warranted; 1 an alarm, and
nothing is known of anybody being there; 2 most likely somebody is; 3 somebody is, and a crime
against property is seen; 4 somebody is, and life is threatened. It is our reading of the levels,
shown to help, and decides nothing: the police rule stays S15.3. Pure: facts in, value out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from meldkamer.rules.facts import IncidentFacts, SignalFacts

TYPES = ("intrusion", "sabotage", "holdup")


@dataclass(frozen=True, slots=True)
class Fact:
    """One reason: `way` is for, against, missing or would_raise; `what` a key of the catalogue."""

    way: str
    what: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Level:
    """The level reached and what it rests on."""

    level: int
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the site tells beside its signals; None means not known."""

    armed: bool | None = None
    closed_hours: bool | None = None
    cameras: bool = False


def assess(
    incident: IncidentFacts,
    signals: tuple[SignalFacts, ...],
    around: Surroundings,
    now: datetime,
) -> Level | None:
    """The level of a security incident; None for the other types.

    `signals`: those of the incident, in order, events and restores alike.
    """
    if incident.type not in TYPES:
        return None
    rising = [s for s in signals if s.role == "event" and s.at <= now]
    facts = [*_from_signals(incident, rising), *_from_site(around), *_from_people(incident)]
    level = _level(incident, rising, around)
    missing = [] if around.cameras else [Fact("missing", "no cameras")]
    if not incident.case.consulted:
        missing.append(Fact("missing", "nobody spoken to"))
    return Level(level, (*facts, *missing, *_raises(level)))


def _detectors(incident: IncidentFacts, rising: list[SignalFacts]) -> list[str]:
    found: dict[str, None] = {}
    for signal in rising:
        detector = signal.detector(incident.site.zones)
        if detector is not None and not signal.entry_exit:
            found.setdefault(detector)
    return list(found)


def _level(incident: IncidentFacts, rising: list[SignalFacts], around: Surroundings) -> int:
    case = incident.case
    if case.duress or case.called_for_help:
        return 4
    if case.false_alarm:
        return 0
    if incident.type == "holdup":
        return 4 if incident.verified_by == "person" else 1
    if incident.verified_by in ("camera", "person"):
        return 3
    if incident.verified_by == "detectors" or len(_detectors(incident, rising)) > 1:
        return 1 if around.armed is False else 2
    return 1


def _from_signals(incident: IncidentFacts, rising: list[SignalFacts]) -> list[Fact]:
    detectors = _detectors(incident, rising)
    if len(detectors) > 1:
        gap_s = int((rising[-1].at - rising[0].at).total_seconds())
        return [Fact("for", "several detectors", {"count": len(detectors), "gap_s": gap_s})]
    if detectors:
        return [Fact("for", "one detector")]
    return []


def _from_site(around: Surroundings) -> list[Fact]:
    facts = []
    if around.armed:
        facts.append(Fact("for", "armed"))
    elif around.armed is False:
        facts.append(Fact("against", "not armed"))
    if around.closed_hours:
        facts.append(Fact("for", "outside the hours"))
    elif around.closed_hours is False:
        facts.append(Fact("against", "within the hours"))
    return facts


def _from_people(incident: IncidentFacts) -> list[Fact]:
    case = incident.case
    facts = []
    if case.duress:
        facts.append(Fact("for", "duress code"))
    if case.called_for_help:
        facts.append(Fact("for", "cry for help"))
    if incident.verified_by == "camera":
        facts.append(Fact("for", "images show an intruder"))
    if incident.verified_by == "person":
        facts.append(Fact("for", "a person on site confirms"))
    for call in case.calls:
        if call.accepted and call.says in ("real", "send_patrol") and not call.inform:
            contact = incident.site.contact(call.to)
            name = contact.name if contact else ""
            facts.append(Fact("for", "contact expects nobody", {"name": name}))
        if call.accepted and call.says == "false_alarm":
            facts.append(Fact("against", "said to be false"))
    return facts


def _raises(level: int) -> list[Fact]:
    if level == 1:
        return [Fact("would_raise", "to 2 with a second detector")]
    if level == 2:
        return [Fact("would_raise", "to 3 when a burglary is seen on site")]
    if level == 3:
        return [Fact("would_raise", "to 4 when life is threatened")]
    return []
