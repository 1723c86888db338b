"""What a change of the sheet replaces as a whole: the call list, the hours, the zones, the
installer (S22.1, S17.1, S11.1).

Part of the writing of `sheet_changes`. A contact who stays, known by his name, keeps his row, so
that a running incident, a text on its way and his identification code stay his. Never: an
identification code in the clear; of a contact who is away for a period the keyed hash is kept, and
given back to him when he returns. Invariant: positions on the call list are 1, 2, 3 … without a
gap, and a value put back is the value that stood there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import msgspec

from meldkamer.sites import checking
from meldkamer.sites.commands import columns, plain
from meldkamer.sites.drafts import ContactDraft, HoursDraft, InstallerDraft, ZoneDraft
from meldkamer.sites.faults import Fault
from meldkamer.sites.models import Contact, IdentificationCode, Installer, OpeningHours, Site, Zone
from meldkamer.terms.findings import Finding

CONTACTS, HOURS, ZONES, INSTALLER = "contacts", "hours", "zones", "installer"
WHOLE = (CONTACTS, HOURS, ZONES, INSTALLER)
#: what a kept value says of a row beside its columns: which row it was
ID = "id"

Row = dict[str, Any]
Check = Callable[[Any, str], tuple[Any, list[Fault]]]


class ListFault(ValueError):
    """A list that cannot be read; says where and what was expected."""


def _hours(draft: HoursDraft, where: str) -> tuple[HoursDraft, list[Fault]]:
    return draft, checking.hours(draft, where)


#: the draft of one row, its check, and the column by which a row is known again
_SHAPES: dict[str, tuple[Any, Check, str]] = {
    CONTACTS: (ContactDraft, checking.contact, "name"),
    HOURS: (HoursDraft, _hours, ""),
    ZONES: (ZoneDraft, checking.zone, "number"),
    INSTALLER: (InstallerDraft, checking.party, "name"),
}
# learned while the module is imported: two threads that use a type first crash (terms.model)
for _shape, _check, _known_by in _SHAPES.values():
    msgspec.json.Decoder(_shape)


def read(key: str, value: Any) -> Any:
    """A value in the form that is kept: a list of rows with the columns it names, or one row.

    ListFault when it is none. What breaks a rule with a clause is found by `findings`.
    """
    if key == INSTALLER:
        return _read_row(key, value, key)
    if not isinstance(value, (list, tuple)):
        raise ListFault(f"{key}: found {value!r}; expected a list of tables")
    rows = [_read_row(key, row, f"{key}.{number}") for number, row in enumerate(value, start=1)]
    known_by = _SHAPES[key][2]
    counted = Counter(row[known_by] for row in rows) if known_by else {}
    twice = sorted(name for name, count in counted.items() if count > 1)
    if twice:
        raise ListFault(f"{key}: {', '.join(twice)} stands there twice; expected each once")
    return rows


def _read_row(key: str, value: Any, where: str) -> Row:
    shape, check, _ = _SHAPES[key]
    known = [field.name for field in fields(shape)]
    if not isinstance(value, Mapping):
        raise ListFault(f"{where}: found {value!r}; expected a table with {', '.join(known)}")
    strange = sorted(set(value) - set(known))
    if strange:
        raise ListFault(f"{where}: found {', '.join(strange)}; expected {', '.join(known)}")
    draft, faults = check(_draft(shape, value, where), where)
    for fault in faults:
        if not fault.clause:
            raise ListFault(str(fault))
    return {name: plain(getattr(draft, name)) for name in value}


def _draft(shape: Any, value: Mapping[str, Any], where: str) -> Any:
    try:
        return msgspec.convert(dict(value), shape)
    except msgspec.ValidationError as fault:
        raise ListFault(f"{where}: {fault}") from None


def findings(key: str, value: Any) -> list[Finding]:
    """What the rules say against a value that was read, row by row (S17.1, S11.1)."""
    shape, check, _ = _SHAPES[key]
    found: list[Finding] = []
    for number, row in enumerate(value if isinstance(value, list) else [value], start=1):
        _, faults = check(_draft(shape, row, key), f"{key}.{number}")
        found += [
            Finding(f.clause, key, str(f.reason), True, f.code, f.numbers)
            for f in faults
            if f.clause
        ]
    return found


def stands(site: Site, key: str) -> Any:
    """The value as it stands, each row with its number."""
    if key == INSTALLER:
        return None if site.installer is None else _columns(site.installer, InstallerDraft)
    if key == CONTACTS:
        return [_columns(row, ContactDraft) for row in site.contacts.order_by("position")]
    if key == ZONES:
        return [_columns(row, ZoneDraft) for row in site.zones.order_by("number")]
    return [_columns(row, HoursDraft) for row in site.hours.order_by("pk")]


def _columns(row: Any, shape: Any) -> Row:
    return {ID: row.pk, **{f.name: plain(getattr(row, f.name)) for f in fields(shape)}}


def told(value: Any) -> Any:
    """A value as the journal keeps it: what it says, not which rows it is."""
    if isinstance(value, list):
        return [told(one) for one in value]
    if isinstance(value, dict):
        return {name: one for name, one in value.items() if name != ID}
    return value


def same(key: str, first: Any, second: Any) -> bool:
    """Whether two values say the same, in what both of them name."""
    if not isinstance(first, list) or not isinstance(second, list):
        return _agree(first, second)
    if key == ZONES:
        first, second = (sorted(rows, key=_by_number) for rows in (first, second))
    return len(first) == len(second) and all(map(_agree, first, second))


def _by_number(row: Row) -> str:
    return str(row["number"])


def _agree(first: Row | None, second: Row | None) -> bool:
    if first is None or second is None:
        return first is second
    return all(first[name] == second[name] for name in (set(first) & set(second)) - {ID})


def put(site: Site, key: str, value: Any) -> None:
    """The value holds from now on. The caller has checked it and holds the site's lock."""
    if key == CONTACTS:
        _put_contacts(site, value)
    elif key == ZONES:
        _put_zones(site, value)
    elif key == HOURS:
        OpeningHours.objects.filter(site=site).delete()
        drafts = [_draft(HoursDraft, _without_id(row), key) for row in value]
        OpeningHours.objects.bulk_create(OpeningHours(site=site, **columns(d)) for d in drafts)
    else:
        site.installer = None if value is None else _installer(site, value)
        site.save(update_fields=["installer"])


