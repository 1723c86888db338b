"""Changing master data: each page is one form over one command; a fault keeps what was typed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from meldkamer.incidents.deciding.facts import terms_of
from meldkamer.incidents.locking import lock_site
from meldkamer.office.access import Office, in_the_office
from meldkamer.office.activation import keep_watching
from meldkamer.office.forms import CustomerForm, InstallerForm, SiteForm, TransmitterForm
from meldkamer.office.views.rendering import page
from meldkamer.sites import commands
from meldkamer.sites.models import Customer, Provider, Site, Transmitter

get_or_post = require_http_methods(["GET", "POST"])


@get_or_post
@in_the_office
def new_site(request: HttpRequest, office: Office) -> HttpResponse:
    """A site of one's own: customer, site, sheet and transmitter on one page."""
    if not office.providers:
        return page(request, office, "office/none.html", {})
    provider = office.provider(request.GET.get("provider", ""))
    terms = commands.terms_of(provider)
    sent = request.POST if request.method == "POST" else None
    customer = CustomerForm(sent, prefix="customer", initial={"language": office.staff.language})
    site = SiteForm(sent, prefix="site", terms=terms, provider_id=provider.pk,
                    initial={"language": office.staff.language})  # fmt: skip
    transmitter = TransmitterForm(sent, prefix="transmitter")
    forms = (customer, site, transmitter)
    valid = [form.is_valid() for form in forms]  # each, so that each names its faults
    if all(valid):
        row = _enter(provider, customer, site, transmitter, office)
        if row is not None:
            messages.success(request, _("Entered. Now the zones and the call list, then activate."))
            return redirect("office:contacts", site_id=row.pk)
    values = {"customer": customer, "form": site, "transmitter": transmitter, "provider": provider,
              "forms": forms}  # fmt: skip
    bad = sent is not None
    return page(request, office, "office/new_site.html", values, status=422 if bad else 200)


def _enter(
    provider: Provider,
    customer: CustomerForm,
    site: SiteForm,
    transmitter: TransmitterForm,
    office: Office,
) -> Site | None:
    """All of it or nothing; every form shows its own faults."""
    with transaction.atomic():
        payer = customer.take(
            lambda: commands.enter_customer(provider, customer.draft(), office.now, office.actor)
        )
        row = None
        if payer is not None:
            installer = site.cleaned_data["installer"]
            row = site.take(
                lambda: commands.enter_site(
                    payer, installer, site.draft(), office.now, office.actor
                )
            )
        dialled = None
        if row is not None:
            dialled = transmitter.take(
                lambda: commands.add_transmitter(row, transmitter.draft(), office.now, office.actor)
            )
        if dialled is None:
            transaction.set_rollback(True)
            return None
    return row


