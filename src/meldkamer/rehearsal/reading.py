"""Reads a story and refuses a faulty one with file, line, key and what was expected.

Pure but for reading the file. A story that reads is one that can be played (R29).
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, get_args

import msgspec

from meldkamer.rehearsal import sheets
from meldkamer.rehearsal.faults import StoryFault, line_of
from meldkamer.rehearsal.story import (
    FORCE_KINDS,
    FURTHER,
    FURTHER_KEYS,
    KINDS,
    NO_SITE,
    NOT_PLAYED,
    CarrierPart,
    ContactPart,
    ContractPart,
    EventPart,
    HoursPart,
    InstallerPart,
    Person,
    SitePart,
    Story,
    StoryPart,
    ZonePart,
    aware,
    clock,
    span,
    weekdays,
)
from meldkamer.sites.phones import PhoneFault, normal
from meldkamer.terms import procedures
from meldkamer.terms.loader import TermsFault, load, shipped, varied
from meldkamer.terms.model import Terms
from meldkamer.terms.toml import NotToml, read_toml

_NUMBER = re.compile(r"\+?[0-9 ]{4,20}")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+")
_YEARS = range(1970, 2200)


def read(path: str) -> Story:
    """The story in a file; StoryFault with file, line, key and what was expected."""
    try:
        text = Path(path).read_text("utf-8")
    except OSError as fault:
        raise StoryFault(path, None, "", f"cannot be read: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise StoryFault(path, None, "", "is not UTF-8 text") from None
    if "\0" in text or "\\u0000" in text or "\\x00" in text:
        raise StoryFault(path, None, "", "holds a NUL character; expected none")
    try:
        raw = read_toml(text)
    except NotToml as fault:
        raise StoryFault(path, fault.line, "", f"is not TOML: {fault}") from None
    return _Reader(path, text).story(raw)


def _words_of(where: str) -> str:
    """The words that a key may have, by its place in the story."""
    tables: dict[str, type[msgspec.Struct]] = {
        "event": EventPart,
        "contact": ContactPart,
        "premises": Person,
        "site": SitePart,
        "sheet": SitePart,
        "zone": ZonePart,
        "open_close": HoursPart,
        "installer": InstallerPart,
        "contract": ContractPart,
        "carrier": CarrierPart,
    }
    names = re.findall(r"[A-Za-z_]+", where)
    struct = next((tables[name] for name in reversed(names[:-1]) if name in tables), StoryPart)
    field = next((f for f in msgspec.structs.fields(struct) if f.encode_name == names[-1]), None)
    return ", ".join(_literals(field.type)) if field else "the words of the format"


def _literals(kind: Any) -> list[str]:
    found: list[str] = []
    for part in get_args(kind):
        found += [part] if isinstance(part, str) else _literals(part)
    return found


class _Reader:
    """Checks one story, with its text at hand to name lines."""

    def __init__(self, path: str, text: str) -> None:
        self.path, self.text = path, text

    def fault(self, where: str, expected: str) -> StoryFault:
        """A fault at a key like event[2].at."""
        return StoryFault(self.path, line_of(self.text, where), where, expected)

    def story(self, raw: dict[str, Any]) -> Story:
        """The raw tables as a story."""
        for number, event in enumerate(raw.get("event", [])):
            if isinstance(event, dict):
                for kind in NOT_PLAYED:
                    if kind in event:
                        raise self.fault(
                            f"event[{number}].{kind}", "a kind that is played; this is not yet"
                        )
        try:
            parts = msgspec.convert(raw, StoryPart)
        except msgspec.ValidationError as fault:
            raise self._validation(str(fault)) from None
        if parts.terms not in shipped():
            raise self.fault("terms", f"one of: {', '.join(shipped())}")
        try:
            terms = varied(parts.terms, parts.terms_changes)
        except TermsFault as fault:
            raise self.fault("terms_changes", str(fault)) from None
        start = self._year("start", aware(parts.start))
        until = None if parts.until is None else self._instant("until", parts.until, start)
        if until is not None and until < start:
            raise self.fault("until", "a time that is not before the start")
        try:
            pace = span(parts.operator_pace)
        except ValueError:
            raise self.fault("operator_pace", 'a span like "20s"') from None
        self._sites(parts, load(terms))
        events = []
        for number, event in enumerate(parts.event):
            kind = self._kind(number, event, parts)
            at = self._instant(f"event[{number}].at", event.at, start)
            if at < start:
                raise self.fault(f"event[{number}].at", "a time that is not before the start")
            events.append((at, event, kind))
        self._carriers(parts, start)
        return Story(self.path, parts, start, until, pace, events, terms)

    def _carriers(self, parts: StoryPart, start: datetime) -> None:
        """The times of the carriers' faults as instants."""
        for number, part in enumerate(parts.carrier):
            where = f"carrier[{number}]"
            part.begins = self._instant(f"{where}.from", part.begins, start)
            part.to = self._instant(f"{where}.to", part.to, start)
            if part.to <= part.begins:
                raise self.fault(f"{where}.to", "a time after its beginning")
            self._span_or_empty(f"{where}.by", part.by or "?")

    def _validation(self, message: str, within: str = "") -> StoryFault:
        """within: the table that was converted, where it is not the whole story."""
        what, _, path = message.partition(" - at `$")
        where = f"{within}{path.rstrip('`')}".lstrip(".")
        unknown = re.search(r"unknown field `([^`]+)`", what)
        if unknown:
            where = f"{where}.{unknown.group(1)}".lstrip(".")
            what = "unknown key; expected one of the story format"
        missing = re.search(r"missing required field `([^`]+)`", what)
        if missing:
            key = missing.group(1)
            return StoryFault(
                self.path,
                line_of(self.text, where),
                f"{where}.{key}".lstrip("."),
                "this key is missing; expected a value",
            )
        if what.startswith("Invalid enum value"):
            found = what.partition("'")[2].rstrip("'")
            what = f"one of: {_words_of(where)}; found {found!r}"
        return self.fault(where, what)

    def _instant(self, where: str, value: Any, start: datetime) -> datetime:
        try:
            if isinstance(value, datetime):
                return self._year(where, aware(value))
            if isinstance(value, str) and value.startswith("+"):
                return self._year(where, start + span(value))
            if isinstance(value, str):
                return self._year(where, aware(datetime.fromisoformat(value)))
        except (ValueError, OverflowError):
            pass
        raise self.fault(where, 'a time after the start like "+5m", or a date-time')

    def _year(self, where: str, at: datetime) -> datetime:
        """The instant, in years that calendars, clocks and the weeks after it can hold."""
        if at.year not in _YEARS:
            raise self.fault(where, f"a year from {_YEARS[0]} to {_YEARS[-1]}")
        return at

    def _sites(self, parts: StoryPart, terms: Terms) -> None:
        names = [site.name for site in parts.site]
        for number, site in enumerate(parts.site):
            where = f"site[{number}]"
            if names.count(site.name) > 1:
                raise self.fault(f"{where}.name", "a name of its own per site")
            if site.account and [s.account for s in parts.site].count(site.account) > 1:
                raise self.fault(f"{where}.account", "an account of its own per site")
            if not site.plan:
                site.plan = next(iter(terms.plans))
            if site.plan not in terms.plans:
                raise self.fault(f"{where}.plan", f"one of: {', '.join(terms.plans)}")
            plan = terms.plans[site.plan]
            if plan.formula and not site.formula:
                site.formula = "operator"
            if plan.formula and site.formula not in terms.formulas:
                raise self.fault(f"{where}.formula", f"one of: {', '.join(terms.formulas)}")
            if not plan.formula and site.formula:
                raise self.fault(f"{where}.formula", f"none: plan {site.plan} takes no formula")
            if site.activated is not None and not isinstance(site.activated, date):
                raise self.fault(f"{where}.activated", "a date, or a date-time")
            self._position(where, site)
            self._procedures(f"{where}.procedures", site.procedures, terms)
            self._people(where, site)
            self._spans(where, site)

    def _position(self, where: str, site: SitePart) -> None:
        found = site.position
        if found and not (-90 <= found[0] <= 90 and -180 <= found[1] <= 180):
            raise self.fault(f"{where}.position", "[latitude, longitude] on the earth")

    def _people(self, where: str, site: SitePart) -> None:
        """Numbers and codes, where the story can still name the line."""
        for number, contact in enumerate(site.contact):
            at = f"{where}.contact[{number}]"
            self._number(f"{at}.phone", contact.phone)
            self._mail(f"{at}.email", contact.email)
            self._code(f"{at}.code", contact.code)
        self._mail(f"{where}.installer.email", site.installer.email)
        self._number(f"{where}.premises.phone", site.premises.phone)
        self._code(f"{where}.premises.code", site.premises.code)

    def _number(self, where: str, phone: str) -> None:
        try:
            normal(phone)
        except PhoneFault as fault:
            raise self.fault(where, str(fault)) from None

    def _mail(self, where: str, address: str) -> None:
        if address and not _MAIL.fullmatch(address):
            raise self.fault(where, "an e-mail address like an@example.be")

    def _code(self, where: str, code: str) -> None:
        if code and not re.fullmatch(r"[0-9]{6}", code):
            raise self.fault(where, "6 digits")

    def _spans(self, where: str, site: SitePart) -> None:
        for key in ("test_period", "test_wait", "power_delay"):
            self._span_or_empty(f"{where}.{key}", getattr(site, key))
        for text in site.test_times:
            self._clock(f"{where}.test_times", text)
        for number, contact in enumerate(site.contact):
            if contact.sms is not None:
                self._span_or_empty(f"{where}.contact[{number}].sms.after", contact.sms.after)
            if [c.name for c in site.contact].count(contact.name) > 1:
                raise self.fault(f"{where}.contact[{number}].name", "a name of its own per contact")
        for number, zone in enumerate(site.zone):
            if [str(z.number) for z in site.zone].count(str(zone.number)) > 1:
                raise self.fault(f"{where}.zone[{number}].number", "a number of its own per zone")
        for number, hours in enumerate(site.open_close):
            at = f"{where}.open_close[{number}]"
            self._span_or_empty(f"{at}.margin", hours.margin)
            self._span_or_empty(f"{at}.repeat", hours.repeat)
            if hours.date is None:
                try:
                    weekdays(hours.days)
                except ValueError:
                    raise self.fault(f"{at}.days", 'days like "mon-fri", or a date') from None
            for key in ("open", "close"):
                closed = hours.date is not None or hours.days.strip() == "holidays"
                if getattr(hours, key) or not closed:
                    self._clock(f"{at}.{key}", getattr(hours, key))

    def _clock(self, where: str, text: str) -> None:
        try:
            clock(text)
        except ValueError:
            raise self.fault(where, 'a time of day like "08:00"') from None

    def _span_or_empty(self, where: str, text: str) -> None:
        if text:
            try:
                span(text)
            except ValueError:
                raise self.fault(where, 'a span like "24h" or "90m"') from None

    def _kind(self, number: int, event: EventPart, parts: StoryPart) -> str:
        where = f"event[{number}]"
        kinds = [kind for kind in KINDS if getattr(event, kind) is not None]
        if len(kinds) != 1:
            found = " and ".join(kinds) or "none"
            raise self.fault(where, f"exactly one of {', '.join(KINDS)}; found {found}")
        kind = kinds[0]
        allowed = FURTHER.get(kind, set())
        for key in sorted(FURTHER_KEYS - allowed):
            if getattr(event, key) is not None:
                name = "from" if key == "begins" else key
                raise self.fault(f"{where}.{name}", f"no {name} with {kind}")
        names = [site.name for site in parts.site]
        if event.site and event.site not in names:
            raise self.fault(f"{where}.site", f"one of: {', '.join(names)}")
        if not event.site and len(names) > 1 and kind not in NO_SITE:
            raise self.fault(f"{where}.site", f"one of: {', '.join(names)}")
        self._further(where, kind, event, parts)
        return kind

    def _further(self, where: str, kind: str, event: EventPart, parts: StoryPart) -> None:
        if kind == "phone_from" and event.says is None:
            raise self.fault(f"{where}.says", "what the caller says")
        if kind == "sms_from" and event.text is None:
            raise self.fault(f"{where}.text", "the text, which may be empty")
        if kind == "signal" and isinstance(event.zone, int) and event.zone < 0:
            raise self.fault(f"{where}.zone", "a number from 0, or a text")
        if kind == "signal" and not re.fullmatch(r"[A-Z]{2}|[136][0-9A-F]{3}", event.signal or ""):
            raise self.fault(f"{where}.signal", 'a SIA code like "BA" or Contact ID like "1130"')
        if kind == "operator" and not (event.reason or "").strip():
            raise self.fault(f"{where}.reason", "the supervisor's written reason")
        if kind == "written" and event.written == "test" and not event.duration:
            raise self.fault(f"{where}.duration", 'how long, like "48h"')
        if kind == "written" and event.written == "undefined" and not event.code:
            raise self.fault(f"{where}.code", "the code to be handled")
        if event.duration:
            self._span_or_empty(f"{where}.duration", event.duration)
        if kind == "sheet":
            self._sheet(where, event, parts)
        if kind == "patrol":
            event.patrol = self._patrol(where, event)
        if kind in FORCE_KINDS and getattr(event, kind) is not True:
            raise self.fault(f"{where}.{kind}", "true")
        if kind in ("phone_from", "sms_from"):
            self._person(where, kind, event, parts)

    def _person(self, where: str, kind: str, event: EventPart, parts: StoryPart) -> None:
        name = str(getattr(event, kind))
        people = {
            contact.name
            for site in parts.site
            if not event.site or site.name == event.site
            for contact in site.contact
        }
        people |= {name for other in parts.event for name in sheets.names_in(other.sheet)}
        if kind == "phone_from":
            people |= {"premises"} | {s.premises.name for s in parts.site if s.premises.name}
        if kind == "sms_from" and name not in people and not _NUMBER.fullmatch(name):
            raise self.fault(f"{where}.{kind}", "a contact's name or a number like +32475123456")

    def _sheet(self, where: str, event: EventPart, parts: StoryPart) -> None:
        """The changes under the names of a story's site, their times as instants."""
        raw, at = event.sheet or {}, f"{where}.sheet"
        for key in raw:
            if key not in sheets.CHANGED:
                raise self.fault(f"{at}.{key}", f"one of: {', '.join(sheets.CHANGED)}")
        if not raw:
            raise self.fault(at, f"a table with {', '.join(sheets.CHANGED)}")
        if "procedures" in raw:
            self._procedures(f"{at}.procedures", raw["procedures"], load(parts.terms))
        try:
            part = sheets.part_of(raw)
        except msgspec.ValidationError as fault:
            raise self._validation(str(fault), at) from None
        self._position(at, part)
        self._people(at, part)
        self._spans(at, part)
        start = aware(parts.start)
        for key, name in (("begins", "from"), ("to", "to")):
            value = getattr(event, key)
            if isinstance(value, date) and not isinstance(value, datetime):
                value = datetime.combine(value, time())
            if value is not None:
                setattr(event, key, self._instant(f"{where}.{name}", value, start))
        begins = event.begins or self._instant(f"{where}.at", event.at, start)
        if event.to is not None and event.to <= begins:
            raise self.fault(f"{where}.to", "a time after its beginning")

    def _procedures(self, where: str, written: Any, terms: Terms) -> None:
        """Steps that can be read; whether the law allows them is the sheet's matter (R30)."""
        if not isinstance(written, dict):
            raise self.fault(where, "a table of procedures by name")
        for name, steps in written.items():
            try:
                procedures.read(terms, name, steps)
            except procedures.ProcedureFault as fault:
                raise self.fault(f"{where}.{name}", str(fault)) from None

    def _patrol(self, where: str, event: EventPart) -> dict[str, Any]:
        """The report of a unit as one table, whichever way it was written."""
        if event.patrol is True or isinstance(event.patrol, str):
            keys = ("unit", "position", "state", "finding")
            told = {key: getattr(event, key) for key in keys if getattr(event, key) is not None}
            if isinstance(event.patrol, str):
                told.setdefault("unit", event.patrol)
        elif isinstance(event.patrol, dict):
            told = event.patrol
        else:
            raise self.fault(f"{where}.patrol", "true, with unit, position, state, finding")
        for key, value in told.items():
            if key not in ("unit", "position", "state", "finding"):
                raise self.fault(f"{where}.patrol.{key}", "unit, position, state or finding")
            if key == "position" and not (isinstance(value, list) and len(value) == 2):
                raise self.fault(f"{where}.position", "[latitude, longitude]")
        if not told.get("unit"):
            raise self.fault(f"{where}.unit", "the unit's name")
        if told.get("state", "free") not in ("free", "arrived", "done"):
            raise self.fault(f"{where}.state", "free, arrived or done")
        return told
