"""What a provider promises, as typed data. Rules read it; code never holds a provider's number.

Units are last in names: `_s` seconds, `_km` kilometres. Every table names its clause in the shipped
files. Shapes are checked by msgspec when a file is loaded, cross-references by `loader.check`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

IncidentType = Literal[
    "intrusion",
    "sabotage",
    "holdup",
    "fire",
    "medical",
    "battery",
    "power",
    "line_test",
    "external_technical",
    "open_close",
    "undefined",
]
Treatment = Literal[
    "operator",
    "operator+app",
    "operator+text",
    "app",
    "mail+app",
    "ladder",
    "ladder+operator",
    "text",
    "mail+text",
]
Service = Literal["police", "fire", "medical"]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of a terms file: frozen, and strict about keys it does not know."""


class House(_Table, frozen=True, kw_only=True):
    """Who sells and who operates, printed on every document (S24.2, S24.5)."""

    slug: str
    name: str
    operating_company: str = ""
    company_number: str = ""
    licence: str = ""
    seat: str = ""  # of the operating company, on one line
    emergency_phone: str = ""
    administration_phone: str = ""
    administration_hours: str = ""
    technical_email: str = ""
    sales_email: str = ""


class Queue(_Table, frozen=True, kw_only=True):
    """The order of work (S15.1) and how an untouched incident climbs (M12.2)."""

    classes: tuple[tuple[IncidentType, ...], ...]
    # "life first": these types overtake all after so long; empty: no ageing
    ageing_types: tuple[IncidentType, ...] = ()
    ageing_after_s: int = 0
    everyone_after_s: int
    supervisor_after_s: int
    remind_every_s: int
    idle_s: int
    hold_ceiling_s: int
    raise_within_s: int  # M1.3


class Trial(_Table, frozen=True, kw_only=True):
    """S4.3: whom not to send for in the first days."""

    days: int
    forbids: tuple[Service, ...] = ()


class Identification(_Table, frozen=True, kw_only=True):
    """S19.1 and S19.2: asked always, except for these types."""

    exempt_types: tuple[IncidentType, ...]
    tries: int
    lock_s: int  # how long a caller's number is locked after so many failures
    foretold_s: int  # S12.1: a false alarm told before its signal


class Verification(_Table, frozen=True, kw_only=True):
    """S9.1: several detectors within the window."""

    types: tuple[IncidentType, ...]
    detectors: int
    window_s: int


class Texting(_Table, frozen=True, kw_only=True):
    """S7.1–S7.9: the ladder, and which numbers may be texted (S7.6, D904.5)."""

    wait_s: int
    rounds: int  # before the contacts are called, treatment "ladder"
    rounds_before_operator: int  # the same, treatment "ladder+operator"
    mobile_countries: tuple[str, ...]
    reply_gap_s: int
    late_reply_s: int
    # a text may lie so long in a house whose carriers work; then an operator acts (M12.2)
    unsent_most_s: int = 300
    # a phone that answers by itself: so many incidents of late replies, then the operators' list
    late_replies: int = 3
    late_replies_within_s: int = 3600


class Announcing(_Table, frozen=True, kw_only=True):
    """Calls that speak a text and wait for a key; ours, and off unless the terms say so.

    untextable: in the ladder's rounds a contact whose number may not be texted is called so (S7.6).
    no_carrier: also who may be texted, while no carrier takes texts (M12.2). wait_s: from the
    moment it rings until the ladder moves on at the latest. supervisor: from when on a supervisor
    is called about an incident that nobody takes (M12.2); after his key not again for quiet_s.
    """

    untextable: bool = False
    no_carrier: bool = False
    wait_s: int = 150
    supervisor: Literal["never", "notified", "reminded"] = "never"
    quiet_s: int = 900


class App(_Table, frozen=True, kw_only=True):
    """S8.3: a message of the app that no phone and no cloud takes; ours.

    instead: "text" to the same contact, after it was turned down or waited for after_s; "": only a
    person is told.
    """

    instead: Literal["", "text"] = ""
    after_s: int = 300


