"""The patrol's page: its one job, what it tells of it, and the codes it needs on site (S6.1).

Thin: a request becomes a command and its answer. What a phone sends is answered only after COMMIT,
so that the phone may forget it then and not before.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from meldkamer.incidents.faults import Refused
from meldkamer.incidents.messages import patrol_replies
from meldkamer.incidents.messages.patrol_replies import Said
from meldkamer.notify.models import PatrolPhoto
from meldkamer.notify.patrol import commands, photos
from meldkamer.notify.patrol.jobs import standing_of
from meldkamer.people.browsers import has_nul
from meldkamer.portal import patrol_words
from meldkamer.portal.patrol_access import SESSION, Patrol, let_in, may_try, on_patrol
from meldkamer.portal.patrol_job import job_of
from meldkamer.sites.models import SiteCode

#: a phone's clock that is further off than this says nothing
_CLOCK_OFF = timedelta(days=30)
_NUMBER_MOST = 19


@sensitive_post_parameters("token", "pin")
@require_http_methods(["GET", "POST"])
@never_cache
def enter(request: HttpRequest) -> HttpResponse:
    """The door: the link was followed, the PIN is asked. The link's token is behind its `#`."""
    if request.method == "GET":
        return render(request, "portal/patrol_enter.html", {"fault": ""})
    if has_nul(request) or not may_try(request):
        fault = _("Too many tries from here. Wait a quarter of an hour.")
        return render(request, "portal/patrol_enter.html", {"fault": fault}, status=429)
    token = request.POST.get("token", "")[:80]
    # the office shows it in two groups
    pin = "".join(request.POST.get("pin", "").split())[:12]
    try:
        let_in(request, token, pin, datetime.now(UTC))
    except commands.NoEntry as refused:
        fault = _("Link or PIN do not fit. Open the link that the office sent, then type the PIN.")
        if refused.voided:
            fault = _("Too many wrong PINs: this link opens nothing any more. Ask for a new one.")
        return render(request, "portal/patrol_enter.html", {"fault": fault}, status=403)
    return redirect("patrol:page")


@require_POST
@on_patrol
def leave(request: HttpRequest, patrol: Patrol) -> HttpResponse:
    """The end of a shift on this phone: the unit is not asked until it begins again."""
    commands.leave(patrol.unit, patrol.now)
    request.session.pop(SESSION, None)
    return redirect("patrol:enter")


@require_GET
@never_cache
@on_patrol
def page(request: HttpRequest, patrol: Patrol) -> HttpResponse:
    """The whole page; the phone keeps it for when there is no network."""
    part, version = _part(request, patrol)
    values = {"patrol": patrol, "part": part, "version": version}
    return render(request, "portal/patrol.html", values)


@require_GET
@never_cache
@on_patrol
def news(request: HttpRequest, patrol: Patrol) -> HttpResponse:
    """The job anew when it changed since `version`, else nothing (204). Asked every few seconds."""
    commands.sign_of_life(patrol.unit, patrol.now)
    part, version = _part(request, patrol)
    if request.GET.get("version") == version:
        return HttpResponse(status=204)
    at_ms = int(patrol.now.timestamp() * 1000)
    return HttpResponse(part, headers={"X-Version": version, "X-At": str(at_ms)})


def _part(request: HttpRequest, patrol: Patrol) -> tuple[str, str]:
    values = {"patrol": patrol, "shown": job_of(patrol)}
    part = render_to_string("portal/patrol_job.html", values, request)
    return part, sha256(part.encode()).hexdigest()[:16]


@require_POST
@on_patrol
def say(request: HttpRequest, patrol: Patrol) -> JsonResponse:
    """One entry of the phone. 200: stored, the phone forgets it. 400: can never be stored."""
    try:
        said = _said(request, patrol.now)
        answer = patrol_replies.take(patrol.unit.pk, said, patrol.now)
    except (Refused, ValueError) as fault:
        reason = fault.reason if isinstance(fault, Refused) else str(fault)
        return JsonResponse({"words": patrol_words.reason(reason)}, status=400)
    words = patrol_words.reason(answer.refused, answer.unit) if answer.refused else ""
    return JsonResponse({"stored": str(said.client_id), "refused": words})


def _said(request: HttpRequest, now: datetime) -> Said:
    """The entry as typed; ValueError naming what is no such thing."""
    sent = request.POST
    try:
        client_id = UUID(sent.get("id", ""))
    except ValueError:
        raise ValueError("no number of its own") from None
    job = sent.get("job", "")
    if not (job.isascii() and job.isdigit() and len(job) < _NUMBER_MOST):
        raise ValueError("no job of this unit")
    photo = request.FILES.get("photo")
    if photo is not None and (photo.size or 0) > photos.MOST_BYTES:
        raise ValueError("photo too large")
    return Said(
        client_id=client_id,
        job_id=int(job),
        kind=sent.get("kind", ""),
        said_at=_phone_clock(sent.get("said_at", ""), now),
        reason=sent.get("reason", ""),
        finding=sent.get("finding", ""),
        note=sent.get("note", "").strip(),
        photo=photo.read() if photo is not None else b"",
    )


def _phone_clock(text: str, now: datetime) -> datetime | None:
    """What the phone calls now; nothing when it is no time or from another month."""
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return None
    if told.tzinfo is None or abs(told - now) > _CLOCK_OFF:
        return None
    return told


@require_POST
@never_cache
@on_patrol
def codes(request: HttpRequest, patrol: Patrol) -> JsonResponse:
    """The codes of the site, on site alone; the phone shows them and stores them nowhere."""
    job = standing_of(patrol.unit.pk)
    if job is None:
        return JsonResponse({"words": patrol_words.reason("no job of this unit")}, status=409)
    try:
        found = patrol_replies.show_codes(patrol.unit.pk, job.pk, patrol.now)
    except Refused as fault:
        return JsonResponse({"words": patrol_words.reason(fault.reason)}, status=409)
    rows = [{"kind": str(SiteCode.Kind(kind).label), "code": code} for kind, code in found.items()]
    return JsonResponse({"job": job.pk, "codes": rows})


@require_POST
@on_patrol
def here(request: HttpRequest, patrol: Patrol) -> JsonResponse:
    """Where the phone is: with consent, on shift or on a job; the latest alone is kept."""
    if not patrol.on_shift and standing_of(patrol.unit.pk) is None:
        return JsonResponse({"words": _("Off shift: your place is not kept.")}, status=409)
    try:
        latitude = float(request.POST.get("lat", ""))
        longitude = float(request.POST.get("lon", ""))
    except ValueError:
        return JsonResponse({"words": _("No place.")}, status=400)
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return JsonResponse({"words": _("No place.")}, status=400)
    commands.stands_at(patrol.unit, latitude, longitude, patrol.now)
    return JsonResponse({"kept": True})


@require_GET
@on_patrol
def photo(request: HttpRequest, patrol: Patrol, photo_id: int) -> HttpResponse:
    """A photo that this unit sent for the job it has now."""
    row = PatrolPhoto.objects.filter(pk=photo_id, job__unit=patrol.unit).first()
    job = standing_of(patrol.unit.pk)
    if row is None or job is None or row.job_id != job.pk:
        raise Http404
    shown = photos.shown(bytes(row.content), row.content_type)
    response = HttpResponse(shown, content_type=row.content_type)
    response["Cache-Control"] = "private, no-store"
    return response
