"""Site files, TOML or CSV, into drafts; every fault with its line and field. Pure.

The shapes are in docs/reference/site-import.md. What the terms and other sites say against a site
is found later, by the commands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any

from meldkamer.office.site_lines import Lines
from meldkamer.office.site_table import Table, as_clock
from meldkamer.rules.reach import DAYS
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
from meldkamer.terms import toml


@dataclass(frozen=True, slots=True)
class LineFault:
    """A fault of a file: line (1 is the first), field, what is wrong and what was expected."""

    line: int
    field: str
    reason: str


@dataclass(slots=True)
class Read:
    """One site of a file. place: how the file's lines name it."""

    place: str
    whole: WholeSite
    activated: datetime | None


def read_toml(text: str) -> tuple[list[Read], list[LineFault]]:
    """The sites of a TOML file, and its faults."""
    try:
        content = toml.read_toml(text)
    except toml.NotToml as fault:
        return [], [LineFault(fault.line or 1, "", f"not TOML: {fault}")]
    lines = Lines(text)
    faults: list[tuple[str, str]] = []
    top = Table(content, "", faults)
    rows = top.values.get("site")
    if not isinstance(rows, list) or not rows:
        return [], [LineFault(1, "site", "no site; expected tables [[site]]")]
    for name in sorted(set(content) - {"site"}):
        faults.append((name, "is not known; expected tables [[site]]"))
    sites = [
        read_site(row if isinstance(row, dict) else {}, f"site.{n + 1}", faults)
        for n, row in enumerate(rows)
    ]
    return sites, [LineFault(lines.of(place), _short(place), why) for place, why in faults]


def _short(place: str) -> str:
    """A field as the person wrote it: without the number of the site."""
    return re.sub(r"^site\.\d+\.?", "", place) or "site"


def read_site(values: Mapping[str, Any], place: str, faults: list[tuple[str, str]]) -> Read:
    """One site as a table of values."""
    table = Table(dict(values), place, faults)
    customer = table.table("customer")
    if customer is None and "customer" not in table.values:
        table.fault(
            "customer", f"is missing; expected a table [{place.partition('.')[0]}.customer]"
        )
    installer = table.table("installer")
    site = _sheet(table)
    zones = tuple(_zone(one) for one in table.tables("zone"))
    contacts = tuple(_contact(one) for one in table.tables("contact"))
    transmitters = tuple(_transmitter(one) for one in table.tables("transmitter"))
    hours = tuple(day for one in table.tables("open_close") for day in _hours(one))
    activated = table.day("activated")
    table.nothing_left()
    whole = WholeSite(
        customer=_customer(customer) if customer else CustomerDraft("?"),
        site=site,
        transmitters=transmitters,
        installer=_installer(installer) if installer else None,
        zones=zones,
        contacts=contacts,
        hours=hours,
    )
    at = datetime(activated.year, activated.month, activated.day) if activated else None  # noqa: DTZ001
    return Read(place, whole, at)


def _sheet(table: Table) -> SiteDraft:
    types = table.words("types")
    return SiteDraft(
        name=table.needed("name"),
        plan=table.needed("plan"),
        formula=table.text("formula"),
        street=table.text("street"),
        postal_code=table.text("postal_code"),
        town=table.text("town"),
        latitude=table.degrees("latitude"),
        longitude=table.degrees("longitude"),
        timezone=table.text("timezone", "Europe/Brussels"),
        language=table.text("language", "nl"),
        types=types or None,
        left_out_signed=table.flag("left_out_signed", False),
        options=table.words("options") or (),
        premises_phone=table.text("premises_phone"),
        premises_person=table.text("premises_person"),
        police_zone=table.text("police_zone"),
        access_note=table.text("access_note"),
        key_note=table.text("key_note"),
        power_delay_s=table.span_s("power_delay"),
        app_cloud=table.text("app_cloud"),
        app_notifies=table.flag("app_notifies", False),
        app_managed_by=table.text("app_managed_by"),
        test_period_s=table.span_s("test_period"),
        test_wait_s=table.span_s("test_wait"),
        test_times=table.take("test_times", "times, e.g. 03:00, 15:00", _clocks, ()) or (),
        contract_start=table.day("contract_start"),
    )


