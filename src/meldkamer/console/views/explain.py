"""Why: a clause alone, or within an incident for a line of its course or one of its steps."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from meldkamer.console.access import Desk, at_the_desk, whole_number
from meldkamer.console.screens import explain as screen
from meldkamer.console.screens import steps
from meldkamer.console.screens.incident import names_of
from meldkamer.console.views.rendering import gone, middle
from meldkamer.incidents import queries
from meldkamer.incidents.deciding.facts import incident_facts
from meldkamer.incidents.models import Incident
from meldkamer.journal.models import Entry


@require_GET
@at_the_desk
def clause(request: HttpRequest, desk: Desk, clause_id: str) -> HttpResponse:
    """The short reading of a rule, and where it stands."""
    return _shown(request, desk, screen.plain(clause_id))


@require_GET
@never_cache
@at_the_desk
def why(request: HttpRequest, desk: Desk, incident_id: int, clause_id: str) -> HttpResponse:
    """The same within an incident: `?entry=` a line of its course, `?step=` one of its steps."""
    try:
        incident = queries.incident_for(incident_id, desk.provider_ids)
    except Incident.DoesNotExist:
        raise Http404(gone()) from None
    facts = incident_facts(incident, desk.now)
    found = screen.explain(
        clause_id,
        facts,
        incident.terms,
        told=_told(request, desk, incident, clause_id, facts.site.timezone),
        step=next(
            (
                row
                for row in steps.rows(facts, desk.now)
                if row.step.id == request.GET.get("step") and row.step.clause == clause_id
            ),
            None,
        ),
    )
    return _shown(request, desk, found)


def _told(
    request: HttpRequest, desk: Desk, incident: Incident, clause_id: str, zone: ZoneInfo
) -> screen.Told | None:
    number = whole_number(request.GET.get("entry", ""))
    if number is None:
        return None
    entry = Entry.objects.filter(pk=number, incident_id=incident.pk, clause=clause_id).first()
    if entry is None:
        raise Http404(gone())
    actor = names_of([entry]).get(entry.actor, "")
    return screen.told(entry, zone, desk.now, actor)


def _shown(request: HttpRequest, desk: Desk, found: screen.Explained | None) -> HttpResponse:
    if found is None:
        raise Http404
    template = "console/explain.html"
    if not request.headers.get("HX-Request"):
        template = "console/explain_page.html"
    return middle(request, desk, template, {"why": found})
