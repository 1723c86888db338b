"""Is it real? Several detectors, a code that says so, images, or a person on site (S9.1).

Verification never delays a call; it only opens the way to the police.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from meldkamer.rules.acts import Verify
from meldkamer.rules.facts import SignalFacts, ZoneFacts
from meldkamer.terms.model import Terms


def by_detectors(
    signals: Iterable[SignalFacts],
    zones: Mapping[str, ZoneFacts],
    incident_type: str,
    terms: Terms,
    now: datetime,
) -> Verify | None:
    """Verified when enough different detectors of the site spoke within the window (S9.1).

    `signals`: those of the site and type that were acted on, of any incident not closed as false.
    Entry and exit signals do not count; a signal without a zone has no detector.
    """
    rules = terms.verification
    if incident_type not in rules.types:
        return None
    since = now - timedelta(seconds=rules.window_s)
    first_at: dict[str, datetime] = {}
    for signal in signals:
        if signal.role != "event" or signal.type != incident_type or signal.entry_exit:
            continue
        if signal.at < since:
            continue
        if signal.verifies:
            return Verify("detectors", "S9.1", {"said_by": signal.code})
        detector = signal.detector(zones)
        if detector is not None:
            first_at.setdefault(detector, signal.at)
    if len(first_at) < rules.detectors:
        return None
    gap_s = int((max(first_at.values()) - min(first_at.values())).total_seconds())
    return Verify(
        "detectors",
        "S9.1",
        {"detectors": sorted(first_at), "gap_s": gap_s, "window_s": rules.window_s},
    )


def by_camera(found: str) -> Verify | None:
    """Images of an intruder verify; "nothing" is noted and closes nothing (S9.1)."""
    return Verify("camera", "S9.1", {"images": found}) if found == "intruder" else None


def by_person(who: str) -> Verify:
    """Somebody on site confirmed it (S9.1, R12)."""
    return Verify("person", "S9.1", {"who": who})


def fire_detectors(signals: Iterable[SignalFacts], zones: Mapping[str, ZoneFacts]) -> int:
    """How many different fire detectors spoke in an incident (S15.5)."""
    return len({s.detector(zones) or s.code for s in signals if s.role == "event"})


def call_point(signals: Iterable[SignalFacts], zones: Mapping[str, ZoneFacts]) -> bool:
    """Whether somebody pressed a call point (S15.5): by the zone's kind or the code."""
    for signal in signals:
        zone = zones.get(signal.zone or "")
        if signal.role == "event" and (
            (zone is not None and zone.kind == "call_point") or signal.detail.get("call_point")
        ):
            return True
    return False
