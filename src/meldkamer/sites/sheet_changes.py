"""Changes of the instruction sheet: in writing, effective-dated, temporary or for good (S22.1).

The only writer of SheetChange. What breaks a rule of the terms is refused with its clause and
changes nothing (S14.1, R30); what takes effect keeps the values it replaced. A changed procedure
becomes a released version of the site: who asked in writing wrote it, who entered it released it.
The call list, the hours, the zones and the installer are replaced as a whole (`sheet_lists`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time
from typing import Any

from django.db import transaction

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.models import AgendaRow
from meldkamer.journal import commands as journal
from meldkamer.rules import sheets
from meldkamer.sites import (
    checking,
    numbers,
    procedure_checks,
    procedure_commands,
    sheet_lists,
)
from meldkamer.sites.commands import plain
from meldkamer.sites.models import OpeningHours, SheetChange, Site
from meldkamer.sites.phones import normal
from meldkamer.terms import procedures
from meldkamer.terms.findings import Finding
from meldkamer.terms.loader import load
from meldkamer.terms.model import Procedure

BEGIN, END = "sheet.begin", "sheet.end"
#: what a change may be about: columns of the site as they stand
FIELDS = (
    "formula",
    "types",
    "options",
    "premises_phone",
    "premises_person",
    "test_period_s",
    "test_wait_s",
    "test_times",
    "power_delay_s",
    "app_cloud",
    "app_notifies",
    "app_managed_by",
    "language",
    "street",
    "postal_code",
    "town",
    "latitude",
    "longitude",
)
#: changed procedures by name, as `terms.procedures.read` takes them; versions, not columns
PROCEDURES = "procedures"
# in `before`: the keyed hashes of the codes of contacts who are away for the period (S18.1)
_CODES = "codes"
# what a finding is about, where a change names it otherwise
_ITEMS = {
    sheet_lists.HOURS: ("open_close",),
    "options": ("options", "open_close"),
    "types": ("types", "open_close"),
}


class SheetFault(ValueError):
    """A change that names something a sheet does not have; says what it may name."""


def check_fields(changes: Mapping[str, Any]) -> None:
    """SheetFault unless every key is one of FIELDS, the whole lists or PROCEDURES."""
    known = (*FIELDS, *sheet_lists.WHOLE, PROCEDURES)
    unknown = sorted(set(changes) - set(known))
    if unknown or not changes:
        found = ", ".join(unknown) or "nothing"
        raise SheetFault(f"found {found}; a change of the sheet names {', '.join(known)}")


def read(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a change as they are kept; SheetFault names what cannot be one."""
    check_fields(changes)
    values = dict(changes)
    if "premises_phone" in values:
        values["premises_phone"] = normal(values["premises_phone"])
    if "test_times" in values:
        values["test_times"] = [plain(one) for one in values["test_times"]]
    if values.get("language", "nl") not in checking.LANGUAGES:
        expected = ", ".join(checking.LANGUAGES)
        raise SheetFault(f"language: found {values['language']!r}; expected {expected}")
    for key in sheet_lists.WHOLE:
        if key in values:
            try:
                values[key] = sheet_lists.read(key, values[key])
            except sheet_lists.ListFault as fault:
                raise SheetFault(str(fault)) from None
    return values


@transaction.atomic
def ask(
    site: Site,
    changes: Mapping[str, Any],
    now: datetime,
    *,
    starts_at: datetime,
    ends_at: datetime | None = None,
    by: str = "",
) -> SheetChange:
    """A written request for a change: refused, begun at once, or planned for its date.

    changes: columns by name; `contacts`, `hours` and `zones` as whole lists of tables with the
    columns of their drafts, `installer` as one table; `procedures` by name. SheetFault else.
    """
    change = SheetChange.objects.create(
        site=site,
        changes=read(changes),
        starts_at=starts_at,
        ends_at=ends_at,
        asked_by=by,
        asked_at=now,
    )
    if starts_at <= now:
        begin(change, now)
    else:
        payload = {"change": change.pk}
        agenda.schedule(BEGIN, f"sheet:{change.pk}", starts_at, now, rank=0, payload=payload)
    return change


@transaction.atomic
def begin(change: SheetChange, now: datetime) -> None:
    """The change takes effect, if the rules allow it at this moment."""
    site = change.site
    findings = [*_findings(site, change.changes), *_of_procedures(site, change.changes, now)]
    if findings:
        change.state = SheetChange.State.REFUSED
        change.save(update_fields=["state"])
        for finding in findings:
            _write("sheet.refused", site, now, finding.clause, finding.reason, change)
        return
    values = {key: value for key, value in change.changes.items() if key != PROCEDURES}
    change.before = {key: _stands(site, key) for key in values}
    if sheet_lists.CONTACTS in values and change.ends_at is not None:
        change.before[_CODES] = sheet_lists.codes_away(site, values[sheet_lists.CONTACTS])
    change.state = SheetChange.State.IN_FORCE
    change.save(update_fields=["before", "state"])
    with numbers.noted(site, now, journal.SYSTEM):
        _set(site, values)
    for name, written in change.changes.get(PROCEDURES, {}).items():
        put_procedure(site, name, written, now, by=change.asked_by, ends_at=change.ends_at)
    _write("sheet.changed", site, now, _clause(change), "", change)
    if change.ends_at is not None:
        payload = {"change": change.pk}
        agenda.schedule(END, f"sheet:{change.pk}", change.ends_at, now, rank=0, payload=payload)


