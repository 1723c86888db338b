"""Reads of what was sent and of who can be sent."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from meldkamer.notify.models import PatrolUnit
from meldkamer.notify.patrol.roads import known
from meldkamer.rules.nearest import Position, ranked
from meldkamer.rules.shifts import on_shift


def free_units(
    provider_id: int,
    position: Position | None,
    now: datetime,
    *,
    stale_s: int,
    roads: dict[int, float] | None = None,
) -> list[PatrolUnit]:
    """The provider's units that are free and on shift, in the order in which they are asked (S6.1).

    stale_s: after so many seconds a page's position is no longer believed. roads: seconds by the
    unit's number; None reads what was asked for a moment ago.
    """
    units = [
        unit
        for unit in PatrolUnit.objects.filter(
            provider_id=provider_id, state=PatrolUnit.State.FREE
        ).order_by("name")
        if on_shift(unit.shifts, ZoneInfo(unit.timezone), now)
    ]
    times = known(units, position) if roads is None else roads
    return ranked(units, position, now, stale_s, times)
