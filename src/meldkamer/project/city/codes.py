"""What happens at a site, in the words of a panel: DC-03 text or a Contact ID block.

Pure. A happening that a dialect cannot say is a programming fault (KeyError), never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass

#: happening: (SIA code, Contact ID qualifier and code, what its number means)
CODES: dict[str, tuple[str, str, str]] = {
    "burglary": ("BA", "1130", "zone"),
    "burglary_restored": ("BR", "3130", "zone"),
    "tamper": ("TA", "1144", "zone"),
    "tamper_restored": ("TR", "3144", "zone"),
    "holdup": ("HA", "1120", "zone"),
    "fire": ("FA", "1111", "zone"),
    "fire_restored": ("FR", "3111", "zone"),
    "medical": ("MA", "1100", "zone"),
    "water": ("WA", "1154", "zone"),
    "cold": ("ZA", "1159", "zone"),
    "power": ("AT", "1301", ""),
    "power_restored": ("AR", "3301", ""),
    "battery": ("YT", "1302", ""),
    "battery_restored": ("YR", "3302", ""),
    "arm": ("CL", "3401", "user"),
    "disarm": ("OP", "1401", "user"),
    "test": ("RP", "1602", ""),
}


@dataclass(frozen=True, slots=True)
class Beat:
    """One message of a happening: so long after the one before; number: the zone or user."""

    after_s: float
    what: str
    number: str = ""


def sia(beat: Beat, area: str = "1") -> str:
    """DC-03 text, as "Nri1/BA5"."""
    code, _, means = CODES[beat.what]
    return f"Nri{area}/{code}{beat.number if means else ''}"


def contact_id(beat: Beat, area: str = "1") -> str:
    """A Contact ID block, as "1130 01 005"."""
    _, code, means = CODES[beat.what]
    number = int(beat.number) if means and beat.number.isdecimal() else 0
    return f"{code} {int(area):02d} {number:03d}"
