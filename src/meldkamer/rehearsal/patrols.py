"""What a patrol reports in a story: free, arrived, done, with a finding (S6.1, R12)."""

from __future__ import annotations

from datetime import datetime

from meldkamer.incidents.operating import patrols
from meldkamer.rehearsal.story import EventPart
from meldkamer.rehearsal.world import World


def patrol(world: World, event: EventPart, now: datetime) -> None:
    """A report of a unit, through the production command."""
    told = event.patrol or {}
    position = told.get("position")
    patrols.report(
        world.provider.pk,
        str(told["unit"]),
        str(told.get("state", "free")),
        now,
        position=(float(position[0]), float(position[1])) if position else None,
        finding=str(told.get("finding", "")),
    )
