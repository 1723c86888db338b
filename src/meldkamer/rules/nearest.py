"""Which patrol is asked first: the one that can be there first, as far as is known (S6.1). Pure.

By road time where it is known, else by distance. A unit whose page has not told for a while where
it is may be anywhere: it is asked after those that are known. A radio unit's position is what was
said last, and stays so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from meldkamer.rules.distance import distance_km

#: a distance as the crow flies, as seconds on the road, where no road time is known
S_PER_KM = 120.0
Position = tuple[float, float]


class Unit(Protocol):
    """A unit as far as its turn depends on it; a place in degrees."""

    @property
    def pk(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def latitude(self) -> float | None: ...
    @property
    def longitude(self) -> float | None: ...
    @property
    def has_page(self) -> bool: ...
    @property
    def positioned_at(self) -> datetime | None: ...


Asked = TypeVar("Asked", bound=Unit)


def km(unit: Unit, position: Position | None) -> float | None:
    """How far a unit is from there; None when either position is not known."""
    if position is None or unit.latitude is None or unit.longitude is None:
        return None
    return distance_km(position, (unit.latitude, unit.longitude))


def stale(unit: Unit, now: datetime, stale_s: int) -> bool:
    """Whether the position that its page told is older than so many seconds."""
    if not unit.has_page:
        return False
    told = unit.positioned_at
    return told is None or now - told > timedelta(seconds=stale_s)


def ranked(
    units: Iterable[Asked],
    position: Position | None,
    now: datetime,
    stale_s: int,
    roads: Mapping[int, float],
) -> list[Asked]:
    """The units in the order in which they are asked; roads: seconds by the unit's number."""

    def place(unit: Asked) -> tuple[bool, float, str]:
        away = km(unit, position)
        seconds = roads.get(unit.pk, float("inf") if away is None else away * S_PER_KM)
        return stale(unit, now, stale_s), seconds, unit.name

    return sorted(units, key=place)
