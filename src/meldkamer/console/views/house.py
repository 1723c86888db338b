"""The supervisor's page of what the auditor found."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from meldkamer.console.access import Desk, at_the_desk, supervisors_only
from meldkamer.console.screens import house as screen
from meldkamer.console.views.rendering import middle, zone_of
from meldkamer.incidents import queries
from meldkamer.incidents.house_checks import House, house


@require_GET
@never_cache
@at_the_desk
@supervisors_only
def findings(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What does not hold, since when, what to do, and where to look."""
    found = house(desk.now)
    shown = screen.page(found, _names(found, desk), desk.now, zone_of(desk))
    return middle(request, desk, "console/findings.html", {"page": shown})


def _names(found: House, desk: Desk) -> dict[int, str]:
    """The names of the sites among the findings, of this person's providers alone."""
    sites = {int(one[2]) for row in found.broken for one in row.findings if one[2] is not None}
    return queries.site_names(sites, desk.provider_ids)