@transaction.atomic
def end(change: SheetChange, now: datetime) -> None:
    """A temporary change ends: the values it replaced are back, unless changed again since."""
    site = change.site
    before = {key: value for key, value in change.before.items() if key != _CODES}
    still = {key for key in before if _same(key, _stands(site, key), change.changes[key])}
    change.state = SheetChange.State.ENDED
    change.save(update_fields=["state"])
    for key in before.keys() - still:
        _pass_on(change, key)
    with numbers.noted(site, now, journal.SYSTEM):
        _set(site, {key: before[key] for key in before if key in still})
    if sheet_lists.CONTACTS in still:
        sheet_lists.codes_back(site, change.before.get(_CODES, []))
    _write("sheet.changed", site, now, _clause(change), "the period is over", change)


def _pass_on(change: SheetChange, key: str) -> None:
    """Another change lies over this one: when it ends, what this one replaced comes back."""
    over = SheetChange.objects.filter(site=change.site, state=SheetChange.State.IN_FORCE)
    for other in over.order_by("pk"):
        if key not in other.before or not _same(key, other.before[key], change.changes[key]):
            continue
        other.before[key] = change.before[key]
        if key == sheet_lists.CONTACTS:
            other.before[_CODES] = change.before.get(_CODES, [])
        other.save(update_fields=["before"])
        return


def _stands(site: Site, key: str) -> Any:
    """A value as it stands, in the form that is kept."""
    return sheet_lists.stands(site, key) if key in sheet_lists.WHOLE else plain(getattr(site, key))


def _same(key: str, first: Any, second: Any) -> bool:
    return sheet_lists.same(key, first, second) if key in sheet_lists.WHOLE else first == second


def _clause(change: SheetChange) -> str:
    """A procedure that is changed is S14.1's, every other change S22.1's."""
    return "S14.1" if PROCEDURES in change.changes else "S22.1"


def _findings(site: Site, changes: Mapping[str, Any]) -> list[Finding]:
    """What the rules say against this change; what was refused before it is not its matter."""
    found = [f for key in sheet_lists.WHOLE if key in changes
             for f in sheet_lists.findings(key, changes[key])]  # fmt: skip
    touched = {item for key in changes for item in _ITEMS.get(key, (key,))}
    stood = _against(site, {})
    return found + [
        finding
        for finding in _against(site, changes)
        if finding.item in touched or finding not in stood
    ]


def _against(site: Site, changes: Mapping[str, Any]) -> list[Finding]:
    def now_or(key: str) -> Any:
        return changes.get(key, getattr(site, key))

    contacts, hours = changes.get(sheet_lists.CONTACTS), changes.get(sheet_lists.HOURS)
    found = sheets.check(
        site.plan,
        now_or("formula"),
        now_or("types"),
        site.contacts.count() if contacts is None else len(contacts),
        OpeningHours.objects.filter(site=site).exists() if hours is None else bool(hours),
        now_or("options"),
        load(site.provider.terms),
    )
    return [finding for finding in found if finding.refused]


def _of_procedures(site: Site, changes: Mapping[str, Any], now: datetime) -> list[Finding]:
    found: list[Finding] = []
    for name, written in changes.get(PROCEDURES, {}).items():
        _, findings = checked(site, name, written, now)
        found += [finding for finding in findings if finding.refused]
    return found


def checked(
    site: Site, name: str, written: Any, now: datetime
) -> tuple[Procedure | None, list[Finding]]:
    """A changed procedure as it was written, and what stands against it (S14.1)."""
    try:
        procedure = procedures.read(load(site.provider.terms), name, written)
    except procedures.ProcedureFault as fault:
        return None, [Finding("S14.1", "", f"procedure {name}: {fault}", True, "shape")]
    found = procedure_checks.findings(procedure, site.provider, site, now)
    return procedure, [replace(f, reason=f"procedure {name}: {f.reason}") for f in found]


def put_procedure(
    site: Site,
    name: str,
    written: Any,
    now: datetime,
    *,
    by: str,
    ends_at: datetime | None = None,
    entered_by: str = "office",
) -> list[Finding]:
    """A procedure that was asked for in writing holds from now on; else what refuses it."""
    procedure, findings = checked(site, name, written, now)
    refused = [finding for finding in findings if finding.refused]
    if procedure is None or refused:
        return refused
    row = procedure_commands.draft(
        site.provider, site, procedure, now, by or "customer", reason="in writing", ends_at=ends_at
    )
    ticked = [finding.code for finding in findings]
    procedure_commands.release(row, now, entered_by, ticked=ticked)
    return []


def _set(site: Site, values: Mapping[str, Any]) -> None:
    for key in sheet_lists.WHOLE:
        if key in values:
            sheet_lists.put(site, key, values[key])
    columns = {key: value for key, value in values.items() if key not in sheet_lists.WHOLE}
    for key, value in columns.items():
        clocks = key == "test_times"
        setattr(site, key, [time.fromisoformat(one) for one in value] if clocks else value)
    if columns:
        site.save(update_fields=list(columns))


def _write(
    what: str, site: Site, now: datetime, clause: str, reason: str, change: SheetChange
) -> None:
    data: dict[str, Any] = {
        "changes": _told(change.changes),
        "before": _told({key: value for key, value in change.before.items() if key != _CODES}),
    }
    if what == "sheet.changed" and sheet_lists.CONTACTS in change.changes:
        data["without_code"] = sheet_lists.without_code(site)
    journal.write(
        what,
        now,
        provider_id=site.provider_id,
        site_id=site.pk,
        clause=clause,
        reason=reason,
        to=change.asked_by,
        data=data,
    )
    journal.announce(f"site:{site.pk}")


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    lists = sheet_lists.WHOLE
    return {key: sheet_lists.told(v) if key in lists else v for key, v in values.items()}


def due(row: AgendaRow, now: datetime, site: Site) -> None:
    """An agenda row of a change, with its site locked."""
    change = SheetChange.objects.select_for_update().get(pk=row.payload["change"])
    change.site = site
    (begin if row.kind == BEGIN else end)(change, now)
