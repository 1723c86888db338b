"""What the journal says of an incident, to be held against its row: the fold of its entries.

Why: state lies in the row for speed, the truth lies in the journal; they are written in one
transaction and must agree for ever. Never: look at the row. Invariant: the same entries give the
same fold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

#: the words of the journal that move an incident into a state
_STATES = {
    "incident.queued": "queued",
    "incident.waiting": "waiting",
    "incident.taken": "taken",
    "incident.resumed": "taken",
    "incident.held": "held",
}
WORDS = (
    *_STATES,
    "incident.opened",
    "incident.closed",
    "incident.verified",
    "incident.duress",
    "sms.sent",
    "call.announced",
)


@dataclass(frozen=True, slots=True)
class Folded:
    """An incident as its journal tells it; `opened` and `closed` count how often."""

    state: str = ""
    outcome: str = ""
    type: str = ""
    verified_by: str = ""
    opened: int = 0
    closed: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """One entry: its word, the incident's type then, and what of its particulars matters."""

    what: str
    type: str
    purpose: str = ""
    outcome: str = ""
    by: str = ""


def fold(entries: Iterable[Told]) -> Folded:
    """The entries of one incident, in order."""
    found = Folded()
    for entry in entries:
        found = _one(replace(found, type=entry.type or found.type), entry)
    return found


def _one(found: Folded, entry: Told) -> Folded:
    if entry.what == "incident.opened":
        return replace(found, opened=found.opened + 1)
    if entry.what == "incident.closed":
        return replace(found, state="closed", outcome=entry.outcome, closed=found.closed + 1)
    if entry.what == "incident.verified":
        return replace(found, verified_by=entry.by)
    if entry.what in ("sms.sent", "call.announced"):
        return replace(found, state="texting") if entry.purpose == "ladder" else found
    return replace(found, state=_STATES.get(entry.what, found.state))


def differences(told: Folded, row: Folded) -> list[str]:
    """Where the row differs from what was told, in words for a person who searches."""
    found = [
        f"{name}: journal {getattr(told, name) or '–'}, table {getattr(row, name) or '–'}"
        for name in ("state", "outcome", "type", "verified_by")
        if getattr(told, name) != getattr(row, name)
    ]
    if told.opened != 1:
        found.append(f"opened {told.opened} times")
    if told.closed > 1:
        found.append(f"closed {told.closed} times")
    return found
