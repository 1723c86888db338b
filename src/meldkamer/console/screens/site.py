"""The right column: address, access, contacts in call order, zones, map, what happened before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Min
from django.utils.translation import gettext as _

from meldkamer.console import wording
from meldkamer.console.phones import shown
from meldkamer.console.screens.service import State, states
from meldkamer.console.screens.sketch import Place, Sketch, ZoneSpot, sketch, zone_way
from meldkamer.console.screens.steps import Ringing
from meldkamer.console.timing import clock, day_and_time
from meldkamer.contracts import needless
from meldkamer.contracts.commands import period_start
from meldkamer.incidents import queries
from meldkamer.incidents.deciding.facts import terms_of
from meldkamer.incidents.models import Incident
from meldkamer.notify.models import PatrolUnit
from meldkamer.rules.facts import IncidentFacts
from meldkamer.sites.models import Contact, Site, Transmitter
from meldkamer.sites.service_numbers import number_for


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact in call order, with the last thing that came of calling him here."""

    order: int
    name: str
    phone: str
    note: str
    minutes: int | None
    has_keys: bool
    here: bool
    icon: str
    last: str


@dataclass(frozen=True, slots=True)
class Before:
    """An earlier incident of the site."""

    id: int
    when: str
    what: str
    outcome: str


@dataclass(frozen=True, slots=True)
class SiteScreen:
    """The site card."""

    site: Site
    provider: str
    plan: str
    account: str
    contacts: tuple[ContactRow, ...]
    zones: tuple[ZoneSpot, ...]
    map: Sketch | None
    before: tuple[Before, ...]
    needless: int
    needless_limit: int
    used: int
    included: int | None
    patrol_taken: bool
    # since when a line of it is not supervised, in words (S10.3)
    not_supervised: str
    # tests, interruptions, warnings (S20.1, D908.1, S12.2)
    service: tuple[State, ...]
    # the number that is dialled for the police here, and their zone
    police: str


def screen(
    site: Site,
    now: datetime,
    *,
    facts: IncidentFacts | None = None,
    rings: Ringing | None = None,
    zones: Sequence[tuple[str, str]] = (),
) -> SiteScreen:
    """The card of a site; with `facts`, what was done in the open incident stands beside."""
    terms = terms_of(site)
    zone = ZoneInfo(site.timezone)
    tally = queries.tally(site, period_start(site, terms, now))
    counted = needless.tally(site, terms, now)
    transmitter = Transmitter.objects.filter(site=site, active=True).order_by("id").first()
    plan = terms.plans.get(site.plan)
    formula = terms.formulas.get(site.formula)
    labels = [plan.label if plan else site.plan, formula.label if formula else ""]
    return SiteScreen(
        site=site,
        provider=site.provider.name,
        plan=", ".join(label for label in labels if label),
        account=transmitter.account if transmitter else "",
        contacts=tuple(
            _contact(contact, order, facts, rings, zone)
            for order, contact in enumerate(site.contacts.all(), start=1)
        ),
        zones=zone_way(zones),
        map=_map(site),
        before=tuple(
            _before(incident, zone)
            for incident in queries.last_incidents(site.pk, facts.id if facts else 0)
        ),
        needless=counted.count,
        needless_limit=terms.needless.suspend_at,
        used=tally.used,
        included=tally.included or (plan.included.get(site.formula) if plan else None),
        patrol_taken="patrol" in site.options,
        not_supervised=_not_supervised(site, zone),
        service=states(site, counted, now),
        police=_police(site, now.astimezone(zone).date()),
    )


def _police(site: Site, today: date) -> str:
    dialled = number_for(site, "police", today)
    return ", ".join(part for part in (shown(dialled.number), site.police_zone) if part)


def _not_supervised(site: Site, zone: ZoneInfo) -> str:
    since = site.line_test_watches.filter(
        unsupervised_since__isnull=False, transmitter__active=True
    ).aggregate(first=Min("unsupervised_since"))["first"]
    if since is None:
        return ""
    return _("line not supervised since %(at)s") % {"at": day_and_time(since, zone)}


def _contact(
    contact: Contact,
    order: int,
    facts: IncidentFacts | None,
    rings: Ringing | None,
    zone: ZoneInfo,
) -> ContactRow:
    key = f"c{contact.pk}"
    here = rings is not None and rings.key == key
    icon, last = "", ""
    if here:
        icon, last = "phone", _("rings")
    elif facts is not None:
        for call in facts.case.calls:
            if call.to == key:
                icon = "check" if call.accepted else ""
                word = wording.word(
                    wording.RESULTS_SHORT,
                    call.result if call.accepted or call.result != "reached" else "not_identified",
                )
                last = f"{word} {clock(call.at, zone)[:5]}"
    parts = [contact.relation, contact.language.upper(), contact.reachable]
    return ContactRow(
        order=order,
        name=contact.name,
        phone=contact.phone,
        note=" · ".join(part for part in parts if part),
        minutes=contact.minutes_away,
        has_keys=contact.has_keys and contact.knows_codes,
        here=here,
        icon=icon,
        last=last,
    )


def _before(incident: Incident, zone: ZoneInfo) -> Before:
    what = wording.word(wording.TYPES, incident.type)
    if incident.zone:
        what += f" z{incident.zone}"
    outcome = wording.word(wording.OUTCOMES, incident.outcome) if incident.outcome else _("open")
    return Before(incident.pk, day_and_time(incident.opened_at, zone), what, outcome)


def _map(site: Site) -> Sketch | None:
    if site.latitude is None or site.longitude is None:
        return None
    others = [
        Place("unit", unit.name, unit.latitude, unit.longitude)
        for unit in PatrolUnit.objects.filter(
            provider_id=site.provider_id, latitude__isnull=False, longitude__isnull=False
        ).exclude(state=PatrolUnit.State.OFF)
        if unit.latitude is not None and unit.longitude is not None
    ]
    others += [
        Place("site", near.name, near.latitude, near.longitude)
        for near in queries.neighbours(site)
        if near.latitude is not None and near.longitude is not None
    ]
    return sketch(site.name, (site.latitude, site.longitude), others)
