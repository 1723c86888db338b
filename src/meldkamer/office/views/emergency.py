"""The numbers of the services by zone, and what they ask of a site (B1)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from meldkamer.office.access import Office, in_the_office
from meldkamer.office.emergency_forms import EmergencyForm, ServiceNumberForm
from meldkamer.office.views.changes import form_page, get_or_post, say_saved
from meldkamer.office.views.rendering import page
from meldkamer.sites import service_numbers
from meldkamer.sites.commands import terms_of
from meldkamer.sites.models import ServiceNumber


@require_http_methods(["GET", "POST"])
@in_the_office
def numbers(request: HttpRequest, office: Office) -> HttpResponse:
    """The list of a provider, and the form for one more."""
    provider = office.provider(request.GET.get("provider", ""))
    sent = request.POST if request.method == "POST" else None
    form = ServiceNumberForm(sent, initial={"language": "nl"})
    if sent is not None and form.is_valid():
        row = form.take(
            lambda: service_numbers.enter(provider, form.draft(), office.now, office.actor)
        )
        if row is not None:
            messages.success(request, _("%(zone)s saved.") % {"zone": row.zone})
            return redirect(f"{reverse('office:service_numbers')}?provider={provider.slug}")
    values = {
        "provider": provider,
        "rows": service_numbers.listed([provider.pk]),
        "national": terms_of(provider).services,
        "form": form,
        "forms": (form,),
        "today": office.now.date(),
        "area": "services",
    }
    bad = form.is_bound and bool(form.errors)
    return page(request, office, "office/service_numbers.html", values, status=422 if bad else 200)


@require_POST
@in_the_office
def remove(request: HttpRequest, office: Office, number_id: int) -> HttpResponse:
    """A row that was wrong."""
    row = get_object_or_404(ServiceNumber, pk=number_id, provider_id__in=office.provider_ids)
    slug = row.provider.slug
    service_numbers.remove(row, office.now, office.actor)
    messages.success(request, _("Removed. What it said stays in the journal."))
    return redirect(f"{reverse('office:service_numbers')}?provider={slug}")


@get_or_post
@in_the_office
def note(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """What the services ask of one site."""
    row = office.site(site_id)
    sent = request.POST if request.method == "POST" else None
    form = EmergencyForm(sent, initial=EmergencyForm.initial_of(row))
    if sent is not None and form.is_valid():
        done = form.take(
            lambda: service_numbers.note_site(row, form.draft(), office.now, office.actor)
        )
        if done is not None:
            say_saved(request, done)
            return redirect("office:site", site_id=row.pk)
    return form_page(request, office, form, _("For the emergency services"), row, "site")
