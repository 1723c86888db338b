"""The call sheet of a service as the desk shows and prints it, in the language spoken there.

Labels and values are in the service's language, because they are read aloud to it; the buttons
around it stay in the operator's. Never: decide whether the service may be called.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext

from meldkamer.console.phones import shown
from meldkamer.console.timing import clock
from meldkamer.incidents.models import Incident
from meldkamer.incidents.telephone import service_sheet
from meldkamer.incidents.telephone.service_sheet import ServiceSheet
from meldkamer.notify.authority.commands import way_for
from meldkamer.people.models import Staff
from meldkamer.rules.facts import IncidentFacts, Past
from meldkamer.sites import service_numbers
from meldkamer.sites.service_numbers import Dialled

LANGUAGE_NAMES = {"nl": "Nederlands", "fr": "Français", "de": "Deutsch", "en": "English"}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that they ask, and the answer."""

    label: str
    value: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class CallSheet:
    """The panel: what is read aloud first, what they ask besides, and what is known of the call."""

    service: str
    number: str
    zone: str
    national: bool
    language: str
    language_name: str
    first: tuple[Line, ...]
    more: tuple[Line, ...]
    attendants: tuple[str, ...]
    who: str
    eta: str
    dialled_at: str
    accepted: str
    electronic: str
    instead: bool


def call_sheet(
    incident: Incident, facts: IncidentFacts, service: str, staff: Staff, now: datetime
) -> CallSheet:
    """The sheet of one service."""
    sheet = sheet_of(incident, facts, service, staff, now)
    dialled = sheet.dialled
    zone = facts.site.timezone
    with override(dialled.language):
        first, more = tuple(_first(sheet)), tuple(_more(sheet))
    # who only was spoken to is offered, never filled in: the record would say that he attends
    coming = next((one.name for one in sheet.attendants if one.comes), "")
    people = (c for c in incident.site.contacts.all() if _comes(facts, f"c{c.pk}"))
    row = next((c for c in people if c.name == coming), None)
    away = row.minutes_away if row is not None else None
    last = _last(facts, "service.dialled", service)
    return CallSheet(
        service=service,
        number=dialled.number,
        zone=dialled.zone,
        national=dialled.national,
        language=dialled.language,
        language_name=LANGUAGE_NAMES.get(dialled.language, dialled.language),
        first=first,
        more=more,
        attendants=tuple(one.name for one in sheet.attendants),
        who=coming,
        eta=clock(now + timedelta(minutes=away), zone)[:5] if away is not None else "",
        dialled_at=clock(last.at, zone) if last else "",
        accepted=_accepted(facts, service),
        electronic=_electronic(facts, service),
        instead=facts.terms.services.electronic == "instead" and _by_wire(incident, dialled),
    )


def sheet_of(
    incident: Incident, facts: IncidentFacts, service: str, staff: Staff | None, now: datetime
) -> ServiceSheet:
    """What is known for a service, in its language."""
    today = now.astimezone(facts.site.timezone).date()
    dialled = service_numbers.number_for(incident.site, service, today)
    return service_sheet.build(facts, incident.site, dialled, staff, now)


def _by_wire(incident: Incident, dialled: Dialled) -> bool:
    """Whether somebody takes it by wire: without anybody it is called."""
    zone = dialled.zone or incident.site.police_zone
    return way_for(incident.provider_id, dialled.service, zone) is not None


def _comes(facts: IncidentFacts, key: str) -> bool:
    return any(c.to == key and c.accepted and c.says == "coming" for c in facts.case.calls)


def _last(facts: IncidentFacts, what: str, service: str) -> Past | None:
    found = [past for past in facts.history if past.what == what and past.to == service]
    return found[-1] if found else None


def _accepted(facts: IncidentFacts, service: str) -> str:
    """When they took it on, who, and their number of it; "" before."""
    last = _last(facts, "service.accepted", service)
    if last is None:
        return ""
    parts = [clock(last.at, facts.site.timezone), last.data.get("by"), last.data.get("reference")]
    return ", ".join(str(part) for part in parts if part)


def _electronic(facts: IncidentFacts, service: str) -> str:
    """When it went by wire; "" when it did not."""
    last = _last(facts, "service.handed_over", service)
    return clock(last.at, facts.site.timezone) if last else ""


def _line(label: str, *parts: str, strong: bool = False) -> list[Line]:
    value = ", ".join(part for part in parts if part)
    return [Line(label, value, strong)] if value else []


def _first(sheet: ServiceSheet) -> list[Line]:
    checked = sheet.verification
    age = _("%(minutes)s min ago") % {"minutes": checked.age_min} if checked.at else ""
    coming = [
        ", ".join(part for part in (one.name, shown(one.phone), one.note) if part)
        for one in sheet.attendants
    ]
    return [
        *_line(_("We are"), sheet.we, sheet.operator, shown(sheet.our_phone)),
        *_line(_("Where"), sheet.place, sheet.address, strong=True),
        *_line(_("What"), sheet.event, *sheet.what),
        Line(_("Verified"), ", ".join([checked.method, *checked.elements, age]).strip(", ") or "–"),
        Line(_("Consulted"), " · ".join(sheet.consulted) or _("nobody reached")),
        *_line(_("Who attends"), " · ".join(coming)),
    ]


def _more(sheet: ServiceSheet) -> list[Line]:
    return [
        *_line(_("Customer"), sheet.user if sheet.user != sheet.place else ""),
        *_line(pgettext("premises", "Building"), sheet.building),
        *_line(_("Kind of risk"), sheet.risk),
        *_line(_("Line at the premises"), shown(sheet.premises_phone)),
        *_line(_("Access"), sheet.access),
        *_line(_("Keys"), sheet.keys),
        *_line(_("Dangers"), sheet.dangers),
        *_line(_("People on site"), sheet.people),
    ]
