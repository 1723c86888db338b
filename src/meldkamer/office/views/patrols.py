"""The patrol units in the office: who there is, when they are asked, who opens their page (S6.1).

A link and a PIN are shown on the very answer that made them and never again. The codes of a site
are entered here and never shown here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from meldkamer.notify.models import PatrolAccess, PatrolUnit
from meldkamer.notify.patrol import commands
from meldkamer.office.access import Office, in_the_office
from meldkamer.office.patrol_forms import PlannedShiftForm, ShiftForm, SiteCodeForm, UnitForm
from meldkamer.office.views.changes import get_or_post
from meldkamer.office.views.rendering import page
from meldkamer.office.wording import DAYS, fault_text
from meldkamer.rules.shifts import ShiftFault, ended, on_shift
from meldkamer.sites import site_codes
from meldkamer.sites.faults import Refused
from meldkamer.sites.models import Provider, SiteCode
from meldkamer.terms.loader import load


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit in the list."""

    row: PatrolUnit
    provider: str
    on_shift: bool
    access: PatrolAccess | None


@dataclass(frozen=True, slots=True)
class ShiftRow:
    """A shift in words; `number` is its place in the unit's list."""

    number: int
    words: str
    over: bool


@require_GET
@never_cache
@in_the_office
def listing(request: HttpRequest, office: Office) -> HttpResponse:
    """The units of this person's providers."""
    names = {provider.pk: provider.name for provider in office.providers}
    live = {
        access.unit_id: access
        for access in PatrolAccess.objects.filter(
            unit__provider_id__in=office.provider_ids, voided_at=None
        )
    }
    rows = [
        UnitRow(
            unit, names[unit.provider_id],
            on_shift(unit.shifts, ZoneInfo(unit.timezone), office.now), live.get(unit.pk),
        )
        for unit in PatrolUnit.objects.filter(provider_id__in=office.provider_ids).order_by(
            "provider_id", "name"
        )
    ]  # fmt: skip
    return page(request, office, "office/patrols.html", {"units": rows, "area": "patrols"})


@get_or_post
@in_the_office
def new(request: HttpRequest, office: Office) -> HttpResponse:
    """A new unit of a provider."""
    provider = office.provider(request.POST.get("provider") or request.GET.get("provider", ""))
    form = UnitForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            unit = commands.enter_unit(
                provider.pk, now=office.now, actor=office.actor,
                timezone=load(provider.terms).timezone, **form.fields_of(),
            )  # fmt: skip
        except ValidationError as fault:
            _put(form, fault)
        else:
            messages.success(request, _("%(unit)s entered.") % {"unit": unit.name})
            return redirect("office:patrol", unit_id=unit.pk)
    return _show(request, office, None, form, provider=provider)


@get_or_post
@in_the_office
def unit(request: HttpRequest, office: Office, unit_id: int) -> HttpResponse:
    """A unit with its shifts and its access; POST changes its own fields."""
    row = _unit(office, unit_id)
    form = UnitForm(
        request.POST if request.method == "POST" else None, initial=UnitForm.initial_of(row)
    )
    if form.is_bound and form.is_valid():
        try:
            commands.change_unit(row.pk, form.fields_of(), office.now, office.actor)
        except ValidationError as fault:
            _put(form, fault)
        else:
            messages.success(request, _("Saved."))
            return redirect("office:patrol", unit_id=row.pk)
    return _show(request, office, row, form)


@require_POST
@in_the_office
def add_shift(request: HttpRequest, office: Office, unit_id: int, kind: str) -> HttpResponse:
    """One more shift: of every week, or of one date."""
    row = _unit(office, unit_id)
    weekly, planned = ShiftForm(), PlannedShiftForm()
    made = None
    if kind == "weekly":
        weekly = ShiftForm(request.POST)
        made = weekly.shift() if weekly.is_valid() else None
    elif kind == "planned":
        planned = PlannedShiftForm(request.POST)
        made = planned.shift(ZoneInfo(row.timezone)) if planned.is_valid() else None
    else:
        raise Http404
    if made is not None:
        kept = [shift for shift in row.shifts if not ended(shift, office.now)]
        try:
            commands.set_shifts(row.pk, [*kept, made], office.now, office.actor)
        except ShiftFault:
            messages.error(request, _("There are 20 shifts already: take one out first."))
        return redirect("office:patrol", unit_id=row.pk)
    form = UnitForm(initial=UnitForm.initial_of(row))
    return _show(request, office, row, form, weekly=weekly, planned=planned)


@require_POST
@in_the_office
def remove_shift(request: HttpRequest, office: Office, unit_id: int, number: int) -> HttpResponse:
    """A shift is no more."""
    row = _unit(office, unit_id)
    if number >= len(row.shifts):
        raise Http404
    left = [shift for place, shift in enumerate(row.shifts) if place != number]
    commands.set_shifts(row.pk, left, office.now, office.actor)
    return redirect("office:patrol", unit_id=row.pk)


