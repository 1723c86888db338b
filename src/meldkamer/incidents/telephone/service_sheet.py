"""What police, fire brigade or medical service ask when they are called, in their language (B1).

One place for the operator's call sheet, its print and the message by wire: all three say the same.
Read only; whether the service may be asked for was decided by the rules before. Never: a code, a
password, or the number of somebody who is not to attend.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from meldkamer.incidents import queries
from meldkamer.incidents.deciding.facts import signal_facts
from meldkamer.incidents.models import Incident
from meldkamer.people.models import Staff
from meldkamer.rules.facts import PREMISES, IncidentFacts, Past
from meldkamer.rules.verdicts import with_sheet
from meldkamer.sites.kinds import KINDS, TYPES
from meldkamer.sites.models import Site
from meldkamer.sites.service_numbers import Dialled

_SIGNALS_MOST = 6
_VERIFIED = {
    "detectors": gettext_lazy("by several detectors"),
    "camera": gettext_lazy("by images"),
    "person": gettext_lazy("by a person"),
}
_SAID = {
    "real": gettext_lazy("real alarm"),
    "coming": gettext_lazy("comes to the site"),
    "send_patrol": gettext_lazy("asks for a patrol"),
    "duress": gettext_lazy("under duress"),
    "nothing": gettext_lazy("says nothing of use"),
    "false_alarm": gettext_lazy("false alarm"),
}


@dataclass(frozen=True, slots=True)
class Attendant:
    """Somebody who may be on site when the service comes."""

    name: str
    phone: str
    note: str
    # said that he comes, or was sent there
    comes: bool = False


@dataclass(frozen=True, slots=True)
class Verification:
    """How it is known that something really happens. at: of the youngest element."""

    method: str
    elements: tuple[str, ...]
    at: datetime | None
    age_min: int | None


@dataclass(frozen=True, slots=True)
class ServiceSheet:
    """The whole sheet; every text is in `dialled.language`. Empty texts are not known."""

    dialled: Dialled
    event: str
    we: str
    our_phone: str
    operator: str
    user: str
    place: str
    address: str
    position: tuple[float, float] | None
    building: str
    risk: str
    zone: str
    what: tuple[str, ...]
    verification: Verification
    consulted: tuple[str, ...]
    attendants: tuple[Attendant, ...]
    premises_phone: str
    access: str
    keys: str
    dangers: str
    people: str
    trial: bool


def with_signals(facts: IncidentFacts, incident: Incident) -> IncidentFacts:
    """The same facts with the incident's signals: the rules do without, a service asks for them."""
    rows = reversed(queries.signals_of(incident))
    found = tuple(with_sheet(signal_facts(row.signal), facts.site) for row in rows)
    return replace(facts, signals=found)


def build(
    facts: IncidentFacts, site: Site, dialled: Dialled, operator: Staff | None, now: datetime
) -> ServiceSheet:
    """The sheet of an incident for one service, as of now. facts: `with_signals`."""
    note = getattr(site, "emergency_note", None)
    zone = ZoneInfo(site.timezone)
    name = (operator.get_full_name() or operator.username) if operator else ""
    with override(dialled.language):
        return ServiceSheet(
            dialled=dialled,
            event=str(TYPES[facts.type]) if facts.type in TYPES else facts.type,
            we=facts.terms.house.name,
            our_phone=site.provider.emergency_phone or facts.terms.house.emergency_phone,
            operator=name,
            user=site.customer.name,
            place=site.name,
            address=_address(site),
            position=facts.site.position,
            building=note.building if note else "",
            risk=note.risk if note else "",
            zone=site.police_zone if dialled.service == "police" else dialled.zone,
            what=tuple(_what(facts, zone)),
            verification=_verification(facts, zone, now),
            consulted=tuple(_consulted(facts)),
            attendants=tuple(_attendants(facts, site)),
            premises_phone=site.premises_phone,
            access=site.access_note,
            keys=site.key_note,
            dangers=note.dangers if note else "",
            people=note.people if note else "",
            trial=facts.site.in_trial(now),
        )


def _address(site: Site) -> str:
    town = " ".join(part for part in (site.postal_code, site.town) if part)
    return ", ".join(part for part in (site.street, town) if part)


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%H:%M")


