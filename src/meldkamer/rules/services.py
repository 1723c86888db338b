"""May a service be sent for now? The only place that answers, and the answer names its clause.

Police for an intrusion never go unverified (S15.3, B1); in trial none that the terms forbid (S4.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from meldkamer.rules.facts import IncidentFacts, SiteFacts


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not: the clause, a short reason (a key of the catalogue), and what is missing."""

    clause: str
    reason: str
    missing: tuple[str, ...] = ()


def forbidden(site: SiteFacts, service: str, now: datetime) -> Refusal | None:
    """A rule that forbids a service outright, whatever happened in the incident (S4.3)."""
    if site.in_trial(now) and service in site.terms.trial.forbids:
        return Refusal("S4.3", "in trial")
    return None


def refusal(incident: IncidentFacts, service: str, now: datetime) -> Refusal | None:
    """Why a service may not be asked for in an incident now; None when it may.

    S4.3 is named before S15.3 (R13).
    """
    trial = forbidden(incident.site, service, now)
    if trial is not None:
        return trial
    case = incident.case
    if case.duress or case.called_for_help:
        return None
    if service == "police" and incident.type in incident.terms.verification.types:
        missing = tuple(
            word
            for word, there in (
                ("verified", bool(incident.verified_by)),
                ("consulted", case.consulted),
            )
            if not there
        )
        if missing:
            return Refusal("S15.3", f"not {missing[0]}", missing)
    return None


def patrol_refusal(incident: IncidentFacts) -> Refusal | None:
    """Why no patrol can go: not taken, or none free (S6.1)."""
    if not incident.site.takes("patrol"):
        return Refusal("S6.1", "patrol not taken")
    if incident.free_patrols < 1:
        return Refusal("S6.1", "no patrol free")
    return None
