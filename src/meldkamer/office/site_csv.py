"""Sites in a CSV file, one a line, as a spreadsheet writes it. Pure.

A column is a field of the site (name, plan, …) or of a table within: customer.name,
installer.name, transmitter.label, contact.2.phone. `account`, `receiver`, `line` and `key` are the
transmitter's. `zones` holds all zones: 1=Back door/contact|2=Shop/pir.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from meldkamer.office.site_reading import LineFault, Read, read_site

_TRANSMITTER = ("account", "receiver", "line", "key")
_COLUMN = re.compile(
    r"(customer|installer|transmitter)\.([a-z_]+)\Z|contact\.(\d{1,2})\.([a-z_]+)\Z"
)
_ZONE = re.compile(r"\s*([^=]+?)\s*=\s*([^/]*?)\s*(?:/\s*([a-z_]+)\s*)?\Z")
_SIGNS = ",;\t"


def read_csv(text: str) -> tuple[list[Read], list[LineFault]]:
    """The sites of a CSV file, and its faults. The sign between fields: comma, semicolon or tab."""
    first = text.partition("\n")[0]
    sign = max(_SIGNS, key=first.count)
    rows = csv.reader(io.StringIO(text), delimiter=sign, strict=True)
    faults: list[LineFault] = []
    sites: list[Read] = []
    header: list[str] = []
    try:
        for row in rows:
            if not header:
                header = [name.strip() for name in row]
                faults += _header_faults(header)
                continue
            if not any(cell.strip() for cell in row):
                continue
            sites.append(_site(header, row, rows.line_num, faults))
    except csv.Error as fault:
        faults.append(LineFault(rows.line_num, "", f"not CSV: {fault}"))
    if not sites and not faults:
        faults.append(LineFault(1, "", "no site; expected a line of names, then one line a site"))
    return sites, faults


def _header_faults(header: list[str]) -> list[LineFault]:
    faults = [
        LineFault(1, name, "stands there twice")
        for index, name in enumerate(header)
        if name and name in header[:index]
    ]
    if "account" not in header:
        faults.append(LineFault(1, "account", "is missing; expected a column account"))
    return faults


def _site(header: list[str], row: list[str], line: int, faults: list[LineFault]) -> Read:
    if len(row) > len(header):
        faults.append(LineFault(line, "", f"{len(row)} fields; the first line names {len(header)}"))
    found: list[tuple[str, str]] = []
    values = _values(dict(zip(header, (cell.strip() for cell in row), strict=False)), found)
    place = f"line.{line}"
    site = read_site(values, place, found)
    for where, why in found:
        faults.append(LineFault(line, _column(where.removeprefix(place).lstrip(".")), why))
    return site


def _column(place: str) -> str:
    """The column a place came from."""
    for name in _TRANSMITTER:
        if place == f"transmitter.1.{name}":
            return name
    return "zones" if place.startswith("zone") else place.replace("transmitter.1.", "transmitter.")


def _values(cells: dict[str, str], faults: list[tuple[str, str]]) -> dict[str, Any]:
    """Cells into the tables that a TOML file would have."""
    values: dict[str, Any] = {}
    transmitter: dict[str, str] = {}
    contacts: dict[int, dict[str, str]] = {}
    for name, cell in cells.items():
        column = _COLUMN.match(name)
        if not name or (cell == "" and name not in ("name", "plan")):
            continue
        if name in _TRANSMITTER:
            transmitter[name] = cell
        elif name == "zones":
            values["zone"] = _zones(cell, faults)
        elif column is None:
            values[name] = cell
        elif column[1] == "transmitter":
            transmitter[column[2]] = cell
        elif column[1]:
            values.setdefault(column[1], {})[column[2]] = cell
        else:
            contacts.setdefault(int(column[3]), {})[column[4]] = cell
    values["transmitter"] = [transmitter]
    values["contact"] = [contacts[number] for number in sorted(contacts)]
    return values


def _zones(cell: str, faults: list[tuple[str, str]]) -> list[dict[str, str]]:
    zones = []
    for part in cell.split("|"):
        found = _ZONE.match(part)
        if found is None:
            faults.append(("zone", f"{part!r}; expected number=name/kind, parted by |"))
            continue
        zones.append({"number": found[1], "name": found[2], "kind": found[3] or ""})
    return zones
