"""The patrol units: where they stand, and what they report by radio or telephone (S6.1)."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from meldkamer.console import wording
from meldkamer.console.access import Desk, at_the_desk
from meldkamer.console.screens import refusals
from meldkamer.console.screens.refusals import Refusal
from meldkamer.console.timing import clock_or_day
from meldkamer.console.views.lists import NAMES
from meldkamer.console.views.rendering import middle, zone_of
from meldkamer.incidents import patrols
from meldkamer.incidents.faults import Refused
from meldkamer.notify.models import PatrolUnit


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as the list shows it; `reports`: (word, what the button says)."""

    pk: int
    name: str
    state: str
    since: str
    place: str
    incident: int | None
    reports: tuple[tuple[str, str], ...]


@require_GET
@never_cache
@at_the_desk
def listing(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The units of this person's providers."""
    return _show(request, desk)


@require_POST
@at_the_desk
def report(request: HttpRequest, desk: Desk, unit_id: int, word: str) -> HttpResponse:
    """What a unit says, passed on by the operator."""
    try:
        patrols.pass_on(desk.staff, unit_id, word, desk.now)
    except PatrolUnit.DoesNotExist:
        raise Http404 from None
    except Refused as fault:
        return _show(request, desk, refusals.of_fault(fault, "", None, desk.now))
    return _show(request, desk)


def _show(request: HttpRequest, desk: Desk, refusal: Refusal | None = None) -> HttpResponse:
    rows = PatrolUnit.objects.filter(provider_id__in=desk.provider_ids).order_by("name")
    return middle(
        request,
        desk,
        "console/patrols.html",
        {
            "name": "patrols",
            "names": list(NAMES.items()),
            "units": [_unit(row, desk) for row in rows],
            "refusal": refusal,
        },
    )


def _unit(row: PatrolUnit, desk: Desk) -> Unit:
    known = row.latitude is not None and row.longitude is not None
    return Unit(
        pk=row.pk,
        name=row.name,
        state=wording.word(wording.PATROL_STATES, row.state),
        since=clock_or_day(row.reported_at, desk.now, zone_of(desk)),
        place=f"{row.latitude:.4f}, {row.longitude:.4f}" if known else "",
        incident=row.incident_id,
        reports=tuple(
            (word, wording.word(wording.PATROL_REPORTS, word))
            for word in patrols.NEXT[PatrolUnit.State(row.state)]
        ),
    )
