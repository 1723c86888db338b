"""Looking: the page, its fragments, sites; choosing what to look at and how."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from meldkamer.console.access import PROVIDER_COOKIE, Desk, at_the_desk, whole_number
from meldkamer.console.screens import site as site_screen
from meldkamer.console.templatetags.house import THEME_COOKIE, THEMES
from meldkamer.console.views.rendering import gone, incident_context, queue_context
from meldkamer.incidents import commands, queries
from meldkamer.incidents.faults import Refused
from meldkamer.incidents.models import Incident
from meldkamer.people import commands as people
from meldkamer.sites.models import Site

YEAR_S = 365 * 86_400


@require_GET
@never_cache
@ensure_csrf_cookie
@at_the_desk
def home(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The desk; what the operator had in hand is opened again."""
    mine = (
        Incident.objects.filter(holder=desk.staff, state=Incident.State.TAKEN)
        .order_by("-taken_at")
        .values_list("pk", flat=True)
        .first()
    )
    if mine is not None and not request.headers.get("HX-Request"):
        return redirect("console:incident", mine)
    people.sign_of_life(desk.staff, desk.now)
    template = "console/vacant.html" if request.headers.get("HX-Request") else "console/desk.html"
    return render(request, template, queue_context(desk, None))


@require_GET
@never_cache
@at_the_desk
def queue(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The left column alone, with the counts of the top bar."""
    return render(request, "console/queue_only.html", queue_context(desk, _number(request, "open")))


@require_GET
@never_cache
@ensure_csrf_cookie
@at_the_desk
def incident(request: HttpRequest, desk: Desk, incident_id: int) -> HttpResponse:
    """One incident: the whole page, or its two columns for a fragment."""
    try:
        context = incident_context(
            desk,
            incident_id,
            wanted=request.GET.get("work", ""),
            ask=request.GET.get("ask", ""),
            whole_course="course" in request.GET,
        )
    except Incident.DoesNotExist:
        raise Http404(gone()) from None
    if request.headers.get("HX-Request"):
        return render(request, "console/incident_only.html", context)
    return render(request, "console/desk.html", queue_context(desk, incident_id) | context)


@require_GET
@never_cache
@at_the_desk
def site(request: HttpRequest, desk: Desk, site_id: int) -> HttpResponse:
    """A site card in the right column, from the search."""
    try:
        found = queries.site_for(site_id, desk.provider_ids)
    except Site.DoesNotExist:
        raise Http404(gone()) from None
    if not request.headers.get("HX-Request"):
        return redirect("console:home")
    card = site_screen.screen(found, desk.now)
    return render(request, "console/site.html", {"card": card, "desk": desk})


@require_GET
@never_cache
@at_the_desk
def find(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Sites by name, address, account or number; when there is none, what is like it."""
    words = request.GET.get("words", "").strip()
    found = queries.find_sites(words, desk.provider_ids) if words else []
    like = queries.like_sites(words, desk.provider_ids) if words and not found else []
    return render(
        request,
        "console/found.html",
        {
            "words": words,
            "found": found,
            "like": like,
            "caller": "caller" in request.GET,
            "hand": "hand" in request.GET,
        },
    )


@require_POST
@at_the_desk
def choose(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Theme, language, telephones, or the provider that the queue shows."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}):
        target = "/"
    response = HttpResponseRedirect(target)  # an address, never the name of a view
    theme, language = request.POST.get("theme"), request.POST.get("language")
    if theme is not None:
        if theme not in (*THEMES, ""):
            return HttpResponseBadRequest("theme: dark, light or empty")
        response.set_cookie(THEME_COOKIE, theme, YEAR_S, httponly=True, samesite="Lax")
    if language is not None:
        if language not in dict(settings.LANGUAGES):
            return HttpResponseBadRequest(f"language: {', '.join(dict(settings.LANGUAGES))}")
        people.choose_language(desk.staff, language)
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, YEAR_S, samesite="Lax")
    try:
        _choose_telephones(request, desk)
    except ValidationError as fault:
        words = [f"{k}: {v}" for k, found in fault.message_dict.items() for v in found]
        return HttpResponseBadRequest("; ".join(words))
    provider = request.POST.get("provider")
    if provider is not None:
        slugs = [one.slug for one in desk.providers]
        if provider not in ("", *slugs):
            return HttpResponseBadRequest(f"provider: {', '.join(slugs)} or empty")
        response.set_cookie(PROVIDER_COOKIE, provider, YEAR_S, httponly=True, samesite="Lax")
    return response


def _choose_telephones(request: HttpRequest, desk: Desk) -> None:
    """How he dials; of a supervisor also where he is called (M12.2). ValidationError says why."""
    dials, phone = request.POST.get("dials"), request.POST.get("phone")
    if dials is not None:
        people.choose_dialling(desk.staff, dials, request.POST.get("extension", ""))
    if phone is not None:
        if not desk.staff.is_supervisor:
            raise PermissionDenied(_("This is for supervisors."))
        people.choose_phone(desk.staff, phone, desk.now, desk.staff.get_username())


@require_POST
@at_the_desk
def alive(request: HttpRequest, desk: Desk) -> HttpResponse:
    """A console lives; when the operator works, his incident stays with him."""
    people.sign_of_life(desk.staff, desk.now)
    held = _number(request, "incident")
    if held is not None and request.POST.get("active") == "1":
        try:
            commands.stay(desk.staff, held, desk.now)
        except (Refused, Incident.DoesNotExist):
            return JsonResponse({"mine": False})
    return JsonResponse({"mine": True})


def _number(request: HttpRequest, name: str) -> int | None:
    return whole_number(request.POST.get(name) or request.GET.get(name) or "")
