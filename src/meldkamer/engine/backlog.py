"""Which due rows must wait because something that came before them is not judged yet.

Why: a restore that came in time is in time, however late we are (R1), so what is due at a site
after a signal of that site came waits for its verdict. Only that site's: a hundred thousand power
failures that wait to be judged hold back nothing of a burglary elsewhere. What is about many sites
(an outage) waits for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from meldkamer.agenda.models import AgendaRow
from meldkamer.contracts.models import TestMode
from meldkamer.incidents.deciding import pending
from meldkamer.incidents.models import Incident
from meldkamer.sites.models import SheetChange

#: what a row is about when its payload does not name its site: the key, and where the site stands
_NAMED: tuple[tuple[str, Any], ...] = (
    ("incident", Incident),
    ("test", TestMode),
    ("change", SheetChange),
)
_OF_MANY = "outage"


def free(rows: Sequence[AgendaRow]) -> list[AgendaRow]:
    """Those of these rows that nothing unjudged stands before, in their order."""
    oldest = pending.oldest() if rows else None
    if oldest is None:
        return list(rows)
    sites = _sites(row for row in rows if row.due >= oldest)
    came = pending.oldest_of(set(sites.values()), oldest)
    return [row for row in rows if not _waits(row, came.get(sites.get(row.pk, 0)), oldest)]


def _waits(row: AgendaRow, came: datetime | None, oldest: datetime) -> bool:
    if came is None and _OF_MANY in row.payload and "site" not in row.payload:
        came = oldest
    # a state that ends in the very instant of a signal ends before it (R1a)
    return came is not None and (row.due > came if row.rank == 0 else row.due >= came)


def _sites(rows: Iterable[AgendaRow]) -> dict[int, int]:
    """The site that a row is about, by the row's number; without those that are about none."""
    found: dict[int, int] = {}
    named: dict[str, dict[int, int]] = {}
    for row in rows:
        if "site" in row.payload:
            found[row.pk] = row.payload["site"]
            continue
        for key, _ in _NAMED:
            if key in row.payload:
                named.setdefault(key, {})[row.pk] = row.payload[key]
    for key, model in _NAMED:
        if key in named:
            wanted = named[key]
            known = dict(
                model.objects.filter(pk__in=set(wanted.values())).values_list("pk", "site_id")
            )
            found |= {row: known[number] for row, number in wanted.items() if number in known}
    return found
