"""The patrol units: where they stand, and what they report by radio or telephone (S6.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from meldkamer.console import wording
from meldkamer.console.access import Desk, at_the_desk, supervisors_only
from meldkamer.console.screens import refusals
from meldkamer.console.screens.refusals import Refusal
from meldkamer.console.timing import clock_or_day
from meldkamer.console.views.lists import NAMES
from meldkamer.console.views.rendering import after_act, middle, zone_of
from meldkamer.incidents.faults import Refused
from meldkamer.incidents.models import Incident
from meldkamer.incidents.operating import dispatching, patrols
from meldkamer.journal import commands as journal
from meldkamer.notify.models import PatrolPhoto, PatrolUnit
from meldkamer.notify.patrol import photos


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as the list shows it; `reports`: (word, what the button says).

    of: its provider, "" for a person of one provider alone.
    """

    pk: int
    name: str
    of: str
    state: str
    since: str
    place: str
    place_since: str
    phone: str
    page: str
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


@require_POST
@at_the_desk
def withdraw(request: HttpRequest, desk: Desk, incident_id: int, unit_id: int) -> HttpResponse:
    """Call a unit off that was asked, is on its way or is on site."""
    refusal = None
    try:
        dispatching.withdraw(desk.staff, unit_id, request.POST.get("reason", "")[:200], desk.now)
    except PatrolUnit.DoesNotExist:
        raise Http404 from None
    except Refused as fault:
        refusal = refusals.of_fault(fault, "", None, desk.now)
    try:
        return after_act(request, desk, incident_id, refusal=refusal)
    except Incident.DoesNotExist:
        raise Http404 from None


@require_GET
@never_cache
@at_the_desk
def photo(request: HttpRequest, desk: Desk, photo_id: int) -> HttpResponse:
    """A photo as it is shown: without what the phone wrote beside the picture."""
    row = _photo(desk, photo_id)
    shown = photos.shown(bytes(row.content), row.content_type)
    return HttpResponse(shown, content_type=row.content_type)


@require_GET
@never_cache
@at_the_desk
@supervisors_only
def original(request: HttpRequest, desk: Desk, photo_id: int) -> HttpResponse:
    """The photo byte for byte, as evidence; who saved it is in the journal."""
    row = _photo(desk, photo_id)
    job = row.job
    journal.write(
        "patrol.photo_saved",
        desk.now,
        provider_id=job.provider_id,
        site_id=job.site_id,
        incident_id=job.incident_id,
        to=job.unit.name,
        clause="M12.3",
        actor=f"staff:{desk.staff.pk}",
        data={"unit": job.unit.name, "photo": row.pk, "sha256": row.sha256},
    )
    response = HttpResponse(bytes(row.content), content_type="application/octet-stream")
    name = f"patrol-{row.pk}.{photos.KINDS[row.content_type]}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _photo(desk: Desk, photo_id: int) -> PatrolPhoto:
    row = PatrolPhoto.objects.select_related("job__unit").filter(pk=photo_id).first()
    if row is None or row.job.provider_id not in desk.provider_ids:
        raise Http404
    return row


def _show(request: HttpRequest, desk: Desk, refusal: Refusal | None = None) -> HttpResponse:
    rows = PatrolUnit.objects.filter(provider_id__in=desk.provider_ids)
    return middle(
        request,
        desk,
        "console/patrols.html",
        {
            "name": "patrols",
            "names": list(NAMES.items()),
            "units": [_unit(row, desk) for row in rows.order_by("name", "provider_id")],
            "refusal": refusal,
        },
    )


def _unit(row: PatrolUnit, desk: Desk) -> Unit:
    names = {one.pk: one.name for one in desk.providers}
    known = row.latitude is not None and row.longitude is not None
    return Unit(
        pk=row.pk,
        name=row.name,
        of=names[row.provider_id] if len(names) > 1 else "",
        state=wording.word(wording.PATROL_STATES, row.state),
        since=clock_or_day(row.reported_at, desk.now, zone_of(desk)),
        place=f"{row.latitude:.4f}, {row.longitude:.4f}" if known else "",
        place_since=_when(row.positioned_at, desk, _("entered by the office")) if known else "",
        phone=row.phone,
        page=_when(row.seen_at, desk, _("not known")) if row.has_page else "",
        incident=row.incident_id,
        reports=tuple(
            (word, wording.word(wording.PATROL_REPORTS, word))
            for word in patrols.NEXT[PatrolUnit.State(row.state)]
        ),
    )


def _when(moment: datetime | None, desk: Desk, unless: str) -> str:
    return clock_or_day(moment, desk.now, zone_of(desk)) if moment else unless
