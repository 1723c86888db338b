"""Reads terms files and refuses one that contradicts itself.

A shipped file is a version: it is never changed after a contract was signed under it; a new version
is a new file. Reading is pure of any clock or database.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from meldkamer.terms import holidays
from meldkamer.terms.law import breaches
from meldkamer.terms.model import IncidentType, Terms
from meldkamer.terms.procedures import structure
from meldkamer.terms.toml import NotToml, read_toml

DIRECTORY = Path(__file__).parent
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z")
_DAYS_MOST = 36_500
ALL_TYPES: tuple[str, ...] = get_args(IncidentType)


class TermsFault(ValueError):
    """A terms file that cannot be used: file, key, and what was expected."""


def shipped() -> list[str]:
    """The names of the terms files that come with the product."""
    return sorted(path.stem for path in DIRECTORY.glob("*.toml"))


def known() -> list[str]:
    """All names that `load` takes: the shipped ones, and what this process varied or adopted."""
    return [*shipped(), *_VARIED]


@cache
def load(name: str) -> Terms:
    """The shipped terms of that name; TermsFault names the ones there are."""
    if name in _VARIED:
        return _VARIED[name]
    if name not in shipped():
        raise TermsFault(f"no terms named {name!r}; there are: {', '.join(shipped())}")
    return read(DIRECTORY / f"{name}.toml")


# versions that a rehearsal tries, in the memory of its process alone
_VARIED: dict[str, Terms] = {}


def adopt(terms: Terms) -> str:
    """Terms that were read from elsewhere, in the memory of this process; the name to load by.

    The name holds a digest of what they say: a name never stands for two contents.
    """
    digest = sha256(msgspec.json.encode(terms)).hexdigest()[:12]
    named = msgspec.structs.replace(terms, name=f"{terms.name}~{digest}")
    _VARIED[named.name] = named
    return named.name


def varied(name: str, changes: Mapping[str, object]) -> str:
    """A version of a shipped file with other values, for a rehearsal; the name to load it by.

    changes: by place, as "texting.wait_s" or "procedures.fire.steps.service.after_s". TermsFault
    names a place that is not there, or what contradicts itself.
    """
    if not changes:
        return name
    path = DIRECTORY / f"{name}.toml"
    raw = read_toml(path.read_text("utf-8"))
    for place, value in changes.items():
        _change(raw, place, value)
    try:
        terms = msgspec.convert(raw, Terms)
    except msgspec.ValidationError as fault:
        raise TermsFault(str(fault)) from None
    faults = check(terms)
    if faults:
        raise TermsFault("; ".join(faults))
    return adopt(terms)


def _change(raw: dict[str, Any], place: str, value: object) -> None:
    *parents, last = place.split(".")
    at: Any = raw
    for part in parents:
        at = _inner(at, part)
        if at is None:
            raise TermsFault(f"no place {place!r} in the terms; {part} is not there")
    if not isinstance(at, dict) or last not in at:
        raise TermsFault(f"no place {place!r} in the terms; {last} is not there")
    at[last] = value


def _inner(at: Any, part: str) -> Any:
    """A table's entry, or of a list of tables the one of that name or id."""
    if isinstance(at, dict):
        return at.get(part)
    rows = at if isinstance(at, list) else []
    return next((row for row in rows if part in (row.get("name"), row.get("id"))), None)


def read(path: Path) -> Terms:
    """The terms in a file, checked; TermsFault with the file, the key and what was expected."""
    try:
        terms = msgspec.convert(read_toml(path.read_text("utf-8")), Terms)
    except NotToml as fault:
        raise TermsFault(f"{path.name}: not TOML: {fault}") from None
    except UnicodeDecodeError as fault:
        raise TermsFault(f"{path.name}: not UTF-8 (byte {fault.start})") from None
    except msgspec.ValidationError as fault:
        raise TermsFault(f"{path.name}: {fault}") from None
    except OSError as fault:
        raise TermsFault(f"{path}: cannot be read: {fault.strerror}") from None
    faults = check(terms)
    if faults:
        raise TermsFault("\n".join(f"{path.name}: {fault}" for fault in faults))
    return terms


def check(terms: Terms) -> list[str]:
    """What a file promises twice or not at all; empty when it holds together."""
    return [
        *_every_type_once("queue.classes", [t for rank in terms.queue.classes for t in rank]),
        *_every_type_once("procedures", [t for p in terms.procedures for t in p.types]),
        *_treatments(terms),
        *_procedures(terms),
        *_numbers(terms),
        *_life(terms),
        *_days_and_times(terms),
    ]


