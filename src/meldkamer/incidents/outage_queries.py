"""Reads of general outages for the desk: area and sites, who is dark and who is back (S10.2)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from meldkamer.incidents.models import AreaOutage, Incident
from meldkamer.watch.models import Mains

_SHOWN_FOR = timedelta(days=3)
OUTAGES_MOST, SITES_MOST = 40, 200


@dataclass(frozen=True, slots=True)
class SiteOfOutage:
    """A site: dark since then, or back since then; the incident that handles it singly, if any."""

    name: str
    place: str
    failed_at: datetime | None
    restored_at: datetime | None
    incident: int | None
    incident_open: bool


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage with its sites, the dark ones first."""

    row: AreaOutage
    sites: list[SiteOfOutage]
    count: int
    dark: int

    @property
    def more(self) -> int:
        """How many sites are not among `sites`."""
        return self.count - len(self.sites)


def outages(providers: Collection[int], now: datetime) -> list[Outage]:
    """What runs, and what ended within three days; the latest first."""
    rows = (
        AreaOutage.objects.filter(provider_id__in=list(providers))
        .filter(Q(ended_at=None) | Q(ended_at__gt=now - _SHOWN_FOR))
        .select_related("undone_by", "provider")
        .order_by("-declared_at", "-pk")
    )
    return [_outage(row) for row in rows[:OUTAGES_MOST]]


def _outage(row: AreaOutage) -> Outage:
    count = row.sites.count()
    dark = Mains.objects.filter(site__areaoutage=row, restored_at=None).count()
    # who is dark stands first: NULL sorts before any moment
    sites = row.sites.select_related("mains").order_by("-mains__restored_at", "name")[:SITES_MOST]
    singly = {
        incident.site_id: incident
        for incident in Incident.objects.filter(
            site_id__in=[site.pk for site in sites],
            type="power",
            origin="outage",
            opened_at__gte=row.declared_at,
        ).order_by("pk")
    }
    found = []
    for site in sites:
        mains = getattr(site, "mains", None)
        incident = singly.get(site.pk)
        found.append(
            SiteOfOutage(
                site.name,
                " ".join(part for part in (site.postal_code, site.town) if part),
                mains.failed_at if mains else None,
                mains.restored_at if mains else None,
                incident.pk if incident else None,
                incident is not None and incident.closed_at is None,
            )
        )
    return Outage(row, found, count, dark)