class Mailing(_Table, frozen=True, kw_only=True):
    """A mail to a customer that never arrives (S12.2, D908.1: he is told in writing); ours.

    instead: "letter" to the address of the site, with the same words; "": its course tells it and
    the address is in doubt.
    """

    instead: Literal["", "letter"] = ""


class Keeping(_Table, frozen=True, kw_only=True):
    """How long what holds a person's data is kept beside the journal (GDPR 5.1.e); ours.

    handling_days: calls, replies, what patrols entered and their photos; from the closing of what
    they belong to. receipts_days: what carriers told of messages. places_days: where the page of a
    patrol said it was last.
    """

    handling_days: int = 730
    receipts_days: int = 90
    places_days: int = 1


class Power(_Table, frozen=True, kw_only=True):
    """S10.1: how long a power failure waits for its restore."""

    delay_s: int


class Outage(_Table, frozen=True, kw_only=True):
    """S10.2: when several power failures are one general outage."""

    enabled: bool
    sites: int
    window_s: int
    share: float
    radius_km: float
    quiet_s: int
    recheck_s: int


class LineTest(_Table, frozen=True, kw_only=True):
    """S10.3: how many missed tests in a row are handled, and the installer's daily report."""

    handled: int
    wait_s_by_period_s: tuple[tuple[int, int], ...]
    report_at: str = ""  # time of day at the provider; empty: no daily report


class OpenClose(_Table, frozen=True, kw_only=True):
    """S11.1: margin on both sides, the holidays, and how often a late closing is told again."""

    margin_s: int
    repeat_s: int = 0  # 0: once
    holidays: tuple[str, ...] = ()  # MM-DD, or easter+N


class TestMode(_Table, frozen=True, kw_only=True):
    """S20.1: how long by phone, and what is opened when it ends unrestored."""

    phone_max_s: int  # in a row, however often one calls
    phone_gap_s: int  # tests by phone with less between them are in a row
    reopen_types: tuple[IncidentType, ...]
    summary_mail: bool = False  # the summary also by mail to the customer


class NotInForce(_Table, frozen=True, kw_only=True):
    """S4.2, D903.1: from when a contract is in force, and who is texted before."""

    delay_s: int
    text_types: tuple[IncidentType, ...]


class Needless(_Table, frozen=True, kw_only=True):
    """S12.2: from how many needless incidents one warns and may suspend, and how one tells it."""

    warn_at: int
    suspend_at: int
    window_days: int
    never_suspended: tuple[IncidentType, ...]  # nor a duress code, whatever stands here
    # who starts it: "operators" have the call to the customer as a task at once, "office" decides
    proposed_to: Literal["operators", "office"]
    review_days: int
    call_due_s: int  # from when a task that nobody did is told to the supervisor
    call_again_s: int  # after a round in which the customer was not reached
    call_rounds: int  # then the supervisor has it


class Flood(_Table, frozen=True, kw_only=True):
    """D908.3: when a transmitter is held back alone, and when it is quiet again."""

    signals: int  # more than so many …
    window_s: int  # … within this time
    quiet_signals: int  # at most so many …
    quiet_s: int  # … within this time: released
    never_held: tuple[IncidentType, ...]  # nor a duress code, whatever stands here


class Interruption(_Table, frozen=True, kw_only=True):
    """D908.1: monitoring interrupted for non-payment so many days after the notice."""

    unpaid_notice_days: int


class Patrol(_Table, frozen=True, kw_only=True):
    """S6.1: types for which a patrol goes unasked, and how long one that is asked may think."""

    unasked_types: tuple[IncidentType, ...]
    answer_s: int  # no answer to an offer within this time: the next unit
    stale_s: int  # a position that a unit's page told is believed so long


class Plan(_Table, frozen=True, kw_only=True):
    """A plan: people, types, options and handlings that it includes (S13.1, S17.1, D904)."""

    label: str
    contacts: int
    contacts_refused_above: bool = True
    number_countries: tuple[str, ...] = ()  # of call numbers without surcharge; empty: any
    types_max: int | None = None
    open_close: bool = False
    formula: bool = True
    included: dict[str, int]  # by formula, "" for a plan without one
    period: Literal["contract_year", "calendar_quarter"]
    counted_types: tuple[IncidentType, ...] = ()  # empty: every type
    treatment: dict[IncidentType, Treatment] = {}  # for a plan without formula


