"""The job of a unit as its page shows it: what, where, who comes, what to mind (S6.1).

Reads and arranges; decides nothing. Never: the codes of the site (they are fetched apart, on site
alone), a contact who does not come, a word of another site.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from meldkamer.incidents.deciding.facts import incident_facts, site_facts
from meldkamer.incidents.messages.patrol_replies import REASONS
from meldkamer.incidents.models import Incident
from meldkamer.incidents.queries import signals_of
from meldkamer.notify.models import PatrolJob
from meldkamer.notify.patrol.jobs import STANDING
from meldkamer.portal.patrol_access import Patrol
from meldkamer.rules.facts import IncidentFacts
from meldkamer.rules.nearest import S_PER_KM
from meldkamer.sites.kinds import TYPES
from meldkamer.sites.models import Site, SiteCode
from meldkamer.terms.loader import load

FINDINGS = (
    ("nothing", gettext_lazy("No traces")),
    ("traces", gettext_lazy("Traces of a break-in")),
    ("open", gettext_lazy("Door or window open, no break-in")),
    ("person", gettext_lazy("Person seen")),
    ("damage", gettext_lazy("Other damage")),
)
REASON_WORDS = {
    "busy": gettext_lazy("Busy elsewhere"),
    "too_far": gettext_lazy("Too far away"),
    "no_car": gettext_lazy("No vehicle"),
    "not_safe": gettext_lazy("Not safe"),
    "other": gettext_lazy("Another reason"),
}
#: types at which nobody should go in alone
_DANGER = ("intrusion", "sabotage", "holdup")
#: how an incident ends that nobody need go to any more
_STOOD_DOWN = ("false_alarm", "restored")


@dataclass(frozen=True, slots=True)
class Coming:
    """Somebody who said that he comes."""

    name: str
    phone: str
    at: str


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone that gave the alarm: number and name, and whether it is still open."""

    words: str
    open: bool


@dataclass(frozen=True, slots=True)
class JobScreen:
    """Everything the page of one job shows, in the unit's language."""

    job: PatrolJob
    stage: str
    type: str
    what: str
    verified: bool
    since: str
    site: Site
    town: str
    route: str
    minutes: int | None
    km: float | None
    centre: str
    zones: tuple[Zone, ...]
    coming: tuple[Coming, ...]
    danger: bool
    police: str
    over: str
    answered: str
    arrived: str
    found: str
    finding: str
    photos: tuple[int, ...]
    has_codes: tuple[str, ...]
    findings: tuple[tuple[str, str], ...]
    reasons: tuple[tuple[str, str], ...]


def job_of(patrol: Patrol) -> JobScreen | None:
    """The one job that this unit has now; None when it has none."""
    job = PatrolJob.objects.filter(unit=patrol.unit, state__in=STANDING).first()
    if job is None:
        return None
    site = Site.objects.select_related("provider").get(pk=job.site_id)
    incident = None
    if job.incident_id is not None:
        incident = Incident.objects.select_related("site__provider").get(pk=job.incident_id)
    of_site = site_facts(site, patrol.now)
    facts = incident_facts(incident, patrol.now, of_site) if incident else None
    zone = of_site.timezone
    took_s = job.road_s if job.road_s is not None else job.km and job.km * S_PER_KM
    kind = incident.type if incident else ""
    return JobScreen(
        job=job,
        stage="found" if job.state == "arrived" and job.finding else str(job.state),
        type=kind or "undefined",
        what=str(TYPES.get(kind, "")) or _("Look at the site"),
        verified=bool(incident and incident.verified_by),
        since=_clock(incident.opened_at if incident else job.offered_at, zone),
        site=site,
        town=" ".join(part for part in (site.postal_code, site.town) if part),
        route=_route(site),
        minutes=max(1, round(took_s / 60)) if took_s is not None else None,
        km=round(job.km, 1) if job.km is not None else None,
        centre=site.provider.emergency_phone or load(site.provider.terms).house.emergency_phone,
        zones=_zones(incident, facts),
        coming=tuple(_coming(facts, zone)) if facts else (),
        danger=kind in _DANGER or not kind,
        police=_police(facts, zone) if facts else "",
        over=_over(incident),
        answered=_clock(job.answered_at, zone),
        arrived=_clock(job.arrived_at, zone),
        found=_clock(job.found_at, zone),
        finding=job.finding,
        photos=tuple(job.photos.order_by("id").values_list("id", flat=True)),
        has_codes=_codes(site),
        findings=tuple((key, str(words)) for key, words in FINDINGS),
        reasons=tuple((key, str(REASON_WORDS[key])) for key in REASONS),
    )


