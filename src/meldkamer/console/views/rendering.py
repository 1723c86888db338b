"""The parts of the desk as HTML: the page, and the fragments that an act or an event changes."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from meldkamer.console import wording
from meldkamer.console.access import Desk
from meldkamer.console.screens import calls as call_rows
from meldkamer.console.screens import house as house_screen
from meldkamer.console.screens import incident as incident_screen
from meldkamer.console.screens import queue as queue_screen
from meldkamer.console.screens import ways as ways_screen
from meldkamer.console.screens.refusals import Refusal
from meldkamer.incidents import house_checks, queries
from meldkamer.people.queries import on_duty
from meldkamer.terms.loader import load

Context = dict[str, Any]


def queue_context(desk: Desk, open_id: int | None) -> Context:
    """The left column and the top bar."""
    found = queries.open_queue(desk.shown_ids, desk.now)
    return {
        "desk": desk,
        "open_id": open_id,
        "queue": queue_screen.screen(
            found, desk.staff, desk.now, ways_screen.practising(desk.providers)
        ),
        "beside": queries.beside(desk.shown_ids, desk.now),
        "duty": on_duty(desk.provider_ids, desk.now),
        "overdue": queries.overdue(desk.now),
        "ways": ways_screen.ways(desk.providers, desk.now),
        "ringing_in": call_rows.rows(desk.staff, desk.providers, desk.now),
        "house": house_screen.banner(house_checks.house(desk.now), desk.now, zone_of(desk)),
    }


def zone_of(desk: Desk) -> ZoneInfo:
    """The time of this person's first provider, for what has no site."""
    return ZoneInfo(load(desk.providers[0].terms).timezone if desk.providers else "UTC")


def incident_context(
    desk: Desk,
    incident_id: int,
    *,
    wanted: str = "",
    ask: str = "",
    whole_course: bool = False,
    refusal: Refusal | None = None,
) -> Context:
    """The middle and the right; Incident.DoesNotExist when it is not his to see."""
    incident = queries.incident_for(incident_id, desk.provider_ids)
    shown = incident_screen.screen(
        incident, desk.staff, desk.now, wanted=wanted, whole_course=whole_course
    )
    return {
        "desk": desk,
        "exercise": incident.provider_id in ways_screen.practising(desk.providers),
        "shown": shown,
        "card": shown.card,
        "ask": ask,
        "wanted": wanted,
        "refusal": refusal,
        "outcomes": [(key, wording.OUTCOMES[key]) for key in wording.OPERATOR_OUTCOMES],
        "hold_reasons": [(k, v) for k, v in wording.HOLD_REASONS.items()],
        "open_id": incident_id,
    }


def after_act(
    request: HttpRequest,
    desk: Desk,
    incident_id: int | None,
    *,
    refusal: Refusal | None = None,
    wanted: str = "",
    ask: str = "",
) -> HttpResponse:
    """What an act changed: the middle, the right, the queue. Never older than the act."""
    context = queue_context(desk, incident_id) | {"refusal": refusal}
    if incident_id is not None:
        context |= incident_context(desk, incident_id, refusal=refusal, wanted=wanted, ask=ask)
    response = render(request, "console/after_act.html", context)
    response["HX-Push-Url"] = f"/incident/{incident_id}/" if incident_id else "/"
    return response


def middle(request: HttpRequest, desk: Desk, template: str, context: Context) -> HttpResponse:
    """Something else than an incident in the middle: a part for the desk, else the whole page."""
    if request.headers.get("HX-Request"):
        return render(request, template, context | {"desk": desk})
    whole = queue_context(desk, None) | context | {"middle": template}
    return render(request, "console/desk.html", whole)


def gone() -> str:
    """For a 404: does not exist, or is not his to see; the two are not told apart."""
    return _("No such incident, or not one of your providers.")
