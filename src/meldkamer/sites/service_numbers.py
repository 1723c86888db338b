"""The numbers of police, fire brigade and medical service by zone: the office's list, and its use.

The one place that says which number is dialled for a service: a row of the site's zone that holds
today, else the national one of the terms. Never: text that stands on a site (B1).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from meldkamer.sites import checking, phones, regions
from meldkamer.sites.commands import apply, plain, refuse, terms_of, write_change
from meldkamer.sites.faults import Fault
from meldkamer.sites.models import EmergencyNote, Provider, ServiceNumber, Site

SERVICES: tuple[str, ...] = tuple(ServiceNumber.Service.values)
_CODE = re.compile(r"[0-9A-Z][0-9A-Z -]{2,9}\Z")
_RANGE = re.compile(r"([0-9]{4})-([0-9]{4})\Z")
_CODES_MOST = 600
_ZONE_MOST = 80


@dataclass(frozen=True, slots=True)
class ServiceNumberDraft:
    """A row as somebody typed it. postal_codes: apart by blanks or commas; 9000-9052 is a range."""

    service: str
    zone: str
    number: str
    language: str
    postal_codes: str = ""
    valid_from: date | None = None


@dataclass(frozen=True, slots=True)
class EmergencyDraft:
    """What the services ask of a site, as somebody typed it."""

    building: str = ""
    risk: str = ""
    dangers: str = ""
    people: str = ""


@dataclass(frozen=True, slots=True)
class Dialled:
    """What is dialled for a service at a site. zone: "" with the national number."""

    service: str
    number: str
    language: str
    zone: str = ""

    @property
    def national(self) -> bool:
        """Whether the site's zone has no number of its own."""
        return not self.zone


def number_for(site: Site, service: str, today: date) -> Dialled:
    """The number of a service for this site on this day, and the language that is spoken there."""
    rows = list(
        ServiceNumber.objects.filter(
            Q(zone__iexact=site.police_zone.strip() or "-") | Q(postal_codes__contains=[_of(site)]),
            provider_id=site.provider_id,
            service=service,
            valid_from__lte=today,
        ).order_by("-valid_from", "pk")
    )
    # the zone that stands on the sheet goes before the one of the postal code
    rows.sort(key=lambda row: row.zone.casefold() != site.police_zone.strip().casefold())
    if rows:
        row = rows[0]
        return Dialled(service, row.number, row.language, row.zone)
    spoken = regions.language_of(site.postal_code, site.language)
    return Dialled(service, terms_of(site.provider).services.number(service), spoken)


def _of(site: Site) -> str:
    return site.postal_code.strip().upper() or "-"


def listed(provider_ids: Collection[int]) -> list[ServiceNumber]:
    """The rows of these providers, the newest of a zone first."""
    rows = ServiceNumber.objects.filter(provider_id__in=list(provider_ids))
    return list(rows.select_related("provider").order_by(
        "provider__name", "service", "zone", "-valid_from"
    ))  # fmt: skip


@transaction.atomic
def enter(
    provider: Provider, draft: ServiceNumberDraft, now: datetime, actor: str
) -> ServiceNumber:
    """A number from a day on; the same zone, service and day again corrects that row (S22.1)."""
    values, faults = _checked(draft, now)
    refuse(faults)
    key = {name: values.pop(name) for name in ("service", "zone", "valid_from")}
    row = ServiceNumber.objects.select_for_update().filter(provider=provider, **key).first()
    if row is None:
        row = ServiceNumber.objects.create(provider=provider, **key, **values)
        change = {name: plain(value) for name, value in {**key, **values}.items()}
        write_change("service_number.entered", now, actor, provider.pk, change, to=str(row))
        return row
    change = apply(row, values)
    if change:
        write_change("service_number.changed", now, actor, provider.pk, change, to=str(row))
    return row


@transaction.atomic
def remove(row: ServiceNumber, now: datetime, actor: str) -> None:
    """A row that was wrong; what it said stays in the journal."""
    names = ("service", "zone", "number", "language", "postal_codes", "valid_from")
    values = {name: plain(getattr(row, name)) for name in names}
    write_change("service_number.removed", now, actor, row.provider_id, values, to=str(row))
    row.delete()


@transaction.atomic
def note_site(site: Site, draft: EmergencyDraft, now: datetime, actor: str) -> bool:
    """What the services ask of this site; False when nothing differs."""
    faults = checking.texts(draft, "")
    refuse(faults)
    row = EmergencyNote.objects.select_for_update().filter(site=site).first()
    row = row or EmergencyNote(site=site)
    values = {
        "building": draft.building.strip()[:120],
        "risk": draft.risk.strip()[:160],
        "dangers": draft.dangers.strip()[:300],
        "people": draft.people.strip()[:300],
    }
    change = {n: [getattr(row, n), v] for n, v in values.items() if getattr(row, n) != v}
    for name, value in values.items():
        setattr(row, name, value)
    if change:
        row.save()
        write_change("emergency_note.changed", now, actor, site.provider_id, change, site=site)
    return bool(change)


def _checked(draft: ServiceNumberDraft, now: datetime) -> tuple[dict[str, object], list[Fault]]:
    """The values to store, and everything that is wrong with them."""
    faults = checking.texts(draft, "") + checking.required(draft, "", "zone", "number")
    faults += checking.one_of("service", draft.service, SERVICES)
    faults += checking.one_of("language", draft.language, checking.LANGUAGES)
    zone = " ".join(draft.zone.split())
    if len(zone) > _ZONE_MOST:
        faults.append(Fault("zone", "long", f"at most {_ZONE_MOST} characters",
                            numbers={"most": _ZONE_MOST}))  # fmt: skip
    number = draft.number
    if number.strip():
        try:
            number = phones.of_service(number)
        except phones.PhoneFault as fault:
            faults.append(Fault("number", "service_number", str(fault),
                                numbers={"found": draft.number}))  # fmt: skip
    codes, bad = _codes(draft.postal_codes)
    if bad:
        faults.append(Fault("postal_codes", "postal_code", f"{bad!r} is no postal code",
                            numbers={"found": bad}))  # fmt: skip
    values: dict[str, object] = {
        "service": draft.service,
        "zone": zone,
        "number": number,
        "language": draft.language,
        "postal_codes": codes,
        "valid_from": draft.valid_from or now.date(),
    }
    return values, faults


def _codes(text: str) -> tuple[list[str], str]:
    """The postal codes, each once, and the first that is none."""
    found: dict[str, None] = {}
    for part in text.upper().replace(",", " ").replace(";", " ").split():
        span = _RANGE.match(part)
        if span is not None and int(span[1]) <= int(span[2]):
            found |= dict.fromkeys(str(n) for n in range(int(span[1]), int(span[2]) + 1))
        elif _CODE.match(part) and span is None:
            found[part] = None
        else:
            return [], part[:20]
        if len(found) > _CODES_MOST:
            return [], part[:20]
    return list(found), ""
