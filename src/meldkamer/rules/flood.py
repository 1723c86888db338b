"""Flood: when a transmitter is held back alone, and what of it is not (D908.3).

Why: one transmitter that sends without end must not keep the operators from the others. Never:
hold back hold-up, duress, fire or medical, whatever the terms say. Invariant: the answer depends on
what was received, never on when it was judged, so any number of workers give the same one.
"""

from __future__ import annotations

from meldkamer.rules.facts import InterruptionFacts, SignalFacts, SiteFacts

NEVER_HELD = ("holdup", "fire", "medical")
#: a restore of these ends an incident before an operator has it, so it is let through
_ENDS_INCIDENTS = ("battery", "power", "line_test")
_HOLDABLE = ("event", "restore", "cancel", "still")


def _of(signal: SignalFacts, site: SiteFacts) -> list[InterruptionFacts]:
    return [
        one
        for one in site.interruptions
        if one.kind == "flood" and one.transmitter == signal.transmitter is not None
    ]


def runs(signal: SignalFacts, site: SiteFacts) -> bool:
    """Whether its transmitter was held back when this signal came, whoever is judged first."""
    return any(one.since is None or one.since <= signal.at for one in _of(signal, site))


def too_many(signal: SignalFacts, site: SiteFacts) -> bool:
    """Whether its transmitter sent more than the terms allow (its `burst` counts it).

    Not while a test runs at the site, nor before it is in force: nothing is reacted to then.
    """
    if signal.transmitter is None or site.tests or not site.in_force:
        return False
    return signal.burst > site.terms.flood.signals


def begins(signal: SignalFacts, site: SiteFacts) -> bool:
    """Whether the transmitter is held back from this signal on."""
    return too_many(signal, site) and not _of(signal, site)


def holds(signal: SignalFacts, site: SiteFacts) -> bool:
    """Whether a signal of a flooding transmitter is held back (never a life in danger)."""
    if signal.role not in _HOLDABLE or signal.duress:
        return False
    kind = signal.restores_type or signal.type
    if kind in NEVER_HELD or kind in site.terms.flood.never_held:
        return False
    return not (signal.role == "restore" and kind in _ENDS_INCIDENTS)
