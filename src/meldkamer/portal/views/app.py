"""The customer's app: its messages, "seen", and whether they come by themselves (S8.3, S16.1).

"Seen" is a receipt and no more: nobody gave a name and a code, so it stands no alarm down (S19.1).
A link is used by pressing a button: what looks at addresses in texts by itself uses none up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseRedirect,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from meldkamer.notify.models import OutboxMessage
from meldkamer.notify.push import commands, queries
from meldkamer.notify.push.faults import LinkFault, SubscriptionFault
from meldkamer.notify.push.subscriptions import read
from meldkamer.notify.push.webpush import public_key
from meldkamer.people.browsers import speak
from meldkamer.portal.phone import Visit, keep, on_a_phone

#: messages on one page; older ones were said elsewhere too
SHOWN_MOST = 50
WHY = {
    "unknown": gettext_lazy("This link is not one of ours. Ask for a new one."),
    "used": gettext_lazy("This link was used already. Ask for a new one for this phone."),
    "over": gettext_lazy("This link is too old. Ask for a new one."),
    "taken_back": gettext_lazy("This link was taken back. Ask for a new one."),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as the phone shows it. open: it can be said to be seen."""

    id: int
    at: datetime
    site: str
    subject: str
    body: str
    seen_at: datetime | None
    open: bool


def _messages(visit: Visit) -> list[Shown]:
    if visit.phone is None:
        return []
    sites = {link.contact_id: link.contact.site.name for link in visit.links}
    told = (OutboxMessage.State.HANDED_OVER, OutboxMessage.State.DELIVERED)
    return [
        Shown(
            row.pk,
            row.created_at,
            sites.get(row.contact_id or 0, ""),
            row.subject,
            row.body,
            row.acknowledged_at,
            row.acknowledged_at is None and row.state in told and bool(row.carrier_ref),
        )
        for row in queries.messages(visit.phone, visit.now)[:SHOWN_MOST]
    ]


@require_GET
@on_a_phone
def home(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The messages; a phone that was not let in is told how it gets in."""
    if visit.phone is None:
        return render(request, "portal/app_door.html", {"visit": visit})
    providers = {link.contact.site.provider for link in visit.links}
    values = {
        "visit": visit,
        "providers": sorted(providers, key=lambda provider: provider.name),
        "messages_shown": _messages(visit),
        "push_key": public_key(settings.MELDKAMER_PUSH_KEY),
        "subscribed": visit.phone.subscriptions.filter(gone_at=None).exists(),
    }
    return render(request, "portal/app.html", values)


@require_GET
@on_a_phone
def listing(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The messages alone, as they are now."""
    if visit.phone is None:
        return HttpResponse(status=204, headers={"HX-Redirect": reverse("app:home")})
    values = {"visit": visit, "messages_shown": _messages(visit)}
    return render(request, "portal/app_list.html", values)


@require_POST
@on_a_phone
def paste(request: HttpRequest, visit: Visit) -> HttpResponse:
    """A link that was copied: on some phones the installed app knows nothing of the browser's."""
    text = request.POST.get("link", "").strip()[:400]
    token = urlsplit(text).path.rstrip("/").rpartition("/")[2] if "/" in text else text
    if not token or not token.isascii() or not token.replace("-", "").replace("_", "").isalnum():
        return _no_way_in(request, visit, "unknown")
    return redirect("app:join", token=token)


@require_http_methods(["GET", "HEAD", "POST"])
@on_a_phone
def join(request: HttpRequest, visit: Visit, token: str) -> HttpResponse:
    """Whose link it is, and the button that uses it."""
    try:
        link = commands.look_up(token, visit.now)
        speak(request, link.contact.language)
        if request.method != "POST":
            return render(request, "portal/app_join.html", {"visit": visit, "link": link})
        agent = request.headers.get("User-Agent", "")
        _phone, own = commands.enter(token, agent, visit.now, visit.phone)
    except LinkFault as fault:
        return _no_way_in(request, visit, fault.why)
    response = HttpResponseRedirect(reverse("app:home"))
    if own is not None:
        keep(response, own)
    return response


def _no_way_in(request: HttpRequest, visit: Visit, why: str) -> HttpResponse:
    values = {"visit": visit, "why": WHY[why]}
    return render(request, "portal/app_door.html", values, status=404)


@require_POST
@on_a_phone
def subscribe(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Messages are to come by themselves: where this browser is pushed to."""
    if visit.phone is None:
        return HttpResponse(_("This phone was not let in."), status=403)
    try:
        where = read(
            request.POST.get("endpoint", ""),
            request.POST.get("p256dh", ""),
            request.POST.get("auth", ""),
            anywhere=settings.MELDKAMER_PUSH_ANYWHERE,
        )
    except SubscriptionFault as fault:
        return HttpResponseBadRequest(str(fault), content_type="text/plain; charset=utf-8")
    commands.subscribe(visit.phone, where, visit.now)
    return HttpResponse(status=204)


@require_POST
@on_a_phone
def unsubscribe(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Messages are no longer to come by themselves; they can still be read here."""
    if visit.phone is not None:
        commands.unsubscribe(visit.phone, visit.now)
    return redirect("app:home")


@require_POST
@on_a_phone
def acknowledge(request: HttpRequest, visit: Visit, message_id: int) -> HttpResponse:
    """Its reader has seen it."""
    if visit.phone is None:
        return redirect("app:home")
    message = commands.acknowledge(visit.phone, message_id, visit.now)
    if message is None:
        raise Http404(_("This message is not for this phone."))
    if request.headers.get("HX-Request"):
        values = {"visit": visit, "messages_shown": _messages(visit), "just_seen": message_id}
        return render(request, "portal/app_list.html", values)
    return redirect("app:home")
