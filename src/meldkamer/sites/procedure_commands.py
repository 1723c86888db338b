"""The only writer of procedure versions: drafted, changed, released by a second person, withdrawn.

Everything is journaled with who, why and the clause (M12.3, S14.1, S22.1). What is against the law
or cannot be worked is never released; `Refused` names each fault. A released version is never
changed: incidents keep what they were opened with, and the record keeps what held when.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from django.db import models, transaction

from meldkamer.journal import commands as journal
from meldkamer.rules.differences import differences
from meldkamer.rules.versions import overlay
from meldkamer.sites import procedure_checks, procedure_queries
from meldkamer.sites.faults import Fault, Refused, from_finding
from meldkamer.sites.models import Provider, Site
from meldkamer.sites.phones import normal
from meldkamer.sites.procedure_models import ProcedureVersion
from meldkamer.terms.loader import load
from meldkamer.terms.model import Procedure

CLAUSE = "S14.1"
_SCREEN = "procedures"


@transaction.atomic
def draft(
    provider: Provider,
    site: Site | None,
    procedure: Procedure,
    now: datetime,
    actor: str,
    *,
    reason: str = "",
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> ProcedureVersion:
    """A new draft. It may be unlawful or unsound as long as it is one; released it may not."""
    _period(starts_at, ends_at)
    Provider.objects.select_for_update(no_key=True).get(pk=provider.pk)  # one number each
    rows = ProcedureVersion.objects.filter(provider=provider, site=site, name=procedure.name)
    last = rows.aggregate(most=models.Max("number"))["most"] or 0
    row = ProcedureVersion.objects.create(
        provider=provider, site=site, name=procedure.name, number=last + 1,
        procedure=_stored(procedure, site, last + 1), reason=reason.strip()[:200],
        starts_at=starts_at, ends_at=ends_at, drafted_by=actor, drafted_at=now, authors=[actor],
    )  # fmt: skip
    _tell("procedure.drafted", row, now, actor, reason)
    return row


@transaction.atomic
def change(
    row: ProcedureVersion,
    procedure: Procedure,
    now: datetime,
    actor: str,
    *,
    reason: str = "",
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> ProcedureVersion:
    """Change a draft; who changed it is among its authors and cannot release it."""
    row = _locked(row)
    _is_draft(row)
    _period(starts_at, ends_at)
    old = msgspec.convert(row.procedure, Procedure)
    told = [str(difference) for difference in differences(old, procedure)]
    row.procedure = _stored(procedure, row.site, row.number)
    row.reason = reason.strip()[:200]
    row.starts_at, row.ends_at = starts_at, ends_at
    row.drafted_by, row.drafted_at = actor, now
    row.authors = [*dict.fromkeys([*row.authors, actor])]
    row.save()
    _tell("procedure.changed", row, now, actor, reason, {"differences": told})
    return row


@transaction.atomic
def discard(row: ProcedureVersion, now: datetime, actor: str) -> None:
    """A draft that nobody wants any more; a released version stays for ever."""
    row = _locked(row)
    _is_draft(row)
    _tell("procedure.discarded", row, now, actor, row.reason)
    row.delete()


@transaction.atomic
def release(
    row: ProcedureVersion, now: datetime, actor: str, *, ticked: Collection[str] = ()
) -> ProcedureVersion:
    """The draft holds from its start on, at the earliest from now. By a second person (M12.3).

    ticked: the codes of the warnings that he accepts; one that is missing refuses.
    """
    row = _locked(row)
    _is_draft(row)
    _by_a_second_person(row, actor)
    procedure = msgspec.convert(row.procedure, Procedure)
    found = procedure_checks.findings(procedure, row.provider, row.site, now)
    faults = [from_finding(finding) for finding in found if finding.refused]
    open_ = [f for f in found if not f.refused and f.code not in ticked]
    faults += [Fault("ticked", f.code, f.reason, f.clause, f.numbers) for f in open_]
    if row.ends_at is not None and row.ends_at <= now:
        faults.append(Fault("ends_at", "period_over", "ends before it is released", "S22.1"))
    if faults:
        raise Refused(faults)
    row.starts_at = max(row.starts_at or now, now)
    row.released_by, row.released_at = actor, now
    row.ticked = [*dict.fromkeys(f.code for f in found)]
    row.save()
    before = before_it(row, now)
    told = [str(one) for one in differences(before, procedure)] if before else []
    _tell("procedure.released", row, now, actor, row.reason, {"differences": told})
    return row


@transaction.atomic
def withdraw(row: ProcedureVersion, now: datetime, actor: str, reason: str) -> None:
    """It holds no more from now on; running incidents keep it."""
    row = _locked(row)
    if row.state != "released":
        raise Refused([Fault("", "not_released", f"is {row.state}; expected a released one")])
    if not reason.strip():
        raise Refused([Fault("reason", "missing", "a withdrawal has a reason", "M12.3")])
    row.withdrawn_at, row.withdrawn_by = now, actor
    row.save(update_fields=["withdrawn_at", "withdrawn_by"])
    _tell("procedure.withdrawn", row, now, actor, reason)


def before_it(row: ProcedureVersion, now: datetime) -> Procedure | None:
    """What holds without this version: the one it is compared with."""
    found = procedure_queries.released(row.provider_id, row.site_id)
    others = [version for version in found if version.id != row.pk]
    terms = overlay(load(row.provider.terms), others, now)
    types: list[str] = row.procedure.get("types") or []
    return terms.procedure(types[0]) if types else None


def _stored(procedure: Procedure, site: Site | None, number: int) -> dict[str, Any]:
    """As the column keeps it: whose version it is, telephone numbers in the one written form."""
    steps = tuple(
        msgspec.structs.replace(step, phone=_phone(step.phone)) for step in procedure.steps
    )
    kept = msgspec.structs.replace(
        procedure, steps=steps, scope="site" if site else "provider", version=number
    )
    stored: dict[str, Any] = msgspec.to_builtins(kept)
    return stored


def _phone(text: str) -> str:
    try:
        return normal(text)
    except ValueError:
        return text  # a draft may be wrong; the check names it


def _locked(row: ProcedureVersion) -> ProcedureVersion:
    rows = ProcedureVersion.objects.select_for_update(of=("self",))
    return rows.select_related("provider", "site__provider").get(pk=row.pk)


def _is_draft(row: ProcedureVersion) -> None:
    if row.state != "draft":
        reason = f"version {row.number} was released and is never changed; draft another"
        raise Refused([Fault("", "not_a_draft", reason, "S22.1", {"found": row.number})])


def _by_a_second_person(row: ProcedureVersion, actor: str) -> None:
    if actor in row.authors or actor == row.drafted_by:
        reason = "who wrote a procedure does not release it; expected a second person"
        raise Refused([Fault("", "second_person", reason, "M12.3")])


def _period(starts_at: datetime | None, ends_at: datetime | None) -> None:
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        raise Refused([Fault("ends_at", "period", "ends before it starts", "S22.1")])


def _tell(
    what: str,
    row: ProcedureVersion,
    now: datetime,
    actor: str,
    reason: str,
    more: dict[str, Any] | None = None,
) -> None:
    data = {
        "procedure": row.name, "version": row.number, "id": row.pk,
        "starts_at": row.starts_at and row.starts_at.isoformat(),
        "ends_at": row.ends_at and row.ends_at.isoformat(), **(more or {}),
    }  # fmt: skip
    journal.write(
        what, now, provider_id=row.provider_id, site_id=row.site_id, clause=CLAUSE,
        reason=reason.strip(), to=row.name, actor=actor, data=data,
    )  # fmt: skip
    journal.announce(f"site:{row.site_id}" if row.site_id else _SCREEN)