def _days_and_times(terms: Terms) -> list[str]:
    """Holidays and the time of the daily report can be read (S11.1, S10.3)."""
    faults = []
    for rule in terms.open_close.holidays:
        try:
            holidays.check(rule)
        except holidays.HolidayFault as fault:
            faults.append(f"open_close.holidays: {fault}")
    at = terms.line_test.report_at
    if at and not _CLOCK.match(at):
        faults.append(f"line_test.report_at: {at!r}; expected a time of day as 07:00, or empty")
    return faults


def _every_type_once(where: str, types: list[str]) -> list[str]:
    missing = [t for t in ALL_TYPES if t not in types]
    twice = sorted({t for t in types if types.count(t) > 1})
    return [f"{where}: type {t} is missing" for t in missing] + [
        f"{where}: type {t} stands there twice" for t in twice
    ]


def _treatments(terms: Terms) -> list[str]:
    faults = []
    for name, plan in terms.plans.items():
        wanted = sorted(terms.formulas) if plan.formula else [""]
        if sorted(plan.included) != wanted:
            faults.append(f"plans.{name}.included: expected exactly the formulas {wanted}")
        if not plan.formula:
            faults += _treats_all(f"plans.{name}", list(plan.treatment))
    for name, formula in terms.formulas.items():
        faults += _treats_all(f"formulas.{name}", list(formula.treatment))
    return faults


def _treats_all(where: str, treatment: Collection[str]) -> list[str]:
    return [f"{where}.treatment: type {t} is missing" for t in ALL_TYPES if t not in treatment]


def _procedures(terms: Terms) -> list[str]:
    """Steps that contradict themselves, and what is against the law (S14.1, B1)."""
    faults = []
    for procedure in terms.procedures:
        faults += structure(procedure)
        faults += [
            f"procedure {procedure.name}{', step ' * bool(found.item)}{found.item}: "
            f"against {found.clause}: {found.reason}"
            for found in breaches(procedure, terms)
        ]
    return faults


def _numbers(terms: Terms) -> list[str]:
    faults = []
    try:
        ZoneInfo(terms.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        faults.append(f"timezone: {terms.timezone!r} is not known; expected e.g. Europe/Brussels")
    for where, value in (
        ("texting.wait_s", terms.texting.wait_s),
        ("announcing.wait_s", terms.announcing.wait_s),
        ("app.after_s", terms.app.after_s),
        ("verification.window_s", terms.verification.window_s),
        ("queue.everyone_after_s", terms.queue.everyone_after_s),
        ("queue.remind_every_s", terms.queue.remind_every_s),
        ("queue.idle_s", terms.queue.idle_s),
        ("flood.signals", terms.flood.signals),
        ("flood.window_s", terms.flood.window_s),
        ("flood.quiet_s", terms.flood.quiet_s),
        ("needless.review_days", terms.needless.review_days),
        ("needless.call_due_s", terms.needless.call_due_s),
        ("needless.call_again_s", terms.needless.call_again_s),
    ):
        if value <= 0:
            faults.append(f"{where}: {value} is not above 0")
    if not 0 < terms.needless.warn_at < terms.needless.suspend_at:
        faults.append("needless.suspend_at: expected more than warn_at, which is above 0 (S12.2)")
    flood = terms.flood
    if flood.quiet_signals * flood.window_s >= flood.signals * flood.quiet_s:
        faults.append("flood.quiet_signals: expected far fewer than make a flood (D908.3)")
    for where, days, least in (
        ("keeping.handling_days", terms.keeping.handling_days, 30),
        ("keeping.receipts_days", terms.keeping.receipts_days, 7),
        ("keeping.places_days", terms.keeping.places_days, 1),
    ):
        # a late reply opens an incident, and a carrier tells again what it was not answered for
        if not least <= days <= _DAYS_MOST:
            faults.append(f"{where}: {days}; expected {least} to {_DAYS_MOST} days")
    if terms.verification.detectors < 2:
        faults.append("verification.detectors: expected 2 or more (S9.1)")
    return faults


def _life(terms: Terms) -> list[str]:
    """Hold-up, fire and medical are never suspended and never held back (S12.2, D908.3)."""
    wanted = ("holdup", "fire", "medical")
    return [
        f"{where}: {kind} is missing; it is kept whatever happens ({clause})"
        for where, kinds, clause in (
            ("needless.never_suspended", terms.needless.never_suspended, "S12.2"),
            ("flood.never_held", terms.flood.never_held, "D908.3"),
        )
        for kind in wanted
        if kind not in kinds
    ]
