"""The count of needless incidents of a site, within the window of its terms (S12.2).

A suspension that was lifted on evidence begins a new count: what was mended is not held against
the customer again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from meldkamer.contracts.models import Interruption, NeedlessIncident
from meldkamer.rules import needless
from meldkamer.sites.models import Site
from meldkamer.terms.model import Terms


@dataclass(frozen=True, slots=True)
class Tally:
    """The count in the window, when the customer was warned in it, and what may be suspended."""

    count: int
    warned_at: datetime | None
    types: tuple[str, ...]


def tally(site: Site, terms: Terms, now: datetime) -> Tally:
    """How a site stands now."""
    rows = list(
        NeedlessIncident.objects.filter(site=site, at__gt=_since(site, terms, now), at__lte=now)
        .order_by("at", "id")
        .values_list("type", "at", "warned")
    )
    return Tally(
        count=len(rows),
        warned_at=next((at for _, at, warned in reversed(rows) if warned), None),
        types=needless.suspended_types((kind for kind, _, _ in rows), terms.needless),
    )


def _since(site: Site, terms: Terms, now: datetime) -> datetime:
    window = now - timedelta(days=terms.needless.window_days)
    lifted = (
        Interruption.objects.filter(
            site=site, kind=Interruption.Kind.SUSPENDED, ended_at__gt=window
        )
        .order_by("-ended_at")
        .values_list("ended_at", flat=True)
        .first()
    )
    return max(window, lifted) if lifted else window


def count(site: Site, incident_id: int, incident_type: str, terms: Terms, now: datetime) -> Tally:
    """Count an incident that was closed as a false alarm, once; the site is locked."""
    NeedlessIncident.objects.create(site=site, incident_id=incident_id, type=incident_type, at=now)
    return tally(site, terms, now)


def note_warning(incident_id: int) -> None:
    """The customer was warned at this one."""
    NeedlessIncident.objects.filter(incident_id=incident_id).update(warned=True)


def begin_with(site: Site, number: int, terms: Terms, now: datetime) -> None:
    """So many were counted before this system had the site; a warning due with them was given."""
    warn_at = terms.needless.warn_at
    NeedlessIncident.objects.bulk_create(
        NeedlessIncident(site=site, at=now, warned=place == warn_at)
        for place in range(1, number + 1)
    )
