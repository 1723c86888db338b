"""The page "sandbox": phones, mailboxes, letters and ringing calls, and the burglary on order.

Only for providers that practise, and only for what stays in the house. What is done here enters as
a carrier brings it; nothing else is changed. The burglary is the demo's alone.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseRedirect,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from meldkamer.incidents.messages import practising
from meldkamer.notify import inbox
from meldkamer.notify.carrier import ReceiptState
from meldkamer.notify.models import OutboxMessage
from meldkamer.office.access import Office, in_the_sandbox
from meldkamer.office.sandbox import orders, scene
from meldkamer.sites.models import Site

LONGEST_TEXT = 480
ANSWERS = {
    "key": ReceiptState.ACKNOWLEDGED,
    "seen": ReceiptState.ACKNOWLEDGED,
    "nobody": ReceiptState.UNANSWERED,
}


def _values(request: HttpRequest, office: Office) -> dict[str, Any]:
    address = request.GET.get("phone", "")[:254]
    ids = office.provider_ids
    return {
        "office": office,
        "calls": scene.running_calls(ids) if settings.MELDKAMER_DEMO else [],
        "rings": scene.rings(ids, office.now),
        "phones": scene.phones(ids, office.now),
        "address": address,
        "lines": scene.conversation(address, ids, office.now) if address else [],
        "replies": bool(address) and scene.may_reply(address, ids, office.now),
    }


@require_GET
@in_the_sandbox
def sandbox(request: HttpRequest, office: Office) -> HttpResponse:
    """The whole page."""
    values = _values(request, office)
    sites = Site.objects.filter(
        provider_id__in=office.provider_ids, in_force_from__isnull=False
    ).order_by("name")
    return render(
        request,
        "office/sandbox.html",
        {
            **values,
            "sites": sites,
            "demo": settings.MELDKAMER_DEMO,
            "listens": settings.MELDKAMER_DEMO and orders.city_listens(),
            "longest": LONGEST_TEXT,
            "patrols": scene.patrols({one.pk: one.name for one in office.providers}),
        },
    )


@require_GET
@in_the_sandbox
def live(request: HttpRequest, office: Office, part: str) -> HttpResponse:
    """The parts that change by themselves: calls, phones or the conversation."""
    if part not in ("calls", "phones", "lines"):
        raise Http404
    return render(request, f"office/sandbox_{part}.html", _values(request, office))


@require_POST
@in_the_sandbox
def reply(request: HttpRequest, office: Office) -> HttpResponse:
    """A text from a phone that was texted; it enters as from a carrier, also when empty (S7.4)."""
    address = request.POST.get("phone", "")
    if not scene.may_reply(address, office.provider_ids, office.now):
        return HttpResponseBadRequest(_("This phone was not texted by your providers today."))
    text = request.POST.get("text", "")
    if len(text) > LONGEST_TEXT:
        return HttpResponseBadRequest(
            _("The text is longer than %(most)s characters.") % {"most": LONGEST_TEXT}
        )
    inbox.store_inside(address, text, office.now)
    return redirect(f"{reverse('office:sandbox')}?{_query(address)}")


@require_POST
@in_the_sandbox
def answer(request: HttpRequest, office: Office, message_id: int) -> HttpResponse:
    """A key is pressed, a call rings out, a message of the app was seen: as its carrier tells."""
    message = OutboxMessage.objects.filter(
        pk=message_id, provider_id__in=office.provider_ids
    ).first()
    word = request.POST.get("answer", "")
    if message is None or word not in ANSWERS:
        raise Http404
    try:
        practising.answer(message_id, ANSWERS[word], "", office.now)
    except practising.NotHere:
        messages.error(request, _("This can no longer be answered."))
    return redirect(f"{reverse('office:sandbox')}?{_query(message.address)}")


def _query(address: str) -> str:
    return urlencode({"phone": address})


@require_POST
@in_the_sandbox
def burglary(request: HttpRequest, office: Office) -> HttpResponse:
    """The city breaks into a site, or somewhere."""
    if not settings.MELDKAMER_DEMO:
        raise Http404
    asked = request.POST.get("site", "")
    site = None
    if asked:
        site = Site.objects.filter(
            pk=int(asked) if asked.isdecimal() and len(asked) < 19 else 0,
            provider_id__in=office.provider_ids,
        ).first()
        if site is None:
            raise Http404
    quiet = bool(request.headers.get("HX-Request"))  # the desk stays as it is
    if orders.city_listens():
        orders.order_burglary(site.pk if site else None)
        if quiet:
            return HttpResponse(status=204)
        if site is not None:
            messages.success(request, _("Somebody breaks in at %(site)s.") % {"site": site.name})
        else:
            messages.success(request, _("Somebody breaks in somewhere."))
    else:
        messages.error(request, _("No city runs here. Start it: meldkamer city, or CITY=on."))
        if quiet:
            return HttpResponse(status=204, headers={"HX-Redirect": reverse("office:sandbox")})
    return HttpResponseRedirect(_back(request))  # an address, never the name of a view


def _back(request: HttpRequest) -> str:
    """Where the button stood; never to another host."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    return wanted if wanted and safe else reverse("office:sandbox")
