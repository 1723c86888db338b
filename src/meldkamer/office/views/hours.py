"""Opening hours in the office: the week of the site or an area, and single dates (S11.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from meldkamer.incidents.deciding.facts import terms_of
from meldkamer.office.access import Office, in_the_office
from meldkamer.office.activation import keep_watching
from meldkamer.office.hour_forms import AreaForm, DateForm, DayForm
from meldkamer.office.views.rendering import page
from meldkamer.office.wording import DAYS, fault_text
from meldkamer.sites import commands
from meldkamer.sites.drafts import HoursDraft
from meldkamer.sites.faults import Refused
from meldkamer.sites.models import OpeningHours, Site

get_or_post = require_http_methods(["GET", "POST"])
_AREA_MOST = 8


@require_GET
@in_the_office
def hours(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """The agreed hours: by weekday, by date."""
    return _show(request, office, office.site(site_id), DateForm())


def _show(
    request: HttpRequest, office: Office, site: Site, form: DateForm, status: int = 200
) -> HttpResponse:
    plan = terms_of(site).plans.get(site.plan)
    rows = OpeningHours.objects.filter(site=site).order_by("area", "weekday", "on_date", "opens")
    week = [row for row in rows if row.weekday is not None]
    values = {
        "tab": "hours",
        "hours": [(DAYS[str(row.weekday)], row) for row in week],
        "dates": [row for row in rows if row.on_date is not None],
        "areas": sorted({row.area for row in rows} | {""}),
        "allowed": bool(plan and plan.open_close),
        "plan": plan,
        "form": form,
        "forms": (form,),
    }
    return page(request, office, "office/hours.html", values, site=site, status=status)


@get_or_post
@in_the_office
def change(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """The week of the site, or of the area that is asked for; the others stay as they are."""
    site = office.site(site_id)
    area = request.GET.get("area", "").strip()
    if len(area) > _AREA_MOST:
        raise Http404
    sent = request.POST if request.method == "POST" else None
    rows = list(
        OpeningHours.objects.filter(site=site, weekday__isnull=False, area=area).order_by("opens")
    )
    whole = AreaForm(sent, prefix="area", initial=AreaForm.initial_of(rows))
    days = [
        DayForm(sent, prefix=f"day{day}",
                initial=DayForm.initial_of([row for row in rows if row.weekday == day]))
        for day in range(8)
    ]  # fmt: skip
    faults: list[str] = []
    valid = [form.is_valid() for form in (whole, *days)]
    if all(valid):
        faults = _store(site, whole.drafts(days, area), _others(site, rows), office)
        if not faults:
            messages.success(request, _("Saved. The old values stay in the course."))
            return redirect("office:hours", site_id=site.pk)
    values = {
        "tab": "hours",
        "area": area,
        "whole": whole,
        "days": [(DAYS[str(day)], form) for day, form in enumerate(days)],
        "faults": faults,
    }
    status = 422 if sent is not None else 200
    return page(request, office, "office/hours_form.html", values, site=site, status=status)


@require_POST
@in_the_office
def add_date(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """One day that is different; a second entry for the day and area replaces the first."""
    site = office.site(site_id)
    form = DateForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        model = OpeningHours.objects.filter(site=site, area=given["area"]).first()
        draft = form.draft(model.margin_s if model else 900, model.repeat_s if model else None)
        before = list(
            OpeningHours.objects.filter(site=site, area=given["area"], on_date=given["on_date"])
        )
        faults = _store(site, [draft], _others(site, before), office)
        if not faults:
            messages.success(request, _("Saved. The old values stay in the course."))
            return redirect("office:hours", site_id=site.pk)
        for fault in faults:
            form.add_error(None, fault)
    return _show(request, office, site, form, 422)


@require_POST
@in_the_office
def remove_date(request: HttpRequest, office: Office, site_id: int, hours_id: int) -> HttpResponse:
    """That day is a day like others again."""
    site = office.site(site_id)
    row = OpeningHours.objects.filter(site=site, pk=hours_id, on_date__isnull=False).first()
    if row is None:
        raise Http404
    _store(site, [], _others(site, [row]), office)
    messages.success(request, _("Saved. The old values stay in the course."))
    return redirect("office:hours", site_id=site.pk)


def _others(site: Site, rows: Sequence[OpeningHours]) -> list[HoursDraft]:
    """All hours of a site but these, as they are."""
    kept = OpeningHours.objects.filter(site=site).exclude(pk__in=[row.pk for row in rows])
    names = ("opens", "closes", "weekday", "on_date", "area", "margin_s", "repeat_s")
    return [HoursDraft(*(getattr(row, name) for name in names)) for row in kept.order_by("pk")]


def _store(
    site: Site, drafts: Sequence[HoursDraft], kept: Sequence[HoursDraft], office: Office
) -> list[str]:
    try:
        with transaction.atomic():
            commands.set_hours(site, [*drafts, *kept], office.now, office.actor)
            keep_watching(site, office.now)
    except Refused as refused:
        return [_words(drafts, fault) for fault in refused.faults]
    return []


def _words(drafts: Sequence[HoursDraft], fault: Any) -> str:
    """A fault of "open_close.3.opens" with the day that it is about."""
    if not fault.field.startswith("open_close."):
        return fault_text(fault)
    place = int(fault.field.split(".")[1]) - 1
    weekday = drafts[place].weekday if place < len(drafts) else None
    text = fault_text(fault)
    return text if weekday is None else f"{DAYS[str(weekday)]}: {text}"
