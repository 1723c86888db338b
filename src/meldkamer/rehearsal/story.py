"""The story format: read, checked, and refused with file, line, key and what was expected.

Pure but for reading the file. A story that reads is one that can be played (R29).
"""

from __future__ import annotations

import re
import tomllib
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from meldkamer.rehearsal.faults import StoryFault, line_of
from meldkamer.terms.loader import ALL_TYPES, shipped

ZONE = ZoneInfo("Europe/Brussels")
_SPAN = re.compile(r"^\+?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$")
_CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")
_NUMBER = re.compile(r"\+?[0-9 ]{4,20}")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Says = Literal["real", "false_alarm", "coming", "send_patrol", "nothing"]
GivesCode = Literal["right", "wrong", "none", "duress"]
Answers = Literal["yes", "no", "voicemail"]
Type = Literal[
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


class _Part(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A table of a story: an unknown key is a fault."""


class Reply(_Part, kw_only=True):
    """What a contact texts back, so long after the text."""

    after: str
    text: str


class Person(_Part, kw_only=True):
    """The scripted person at the premises."""

    phone: str = ""
    name: str = ""
    answers: Answers = "no"
    says: Says = "nothing"
    gives_code: GivesCode = "right"
    code: str = ""


class ContactPart(_Part, kw_only=True):
    """A scripted contact."""

    name: str
    phone: str = ""
    email: str = ""
    code: str = ""
    language: str = ""
    answers: Answers = "no"
    says: Says = "nothing"
    gives_code: GivesCode = "right"
    sms: Reply | None = None


class ZonePart(_Part, kw_only=True):
    """A zone of a site."""

    number: int | str
    name: str = ""
    detector: str = ""
    kind: str = ""
    area: int | str = ""
    type: str = ""


class HoursPart(_Part, kw_only=True):
    """Opening hours."""

    days: str = ""
    date: date | None = None
    open: str = ""
    close: str = ""
    margin: str = "15m"
    area: int | str = ""


class InstallerPart(_Part, kw_only=True):
    """The installer of a site."""

    name: str = "installer"
    email: str = ""


class ContractPart(_Part, kw_only=True):
    """The contract of a site."""

    start: date | None = None
    monthly: str = ""
    invoice_by: Literal["email", "post", "peppol"] = "email"


class SitePart(_Part, kw_only=True):
    """A site of the story."""

    name: str
    address: str = ""
    position: tuple[float, float] | None = None
    customer: Literal["consumer", "business"] = "consumer"
    language: Literal["nl", "fr", "de", "en"] = "nl"
    plan: str = ""
    formula: str = ""
    types: list[Type] | None = None
    options: list[
        Literal[
            "patrol", "reports_daily", "reports_weekly", "reports_monthly", "video", "open_close"
        ]
    ] = []
    account: Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{1,16}$")] = ""
    activated: Any = None
    test_period: str = ""
    test_wait: str = ""
    premises: Person = msgspec.field(default_factory=Person)
    installer: InstallerPart = msgspec.field(default_factory=InstallerPart)
    zone: list[ZonePart] = []
    contact: list[ContactPart] = []
    open_close: list[HoursPart] = []
    contract: ContractPart | None = None
    handlings_used: int = 0


class EventPart(_Part, kw_only=True):
    """One event: exactly one of the kinds, with its further keys."""

    at: Any
    site: str = ""
    signal: str | None = None
    zone: int | str | None = None
    area: int | str | None = None
    user: int | str | None = None
    frame: str | None = None
    camera: Literal["intruder", "nothing"] | None = None
    sms_from: str | None = None
    text: str | None = None
    phone_from: str | None = None
    code: str | None = None
    says: Literal["false_alarm", "start_test", "end_test", "send_patrol", "help"] | None = None
    duration: str | None = None
    written: Literal["test", "undefined"] | None = None
    operator: Literal["override_police"] | None = None
    reason: str | None = None
    # true with the keys beside it, a table of them, or the unit's name
    patrol: Any = None
    unit: str | None = None
    position: Any = None
    state: str | None = None
    finding: str | None = None
    connected: bool | None = None
    tests_done: bool | None = None
    papers_received: bool | None = None
    activation_confirmed: bool | None = None
    sheet: dict[str, Any] | None = None
    # `from` and `to` of a sheet change; the first is a word of Python
    begins: Any = msgspec.field(name="from", default=None)
    to: Any = None
    crash: Literal["worker"] | None = None


KINDS = (
    "signal",
    "frame",
    "camera",
    "sms_from",
    "phone_from",
    "written",
    "operator",
    "patrol",
    "connected",
    "tests_done",
    "papers_received",
    "activation_confirmed",
    "sheet",
    "crash",
)
FORCE_KINDS = ("connected", "tests_done", "papers_received", "activation_confirmed")
#: kinds of the format that belong to contracts, money and papers
NOT_PLAYED = ("index", "payment", "notice", "move")
_FURTHER = {
    "signal": {"zone", "area", "user"},
    "sms_from": {"text"},
    "phone_from": {"code", "says", "duration"},
    "written": {"duration", "code"},
    "operator": {"reason"},
    "patrol": {"unit", "position", "state", "finding"},
    "sheet": {"begins", "to"},
}
#: kinds that are about no site, or find it themselves
_NO_SITE = ("crash", "frame", "patrol", "sms_from", "operator")
_FURTHER_KEYS = set().union(*_FURTHER.values())


class StoryPart(_Part, kw_only=True):
    """The whole file."""

    title: str
    clauses: list[str] = []
    terms: str
    start: datetime
    until: Any = None
    operators: Annotated[int, Meta(ge=0, le=50)] = 1
    operator_pace: str = "20s"
    site: Annotated[list[SitePart], Meta(min_length=1)]
    event: list[EventPart] = []


class Story(msgspec.Struct):
    """A story that can be played: times are instants, spans are timedeltas."""

    path: str
    parts: StoryPart
    start: datetime
    until: datetime | None
    pace: timedelta
    events: list[tuple[datetime, EventPart, str]]


def span(text: str) -> timedelta:
    """ "+1h30m" or "90s" as a timedelta; ValueError otherwise."""
    found = _SPAN.match(text)
    if not found or not any(found.groups()):
        raise ValueError(text)
    days, hours, minutes, seconds = found.groups()
    return timedelta(
        days=int(days or 0),
        hours=int(hours or 0),
        minutes=int(minutes or 0),
        seconds=float(seconds or 0),
    )


def aware(at: datetime) -> datetime:
    """A local time of the story is the time at the site."""
    return at.replace(tzinfo=ZONE) if at.tzinfo is None else at


def clock(text: str) -> time:
    """ "08:00" as a time of day; ValueError otherwise."""
    if not _CLOCK.match(text):
        raise ValueError(text)
    return time(0, 0) if text == "24:00" else time.fromisoformat(text)


def weekdays(text: str) -> list[int]:
    """ "mon-fri", "sat" or "mon,wed" as numbers, Monday 0; ValueError otherwise."""
    days: list[int] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        days += range(begin, end + 1) if begin <= end else [*range(begin, 7), *range(end + 1)]
    return days


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
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        found = re.search(r"line (\d+)", str(fault))
        line = int(found.group(1)) if found else None
        raise StoryFault(path, line, "", f"is not TOML: {fault}") from None
    return _Reader(path, text).story(raw)


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
        start = aware(parts.start)
        until = None if parts.until is None else self._instant("until", parts.until, start)
        try:
            pace = span(parts.operator_pace)
        except ValueError:
            raise self.fault("operator_pace", 'a span like "20s"') from None
        self._sites(parts)
        events = []
        for number, event in enumerate(parts.event):
            kind = self._kind(number, event, parts)
            events.append((self._instant(f"event[{number}].at", event.at, start), event, kind))
        return Story(self.path, parts, start, until, pace, events)

    def _validation(self, message: str) -> StoryFault:
        what, _, path = message.partition(" - at `$")
        where = path.rstrip("`").lstrip(".")
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
        return self.fault(where, what)

    def _instant(self, where: str, value: Any, start: datetime) -> datetime:
        if isinstance(value, datetime):
            return aware(value)
        if not isinstance(value, str):
            raise self.fault(where, 'a time after the start like "+5m", or a date-time')
        if value.startswith("+"):
            try:
                return start + span(value)
            except ValueError:
                pass
        else:
            try:
                return aware(datetime.fromisoformat(value))
            except ValueError:
                pass
        raise self.fault(where, 'a time after the start like "+5m", or a date-time')

    def _sites(self, parts: StoryPart) -> None:
        from meldkamer.terms.loader import load

        terms = load(parts.terms)
        names = [site.name for site in parts.site]
        for number, site in enumerate(parts.site):
            where = f"site[{number}]"
            if names.count(site.name) > 1:
                raise self.fault(f"{where}.name", "a name of its own per site")
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
            self._spans(where, site)

    def _spans(self, where: str, site: SitePart) -> None:
        for key in ("test_period", "test_wait"):
            self._span_or_empty(f"{where}.{key}", getattr(site, key))
        for number, contact in enumerate(site.contact):
            if contact.sms is not None:
                self._span_or_empty(f"{where}.contact[{number}].sms.after", contact.sms.after)
            if [c.name for c in site.contact].count(contact.name) > 1:
                raise self.fault(f"{where}.contact[{number}].name", "a name of its own per contact")
        for number, hours in enumerate(site.open_close):
            at = f"{where}.open_close[{number}]"
            self._span_or_empty(f"{at}.margin", hours.margin)
            if hours.date is None:
                try:
                    weekdays(hours.days)
                except ValueError:
                    raise self.fault(f"{at}.days", 'days like "mon-fri", or a date') from None
            for key in ("open", "close"):
                if getattr(hours, key) or hours.date is None:
                    try:
                        clock(getattr(hours, key))
                    except ValueError:
                        raise self.fault(f"{at}.{key}", 'a time of day like "08:00"') from None

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
        allowed = _FURTHER.get(kind, set())
        for key in sorted(_FURTHER_KEYS - allowed):
            if getattr(event, key) is not None:
                name = "from" if key == "begins" else key
                raise self.fault(f"{where}.{name}", f"no {name} with {kind}")
        names = [site.name for site in parts.site]
        if event.site and event.site not in names:
            raise self.fault(f"{where}.site", f"one of: {', '.join(names)}")
        if not event.site and len(names) > 1 and kind not in _NO_SITE:
            raise self.fault(f"{where}.site", f"one of: {', '.join(names)}")
        self._further(where, kind, event, parts)
        return kind

    def _further(self, where: str, kind: str, event: EventPart, parts: StoryPart) -> None:
        if kind == "phone_from" and event.says is None:
            raise self.fault(f"{where}.says", "what the caller says")
        if kind == "sms_from" and event.text is None:
            raise self.fault(f"{where}.text", "the text, which may be empty")
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
        if kind == "phone_from":
            people |= {"premises"} | {s.premises.name for s in parts.site if s.premises.name}
        if kind == "sms_from" and name not in people and not _NUMBER.fullmatch(name):
            raise self.fault(f"{where}.{kind}", "a contact's name or a number like +32475123456")

    def _sheet(self, where: str, event: EventPart, parts: StoryPart) -> None:
        """The changes under the names of a story's site, their times as instants."""
        known = ("formula", "types", "options", "premises", "test_period", "test_wait")
        changes: dict[str, Any] = {}
        for key, value in (event.sheet or {}).items():
            at = f"{where}.sheet.{key}"
            if key not in known:
                raise self.fault(at, f"one of: {', '.join(known)}")
            if key == "premises":
                if not isinstance(value, dict) or set(value) - {"phone", "name"}:
                    raise self.fault(at, "a table with phone and name")
                changes["premises_phone"] = str(value.get("phone", ""))
                changes["premises_person"] = str(value.get("name", ""))
            elif key in ("test_period", "test_wait"):
                self._span_or_empty(at, str(value))
                changes[f"{key}_s"] = int(span(str(value)).total_seconds())
            else:
                wanted = str if key == "formula" else list
                if not isinstance(value, wanted):
                    raise self.fault(at, "a text" if wanted is str else "a list of texts")
                changes[key] = value
        if not changes:
            raise self.fault(f"{where}.sheet", f"a table with {', '.join(known)}")
        event.sheet = changes
        start = aware(parts.start)
        for key, name in (("begins", "from"), ("to", "to")):
            value = getattr(event, key)
            if isinstance(value, date) and not isinstance(value, datetime):
                value = datetime.combine(value, time())
            if value is not None:
                setattr(event, key, self._instant(f"{where}.{name}", value, start))

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


assert set(ALL_TYPES) == set(Type.__args__)  # type: ignore[attr-defined]
