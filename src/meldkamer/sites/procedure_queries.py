"""Reads of procedure versions: the released ones for the rules, all of them for screens.

Procedures are read from JSON once; a released version never changes, so its text is its key.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from django.db.models import Q

from meldkamer.rules import versions
from meldkamer.rules.versions import Version
from meldkamer.sites.procedure_models import ProcedureVersion
from meldkamer.terms.model import Procedure, Terms


@lru_cache(maxsize=1024)
def _procedure(text: str) -> Procedure:
    return msgspec.json.decode(text, type=Procedure)


def from_cells(cells: Sequence[Sequence[Any]]) -> tuple[Version, ...]:
    """Versions out of one row of JSON: id, of a site?, procedure as text, start, end, withdrawn.

    Which of them holds is a matter of the time alone.
    """
    return tuple(
        Version(
            id_,
            of_site,
            _procedure(text),
            datetime.fromisoformat(starts_at),
            _instant(ends_at),
            _instant(withdrawn_at),
        )
        for id_, of_site, text, starts_at, ends_at, withdrawn_at in cells
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def as_version(row: ProcedureVersion) -> Version:
    """A released row as the rules read it."""
    if row.starts_at is None:
        raise ValueError("a draft holds at no time")
    procedure = procedure_of(row)
    return Version(
        row.pk, row.site_id is not None, procedure, row.starts_at, row.ends_at, row.withdrawn_at
    )


def procedure_of(row: ProcedureVersion) -> Procedure:
    """The procedure of a row."""
    return msgspec.convert(row.procedure, Procedure)


def released(provider_id: int, site_id: int | None) -> list[Version]:
    """All that were ever released for a site, its provider's included; of the provider alone
    without a site."""
    whose = Q(site_id=None) if site_id is None else Q(site_id=None) | Q(site_id=site_id)
    rows = ProcedureVersion.objects.filter(
        whose, provider_id=provider_id, released_at__isnull=False
    )
    return [as_version(row) for row in rows.order_by("id")]


def terms_at(terms: Terms, provider_id: int, site_id: int | None, now: datetime) -> Terms:
    """The terms with the procedures that hold at a moment (S14.1)."""
    return versions.overlay(terms, released(provider_id, site_id), now)


def of_record(provider_id: int, site_id: int | None) -> list[ProcedureVersion]:
    """All versions of a provider, or of one of its sites, by name, the newest first."""
    rows = ProcedureVersion.objects.filter(provider_id=provider_id)
    rows = rows.filter(site=None) if site_id is None else rows.filter(site_id=site_id)
    return list(rows.order_by("name", "-number"))


def version_for(version_id: int, provider_ids: Collection[int]) -> ProcedureVersion | None:
    """A version of these providers; None otherwise."""
    return (
        ProcedureVersion.objects.select_related("provider", "site__provider")
        .filter(pk=version_id, provider_id__in=provider_ids)
        .first()
    )


def to_release(provider_ids: Collection[int]) -> list[ProcedureVersion]:
    """Drafts that wait for a second person, the oldest first."""
    rows = ProcedureVersion.objects.filter(provider_id__in=provider_ids, released_at__isnull=True)
    return list(rows.select_related("provider", "site").order_by("drafted_at"))
