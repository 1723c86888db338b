"""Reads of what was sent and of who can be sent."""

from __future__ import annotations

from meldkamer.notify.models import PatrolUnit
from meldkamer.sites.distance import distance_km


def free_units(provider_id: int, position: tuple[float, float] | None) -> list[PatrolUnit]:
    """The provider's free patrol units, nearest first; by name where a position is missing."""
    units = list(
        PatrolUnit.objects.filter(provider_id=provider_id, state=PatrolUnit.State.FREE).order_by(
            "name"
        )
    )
    return sorted(units, key=lambda unit: _distance(unit, position))


def _distance(unit: PatrolUnit, position: tuple[float, float] | None) -> float:
    if position is None or unit.latitude is None or unit.longitude is None:
        return float("inf")
    return distance_km(position, (unit.latitude, unit.longitude))
