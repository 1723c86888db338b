"""What rules decide: values that `incidents` turns into rows, in one transaction.

An act never does anything by itself. Every act that a person could ask "why?" of names its clause.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from meldkamer.rules.facts import SignalFacts


@dataclass(frozen=True, slots=True)
class Say:
    """A line of the timeline, without any other effect."""

    what: str
    clause: str = ""
    reason: str = ""
    to: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Open:
    """Open an incident; the acts after it are about the new one."""

    type: str
    priority: int
    clause: str
    reason: str = ""
    area: str = ""
    zone: str | None = None
    code: str = ""
    origin: str = "signal"
    line: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verify:
    """The incident is verified, by detectors, camera or person (S9.1)."""

    by: str
    clause: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wait:
    """Nobody acts until then; `purpose`: power, second_pass, override."""

    until: datetime
    purpose: str
    clause: str


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Into the operators' queue (R23)."""

    clause: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A text to a contact; `purpose`: ladder, information, notice, told_all, held."""

    contact_key: str
    purpose: str
    clause: str
    round: int = 1


@dataclass(frozen=True, slots=True)
class Announce:
    """A call to a contact that speaks a text and waits for a key: a rung of the ladder (S7.2)."""

    contact_key: str
    clause: str
    round: int = 1


@dataclass(frozen=True, slots=True)
class LadderWait:
    """The ladder's next rung is due then (S7.2)."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Push:
    """To the panel maker's or our own app of a contact (S8.3)."""

    contact_key: str
    clause: str


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail; `to`: customer, installer or a contact's key. papers: documents of the site."""

    to: str
    template: str
    clause: str
    data: Mapping[str, Any] = field(default_factory=dict)
    papers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class BecomeHoldup:
    """The incident becomes a hold-up: a duress code was given in it (M7.1, R10)."""

    clause: str = "M7.1"


@dataclass(frozen=True, slots=True)
class HoldBack:
    """A transmitter is held back alone: it sent more than the terms allow (D908.3)."""

    transmitter: int
    signals: int
    at: datetime  # when the signal came that is one too many
    clause: str = "D908.3"


@dataclass(frozen=True, slots=True)
class Close:
    """Close with an outcome; the handling is counted after it (R25)."""

    outcome: str
    clause: str
    reason: str = ""


Act = (
    Say
    | Open
    | Verify
    | Wait
    | Enqueue
    | Text
    | Announce
    | LadderWait
    | Push
    | Mail
    | BecomeHoldup
    | HoldBack
    | Close
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The one verdict on a signal, and what follows from it.

    verdict: opened, joined, held, journaled, told, unknown_account, refused.
    `incident`: the id of the open incident it joins; None otherwise.
    """

    verdict: str
    clause: str
    reason: str = ""
    incident: int | None = None
    type: str = ""
    acts: tuple[Act, ...] = ()
    signal: SignalFacts | None = None
