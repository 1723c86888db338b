"""The service of a site: suspend, interrupt, resume, test in writing; and the papers behind it.

Each act is one command, which refuses with its clause; a paper is kept with its act or not at all.
It leaves the house as a download, never as something that a browser would show (`_as_download`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from meldkamer.contracts.models import Document, Interruption, TestMode
from meldkamer.incidents.deciding.facts import terms_of
from meldkamer.incidents.faults import Refused as RefusedByRule
from meldkamer.incidents.service import customer_calls, interrupting, testing
from meldkamer.office.access import Office, in_the_office
from meldkamer.office.screens import service as screen
from meldkamer.office.service_forms import (
    InterruptForm,
    PaperForm,
    ResumeForm,
    WrittenTestForm,
)
from meldkamer.office.views.rendering import page
from meldkamer.sites.models import Site

get_or_post = require_http_methods(["GET", "POST"])
TAB = "service"


@require_GET
@in_the_office
def service(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """Needless alarms, interruptions, tests and papers of a site."""
    row = office.site(site_id)
    values = {"tab": TAB, "service": screen.service(row, office.now)}
    return page(request, office, "office/service.html", values, site=row)


@get_or_post
@in_the_office
def interrupt(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """Monitoring is interrupted for a cause (D908.1)."""
    site = office.site(site_id)
    form = InterruptForm(*_sent(request))
    if _taken(form, lambda: _interrupt(site, form, office)):
        messages.success(request, _("Interrupted. Signals are kept and not handled."))
        return redirect("office:service", site_id=site.pk)
    return _form(request, office, site, form, _("Interrupt the monitoring"))


@transaction.atomic
def _interrupt(site: Site, form: InterruptForm, office: Office) -> Interruption:
    day = form.cleaned_data["notice_at"]
    sent_at = datetime.combine(day, time(), ZoneInfo(site.timezone)) if day else None
    return interrupting.interrupt(
        site.pk,
        form.cleaned_data["cause"],
        form.text("reason"),
        office.now,
        actor=office.actor,
        notice_at=sent_at,
        notice_way=form.text("notice_way"),
        document=form.paper(site, office),
    )


@get_or_post
@in_the_office
def resume(
    request: HttpRequest, office: Office, site_id: int, interruption_id: int
) -> HttpResponse:
    """Monitoring goes on (S12.2, D908.1)."""
    site = office.site(site_id)
    rows = Interruption.objects.exclude(kind=Interruption.Kind.FLOOD)
    row = get_object_or_404(rows, pk=interruption_id, site=site)
    suspended = row.kind == Interruption.Kind.SUSPENDED
    form = ResumeForm(*_sent(request), evidence=suspended)
    if _taken(form, lambda: _resume(row, form, office)):
        messages.success(request, _("Monitoring goes on from now."))
        return redirect("office:service", site_id=site.pk)
    return _form(request, office, site, form, _("Resume the monitoring"))


@transaction.atomic
def _resume(row: Interruption, form: ResumeForm, office: Office) -> bool:
    paper = form.paper(row.site, office)
    interrupting.resume(row.pk, form.text("reason"), office.now, actor=office.actor, document=paper)
    return True


@get_or_post
@in_the_office
def written_test(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """A test asked for in writing, of any length (S20.1)."""
    site = office.site(site_id)
    form = WrittenTestForm(*_sent(request), site=site)
    if _taken(form, lambda: _start_test(site, form, office)):
        messages.success(request, _("In test. It ends by itself."))
        return redirect("office:service", site_id=site.pk)
    return _form(request, office, site, form, _("Test in writing"))


@transaction.atomic
def _start_test(site: Site, form: WrittenTestForm, office: Office) -> TestMode:
    return testing.start_in_writing(
        site.pk,
        form.until_at(),
        form.text("reason"),
        form.paper(site, office),
        office.now,
        by=form.text("asked_by"),
        actor=office.actor,
        areas=form.chosen("areas"),
        zones=form.chosen("zones"),
        types=form.chosen("types"),
    )


@require_POST
@in_the_office
def end_test(request: HttpRequest, office: Office, site_id: int, test_id: int) -> HttpResponse:
    """A test ends on request (S20.1)."""
    site = office.site(site_id)
    test = get_object_or_404(TestMode, pk=test_id, site=site)
    testing.end_test(test, office.now, by=office.staff.get_full_name() or office.staff.username,
                     actor=office.actor)  # fmt: skip
    messages.success(request, _("The test has ended."))
    return redirect("office:service", site_id=site.pk)


@require_POST
@in_the_office
def suspension(request: HttpRequest, office: Office, site_id: int, act: str) -> HttpResponse:
    """The office decides: the customer is called before a suspension, or nothing is suspended."""
    site = office.site(site_id)
    try:
        if act == "call":
            customer_calls.ask_for(site.pk, terms_of(site), office.now)
            messages.success(request, _("The operators have the call to the customer."))
        else:
            reason = request.POST.get("reason", "").strip()[:400]
            customer_calls.withdraw(site.pk, reason, office.now, office.staff)
            messages.success(request, _("Nothing is suspended."))
    except RefusedByRule as refused:
        words = {
            "a withdrawal has a reason": _("Give a reason."),
            "no such task is open": _("Nobody is to call this customer any more."),
            "suspended already": _("Interrupted for this cause already."),
            "too few needless alarms": _("Too few needless alarms for a suspension."),
        }
        messages.error(request, f"{words.get(refused.reason, refused.reason)} ({refused.clause})")
    return redirect("office:service", site_id=site.pk)


@require_GET
@never_cache
@in_the_office
def paper(request: HttpRequest, office: Office, site_id: int, document_id: int) -> HttpResponse:
    """A paper, byte for byte, as a download."""
    site = office.site(site_id)
    row = Document.objects.filter(pk=document_id, site=site).first()
    if row is None:
        raise Http404
    return _as_download(row)


def _as_download(row: Document) -> HttpResponse:
    response = HttpResponse(bytes(row.content), content_type="application/octet-stream")
    response["Content-Disposition"] = str(content_disposition_header(True, row.name))
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _sent(request: HttpRequest) -> tuple[object, object]:
    return (request.POST, request.FILES) if request.method == "POST" else (None, None)


def _taken(form: PaperForm, act: Callable[[], object]) -> bool:
    """Whether it was sent, is right, and the act was not refused; else its faults stand in it."""
    return form.is_bound and form.is_valid() and form.take(act) is not None


def _form(
    request: HttpRequest, office: Office, site: Site, form: PaperForm, title: str
) -> HttpResponse:
    status = 422 if form.is_bound and form.errors else 200
    values = {"form": form, "forms": (form,), "title": title, "tab": TAB}
    return page(request, office, "office/form.html", values, site=site, status=status)
