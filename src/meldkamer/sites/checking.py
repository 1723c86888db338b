"""Is a draft fit to be stored? All faults at once, each with its field.

Reads the terms and, for accounts, the table of transmitters; writes nothing. What is returned is
the draft as it will be stored: phones in one form, zones without leading zeros.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from meldkamer.rules import reach, sheets
from meldkamer.sites import phones, sealing
from meldkamer.sites.drafts import (
    ContactDraft,
    HoursDraft,
    SiteDraft,
    TransmitterDraft,
    WholeSite,
    ZoneDraft,
)
from meldkamer.sites.faults import Fault, from_finding
from meldkamer.sites.models import Customer
from meldkamer.terms.loader import ALL_TYPES
from meldkamer.terms.model import Terms

LANGUAGES = ("nl", "fr", "de", "en")
KINDS = (
    "contact", "pir", "glass_break", "seismic", "smoke", "heat", "call_point", "sprinkler", "gas",
    "co", "flood", "temperature", "button", "button_fixed", "button_portable", "pendant", "camera",
    "keypad", "tamper", "power", "device",
)  # fmt: skip
_HEX = frozenset("0123456789ABCDEF")
# of opening hours: the weekday that is a public holiday, and what a sheet may ask for
_HOLIDAY, _MARGIN_MOST_S, _REPEAT_LEAST_S = 7, 21_600, 300
_ACCOUNT_LONGEST = 16
Draft = TypeVar("Draft")


def texts(draft: Any, where: str) -> list[Fault]:
    """NUL characters and texts that the column cannot hold."""
    return [
        Fault(_at(where, f.name), "nul", "a NUL character is not text")
        for f in fields(draft)
        if isinstance(value := getattr(draft, f.name), str) and "\0" in value
    ]


def required(draft: Any, where: str, *names: str) -> list[Fault]:
    """Fields that must not be empty."""
    return [
        Fault(_at(where, name), "missing", "is missing")
        for name in names
        if not str(getattr(draft, name)).strip()
    ]


def language(draft: Any, where: str) -> list[Fault]:
    """One of the four languages (M12.4)."""
    return one_of(_at(where, "language"), draft.language, LANGUAGES)


def one_of(field: str, value: str, expected: Sequence[str]) -> list[Fault]:
    """A word out of a list."""
    if value in expected:
        return []
    names = ", ".join(expected)
    return [
        Fault(field, "choice", f"{value!r}; expected {names}",
              numbers={"found": value, "expected": names}),
    ]  # fmt: skip


def phone(draft: Draft, where: str, name: str = "phone") -> tuple[Draft, list[Fault]]:
    """The draft with its number in the one written form."""
    text = getattr(draft, name)
    try:
        return replace(draft, **{name: phones.normal(text)}), []  # type: ignore[type-var]
    except phones.PhoneFault as fault:
        return draft, [Fault(_at(where, name), "phone", str(fault), numbers={"found": text})]


def party(draft: Draft, where: str = "") -> tuple[Draft, list[Fault]]:
    """A customer or an installer."""
    draft, faults = phone(draft, where)
    faults += texts(draft, where) + required(draft, where, "name") + language(draft, where)
    kind = getattr(draft, "kind", None)
    if kind is not None:
        faults += one_of(_at(where, "kind"), kind, Customer.Kind.values)
    return draft, faults


def site(
    draft: SiteDraft, contacts: int | None, hours: bool, terms: Terms, where: str = ""
) -> tuple[SiteDraft, list[Fault]]:
    """A site and its sheet. contacts: None while the list is still being entered."""
    draft, faults = phone(draft, where, "premises_phone")
    faults += texts(draft, where) + required(draft, where, "name") + language(draft, where)
    faults += _place(draft, where)
    if draft.test_wait_s and not draft.test_period_s and not draft.test_times:
        faults.append(Fault(_at(where, "test_wait_s"), "wait_alone", "has no test period", "S10.3"))
    if draft.power_delay_s is not None and draft.power_delay_s > terms.power.delay_s:
        faults.append(
            Fault(_at(where, "power_delay_s"), "longer", "is longer than the terms say", "S10.1",
                  {"most": terms.power.delay_s // 60}),
        )  # fmt: skip
    if draft.app_notifies and not draft.app_cloud.strip():
        said = "is missing: only a maker's cloud notifies by itself"
        faults.append(Fault(_at(where, "app_cloud"), "cloud_missing", said, "S8.3"))
    if draft.test_period_s and draft.test_wait_s is None and not draft.test_times:
        wait_s = default_wait_s(draft.test_period_s, terms)
        draft = replace(draft, test_wait_s=wait_s)
    findings = sheets.check(
        draft.plan, draft.formula, draft.types, -1 if contacts is None else contacts, hours,
        draft.options, terms, left_out_signed=draft.left_out_signed,
    )  # fmt: skip
    for finding in findings:
        if finding.refused:
            fault = from_finding(finding)
            name = fault.field if fault.field == "contacts" else _at(where, fault.field)
            faults.append(replace(fault, field=name))
    return draft, faults


def _place(draft: SiteDraft, where: str) -> list[Fault]:
    faults = []
    try:
        ZoneInfo(draft.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        faults.append(
            Fault(_at(where, "timezone"), "timezone",
                  f"{draft.timezone!r} is not known; expected e.g. Europe/Brussels",
                  numbers={"found": draft.timezone}),
        )  # fmt: skip
    for name, most in (("latitude", 90), ("longitude", 180)):
        value = getattr(draft, name)
        if value is not None and not -most <= value <= most:
            faults.append(
                Fault(_at(where, name), "degrees", f"{value} is not between -{most} and {most}",
                      numbers={"most": most}),
            )  # fmt: skip
    if (draft.latitude is None) != (draft.longitude is None):
        missing = "latitude" if draft.latitude is None else "longitude"
        faults.append(Fault(_at(where, missing), "position", "latitude and longitude go together"))
    return faults


def default_wait_s(period_s: int, terms: Terms) -> int:
    """How long after the expected instant a test message is missed (S10.3, a table)."""
    table = sorted(terms.line_test.wait_s_by_period_s)
    for longest_s, wait_s in table:
        if period_s <= longest_s:
            return wait_s
    return table[-1][1]


def transmitter(
    draft: TransmitterDraft, where: str = ""
) -> tuple[TransmitterDraft, bytes | None, list[Fault]]:
    """The draft, the bytes of its key when one was given, and the faults."""
    draft = replace(
        draft,
        account=draft.account.strip().upper(),
        receiver=draft.receiver.strip().upper().removeprefix("R"),
        line=draft.line.strip().upper().removeprefix("L"),
    )
    faults = texts(draft, where)
    if not 3 <= len(draft.account) <= _ACCOUNT_LONGEST or not set(draft.account) <= _HEX:
        faults.append(
            Fault(_at(where, "account"), "account",
                  f"{draft.account!r}; expected 3 to 16 digits or letters A-F (DC-09 5.5.6)",
                  numbers={"found": draft.account}),
        )  # fmt: skip
    for name in ("receiver", "line"):
        value = getattr(draft, name)
        if value and (len(value) > 6 or not set(value) <= _HEX):
            faults.append(
                Fault(_at(where, name), "prefix",
                      f"{value!r}; expected up to 6 digits or letters A-F, or nothing for any",
                      numbers={"found": value}),
            )  # fmt: skip
    key = None
    if draft.key.strip():
        try:
            key = sealing.read_key(draft.key.strip())
        except sealing.KeyFault as fault:
            faults.append(Fault(_at(where, "key"), "key", str(fault)))
    return draft, key, faults


def zone(draft: ZoneDraft, where: str = "") -> tuple[ZoneDraft, list[Fault]]:
    """A zone; its number without leading zeros, as signals name it (M1.2)."""
    number = draft.number.strip()
    draft = replace(draft, number=number.lstrip("0") or number[:1], area=draft.area.strip())
    draft, faults = phone(draft, where, "service_phone")
    faults += texts(draft, where) + required(draft, where, "number")
    if len(draft.number) > 8:
        faults.append(Fault(_at(where, "number"), "zone_number", "has more than 8 characters"))
    if draft.kind:
        faults += one_of(_at(where, "kind"), draft.kind, KINDS)
    if draft.type:
        faults += one_of(_at(where, "type"), draft.type, ALL_TYPES)
    return draft, faults


def contact(draft: ContactDraft, where: str = "") -> tuple[ContactDraft, list[Fault]]:
    """A contact: reachable by telephone or by mail."""
    draft, faults = phone(draft, where)
    faults += texts(draft, where) + required(draft, where, "name") + language(draft, where)
    try:
        reach.minutes(draft.reachable)
    except reach.ReachFault as fault:
        faults.append(Fault(_at(where, "reachable"), "reachable", str(fault),
                            numbers={"found": draft.reachable}))  # fmt: skip
    if not draft.phone and not draft.email and not faults:
        faults.append(
            Fault(_at(where, "phone"), "unreachable", "no telephone number and no e-mail", "S17.1")
        )
    return draft, faults


def hours(draft: HoursDraft, where: str = "") -> list[Fault]:
    """Opening hours of a weekday or a date."""
    faults = texts(draft, where)
    if (draft.weekday is None) == (draft.on_date is None):
        faults.append(Fault(_at(where, "weekday"), "day", "expected a weekday or a date"))
    elif draft.weekday is not None and not 0 <= draft.weekday <= _HOLIDAY:
        words = "expected 0 (Monday) to 6 (Sunday), or 7 for public holidays"
        faults.append(Fault(_at(where, "weekday"), "day", words))
    if draft.margin_s > _MARGIN_MOST_S:
        faults.append(Fault(_at(where, "margin_s"), "margin", "is more than six hours", "S11.1"))
    if draft.repeat_s and draft.repeat_s < _REPEAT_LEAST_S:
        faults.append(Fault(_at(where, "repeat_s"), "repeat", "is less than 5 minutes", "S11.1"))
    if (draft.opens is None) != (draft.closes is None):
        faults.append(
            Fault(_at(where, "opens"), "hours", "opening and closing go together", "S11.1")
        )
    elif draft.opens is not None and draft.opens == draft.closes:
        faults.append(Fault(_at(where, "closes"), "hours", "closes when it opens", "S11.1"))
    return faults


def whole(
    draft: WholeSite, terms: Terms
) -> tuple[WholeSite, tuple[bytes | None, ...], list[Fault]]:
    """Everything of a site: as it will be stored, the keys of its transmitters, the faults."""
    customer, faults = party(draft.customer, "customer")
    installer = None
    if draft.installer is not None:
        installer, more = party(draft.installer, "installer")
        faults += more
    sheet, more = site(draft.site, len(draft.contacts), bool(draft.hours), terms, "site")
    faults += more
    transmitters, keys = [], []
    for index, one in enumerate(draft.transmitters):
        checked, key, more = transmitter(one, f"transmitter.{index + 1}")
        transmitters.append(checked)
        keys.append(key)
        faults += more
    if not transmitters:
        faults.append(Fault("transmitter", "missing", "is missing"))
    zones = _each(zone, draft.zones, "zone", faults)
    contacts = _each(contact, draft.contacts, "contact", faults)
    for index, day in enumerate(draft.hours):
        faults += hours(day, f"open_close.{index + 1}")
    faults += _twice("contact", "name", [c.name for c in contacts])
    faults += _twice("zone", "number", [z.number for z in zones])
    faults += _twice(
        "transmitter", "account", [f"{t.receiver}/{t.line}/{t.account}" for t in transmitters]
    )
    stored = WholeSite(
        customer, sheet, tuple(transmitters), installer, tuple(zones), tuple(contacts), draft.hours
    )
    return stored, tuple(keys), faults


def _each(check: Any, drafts: Sequence[Any], name: str, faults: list[Fault]) -> list[Any]:
    found = []
    for index, draft in enumerate(drafts):
        checked, more = check(draft, f"{name}.{index + 1}")
        found.append(checked)
        faults += more
    return found


def _twice(name: str, field: str, values: list[str]) -> list[Fault]:
    counted = Counter(values)
    return [
        Fault(f"{name}.{index + 1}.{field}", "twice", f"{value} stands there twice",
              numbers={"found": value})
        for index, value in enumerate(values)
        if value and counted[value] > 1 and value in values[:index]
    ]  # fmt: skip


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
