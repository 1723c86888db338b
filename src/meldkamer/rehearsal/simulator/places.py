"""Random sites: plans, formulas, people who answer or do not, zones, hours, missing things."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from meldkamer.terms.loader import ALL_TYPES, load

TOWNS = ("2000 Antwerpen", "9000 Gent", "4000 Liège", "1000 Brussel")
_POSITIONS = {
    "2000 Antwerpen": (51.22, 4.40),
    "9000 Gent": (51.05, 3.72),
    "4000 Liège": (50.63, 5.57),
    "1000 Brussel": (50.85, 4.35),
}
_KINDS = ("contact", "pir", "smoke", "call_point", "button", "pendant", "glass", "")
_ANSWERS = ("no", "no", "yes", "yes", "voicemail")
_SAYS = ("nothing", "nothing", "coming", "real", "false_alarm", "send_patrol")
_CODES = ("right", "right", "right", "right", "wrong", "none", "duress")
_REPLIES = ("ok", "ok", " OK ", "Ok", "nee", "", "wat is er?", "ok!")
_DELAYS = ("5s", "30s", "89s", "90s", "91s", "2m", "4m", "10m", "2h", "23h", "25h")


def sites(dice: Random, terms: str, start: datetime) -> list[dict[str, Any]]:
    """One to seven sites; often some in one place, so that an outage can be found."""
    count = dice.choice((1, 1, 1, 2, 2, 3, 4, 7))
    home = dice.choice(TOWNS)
    people = [_person(dice, number) for number in range(3)]
    return [_site(dice, number, home, people, terms, start) for number in range(count)]


def _site(
    dice: Random,
    number: int,
    home: str,
    people: list[dict[str, Any]],
    terms: str,
    start: datetime,
) -> dict[str, Any]:
    rules = load(terms)
    plan = dice.choice(list(rules.plans))
    town = home if dice.random() < 0.7 else dice.choice(TOWNS)
    site: dict[str, Any] = {
        "name": f"Site {number + 1}",
        "address": f"Straat {number + 1}, {town}",
        "language": dice.choice(("nl", "fr", "de", "en")),
        "plan": plan,
        "account": f"{0xB100 + number:04X}",
    }
    if dice.random() < 0.5:
        north, east = _POSITIONS[town]
        site["position"] = [
            round(north + dice.uniform(-0.05, 0.05), 4),
            round(east + dice.uniform(-0.05, 0.05), 4),
        ]
    if rules.plans[plan].formula:
        site["formula"] = dice.choice(list(rules.formulas))
    if dice.random() < 0.2:
        site["types"] = sorted(dice.sample(ALL_TYPES, dice.randint(2, 9)))
    options = [name for name in ("patrol", "video") if dice.random() < 0.35]
    if options:
        site["options"] = options
    if dice.random() < 0.25:
        site["activated"] = (start - timedelta(days=dice.choice((0, 1, 13, 14, 40)))).date()
    if dice.random() < 0.3:
        site["test_period"] = dice.choice(("1h", "6h", "24h"))
        if dice.random() < 0.5:
            site["test_wait"] = dice.choice(("1m", "15m", "90m"))
    elif dice.random() < 0.1:
        site["test_times"] = dice.choice((["02:30"], ["03:00", "15:00"]))
    if dice.random() < 0.1:
        site["power_delay"] = dice.choice(("0s", "5m", "2h"))
    if dice.random() < 0.2:
        site["needless"] = dice.choice((2, 3, 4, 5))
    if dice.random() < 0.2:
        site["handlings_used"] = dice.choice((1, 7, 11, 12, 40))
    if dice.random() < 0.65:
        site["premises"] = _premises(dice, number)
    if rules.plans[plan].open_close and dice.random() < 0.35:
        site["open_close"] = _hours(dice)
    site["zone"] = _zones(dice)
    site["contact"] = _contacts(dice, number, people)
    return {key: value for key, value in site.items() if value not in ([], {})}


def _premises(dice: Random, number: int) -> dict[str, Any]:
    person: dict[str, Any] = {"answers": dice.choice(_ANSWERS), "says": dice.choice(_SAYS)}
    if dice.random() < 0.8:
        person["phone"] = f"+3232345{number:03d}"
    if dice.random() < 0.4:
        person["name"] = f"Guard {number + 1}"
        person["code"] = f"{700000 + number}"
    person["gives_code"] = dice.choice(_CODES)
    return person


def _phone(dice: Random, number: int) -> str:
    """Mobiles of three countries, fixed lines, and none at all."""
    return dice.choice(
        (
            f"+3247512{number:04d}",
            f"+3247512{number:04d}",
            f"+3247512{number:04d}",
            f"+3161234{number:04d}",
            f"+352621{number:06d}",
            f"+32323{number:05d}",
            "",
        )
    )


def _person(dice: Random, number: int) -> dict[str, Any]:
    person: dict[str, Any] = {
        "name": f"Person {number + 1}",
        "phone": _phone(dice, number + 1),
        "answers": dice.choice(_ANSWERS),
        "says": dice.choice(_SAYS),
        "gives_code": dice.choice(_CODES),
    }
    if dice.random() < 0.6:
        person["email"] = f"person{number + 1}@example.be"
    if dice.random() < 0.5:
        person["code"] = f"{400000 + number}"
    if person["phone"] and dice.random() < 0.55:
        person["sms"] = {"after": dice.choice(_DELAYS), "text": dice.choice(_REPLIES)}
    return person


def _contacts(dice: Random, number: int, people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Some of them stand on the list of several sites, as relatives do."""
    count = dice.choice((0, 1, 1, 2, 2, 3, 3, 4, 5))
    chosen = [_person(dice, 10 * (number + 1) + position) for position in range(count)]
    for position in range(count):
        if dice.random() < 0.25:
            shared = dice.choice(people)
            if all(person["name"] != shared["name"] for person in chosen):
                chosen[position] = dict(shared)
    return chosen


def _zones(dice: Random) -> list[dict[str, Any]]:
    zones = []
    for number in range(1, dice.choice((0, 2, 3, 4)) + 1):
        zone: dict[str, Any] = {"number": number, "name": f"Zone {number}"}
        if dice.random() < 0.5:
            zone["detector"] = dice.choice(("pir-1", "pir-2", f"detector-{number}"))
        kind = dice.choice(_KINDS)
        if kind:
            zone["kind"] = kind
        if dice.random() < 0.08:
            zone["type"] = dice.choice(ALL_TYPES)
        zones.append(zone)
    return zones


def _hours(dice: Random) -> list[dict[str, Any]]:
    opens, closes = dice.choice((("08:00", "17:00"), ("22:00", "04:00"), ("02:30", "12:00")))
    row: dict[str, Any] = {"days": dice.choice(("mon-fri", "mon-sun", "sat"))}
    row |= {"open": opens, "close": closes}
    if dice.random() < 0.4:
        row["margin"] = dice.choice(("1m", "15m", "30m"))
    return [row]
