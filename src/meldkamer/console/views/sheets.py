"""The call sheet of a service on paper: in the language of the service, and nothing around it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from meldkamer.console import wording
from meldkamer.console.access import Desk, at_the_desk
from meldkamer.console.screens.call_sheet import call_sheet
from meldkamer.console.timing import day_and_time
from meldkamer.console.views.rendering import gone
from meldkamer.incidents import queries
from meldkamer.incidents.deciding.facts import incident_facts
from meldkamer.incidents.models import Incident
from meldkamer.incidents.telephone.service_sheet import with_signals
from meldkamer.sites.service_numbers import SERVICES


@require_GET
@never_cache
@at_the_desk
def printed(request: HttpRequest, desk: Desk, incident_id: int, service: str) -> HttpResponse:
    """One sheet, as it stands now."""
    if service not in SERVICES:
        raise Http404
    try:
        incident = queries.incident_for(incident_id, desk.provider_ids)
    except Incident.DoesNotExist:
        raise Http404(gone()) from None
    facts = with_signals(incident_facts(incident, desk.now), incident)
    sheet = call_sheet(incident, facts, service, desk.staff, desk.now)
    with override(sheet.language):
        values = {
            "sheet": sheet,
            "incident": incident,
            "desk": desk,
            "title": wording.word(wording.SERVICES, service),
            "at": day_and_time(desk.now, facts.site.timezone),
        }
        return render(request, "console/sheet.html", values)
