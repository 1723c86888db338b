"""What the rules look at: frozen values, loaded by others, with `now` always passed beside them.

Nothing here reads a clock, a database or a setting. All times are aware datetimes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from meldkamer.terms.model import Procedure, Terms

PREMISES = "premises"
#: before the step's id: the key of a number that the procedure itself names
NUMBER = "number:"


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """A person on the call list; `key` names him in the history of an incident."""

    id: int
    name: str
    phone: str
    email: str
    language: str
    textable: bool

    @property
    def key(self) -> str:
        """c<id>: stable while he is renamed or moved on the list."""
        return f"c{self.id}"


@dataclass(frozen=True, slots=True)
class ZoneFacts:
    """A zone as the sheet describes it (S9.2); `type` overrides the code's (M1.2)."""

    number: str
    area: str = ""
    name: str = ""
    detector: str = ""
    kind: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class TestFacts:
    """A running test mode (S20.1); empty tuples mean the whole site."""

    __test__ = False

    id: int
    areas: tuple[str, ...]
    zones: tuple[str, ...]
    types: tuple[str, ...]
    until: datetime
    since: datetime | None = None

    def runs_at(self, at: datetime) -> bool:
        """Whether it ran when a signal came, however late that is judged (S20.1)."""
        return at < self.until and (self.since is None or self.since <= at)

    def covers(self, zone: str | None, area: str | None, incident_type: str) -> bool:
        """Whether a signal falls under this test."""
        if not (self.areas or self.zones or self.types):
            return True
        return (
            (zone is not None and zone in self.zones)
            or (area is not None and area in self.areas)
            or incident_type in self.types
        )


@dataclass(frozen=True, slots=True)
class InterruptionFacts:
    """Monitoring suspended, interrupted or held back; empty types mean all (D908.1, S12.2).

    transmitter: of a flood alone, which holds back that one and not its site, from `since` on
    (D908.3).
    """

    kind: str
    clause: str
    types: tuple[str, ...] = ()
    transmitter: int | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class SiteFacts:
    """A site with its sheet and the state of its service, as of `now`."""

    id: int
    provider_id: int
    name: str
    timezone: ZoneInfo
    plan: str
    formula: str
    types: frozenset[str] | None
    options: frozenset[str]
    premises_phone: str
    premises_person: str
    contacts: tuple[ContactFacts, ...]
    zones: Mapping[str, ZoneFacts]
    terms: Terms
    postal_code: str = ""
    position: tuple[float, float] | None = None
    language: str = "nl"
    trial_until: datetime | None = None
    in_force: bool = True
    tests: tuple[TestFacts, ...] = ()
    interruptions: tuple[InterruptionFacts, ...] = ()
    foretold_until: datetime | None = None
    foretold_by: str = ""
    foretold_from_premises: bool = False
    power_delay_s: int | None = None
    # the maker's cloud that carries the app, "" our own; whether it notifies by itself (S8.3)
    app_cloud: str = ""
    app_notifies: bool = False
    app_managed_by: str = ""
    known_undefined: frozenset[str] = frozenset()
    handled_undefined: frozenset[str] = frozenset()
    test_period_s: int | None = None
    missed_tests: int = 0
    in_outage: bool = False
    # of the provider's own house alone: name and number of who mends what a zone stands for
    help_desks: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def in_trial(self, now: datetime) -> bool:
        """S4.3: within the first days after activation."""
        return self.trial_until is not None and now < self.trial_until

    def takes(self, option: str) -> bool:
        """Whether an option, such as patrol, was taken (S6.1)."""
        return option in self.options

    def contact(self, key: str) -> ContactFacts | None:
        """The contact behind a key of the history, None when he left the list."""
        return next((c for c in self.contacts if c.key == key), None)

    @property
    def textable(self) -> tuple[ContactFacts, ...]:
        """The contacts whose numbers may be texted, in order (S7.6)."""
        return tuple(c for c in self.contacts if c.textable)


@dataclass(frozen=True, slots=True)
class SignalFacts:
    """One decoded message. `role` says what it can do, `type` what it is about."""

    id: int
    at: datetime
    code: str
    role: str
    type: str
    klass: str = ""
    zone: str | None = None
    area: str | None = None
    user: str | None = None
    label: str = ""
    origin: str = "frame"
    duress: bool = False
    verifies: bool = False
    entry_exit: bool = False
    restores_type: str | None = None
    disposition: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    transmitter: int | None = None
    # how many its transmitter sent within the flood's window, it included (D908.3)
    burst: int = 0

    def detector(self, zones: Mapping[str, ZoneFacts]) -> str | None:
        """The zone's detector, else the zone's number; None without a zone (S9.1)."""
        if self.zone is None:
            return None
        zone = zones.get(self.zone)
        return (zone.detector if zone else "") or f"zone {self.zone}"


@dataclass(frozen=True, slots=True)
class Past:
    """One journal entry of an incident, as the rules read it."""

    at: datetime
    what: str
    to: str = ""
    clause: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class IncidentFacts:
    """An open incident: its row, its history, its signals, and the procedure frozen into it."""

    id: int
    type: str
    opened_at: datetime
    state: str
    site: SiteFacts
    procedure: Procedure | None
    history: tuple[Past, ...]
    signals: tuple[SignalFacts, ...] = ()
    verified_by: str = ""
    wait_for: str = ""
    origin: str = "signal"
    free_patrols: int = 1

    @property
    def terms(self) -> Terms:
        """The terms of its site."""
        return self.site.terms

    @cached_property
    def case(self) -> Case:
        """What its history amounts to."""
        from meldkamer.rules.case import fold

        return fold(self.history)


@dataclass(frozen=True, slots=True)
class CallMade:
    """One call of a history; `accepted`: reached, and identified where that is asked."""

    to: str
    at: datetime
    round: int
    result: str
    accepted: bool
    says: str
    inform: bool


@dataclass(frozen=True, slots=True)
class TextSent:
    """One text of the ladder, or one call that took its place; by: sms or voice."""

    to: str
    at: datetime
    round: int
    by: str = "sms"


@dataclass(frozen=True)
class Case:
    """The fold of a history: what was done and said so far."""

    calls: tuple[CallMade, ...] = ()
    texts: tuple[TextSent, ...] = ()
    requested: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    round: int = 1
    consulted: bool = False
    false_alarm: str = ""  # who said so, accepted
    patrol_wanted: bool = False
    patrol_settled: bool = False
    # a unit was offered the job and none has answered yet
    patrol_asked: bool = False
    duress: bool = False
    called_for_help: bool = False
    override_lapsed: bool = False
    supervisor_told: bool = False
    reply_from: str = ""
    told_all: bool = False
    operator_called: bool = False
    seen_at: datetime | None = None

    def tried(self, round_: int) -> frozenset[str]:
        """The keys called in a round."""
        return frozenset(c.to for c in self.calls if c.round == round_ and not c.inform)

    @property
    def ever_tried(self) -> frozenset[str]:
        """The keys called at all, to consult or to inform."""
        return frozenset(c.to for c in self.calls)
