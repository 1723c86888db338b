"""Where is it: a map drawn without any tile, and the zones in order of alarm.

North is up; the site stands in the middle, patrols and other sites of the provider at their
distance and bearing. Nothing is drawn that is not known. Pure geometry; templates draw the SVG.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, hypot, radians

WIDTH, HEIGHT = 400, 152
KM_PER_DEGREE = 111.2
_MIN_KM, _MAX_KM = 0.5, 12.0
#: believable in a town at night; the unit's own estimate is better where there is one
PATROL_KM_PER_MIN = 0.5


@dataclass(frozen=True, slots=True)
class Spot:
    """Something on the map; `kind` here, unit or site."""

    kind: str
    name: str
    x: float
    y: float
    km: float = 0.0
    minutes: int = 0
    label_left: bool = False
    labelled: bool = True

    @property
    def label_x(self) -> float:
        """Where the text starts, so that it stays on the map."""
        return self.x - 10 if self.label_left else self.x + 10


@dataclass(frozen=True, slots=True)
class Sketch:
    """The map: spots, and the length in pixels of `scale_km`."""

    spots: tuple[Spot, ...]
    scale_km: float
    scale_px: float

    @property
    def scale_x(self) -> float:
        """Where the scale bar starts, so that it ends at the right edge."""
        return round(WIDTH - 14 - self.scale_px, 1)

    @property
    def scale_words(self) -> str:
        """500 m or 2 km."""
        km = self.scale_km
        return f"{km:g} km" if km >= 1 else f"{km * 1000:g} m"


@dataclass(frozen=True, slots=True)
class Place:
    """A thing with a position."""

    kind: str
    name: str
    latitude: float
    longitude: float


def sketch(name: str, position: tuple[float, float], others: Iterable[Place]) -> Sketch:
    """The surroundings of a position, scaled so that the nearest units are on it."""
    east_km = KM_PER_DEGREE * cos(radians(position[0]))
    found = [
        (
            other,
            (other.longitude - position[1]) * east_km,
            (other.latitude - position[0]) * KM_PER_DEGREE,
        )
        for other in others
    ]
    found = [item for item in found if hypot(item[1], item[2]) <= _MAX_KM]
    # units first: their names have room before those of other sites
    found.sort(key=lambda item: (item[0].kind != "unit", hypot(item[1], item[2])))
    wanted = [item for item in found if item[0].kind == "unit"][:2] or found[:4]
    reach = max([_MIN_KM, *(max(abs(e) / 1.9, abs(n)) for _, e, n in wanted)])
    px_per_km = (HEIGHT / 2 - 16) / reach
    spots = [Spot("here", name, WIDTH / 2, HEIGHT / 2)]
    for other, east, north in found:
        x, y = WIDTH / 2 + east * px_per_km, HEIGHT / 2 - north * px_per_km
        if not (6 <= x <= WIDTH - 6 and 10 <= y <= HEIGHT - 6):
            continue
        km = hypot(east, north)
        minutes = max(1, round(km / PATROL_KM_PER_MIN)) if other.kind == "unit" else 0
        spots.append(
            Spot(
                other.kind, other.name, round(x, 1), round(y, 1), round(km, 1), minutes,
                label_left=x > WIDTH * 0.65, labelled=_has_room(spots, x, y),
            )
        )  # fmt: skip
    # units were drawn over the sites before them
    spots.sort(key=lambda spot: spot.kind == "unit")
    scale_km = next((km for km in (5, 2, 1, 0.5, 0.2, 0.1) if km * px_per_km <= 120), 0.1)
    return Sketch(tuple(spots), scale_km, round(scale_km * px_per_km, 1))


def _has_room(spots: Iterable[Spot], x: float, y: float) -> bool:
    """Whether a name beside (x, y) would cover nobody's name."""
    return all(abs(spot.y - y) > 16 or abs(spot.x - x) > 130 for spot in spots if spot.labelled)


@dataclass(frozen=True, slots=True)
class ZoneSpot:
    """A zone in order of alarm."""

    number: str
    name: str


def zone_way(zones: Iterable[tuple[str, str]]) -> tuple[ZoneSpot, ...]:
    """(number, name) in order of alarm, each once."""
    seen: dict[str, str] = {}
    for number, name in zones:
        seen.setdefault(number, name)
    return tuple(ZoneSpot(number, name) for number, name in seen.items())
