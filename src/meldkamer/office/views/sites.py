"""Looking at sites: the list, the record and its tabs."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from meldkamer.incidents.deciding.facts import terms_of
from meldkamer.office import activation, app_links
from meldkamer.office.access import Office, in_the_office
from meldkamer.office.screens import service
from meldkamer.office.screens import site as screen
from meldkamer.office.views.rendering import listing, page
from meldkamer.office.wording import fault_text
from meldkamer.sites import queries
from meldkamer.sites.faults import Refused
from meldkamer.sites.models import Contact
from meldkamer.watch.models import UndefinedCode
from meldkamer.watch.queries import line_tests_of, not_supervised


@require_GET
@in_the_office
def home(request: HttpRequest, office: Office) -> HttpResponse:
    """The list of sites, and what is not finished."""
    unfinished = queries.search(office.provider_ids, show=queries.UNFINISHED)
    rows = [
        (site, [fault_text(fault) for fault in activation.obstacles(site)]) for site in unfinished
    ]
    silent = not_supervised(office.provider_ids)
    return page(request, office, "office/home.html", {
        "unfinished": rows, "silent": silent, **service.attention(office.provider_ids),
    })  # fmt: skip


@require_GET
@in_the_office
def found(request: HttpRequest, office: Office) -> HttpResponse:
    """The list alone, while somebody types."""
    return render(request, "office/list.html", {"office": office, **listing(request, office)})


@require_GET
@in_the_office
def site(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """The site's data and sheet."""
    row = office.site(site_id)
    terms = terms_of(row)
    values = {
        "tab": "site",
        "plan": terms.plans.get(row.plan),
        "formula": terms.formulas.get(row.formula),
        "obstacles": [fault_text(fault) for fault in activation.obstacles(row)],
    }
    return page(request, office, "office/site.html", values, site=row)


@require_GET
@in_the_office
def zones(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """The zones."""
    row = office.site(site_id)
    return page(
        request, office, "office/zones.html",
        {"tab": "zones", "zones": queries.zones_of(row)}, site=row,
    )  # fmt: skip


@require_GET
@in_the_office
def contacts(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """The call list."""
    row = office.site(site_id)
    return contacts_page(request, office, row.pk)


def contacts_page(
    request: HttpRequest, office: Office, site_id: int, **values: object
) -> HttpResponse:
    """The call list, with a code that was just issued when there is one: never kept anywhere."""
    row = office.site(site_id)
    said = {number.position: (number, remarks) for number, remarks in screen.number_remarks(row)}
    listed = list(row.contacts.prefetch_related("codes"))
    apps = app_links.states([contact.pk for contact in listed], office.now)
    people = [
        (contact, *said.get(place, (None, [])), _codes(contact), apps[contact.pk])
        for place, contact in enumerate(listed, start=1)
    ]
    answer = page(
        request, office, "office/contacts.html",
        {"tab": "contacts", "people": people, **values}, site=row,
    )  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _codes(contact: Contact) -> dict[str, object]:
    """When his codes were issued: (code, duress)."""
    return {("duress" if code.duress else "code"): code.issued_at for code in contact.codes.all()}


@require_GET
@in_the_office
def transmitters(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """What dials in."""
    row = office.site(site_id)
    tests = line_tests_of(row)
    dialling = [(t, tests.get(t.pk)) for t in row.transmitters.filter(active=True)]
    values = {
        "tab": "transmitters",
        "transmitters": sorted(dialling, key=lambda pair: pair[0].account),
        "missed": any(watch.missed for watch in tests.values()),
        "codes": UndefinedCode.objects.filter(site=row).order_by("code"),
    }
    return page(request, office, "office/transmitters.html", values, site=row)


@require_GET
@in_the_office
def signals(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """The signals as they arrive; asked again by the page every few seconds."""
    row = office.site(site_id)
    rows = screen.signals(row, office.now)
    if request.headers.get("HX-Request"):
        return render(request, "office/signal_rows.html", {"signals": rows, "site": row})
    return page(request, office, "office/signals.html", {"tab": "signals", "signals": rows},
                site=row)  # fmt: skip


@require_GET
@in_the_office
def wire(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """The frames as they came in."""
    row = office.site(site_id)
    frames = screen.wire_log(row, office.now)
    return page(request, office, "office/wire.html", {"tab": "wire", "frames": frames}, site=row)


@require_GET
@in_the_office
def course(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """What was changed, by whom, old and new (S22.1)."""
    row = office.site(site_id)
    return page(request, office, "office/course.html", {"tab": "course"}, site=row)


@require_POST
@in_the_office
def activate(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """The site goes live, or the page says what is missing (S4.2)."""
    row = office.site(site_id)
    try:
        activation.activate(row, office.now, office.actor)
    except Refused as refused:
        for fault in refused.faults:
            messages.error(request, fault_text(fault))
    else:
        messages.success(request, _("Activated. Its signals are handled from now on."))
    return redirect("office:site", site_id=row.pk)
