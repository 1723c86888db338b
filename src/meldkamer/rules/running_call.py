"""The call that runs now, read from an incident's history: tries, identification, whom it is to.

A call belongs to who placed it: when the incident changes hands, it runs no more, and what was
given in it counts for nobody else (S19.1).
"""

from __future__ import annotations

from meldkamer.rules.facts import IncidentFacts
from meldkamer.rules.procedures import Step

HANDS = ("incident.taken", "incident.taken_over")
BEGINS = ("call.placed", *HANDS)


def tries(incident: IncidentFacts) -> int:
    """How many codes did not fit in this call."""
    found = 0
    for past in incident.history:
        if past.what in BEGINS:
            found = 0
        elif past.what == "identity.checked" and past.data.get("outcome") in ("wrong", "none"):
            found += 1
    return found


def identity(incident: IncidentFacts) -> tuple[str, str]:
    """The identification in this call: (outcome, key of the person); ("none", "") before one."""
    found = ("none", "")
    for past in incident.history:
        if past.what in BEGINS:
            found = ("none", "")
        elif past.what == "identity.checked":
            outcome = str(past.data.get("outcome"))
            if outcome in ("right", "duress") or found[0] == "none":
                found = (outcome, str(past.data.get("key")))
    return found


def runs(incident: IncidentFacts, step: Step) -> bool:
    """Whether the call of a step was placed and has no result yet."""
    running = False
    for past in incident.history:
        if past.what in HANDS:
            running = False
        elif past.what == "call.placed":
            running = past.data.get("key") == step.to
        elif past.what == "call.result" and past.data.get("key") == step.to:
            running = False
    return running
