"""Master data as somebody typed it, before it is checked and stored.

Why: the office's forms, the import and the demo bring the same shapes to the same commands. A draft
is plain values; `repr` never shows a transmitter key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time


@dataclass(frozen=True, slots=True)
class CustomerDraft:
    """The party of the contract (S5.2)."""

    name: str
    kind: str = "consumer"
    language: str = "nl"
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class InstallerDraft:
    """Who installed the transmitter."""

    name: str
    email: str = ""
    phone: str = ""
    language: str = "nl"


@dataclass(frozen=True, slots=True)
class SiteDraft:
    """A site and its sheet. `types` None: no selection recorded, every type is handled (S6.3)."""

    name: str
    plan: str
    formula: str = ""
    street: str = ""
    postal_code: str = ""
    town: str = ""
    latitude: float | None = None
    longitude: float | None = None
    timezone: str = "Europe/Brussels"
    language: str = "nl"
    types: tuple[str, ...] | None = None
    left_out_signed: bool = False
    options: tuple[str, ...] = ()
    premises_phone: str = ""
    premises_person: str = ""
    police_zone: str = ""
    access_note: str = ""
    key_note: str = ""
    power_delay_s: int | None = None
    app_cloud: str = ""  # empty: our own push (S8.3)
    app_notifies: bool = False
    app_managed_by: str = ""
    test_period_s: int | None = None
    test_wait_s: int | None = None
    test_times: tuple[time, ...] = ()
    contract_start: date | None = None


@dataclass(frozen=True, slots=True)
class TransmitterDraft:
    """What dials in. `key` as typed, `hex:…` or `text:…`; empty keeps the key there is."""

    account: str
    receiver: str = ""
    line: str = ""
    key: str = field(default="", repr=False)
    plain: bool = False  # true: no key, and an old one is forgotten
    label: str = ""
    clock_offset_s: int = 0
    supervised: bool = True  # whether test messages are expected of it


@dataclass(frozen=True, slots=True)
class ZoneDraft:
    """A zone as the panel numbers it (S9.2)."""

    number: str
    name: str = ""
    area: str = ""
    detector: str = ""
    kind: str = ""
    type: str = ""
    service_phone: str = ""


@dataclass(frozen=True, slots=True)
class ContactDraft:
    """A person on the call list (S17.1, S17.2)."""

    name: str
    phone: str = ""
    email: str = ""
    language: str = "nl"
    relation: str = ""
    has_keys: bool = True
    knows_codes: bool = True
    minutes_away: int | None = None
    confirmed_on: date | None = None
    # hours of the week, as "mon-fri 08:00-18:00"; empty: always
    reachable: str = ""


@dataclass(frozen=True, slots=True)
class HoursDraft:
    """Opening hours of a weekday (0 = Monday, 7 = a public holiday) or of one date (S11.1)."""

    opens: time | None
    closes: time | None
    weekday: int | None = None
    on_date: date | None = None
    area: str = ""
    margin_s: int = 900
    repeat_s: int | None = None


@dataclass(frozen=True, slots=True)
class WholeSite:
    """Everything of one site, as an import brings it."""

    customer: CustomerDraft
    site: SiteDraft
    transmitters: tuple[TransmitterDraft, ...]
    installer: InstallerDraft | None = None
    zones: tuple[ZoneDraft, ...] = ()
    contacts: tuple[ContactDraft, ...] = ()
    hours: tuple[HoursDraft, ...] = ()
