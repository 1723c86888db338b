"""The signals of a test, live: shown, not reacted to (S20.1)."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from meldkamer.console import wording
from meldkamer.console.access import Desk, at_the_desk
from meldkamer.console.screens import service
from meldkamer.console.timing import clock, clock_or_day
from meldkamer.console.views.rendering import middle
from meldkamer.contracts.models import TestMode
from meldkamer.incidents import queries


@dataclass(frozen=True, slots=True)
class Row:
    """One signal of the test."""

    when: str
    code: str
    what: str
    zone: str
    area: str


@require_GET
@never_cache
@at_the_desk
def test(request: HttpRequest, desk: Desk, test_id: int) -> HttpResponse:
    """What came in it so far, the newest first; drawn anew while it runs."""
    row = (
        TestMode.objects.filter(pk=test_id, site__provider_id__in=desk.provider_ids)
        .select_related("site")
        .first()
    )
    if row is None:
        raise Http404
    zone = ZoneInfo(row.site.timezone)
    return middle(
        request,
        desk,
        "console/test.html",
        {
            "test": row,
            "runs": row.ended_at is None,
            "until": clock_or_day(row.until, desk.now, zone),
            "scope": service.scope(row),
            "summary": service.summary(row),
            "reason": wording.reason(row.reason),
            "rows": _rows(row, zone),
        },
    )


test.__test__ = False  # type: ignore[attr-defined]  # pytest: this is no test


def _rows(test: TestMode, zone: ZoneInfo) -> list[Row]:
    names = dict(test.site.zones.values_list("number", "name"))
    rows = []
    for signal in queries.signals_of_test(test):
        kind = str(signal.detail.get("restores_type") or signal.type)
        what = wording.word(wording.TYPES, kind)
        if signal.role == "restore":
            what = f"{what}: {wording.word(wording.OUTCOMES, 'restored')}"
        number = signal.zone or ""
        rows.append(
            Row(
                clock(signal.received_at, zone),
                signal.code,
                what,
                f"{number} {names.get(number, '')}".strip(),
                signal.area or "",
            )
        )
    return rows
