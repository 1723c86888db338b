"""The 200 sites of the demo, on paper: the same on every installation, keys apart.

Pure: a seeded choice of towns, names, plans, zones and contacts; nothing is stored here. Shops and
people are invented; mobile numbers start with 00 after the prefix, fixed ones likewise, so that
nobody is called by mistake. Keys come from the system's random source, for each installation anew.
"""

from __future__ import annotations

import csv
import secrets
import tomllib
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from meldkamer.sites.drafts import (
    ContactDraft,
    CustomerDraft,
    HoursDraft,
    InstallerDraft,
    SiteDraft,
    TransmitterDraft,
    WholeSite,
    ZoneDraft,
)

SITES = 200
SEED = 1901
HERE = Path(__file__).parent
#: accounts of the demo are D000 to D0C7
FIRST_ACCOUNT = 0xD000
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Planned:
    """A site to bring in: under which provider, and since when it is watched (None: not yet)."""

    provider: str
    whole: WholeSite
    activated: datetime | None


@cache
def _names() -> dict[str, Any]:
    return tomllib.loads((HERE / "names.toml").read_text("utf-8"))


@cache
def _towns() -> list[dict[str, str]]:
    with (HERE / "towns.csv").open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def account(number: int) -> str:
    """The account of the n-th demo site, n from 0: four digits of base 16."""
    return f"{FIRST_ACCOUNT + number:04X}"


def accounts() -> list[str]:
    """All accounts of the demo."""
    return [account(number) for number in range(SITES)]


def sites(now: datetime) -> list[Planned]:
    """The demo's sites; `now` places trials and activations."""
    choose = Random(SEED)  # noqa: S311 - a plan, no secret
    return [_site(number, choose, now) for number in range(SITES)]


def _site(number: int, choose: Random, now: datetime) -> Planned:
    towns = _towns()
    town = towns[number % len(towns)]
    provider = "dtral" if number % 4 == 3 else "securitas"
    business = choose.random() < 0.6
    words = _names()[town["language"]]
    family = choose.choice(words["family"])
    name = choose.choice(words["shops" if business else "home"]).format(f=family)
    contacts = _contacts(number, choose, town["language"], family, provider, business)
    sheet, hours = _sheet(number, choose, town, name, provider, business)
    whole = WholeSite(
        customer=CustomerDraft(
            name=name if business else contacts[0].name,
            kind="business" if business else "consumer",
            language=town["language"],
            email=contacts[0].email,
            phone=contacts[0].phone,
        ),
        site=sheet,
        transmitters=(_transmitter(number, choose),),
        installer=_installer(choose),
        zones=tuple(_zones(choose, town["language"], business)),
        contacts=tuple(contacts),
        hours=hours,
    )
    return Planned(provider, whole, _activated(number, now))


def _activated(number: int, now: datetime) -> datetime | None:
    """Most are old; 12 in trial; 4 wait for their papers."""
    if number % 50 == 49:
        return None
    if number % 17 == 8:
        return now - timedelta(days=1 + number % 9, hours=3)
    return datetime(2024, 1 + number % 12, 1 + number % 27, 8, tzinfo=UTC)


def _sheet(
    number: int, choose: Random, town: dict[str, str], name: str, provider: str, business: bool
) -> tuple[SiteDraft, tuple[HoursDraft, ...]]:
    if provider == "dtral":
        plan, formula = "dtral", ""
    else:
        plan = "proguard" if business else "homeguard"
        formula = choose.choice(("mix", "mix", "operator", "operator", "app"))
    hours = _hours() if plan == "proguard" and number % 10 == 0 else ()
    options = ["patrol"] if choose.random() < 0.45 else []
    if hours:
        options.append("open_close")
    period_s = choice_of_period(number)
    premises = business or choose.random() < 0.5
    words = _names()[town["language"]]
    sheet = SiteDraft(
        name=name,
        plan=plan,
        formula=formula,
        street=f"{choose.choice(town['streets'].split('|'))} {choose.randint(1, 240)}",
        postal_code=town["postal_code"],
        town=town["town"],
        latitude=round(float(town["latitude"]) + choose.uniform(-0.012, 0.012), 5),
        longitude=round(float(town["longitude"]) + choose.uniform(-0.018, 0.018), 5),
        language=town["language"],
        types=("intrusion", "holdup", "fire", "medical", "power")
        if plan == "homeguard" and choose.random() < 0.5
        else None,
        left_out_signed=True,
        options=tuple(options),
        premises_phone=f"+32200{number:03d}{choose.randint(0, 99):02d}" if premises else "",
        premises_person="",
        police_zone=town["police_zone"],
        access_note=choose.choice(words["access"]) if choose.random() < 0.6 else "",
        key_note=f"K-{1000 + number}" if "patrol" in options else "",
        power_delay_s=300 if number % 29 == 5 else None,
        test_period_s=period_s,
        contract_start=date(2024, 1 + number % 12, 1 + number % 27),
    )
    return sheet, hours