def _without_id(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != ID}


def _put_contacts(site: Site, rows: Sequence[Row]) -> None:
    left = list(site.contacts.order_by("position"))
    for position, row in enumerate(rows, start=1):
        found = next((one for one in left if one.pk == row.get(ID)), None)
        found = found or next((one for one in left if one.name == row["name"]), None)
        if found is not None:
            left.remove(found)
        else:
            # who comes back is who he was: his row has the number it had
            found = Contact(pk=row.get(ID), site=site, language=site.language)
        found.position = position
        _save(found, row)
    for gone in left:
        gone.delete()


def _put_zones(site: Site, rows: Sequence[Row]) -> None:
    left = {zone.number: zone for zone in site.zones.all()}
    for row in rows:
        known = left.pop(row["number"], None)
        _save(known or Zone(site=site), row)
    for gone in left.values():
        gone.delete()


def _save(found: Contact | Zone, row: Row) -> None:
    for name, value in _without_id(row).items():
        setattr(found, name, value)
    found.save()


def _installer(site: Site, row: Row) -> Installer:
    """The installer of that row, else one of that name and mail, else a new one."""
    rows = Installer.objects.filter(provider_id=site.provider_id)
    known = rows.filter(pk=row[ID]) if ID in row else rows.filter(**row).order_by("pk")
    values = _without_id(row)
    return known.first() or Installer.objects.create(
        provider_id=site.provider_id, **{"language": site.language, **values}
    )


def codes_away(site: Site, rows: Sequence[Row]) -> list[Row]:
    """The keyed hashes of the contacts who are not in a new list, for their return (S18.1)."""
    staying = {row["name"] for row in rows}
    codes = IdentificationCode.objects.filter(contact__site=site).exclude(contact__name__in=staying)
    return [
        {
            "contact": code.contact_id,
            "mac": bytes(code.code_mac).hex(),
            "duress": code.duress,
            "issued_at": code.issued_at.isoformat(),
        }
        for code in codes.order_by("pk")
    ]


def codes_back(site: Site, kept: Sequence[Row]) -> None:
    """A returning contact has his code again, unless it was given to another meanwhile."""
    here = set(site.contacts.values_list("pk", flat=True))
    for code in kept:
        mac, contact = bytes.fromhex(code["mac"]), code["contact"]
        codes = IdentificationCode.objects
        taken = codes.filter(provider_id=site.provider_id, code_mac=mac).exists()
        has_one = codes.filter(contact_id=contact, duress=code["duress"]).exists()
        if contact in here and not taken and not has_one:
            codes.create(
                provider_id=site.provider_id,
                contact_id=contact,
                code_mac=mac,
                duress=code["duress"],
                issued_at=datetime.fromisoformat(code["issued_at"]),
            )


def without_code(site: Site) -> list[str]:
    """The contacts whom the office still has to give a code (S18.1)."""
    rows = site.contacts.exclude(codes__duress=False).order_by("position")
    return list(rows.values_list("name", flat=True))