def _what(facts: IncidentFacts, zone: ZoneInfo) -> Iterator[str]:
    """The signals, oldest first: when, which zone, what watches there."""
    events = [signal for signal in facts.signals if signal.role == "event"]
    for signal in sorted(events, key=lambda one: one.at)[-_SIGNALS_MOST:]:
        sheet = facts.site.zones.get(signal.zone or "")
        kind = str(KINDS.get(sheet.kind, "")) if sheet else ""
        words = [
            _("zone %(number)s") % {"number": signal.zone} if signal.zone else "",
            sheet.name if sheet else "",
            f"({kind})" if kind else "",
        ]
        told = " ".join(word for word in words if word)
        yield f"{_clock(signal.at, zone)} {told or TYPES.get(signal.type, signal.type)}"


def _verification(facts: IncidentFacts, zone: ZoneInfo, now: datetime) -> Verification:
    """What the record rests on: the entry that verified, else the calls (S15.4, B1)."""
    entry = next((past for past in facts.history if past.what == "incident.verified"), None)
    if entry is not None:
        method = str(_VERIFIED.get(facts.verified_by, facts.verified_by))
        return Verification(
            method, tuple(_elements(entry, zone)), entry.at, _minutes(now, entry.at)
        )
    if facts.case.duress:
        told = next((p for p in facts.history if p.what == "incident.duress"), None)
        at = told.at if told else facts.opened_at
        return Verification(_("by a duress code"), (), at, _minutes(now, at))
    made = [call for call in facts.case.calls if not call.inform]
    lines = tuple(f"{_clock(c.at, zone)} {_name(facts, c.to)}: {_result(c.result)}" for c in made)
    last = made[-1].at if made else None
    age_min = _minutes(now, last) if last else None
    return Verification(_("by calls") if made else "", lines, last, age_min)


def _elements(entry: Past, zone: ZoneInfo) -> Iterator[str]:
    data = entry.data
    found = data.get("detectors")
    if isinstance(found, list):
        yield _("%(count)s detectors: %(names)s") % {
            "count": len(found), "names": ", ".join(map(str, found)),
        }  # fmt: skip
        gap_s = int(data.get("gap_s") or 0)
        yield _("%(gap)s s between them") % {"gap": gap_s}
    if data.get("who"):
        yield _("%(who)s saw or said it") % {"who": data["who"]}
    if data.get("images"):
        yield _("images: an intruder is seen")
    yield _("since %(time)s") % {"time": _clock(entry.at, zone)}


def _minutes(now: datetime, at: datetime) -> int:
    return max(0, int((now - at).total_seconds() // 60))


def _result(result: str) -> str:
    words = {
        "reached": _("reached"),
        "no_answer": _("no answer"),
        "voicemail": _("voicemail"),
    }
    return words.get(result, result)


def _name(facts: IncidentFacts, key: str) -> str:
    if key == PREMISES:
        return facts.site.premises_person or _("the premises")
    contact = facts.site.contact(key)
    return contact.name if contact else key


def _consulted(facts: IncidentFacts) -> Iterator[str]:
    for call in facts.case.calls:
        if call.accepted and call.says:
            yield f"{_name(facts, call.to)}: {_SAID.get(call.says, call.says)}"


def _attendants(facts: IncidentFacts, site: Site) -> Iterator[Attendant]:
    """Who may attend, those who said that they come first; each with a number."""
    coming = [c.to for c in facts.case.calls if c.accepted and c.says == "coming"]
    reached = [c.to for c in facts.case.calls if c.accepted]
    told: set[str] = set()
    for key in [*coming, *reached]:
        if key not in told:
            told.add(key)
            yield _attendant(facts, site, key, key in coming)
    for past in facts.history:
        if past.what == "patrol.sent" and past.to not in told:
            told.add(past.to)
            name = _("patrol %(unit)s") % {"unit": past.to}
            yield Attendant(name, site.provider.emergency_phone, "", comes=True)


def _attendant(facts: IncidentFacts, site: Site, key: str, comes: bool) -> Attendant:
    note = [_("comes to the site")] if comes else []
    row = next((c for c in site.contacts.all() if f"c{c.pk}" == key), None)
    if row is None:
        return Attendant(_name(facts, key), site.premises_phone if key == PREMISES else "",
                         ", ".join(note), comes)  # fmt: skip
    if row.minutes_away is not None:
        note.append(_("%(minutes)s minutes away") % {"minutes": row.minutes_away})
    if row.has_keys:
        note.append(_("has keys"))
    if row.knows_codes:
        note.append(_("knows the codes"))
    return Attendant(row.name, row.phone, ", ".join(note), comes)