def choice_of_period(number: int) -> int | None:
    """Test messages: most weekly, some daily, some not watched (S10.3)."""
    return None if number % 5 == 4 else _DAY_S if number % 5 == 0 else 7 * _DAY_S


def _hours() -> tuple[HoursDraft, ...]:
    week = [HoursDraft(time(8), time(18), weekday=day) for day in range(5)]
    return (*week, HoursDraft(time(9), time(16), weekday=5))


def _transmitter(number: int, choose: Random) -> TransmitterDraft:
    """A third plain, the others with keys of every length."""
    length = (None, 16, 32, None, 16, 24)[number % 6]
    key = f"hex:{secrets.token_hex(length)}" if length else ""
    line = choose.choice(("0", "0", "0", "1"))
    label = "IP + GSM" if choose.random() < 0.5 else "IP"
    return TransmitterDraft(account(number), line=line, key=key, label=label)


def _installer(choose: Random) -> InstallerDraft:
    name, language = choose.choice(
        (
            ("Elektro Maes", "nl"),
            ("Veiligheid Noord", "nl"),
            ("Alarmtechniek Bogaert", "nl"),
            ("Sécurité Lambert", "fr"),
            ("Alarmes du Hainaut", "fr"),
            ("Sicherheitstechnik Heinen", "de"),
        )
    )
    return InstallerDraft(name, f"support@{ascii_word(name)}.example", "+3220009900", language)


def ascii_word(text: str) -> str:
    """Letters and digits of a name, for an address."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(c for c in plain.lower() if c.isascii() and c.isalnum())


def _zones(choose: Random, language: str, business: bool) -> list[ZoneDraft]:
    """3 to 12 zones: doors and movement first, so that a burglar meets two detectors."""
    words = _names()["zones"][language]
    more = ["pir", "contact", "smoke", "glass_break", "button_fixed", "smoke", "pir"]
    more += ["call_point", "contact", "temperature"] if business else ["pendant", "flood"]
    choose.shuffle(more)
    kinds = ["contact", "pir", *more[: choose.randint(1, 10)]]
    found: list[ZoneDraft] = []
    used: dict[str, int] = {}
    for kind in kinds:
        place = used.get(kind, 0)
        used[kind] = place + 1
        names = words[kind]
        number = len(found) + 1
        name = names[place % len(names)]
        external = kind in ("temperature", "flood")
        found.append(
            ZoneDraft(
                str(number),
                name=name,
                area="1",
                detector=f"{kind}-{number}",
                kind=kind,
                type="external_technical" if external else "",
            )
        )
    return found


def _contacts(
    number: int, choose: Random, language: str, family: str, provider: str, business: bool
) -> list[ContactDraft]:
    words = _names()[language]
    most = 5 if business and provider == "securitas" else 4 if provider == "dtral" else 3
    count = most if choose.random() < 0.7 else 3
    found: list[ContactDraft] = []
    names: set[str] = set()
    while len(found) < count:
        surname = family if len(found) < 2 else choose.choice(words["family"])
        name = f"{choose.choice(words['first'])} {surname}"
        if name in names:
            continue
        names.add(name)
        place = len(found)
        speaks = language if choose.random() < 0.85 else choose.choice(("nl", "fr", "en"))
        prefix = "+31600" if provider == "dtral" and choose.random() < 0.1 else "+3247000"
        digits = number * 7 + place
        abroad = place == count - 1 and number % 13 == 0
        phone = f"+4930000{digits:05d}" if abroad else _mobile(prefix, digits)
        found.append(
            ContactDraft(
                name,
                phone=phone,
                email=f"{ascii_word(name)}@{ascii_word(family)}{number}.example",
                language=speaks,
                relation=words["relations"][min(place, len(words["relations"]) - 1)],
                has_keys=place < 3 or choose.random() < 0.7,
                knows_codes=place < 3,
                minutes_away=choose.choice((3, 5, 8, 12, 15, 25, 40)),
                confirmed_on=date(2026, 1 + number % 10, 1 + number % 27),
            )
        )
    return found


def _mobile(prefix: str, digits: int) -> str:
    """+32 470 00 xx xx, or +31 6 00 xx xx xx."""
    length = 12
    return prefix + f"{digits:0{length - len(prefix)}d}"
