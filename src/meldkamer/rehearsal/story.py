"""The story format: its tables, keys and words, and its spans, times and days.

Pure. What is more than a shape is checked by `reading`.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from meldkamer.rules.reach import DAYS
from meldkamer.terms.model import IncidentType

ZONE = ZoneInfo("Europe/Brussels")
_SPAN = re.compile(r"^\+?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$")
_LONGEST = timedelta(days=36525)
_CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")
#: the weekday of public holidays, `days = "holidays"`
HOLIDAY = 7

Says = Literal["real", "false_alarm", "coming", "send_patrol", "nothing"]
GivesCode = Literal["right", "wrong", "none", "duress"]
Answers = Literal["yes", "no", "voicemail"]


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
    repeat: str = ""
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
    types: list[IncidentType] | None = None
    options: list[
        Literal[
            "patrol", "reports_daily", "reports_weekly", "reports_monthly", "video", "open_close"
        ]
    ] = []
    account: Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{1,16}$")] = ""
    activated: Any = None
    test_period: str = ""
    test_wait: str = ""
    test_times: list[str] = []
    power_delay: str = ""
    premises: Person = msgspec.field(default_factory=Person)
    installer: InstallerPart = msgspec.field(default_factory=InstallerPart)
    zone: list[ZonePart] = []
    contact: list[ContactPart] = []
    open_close: list[HoursPart] = []
    contract: ContractPart | None = None
    handlings_used: int = 0
    # changed procedures by name, in the terms file's own words (S14.1)
    procedures: dict[str, Any] = {}
    # people whom a procedure calls by number, who are not on the call list
    other: list[Person] = []
    needless: Annotated[int, Meta(ge=0, le=1000)] = 0


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
    written: Literal["test", "undefined", "resume", "line_test"] | None = None
    operator: Literal["override_police", "undo_outage"] | None = None
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
FURTHER = {
    "signal": {"zone", "area", "user"},
    "sms_from": {"text"},
    "phone_from": {"code", "says", "duration"},
    "written": {"duration", "code"},
    "operator": {"reason"},
    "patrol": {"unit", "position", "state", "finding"},
    "sheet": {"begins", "to"},
}
#: kinds that are about no site, or find it themselves
NO_SITE = ("crash", "frame", "patrol", "sms_from", "operator")
FURTHER_KEYS = set().union(*FURTHER.values())


class CarrierPart(_Part, kw_only=True):
    """How the carrier of a channel misbehaves for a while."""

    channel: Literal["sms", "app", "mail"]
    begins: Any = msgspec.field(name="from")
    to: Any
    does: Literal["refuses", "rejects", "loses", "delays", "doubles"]
    # how much later: of "delays" the message, of "doubles" the second copy of the reply
    by: str = "60s"


class StoryPart(_Part, kw_only=True):
    """The whole file."""

    title: str
    clauses: list[str] = []
    terms: str
    # other values than the file's, by their place: "texting.wait_s" = 45
    terms_changes: dict[str, Any] = {}
    start: datetime
    until: Any = None
    operators: Annotated[int, Meta(ge=0, le=50)] = 1
    operator_pace: str = "20s"
    site: Annotated[list[SitePart], Meta(min_length=1)]
    event: list[EventPart] = []
    carrier: list[CarrierPart] = []
    # the process that works is killed as it commits for the n-th time
    crash_at_commits: list[Annotated[int, Meta(ge=1)]] = []


class Story(msgspec.Struct):
    """A story that can be played: times are instants, spans are timedeltas."""

    path: str
    parts: StoryPart
    start: datetime
    until: datetime | None
    pace: timedelta
    events: list[tuple[datetime, EventPart, str]]
    # the terms as this story changes them
    terms: str = ""


def span(text: str) -> timedelta:
    """ "+1h30m" or "90s" as a timedelta; ValueError otherwise, and for more than a century."""
    found = _SPAN.match(text)
    if not found or not any(found.groups()) or len(text) > 30:
        raise ValueError(text)
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    whole_s = days * 86400 + hours * 3600 + minutes * 60 + seconds
    if whole_s > _LONGEST.total_seconds():
        raise ValueError(text)
    return timedelta(seconds=whole_s)


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
    if text.strip() == "holidays":
        return [HOLIDAY]
    days: list[int] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        days += range(begin, end + 1) if begin <= end else [*range(begin, 7), *range(end + 1)]
    return days
