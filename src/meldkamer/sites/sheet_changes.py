"""Changes of the instruction sheet: in writing, effective-dated, temporary or for good (S22.1).

The only writer of SheetChange. What breaks a rule of the terms is refused with its clause and
changes nothing (S14.1, R30); what takes effect keeps the values it replaced. A changed procedure
becomes a released version of the site: who asked in writing wrote it, who entered it released it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.models import AgendaRow
from meldkamer.journal import commands as journal
from meldkamer.rules import sheets
from meldkamer.sites import procedure_checks, procedure_commands
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
    "power_delay_s",
    "app_cloud",
    "app_notifies",
    "app_managed_by",
)
#: changed procedures by name, as `terms.procedures.read` takes them; versions, not columns
PROCEDURES = "procedures"


class SheetFault(ValueError):
    """A change that names something a sheet does not have; says what it may name."""


def check_fields(changes: Mapping[str, Any]) -> None:
    """SheetFault unless every key is one of FIELDS or PROCEDURES."""
    known = (*FIELDS, PROCEDURES)
    unknown = sorted(set(changes) - set(known))
    if unknown or not changes:
        found = ", ".join(unknown) or "nothing"
        raise SheetFault(f"found {found}; a change of the sheet names {', '.join(known)}")


def ask(
    site: Site,
    changes: Mapping[str, Any],
    now: datetime,
    *,
    starts_at: datetime,
    ends_at: datetime | None = None,
    by: str = "",
) -> SheetChange:
    """A written request for a change: refused, begun at once, or planned for its date."""
    check_fields(changes)
    values = dict(changes)
    if "premises_phone" in values:
        values["premises_phone"] = normal(values["premises_phone"])
    change = SheetChange.objects.create(
        site=site,
        changes=values,
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
    columns = {key: value for key, value in change.changes.items() if key != PROCEDURES}
    change.before = {key: getattr(site, key) for key in columns}
    change.state = SheetChange.State.IN_FORCE
    change.save(update_fields=["before", "state"])
    _set(site, columns)
    for name, written in change.changes.get(PROCEDURES, {}).items():
        put_procedure(site, name, written, now, by=change.asked_by, ends_at=change.ends_at)
    _write("sheet.changed", site, now, _clause(change), "", change)
    if change.ends_at is not None:
        payload = {"change": change.pk}
        agenda.schedule(END, f"sheet:{change.pk}", change.ends_at, now, rank=0, payload=payload)


def end(change: SheetChange, now: datetime) -> None:
    """A temporary change ends: the values it replaced are back, unless changed again since."""
    site = change.site
    back = {
        key: value
        for key, value in change.before.items()
        if getattr(site, key) == change.changes[key]
    }
    change.state = SheetChange.State.ENDED
    change.save(update_fields=["state"])
    if back:
        _set(site, back)
    _write("sheet.changed", site, now, _clause(change), "the period is over", change)


def _clause(change: SheetChange) -> str:
    """A procedure that is changed is S14.1's, every other change S22.1's."""
    return "S14.1" if PROCEDURES in change.changes else "S22.1"


def _findings(site: Site, changes: Mapping[str, Any]) -> list[sheets.Finding]:
    def now_or(key: str) -> Any:
        return changes.get(key, getattr(site, key))

    found = sheets.check(
        site.plan,
        now_or("formula"),
        now_or("types"),
        site.contacts.count(),
        OpeningHours.objects.filter(site=site).exists(),
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
    for key, value in values.items():
        setattr(site, key, value)
    if values:
        site.save(update_fields=list(values))


def _write(
    what: str, site: Site, now: datetime, clause: str, reason: str, change: SheetChange
) -> None:
    journal.write(
        what,
        now,
        provider_id=site.provider_id,
        site_id=site.pk,
        clause=clause,
        reason=reason,
        to=change.asked_by,
        data={"changes": change.changes, "before": change.before},
    )
    journal.announce(f"site:{site.pk}")


def due(row: AgendaRow, now: datetime, site: Site) -> None:
    """An agenda row of a change, with its site locked."""
    change = SheetChange.objects.select_for_update().get(pk=row.payload["change"])
    change.site = site
    (begin if row.kind == BEGIN else end)(change, now)