@get_or_post
@in_the_office
def site(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """Change the site and its sheet."""
    row = office.site(site_id)
    sent = request.POST if request.method == "POST" else None
    form = SiteForm(sent, prefix="site", terms=terms_of(row), provider_id=row.provider_id,
                    initial=SiteForm.initial_of(row))  # fmt: skip
    if sent is not None and form.is_valid():
        done = form.take(lambda: _change_site(row.pk, form, office))
        if done is not None:
            say_saved(request, done)
            return redirect("office:site", site_id=row.pk)
    return form_page(request, office, form, _("Change the site and its sheet"), row, "site")


@transaction.atomic
def _change_site(site_id: int, form: SiteForm, office: Office) -> bool:
    """The change, and what is expected from now on, together or not at all."""
    site = lock_site(site_id)
    installer = form.cleaned_data["installer"]
    done = commands.change_site(site, installer, _kept(site, form), office.now, office.actor)
    tests = {"test_period_s", "test_wait_s", "test_times"} & set(form.changed_data)
    keep_watching(site, office.now, period_changed=bool(tests))
    return done


def _kept(site: Site, form: SiteForm) -> Any:
    """The draft; what this form does not show stays as it is."""
    return replace(form.draft(), timezone=site.timezone, contract_start=site.contract_start)


def say_saved(request: HttpRequest, done: bool) -> None:
    """Whether anything was changed."""
    if done:
        messages.success(request, _("Saved. The old values stay in the course."))
    else:
        messages.info(request, _("Nothing differs from what there was."))


def form_page(
    request: HttpRequest,
    office: Office,
    form: Any,
    title: str,
    site: Site,
    tab: str,
    **values: Any,
) -> HttpResponse:
    """One form in the record."""
    status = 422 if form.is_bound and form.errors else 200
    shown = {"form": form, "forms": (form,), "title": title, "tab": tab, **values}
    return page(request, office, "office/form.html", shown, site=site, status=status)


@get_or_post
@in_the_office
def customer(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """Change the customer of a site."""
    row = office.site(site_id)
    sent = request.POST if request.method == "POST" else None
    names = ("name", "kind", "language", "email", "phone")
    form = CustomerForm(sent, initial={name: getattr(row.customer, name) for name in names})
    if sent is not None and form.is_valid():
        fresh = Customer.objects.get(pk=row.customer_id)
        done = form.take(
            lambda: commands.change_customer(fresh, form.draft(), office.now, office.actor)
        )
        if done is not None:
            say_saved(request, done)
            return redirect("office:site", site_id=row.pk)
    return form_page(request, office, form, _("Change the customer"), row, "site")


@get_or_post
@in_the_office
def new_installer(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """A new installer, at once that of the site."""
    row = office.site(site_id)
    sent = request.POST if request.method == "POST" else None
    form = InstallerForm(sent, initial={"language": row.language})
    if sent is not None and form.is_valid():
        done = form.take(lambda: _install(row, form, office))
        if done is not None:
            say_saved(request, done)
            return redirect("office:site", site_id=row.pk)
    return form_page(request, office, form, _("New installer"), row, "site")


@transaction.atomic
def _install(site: Site, form: InstallerForm, office: Office) -> bool:
    installer = commands.enter_installer(site.provider, form.draft(), office.now, office.actor)
    return commands.set_installer(site, installer, office.now, office.actor)


@get_or_post
@in_the_office
def transmitter(
    request: HttpRequest, office: Office, site_id: int, transmitter_id: int | None = None
) -> HttpResponse:
    """Add a transmitter, or change one."""
    row = office.site(site_id)
    known = None
    if transmitter_id is not None:
        known = get_object_or_404(Transmitter, pk=transmitter_id, site=row, active=True)
    sent = request.POST if request.method == "POST" else None
    initial = TransmitterForm.initial_of(known) if known else {}
    form = TransmitterForm(sent, row=known, initial=initial)
    if sent is not None and form.is_valid():
        done = form.take(lambda: _store_transmitter(row, known, form, office))
        if done is not None:
            say_saved(request, done)
            return redirect("office:transmitters", site_id=row.pk)
    title = _("Change the transmitter") if known else _("New transmitter")
    return form_page(request, office, form, title, row, "transmitters")


@transaction.atomic
def _store_transmitter(
    site: Site, known: Transmitter | None, form: TransmitterForm, office: Office
) -> bool:
    if known is None:
        commands.add_transmitter(site, form.draft(), office.now, office.actor)
        keep_watching(site, office.now)
        return True
    draft = form.draft(known.clock_offset_s)
    done = commands.change_transmitter(known, draft, office.now, office.actor)
    keep_watching(site, office.now)
    return done


@require_POST
@in_the_office
def retire(request: HttpRequest, office: Office, site_id: int, transmitter_id: int) -> HttpResponse:
    """The transmitter may no longer dial in."""
    row = office.site(site_id)
    known = get_object_or_404(Transmitter, pk=transmitter_id, site=row, active=True)
    with transaction.atomic():
        commands.retire_transmitter(known, office.now, office.actor)
        keep_watching(row, office.now)
    messages.success(request, _("It may no longer dial in. Its signals stay."))
    return redirect("office:transmitters", site_id=row.pk)