class Formula(_Table, frozen=True, kw_only=True):
    """S6.2: a label, and the treatment of each type (section 2 of the brochure's table)."""

    label: str
    treatment: dict[IncidentType, Treatment]


class Step(_Table, frozen=True, kw_only=True):
    """One step of a procedure; `when` and `do` are the words of `rules.procedures`."""

    id: str
    do: Literal["call", "request", "inform", "patrol", "again", "tell"]
    clause: str
    who: Literal["premises", "premises_or_first", "contacts", "contact", "number", ""] = ""
    service: Service | None = None
    when: Literal[
        "verified_and_consulted",
        "unsatisfied",
        "consulted_or_exhausted",
        "exhausted",
        "in_turn",
        "",
    ] = ""
    after_s: int = 0
    leave_message: bool = False
    # of who = "contact": which one of the call list; of who = "number": who answers there
    name: str = ""
    phone: str = ""
    # name and code also where S19.2 does not ask for them; "never" only where it does not (S19.1)
    identify: Literal["always", "never", ""] = ""


class Services(_Table, frozen=True, kw_only=True):
    """B1: the national numbers, for a site whose zone has none, and the electronic hand-over.

    electronic: "beside" the call, or "instead" of it where that was agreed with the service.
    """

    police: str
    fire: str
    medical: str
    electronic: Literal["beside", "instead"] = "beside"

    def number(self, service: str) -> str:
        """The national number of police, fire or medical."""
        return {"police": self.police, "fire": self.fire, "medical": self.medical}[service]


class Procedure(_Table, frozen=True, kw_only=True):
    """What operators do for some types, step by step (section 3)."""

    name: str
    types: tuple[IncidentType, ...]
    clause: str
    steps: tuple[Step, ...]
    # what the last unanswered call leads to where there is no step "again"
    exhausted: Literal["nobody_reached", "notified"] = "nobody_reached"
    in_source: bool = True
    # "" and 0: the terms file's own; else whose version it is (S14.1, S22.1)
    scope: Literal["", "provider", "site"] = ""
    version: int = 0


class Terms(_Table, frozen=True, kw_only=True):
    """One version of a provider's terms."""

    name: str
    version: str
    source: str
    timezone: str
    languages: tuple[str, ...]
    house: House
    queue: Queue
    trial: Trial
    identification: Identification
    verification: Verification
    texting: Texting
    announcing: Announcing = Announcing()
    app: App = App()
    mailing: Mailing = Mailing()
    keeping: Keeping = Keeping()
    power: Power
    outage: Outage
    line_test: LineTest
    open_close: OpenClose
    test_mode: TestMode
    not_in_force: NotInForce
    needless: Needless
    flood: Flood
    interruption: Interruption
    patrol: Patrol
    services: Services
    plans: dict[str, Plan]
    formulas: dict[str, Formula] = {}
    procedures: tuple[Procedure, ...]

    def procedure(self, incident_type: str) -> Procedure:
        """The procedure of a type; KeyError when the file has none (loader.check forbids it)."""
        for procedure in self.procedures:
            if incident_type in procedure.types:
                return procedure
        raise KeyError(incident_type)

    def treatment(self, plan: str, formula: str, incident_type: str) -> Treatment:
        """How a type is treated under a plan and formula."""
        if formula:
            return self.formulas[formula].treatment[incident_type]  # type: ignore[index]
        return self.plans[plan].treatment[incident_type]  # type: ignore[index]

    def priority(self, incident_type: str) -> int:
        """1 is the most urgent class (S15.1)."""
        for rank, types in enumerate(self.queue.classes, start=1):
            if incident_type in types:
                return rank
        raise KeyError(incident_type)


# msgspec learns a type at its first use, and two threads that use it first at the same time crash
# the process. Here, while the module is imported, there is one
msgspec.json.Decoder(Terms)
