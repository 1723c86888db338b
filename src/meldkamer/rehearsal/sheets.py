"""The sheet of a story: what `[[site]]` and a `sheet` event say, as the columns of the tables.

Pure: it has no row at hand. A `sheet` event takes the keys of `[[site]]` that a sheet may change.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec

from meldkamer.rehearsal.story import HoursPart, SitePart, ZonePart, clock, span, weekdays

#: the keys of `[[site]]` that a change of the sheet may be about (S22.1)
CHANGED = (
    *("formula", "types", "options", "premises", "test_period", "test_wait", "test_times"),
    *("power_delay", "contact", "open_close", "zone", "installer", "language", "address"),
    *("position", "procedures"),
)
_POSTAL = "0123456789"


def part_of(raw: dict[str, Any]) -> SitePart:
    """The table of a `sheet` event as a site's; msgspec.ValidationError where it is none."""
    return msgspec.convert({"name": "sheet", **raw}, SitePart)


def changes_of(raw: dict[str, Any]) -> dict[str, Any]:
    """The table of a `sheet` event, which has been checked, as `sheet_changes.ask` takes it."""
    part = part_of(raw)
    changes: dict[str, Any] = {
        key: raw[key] for key in ("formula", "types", "options", "language", "procedures")
        if key in raw
    }  # fmt: skip
    if "premises" in raw:
        changes |= {
            "premises_phone": part.premises.phone, "premises_person": part.premises.name
        }  # fmt: skip
    for key in ("test_period", "test_wait", "power_delay"):
        if key in raw:
            changes[f"{key}_s"] = seconds(getattr(part, key))
    if "test_times" in raw:
        changes["test_times"] = sorted(clock(text).isoformat() for text in part.test_times)
    if "address" in raw:
        changes |= zip(("street", "postal_code", "town"), address(part.address), strict=True)
    if "position" in raw and part.position:
        changes |= zip(("latitude", "longitude"), part.position, strict=True)
    return changes | _lists(raw, part)


def _lists(raw: dict[str, Any], part: SitePart) -> dict[str, Any]:
    lists: dict[str, Any] = {}
    if "contact" in raw:
        lists["contacts"] = [
            {
                "name": contact.name,
                "phone": contact.phone,
                "email": contact.email,
                **({"language": contact.language} if contact.language else {}),
            }
            for contact in part.contact
        ]
    if "zone" in raw:
        lists["zones"] = [zone(one) for one in part.zone]
    if "open_close" in raw:
        lists["hours"] = [_in_json(row) for row in opening_hours(part.open_close)]
    if "installer" in raw:
        lists["installer"] = {"name": part.installer.name, "email": part.installer.email}
    return lists


def _in_json(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in row.items()}


def names_in(raw: dict[str, Any] | None) -> set[str]:
    """The contacts whom a `sheet` event names, checked or not."""
    contacts = (raw or {}).get("contact")
    rows = contacts if isinstance(contacts, list) else []
    return {str(row["name"]) for row in rows if isinstance(row, dict) and "name" in row}


def zone(part: ZonePart) -> dict[str, Any]:
    """A zone's columns; its number without leading zeros, as signals name it."""
    return {
        "number": str(part.number).lstrip("0") or "0",
        "name": part.name,
        "detector": part.detector,
        "kind": part.kind,
        "area": str(part.area),
        "type": part.type,
    }


def opening_hours(parts: Iterable[HoursPart]) -> list[dict[str, Any]]:
    """The columns of opening hours, one row a day (S11.1)."""
    rows = []
    for part in parts:
        days: list[tuple[int | None, date | None]] = (
            [(None, part.date)] if part.date else [(day, None) for day in weekdays(part.days)]
        )
        for weekday, on_date in days:
            rows.append(
                {
                    "area": str(part.area),
                    "weekday": weekday,
                    "on_date": on_date,
                    "opens": clock(part.open) if part.open else None,
                    "closes": clock(part.close) if part.close else None,
                    "margin_s": int(span(part.margin).total_seconds()),
                    "repeat_s": seconds(part.repeat),
                }
            )
    return rows


def address(text: str) -> tuple[str, str, str]:
    """Street, four-digit postal code and town of "Meir 12, 2000 Antwerpen"."""
    street, _, place = text.rpartition(",")
    words = place.split()
    for index, word in enumerate(words):
        if len(word) == 4 and all(c in _POSTAL for c in word):
            return street.strip(), word, " ".join(words[index + 1 :])
    return text, "", ""


def seconds(text: str) -> int | None:
    """A span in seconds; None when it is left out."""
    return int(span(text).total_seconds()) if text else None