def _clock(moment: datetime | None, zone: ZoneInfo) -> str:
    """Without seconds: a person on the road reads it."""
    return moment.astimezone(zone).strftime("%H:%M") if moment else ""


def _route(site: Site) -> str:
    """What the phone's own map opens; "" for a site whose place is not known."""
    if site.latitude is None or site.longitude is None:
        return ""
    place = quote(f"{site.street}, {site.postal_code} {site.town}".strip(", "))
    link: str = settings.MELDKAMER_ROUTE_LINK
    return link.format(lat=f"{site.latitude:.6f}", lon=f"{site.longitude:.6f}", place=place)


def _zones(incident: Incident | None, facts: IncidentFacts | None) -> tuple[Zone, ...]:
    """In the order of the alarm, each once."""
    if incident is None or facts is None:
        return ()
    found: dict[str, Zone] = {}
    for row in reversed(signals_of(incident)):
        number = row.signal.zone
        if not number or row.signal.role != "event":
            continue
        on_sheet = facts.site.zones.get(number)
        name = on_sheet.name if on_sheet else ""
        found[number] = Zone(f"{number} {name}".strip(), row.restored_at is None)
    return tuple(found.values())


def _coming(facts: IncidentFacts, zone: ZoneInfo) -> list[Coming]:
    """Who said on the telephone that he comes, and about when."""
    away = {
        f"c{pk}": minutes
        for pk, minutes in Site.objects.get(pk=facts.site.id).contacts.values_list(
            "pk", "minutes_away"
        )
    }
    found: dict[str, Coming] = {}
    for call in facts.case.calls:
        contact = facts.site.contact(call.to)
        if call.accepted and call.says == "coming" and contact is not None:
            minutes = away.get(call.to)
            at = _clock(call.at + timedelta(minutes=minutes), zone) if minutes else ""
            found[call.to] = Coming(contact.name, contact.phone, at)
    return list(found.values())


def _police(facts: IncidentFacts, zone: ZoneInfo) -> str:
    """When the police were called, and who said that they come."""
    called = [past.at for past in facts.history if past.what == "police.requested"]
    if not called:
        return ""
    words = _("Police called at %(time)s.") % {"time": _clock(called[-1], zone)}
    attended = [p for p in facts.history if p.what == "service.attended" and p.to == "police"]
    eta = str(attended[-1].data.get("eta") or "") if attended else ""
    if not eta:
        return words
    come = _("They come: %(eta)s.") % {"eta": eta}
    return f"{words} {come}"


def _over(incident: Incident | None) -> str:
    """That the incident was stood down meanwhile: the unit asks before it goes on."""
    if incident is None or incident.outcome not in _STOOD_DOWN:
        return ""
    return _("The centre closed it: %(outcome)s. Call before you go on.") % {
        "outcome": Incident.Outcome(incident.outcome).label
    }


def _codes(site: Site) -> tuple[str, ...]:
    """Which codes there are: their kinds alone, in words."""
    kinds = SiteCode.objects.filter(site=site).order_by("kind").values_list("kind", flat=True)
    return tuple(str(SiteCode.Kind(kind).label) for kind in kinds)
