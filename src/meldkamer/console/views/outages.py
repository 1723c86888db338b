"""The page of general outages; a supervisor may undo one, with a reason (S10.2)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from meldkamer.console.access import Desk, at_the_desk, supervisors_only
from meldkamer.console.screens import outages as screen
from meldkamer.console.screens import refusals
from meldkamer.console.screens.refusals import Refusal
from meldkamer.console.views.lists import NAMES
from meldkamer.console.views.rendering import middle, zone_of
from meldkamer.incidents import outage_queries
from meldkamer.incidents.deciding import outages
from meldkamer.incidents.faults import Refused
from meldkamer.incidents.models import AreaOutage


@require_GET
@never_cache
@at_the_desk
def listing(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The outages that run, and those of the last days."""
    return _show(request, desk)


@require_POST
@at_the_desk
@supervisors_only
def undo(request: HttpRequest, desk: Desk, outage_id: int) -> HttpResponse:
    """A supervisor says that it is none: each dark site is handled singly."""
    try:
        outages.undo(desk.staff, outage_id, request.POST.get("reason", ""), desk.now)
    except AreaOutage.DoesNotExist:
        raise Http404 from None
    except Refused as fault:
        return _show(request, desk, refusals.of_fault(fault, "", None, desk.now))
    return _show(request, desk)


def _show(request: HttpRequest, desk: Desk, refusal: Refusal | None = None) -> HttpResponse:
    found = outage_queries.outages(desk.provider_ids, desk.now)
    values = {
        "name": "outages",
        "title": NAMES["outages"],
        "names": list(NAMES.items()),
        "outages": screen.cards(found, desk.now, zone_of(desk)),
        "refusal": refusal,
    }
    return middle(request, desk, "console/outages.html", values)
