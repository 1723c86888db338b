"""What may happen in a city, and how often: pure choices, the dice are passed in.

Operators meet a happening every minute or two, most of them needless, as in a real centre; the
rest is routine that nobody has to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from meldkamer.project.city.codes import Beat

#: how many seconds between happenings for operators: at first, then calmer; at night less
FIRST_S, LATER_S, FIRST_LASTS_S = 42.0, 120.0, 300.0
ROUTINE_S, TECHNICAL_S, TEST_S = 6.0, 80.0, 14.0
NIGHT_FACTOR = 0.6
_ENTRY_KINDS = ("contact", "glass_break", "pir")


@dataclass(frozen=True, slots=True)
class Place:
    """A site as the city knows it: its zones by kind, in order."""

    site_id: int
    name: str
    zones: Mapping[str, tuple[str, ...]]
    business: bool = False

    def of(self, *kinds: str) -> list[str]:
        """The numbers of its zones of these kinds."""
        return [number for kind in kinds for number in self.zones.get(kind, ())]


Happening = Callable[[Place, Random], list[Beat]]


def burglary(place: Place, dice: Random) -> list[Beat]:
    """Two detectors, one after the other, as somebody walks through; a third may follow."""
    zones = place.of(*_ENTRY_KINDS)[:3]
    beats = [Beat(0, "burglary", zones[0]), Beat(dice.uniform(9, 20), "burglary", zones[1])]
    if len(zones) > 2 and dice.random() < 0.5:
        beats.append(Beat(dice.uniform(15, 40), "burglary", zones[2]))
    return beats


def needless(place: Place, dice: Random) -> list[Beat]:
    """Somebody who comes home and is too slow, or a door that rattles."""
    zone = dice.choice(place.of(*_ENTRY_KINDS))
    after_s = dice.uniform(20, 70)
    if dice.random() < 0.6:
        return [Beat(0, "burglary", zone), Beat(after_s, "disarm", str(dice.randint(1, 5)))]
    return [Beat(0, "burglary", zone), Beat(after_s, "burglary_restored", zone)]


def tamper(place: Place, dice: Random) -> list[Beat]:
    """A cover that was opened."""
    zone = dice.choice(place.of(*_ENTRY_KINDS))
    return [Beat(0, "tamper", zone), Beat(dice.uniform(30, 120), "tamper_restored", zone)]


def fire(place: Place, dice: Random) -> list[Beat]:
    """Mostly a smoky kitchen; sometimes a second detector follows."""
    zones = place.of("smoke", "call_point", "heat")
    beats = [Beat(0, "fire", zones[0])]
    if len(zones) > 1 and dice.random() < 0.2:
        beats.append(Beat(dice.uniform(15, 40), "fire", zones[1]))
    elif dice.random() < 0.6:
        beats.append(Beat(dice.uniform(60, 180), "fire_restored", zones[0]))
    return beats


def medical(place: Place, dice: Random) -> list[Beat]:
    """Somebody presses his pendant."""
    return [Beat(0, "medical", place.of("pendant")[0])]


def holdup(place: Place, dice: Random) -> list[Beat]:
    """The button under the till or beside the bed."""
    return [Beat(0, "holdup", place.of("button_fixed")[0])]


def device(place: Place, dice: Random) -> list[Beat]:
    """Water in the cellar, or a cold room that is too warm."""
    water = place.of("flood")
    return [Beat(0, "water", water[0])] if water else [Beat(0, "cold", place.of("temperature")[0])]


def power(place: Place, dice: Random) -> list[Beat]:
    """Most power failures are over before anybody has to act (S10.1)."""
    lasts_s = dice.choice((45.0, 120.0, 420.0, 900.0, 2700.0))
    return [Beat(0, "power"), Beat(lasts_s * dice.uniform(0.7, 1.3), "power_restored")]


def battery(place: Place, dice: Random) -> list[Beat]:
    """A battery at its end; restored when somebody has changed it."""
    beats = [Beat(0, "battery")]
    if dice.random() < 0.3:
        beats.append(Beat(dice.uniform(600, 1800), "battery_restored"))
    return beats


#: (weight, what, the kinds of zones it needs, how many)
FOR_OPERATORS: tuple[tuple[float, Happening, tuple[str, ...], int], ...] = (
    (46, needless, _ENTRY_KINDS, 1),
    (12, burglary, _ENTRY_KINDS, 2),
    (7, tamper, _ENTRY_KINDS, 1),
    (12, fire, ("smoke", "call_point", "heat"), 1),
    (8, medical, ("pendant",), 1),
    (7, holdup, ("button_fixed",), 1),
    (8, device, ("flood", "temperature"), 1),
)
TECHNICAL: tuple[tuple[float, Happening], ...] = ((3, power), (2, battery))


def choose(dice: Random) -> tuple[Happening, tuple[str, ...], int]:
    """A happening for operators, with what a site must have for it."""
    weights = [row[0] for row in FOR_OPERATORS]
    _, happening, kinds, count = dice.choices(FOR_OPERATORS, weights)[0]
    return happening, kinds, count


def choose_technical(dice: Random) -> Happening:
    """A fault that is texted first."""
    return dice.choices([row[1] for row in TECHNICAL], [row[0] for row in TECHNICAL])[0]


def fit(places: Sequence[Place], kinds: tuple[str, ...], count: int) -> list[Place]:
    """The places where such a thing can happen."""
    return [place for place in places if len(place.of(*kinds)) >= count]


def wait_s(since_start_s: float, hour: int, rate: float, dice: Random) -> float:
    """Until the next happening for operators: exponential, at least three seconds."""
    mean_s = FIRST_S if since_start_s < FIRST_LASTS_S else LATER_S
    if since_start_s >= FIRST_LASTS_S and (hour >= 23 or hour < 6):
        mean_s /= NIGHT_FACTOR
    return max(3.0, dice.expovariate(rate / mean_s))


def comes_or_goes(armed: bool, dice: Random) -> Beat:
    """Somebody arms or disarms."""
    return Beat(0, "disarm" if armed else "arm", str(dice.randint(1, 5)))