@require_POST
@never_cache
@in_the_office
def issue(request: HttpRequest, office: Office, unit_id: int) -> HttpResponse:
    """A link and a PIN for the unit's phone: shown here, now, and never again."""
    row = _unit(office, unit_id)
    made = commands.issue(row.pk, office.now, office.actor)
    row.refresh_from_db()
    # behind the "#": no server and no proxy writes it down
    link = f"{request.build_absolute_uri(reverse('patrol:enter'))}#{made.token}"
    form = UnitForm(initial=UnitForm.initial_of(row))
    return _show(request, office, row, form, link=link, pin=f"{made.pin[:3]} {made.pin[3:]}")


@require_POST
@in_the_office
def void(request: HttpRequest, office: Office, unit_id: int) -> HttpResponse:
    """The unit's page opens for nobody any more."""
    row = _unit(office, unit_id)
    if commands.void(row.pk, office.now, office.actor):
        messages.success(request, _("The link is void. Open pages ask for a new one."))
    return redirect("office:patrol", unit_id=row.pk)


@sensitive_post_parameters("code")
@get_or_post
@never_cache
@in_the_office
def codes(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """The codes of a site for the patrol: which there are, and entering one."""
    site = office.site(site_id)
    form = SiteCodeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        kind, code = form.text("kind"), form.text("code")
        sealing_key = settings.MELDKAMER_SEALING_KEY
        try:
            site_codes.put(site, kind, code, sealing_key, office.now, office.actor)
        except Refused as refused:
            form.add_error("code", fault_text(refused.faults[0]))
        else:
            messages.success(request, _("Kept, sealed. It is shown to a patrol on site alone."))
            return redirect("office:patrol_codes", site_id=site.pk)
    status = 422 if form.errors else 200
    rows = SiteCode.objects.filter(site=site).order_by("kind")
    shown = {"form": form, "forms": (form,), "codes": rows, "tab": "site"}
    return page(request, office, "office/patrol_codes.html", shown, site=site, status=status)


@require_POST
@in_the_office
def remove_code(request: HttpRequest, office: Office, site_id: int, kind: str) -> HttpResponse:
    """The site has no such code any more."""
    site = office.site(site_id)
    if site_codes.remove(site, kind, office.now, office.actor):
        messages.success(request, _("Removed."))
    return redirect("office:patrol_codes", site_id=site.pk)


def _unit(office: Office, unit_id: int) -> PatrolUnit:
    row = PatrolUnit.objects.filter(pk=unit_id, provider_id__in=office.provider_ids).first()
    if row is None:
        raise Http404(_("There is no such unit with your providers."))
    return row


def _put(form: UnitForm, fault: ValidationError) -> None:
    """What the table found on the field that it is about; of two columns, on the whole form."""
    for field, words in fault.message_dict.items():
        if field in form.fields:
            form.add_error(field, words)
        elif field == "__all__":
            form.add_error("name", _("There is a unit of this name already."))
        else:
            form.add_error(None, words)


def _show(
    request: HttpRequest,
    office: Office,
    row: PatrolUnit | None,
    form: UnitForm,
    *,
    provider: Provider | None = None,
    weekly: ShiftForm | None = None,
    planned: PlannedShiftForm | None = None,
    **more: Any,
) -> HttpResponse:
    weekly, planned = weekly or ShiftForm(), planned or PlannedShiftForm()
    forms = (form, weekly, planned)
    shown = {
        "unit": row, "form": form, "weekly": weekly, "planned": planned, "forms": forms,
        "provider": provider, "area": "patrols", "shifts": _shifts(row, office.now),
        "access": row and row.accesses.filter(voided_at=None).first(), **more,
    }  # fmt: skip
    status = 422 if any(one.is_bound and one.errors for one in forms) else 200
    return page(request, office, "office/patrol.html", shown, status=status)


def _shifts(row: PatrolUnit | None, now: datetime) -> list[ShiftRow]:
    if row is None:
        return []
    zone = ZoneInfo(row.timezone)
    return [
        ShiftRow(number, _words(shift, zone), ended(shift, now))
        for number, shift in enumerate(row.shifts)
    ]


def _words(shift: dict[str, Any], zone: ZoneInfo) -> str:
    if "days" in shift:
        days = ", ".join(str(DAYS[str(day)]) for day in shift["days"])
        return f"{days} {shift['from']}–{shift['until']}"
    begins, ends = (
        datetime.fromisoformat(shift[name]).astimezone(zone) for name in ("from", "until")
    )
    return f"{begins:%d/%m/%Y %H:%M} – {ends:%d/%m/%Y %H:%M}"