def _customer(table: Table) -> CustomerDraft:
    draft = CustomerDraft(
        name=table.needed("name"),
        kind=table.text("kind", "consumer"),
        language=table.text("language", "nl"),
        email=table.text("email"),
        phone=table.text("phone"),
    )
    table.nothing_left()
    return draft


def _installer(table: Table) -> InstallerDraft:
    draft = InstallerDraft(
        name=table.needed("name"),
        email=table.text("email"),
        phone=table.text("phone"),
        language=table.text("language", "nl"),
    )
    table.nothing_left()
    return draft


def _transmitter(table: Table) -> TransmitterDraft:
    draft = TransmitterDraft(
        account=table.needed("account"),
        receiver=table.text("receiver"),
        line=table.text("line"),
        key=_key(table),
        label=table.text("label"),
        supervised=table.flag("supervised", True),
    )
    table.nothing_left()
    return draft


def _key(table: Table) -> str:
    """A key; a faulty one is not repeated in the fault."""
    table.taken.add("key")
    value = table.values.get("key", "")
    if not isinstance(value, str):
        table.fault("key", "expected a text, hex:… or text:…")
        return ""
    return value


def _zone(table: Table) -> ZoneDraft:
    draft = ZoneDraft(
        number=table.needed("number"),
        name=table.text("name"),
        area=table.text("area"),
        detector=table.text("detector"),
        kind=table.text("kind"),
        type=table.text("type"),
        service_phone=table.text("service_phone"),
    )
    table.nothing_left()
    return draft


def _contact(table: Table) -> ContactDraft:
    draft = ContactDraft(
        name=table.needed("name"),
        phone=table.text("phone"),
        email=table.text("email"),
        language=table.text("language", "nl"),
        relation=table.text("relation"),
        has_keys=table.flag("has_keys", True),
        knows_codes=table.flag("knows_codes", True),
        minutes_away=table.number("minutes_away"),
        confirmed_on=table.day("confirmed_on"),
        reachable=table.text("reachable"),
    )
    table.nothing_left()
    return draft


def _hours(table: Table) -> list[HoursDraft]:
    days = table.take("days", 'days, e.g. "mon-fri" or "sat,sun"', _days, None)
    on_date = table.day("date")
    opens = table.take("open", "a time, e.g. 08:00", as_clock, None)
    closes = table.take("close", "a time, e.g. 17:00", as_clock, None)
    margin_s = table.span_s("margin") or 900
    repeat_s = table.span_s("repeat")
    area = table.text("area")
    if not days and on_date is None and "days" not in table.values:
        table.fault("days", "is missing; expected days or date")
    table.nothing_left()
    if on_date is not None:
        return [HoursDraft(opens, closes, None, on_date, area, margin_s, repeat_s)]
    return [HoursDraft(opens, closes, day, None, area, margin_s, repeat_s) for day in days or ()]


def _clocks(value: Any) -> tuple[time, ...] | None:
    """ "03:00, 15:00" or a list of such, earliest first; None when one of them is no time."""
    words = value if isinstance(value, list) else str(value).replace(",", " ").split()
    found = [as_clock(word) for word in words]
    return tuple(sorted({clock for clock in found if clock})) if all(found) else None


def _days(value: Any) -> tuple[int, ...] | None:
    """mon-fri, sat, "mon,wed": weekdays from 0 (Monday); "holidays" is 7."""
    if str(value).strip().lower() == "holidays":
        return (7,)
    found: list[int] = []
    for part in str(value).lower().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last and last not in DAYS):
            return None
        start, end = DAYS.index(first), DAYS.index(last or first)
        if end < start:
            return None
        found += range(start, end + 1)
    return tuple(sorted(set(found)))


def read_file(path: Path) -> tuple[str, str]:
    """The text of a file and its form, "toml" or "csv". Raises ValueError, OSError."""
    form = path.suffix.lower().removeprefix(".")
    if form not in ("toml", "csv"):
        raise ValueError(f"{path.name} is no .toml or .csv file")
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise ValueError(f"{path.name} is not UTF-8 (byte {fault.start})") from None
    return text, form
