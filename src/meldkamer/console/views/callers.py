"""F8, someone calls in: find the site, name and code first, then the record (S12.1, S19.1).

Until name and code fit, nothing of the site is shown but its name: a caller learns nothing.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from meldkamer.console import wording
from meldkamer.console.access import Desk, at_the_desk, whole_number
from meldkamer.console.screens import calls, refusals
from meldkamer.console.screens import site as site_screen
from meldkamer.console.screens.refusals import Refusal
from meldkamer.console.views.rendering import Context, after_act, gone, middle
from meldkamer.incidents import queries
from meldkamer.incidents.deciding.facts import terms_of
from meldkamer.incidents.faults import NotYours, Refused
from meldkamer.incidents.operating import dispatching
from meldkamer.incidents.telephone import answering, incoming
from meldkamer.people.identification import PREMISES
from meldkamer.sites.models import Site

HOUR_S = 3600
#: what is asked for beyond it says nothing more; the terms allow far less (S20.1)
MOST_HOURS = 24 * 366
TYPES_BY_HAND = ("intrusion", "sabotage", "holdup", "fire", "medical", "external_technical")


@require_GET
@never_cache
@at_the_desk
def caller(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The first question: about which site."""
    back = whole_number(request.GET.get("open", ""))
    hand = "hand" in request.GET
    call = calls.in_hand(desk.staff, desk.providers, desk.now)
    values: Context = {"back": back, "says": [], "hand": hand, "call": call}
    return middle(request, desk, "console/caller.html", values)


@require_POST
@at_the_desk
def take_call(request: HttpRequest, desk: Desk, call_id: int) -> HttpResponse:
    """F2: this desk answers; the record that it may be about is asked for by name and code."""
    try:
        answering.take(desk.staff, call_id, desk.now)
    except NotYours as fault:
        head = _("%(who)s answers this call.") % {"who": fault.detail["holder"]}
        answered = Refusal(head, "", fault.clause, grave=False)
        shown: Context = {"refusal": answered, "says": []}
        return middle(request, desk, "console/caller.html", shown)
    except Refused as fault:
        refusal = refusals.of_fault(fault, "take", None, desk.now)
        values: Context = {"refusal": refusal, "says": []}
        return middle(request, desk, "console/caller.html", values)
    call = calls.in_hand(desk.staff, desk.providers, desk.now)
    sites = {one.site_id for one in call.perhaps} if call else set()
    if len(sites) == 1:
        return _ask(request, desk, _site(sites.pop(), desk))
    return middle(request, desk, "console/caller.html", {"call": call, "says": []})


@require_GET
@never_cache
@at_the_desk
def caller_site(request: HttpRequest, desk: Desk, site_id: int) -> HttpResponse:
    """Who calls, and his code."""
    return _ask(request, desk, _site(site_id, desk))


@require_POST
@at_the_desk
def says(request: HttpRequest, desk: Desk, site_id: int) -> HttpResponse:
    """Name, code and wish together; the answer tells the operator, never the caller, what fits."""
    site = _site(site_id, desk)
    hours = whole_number(request.POST.get("hours", "").strip())
    if request.POST.get("says") == "send_patrol" and site.latitude and site.longitude:
        # over the network, so before the transaction that sends
        dispatching.ask_roads(site.provider_id, (site.latitude, site.longitude))
    try:
        found = incoming.someone_calls(
            desk.staff,
            site.pk,
            request.POST.get("person", ""),
            request.POST.get("code", ""),
            request.POST.get("says", ""),
            desk.now,
            duration_s=None if hours is None else min(hours, MOST_HOURS) * HOUR_S,
            number=request.POST.get("number", "").strip()[:24],
            scope=_scope(request),
            reason=request.POST.get("reason", "").strip()[:400],
        )
    except Refused as fault:
        return _ask(request, desk, site, refusals.of_fault(fault, "", None, desk.now))
    call = calls.in_hand(desk.staff, desk.providers, desk.now)
    if call is not None:
        answering.about(desk.staff, call.id, site.pk, desk.now)
    if found == "locked" and request.POST.get("says") != "help":
        head = _("This number is locked.")
        why = _("Too many wrong codes from it. Nothing was done, nothing may be told.")
        return _ask(request, desk, site, Refusal(head, why, "S19.1"))
    if found in ("wrong", "none") and request.POST.get("says") != "help":
        head = _("Name and code do not fit together.")
        why = _("Nothing was done, nothing may be told. The attempt is in the journal.")
        return _ask(request, desk, site, Refusal(head, why, "S19.1"))
    site = _site(site_id, desk)
    return middle(
        request,
        desk,
        "console/caller_done.html",
        {
            "site": site,
            "found": found,
            "wish": wording.word(wording.CALLER_SAYS, request.POST.get("says", "")),
            "card": site_screen.screen(site, desk.now) if found != "none" else None,
            "incidents": queries.open_incidents_of(site.pk),
        },
    )


@require_POST
@at_the_desk
def open_by_hand(request: HttpRequest, desk: Desk, site_id: int) -> HttpResponse:
    """An incident without any signal (S24.1)."""
    site = _site(site_id, desk)
    try:
        opened = incoming.open_by_hand(
            desk.staff,
            site.pk,
            request.POST.get("type", ""),
            request.POST.get("reason", ""),
            desk.now,
            caller=request.POST.get("caller", ""),
        )
    except Refused as fault:
        refusal = refusals.of_fault(fault, "", None, desk.now)
        return _ask(request, desk, site, refusal, hand=True)
    return after_act(request, desk, opened.pk)


def _site(site_id: int, desk: Desk) -> Site:
    try:
        return queries.site_for(site_id, desk.provider_ids)
    except Site.DoesNotExist:
        raise Http404(gone()) from None


def _ask(
    request: HttpRequest,
    desk: Desk,
    site: Site,
    refusal: Refusal | None = None,
    *,
    hand: bool = False,
) -> HttpResponse:
    call = calls.in_hand(desk.staff, desk.providers, desk.now)
    perhaps = {one.key for one in call.perhaps if one.site_id == site.pk} if call else set()
    people = [(f"c{contact.pk}", contact.name) for contact in site.contacts.all()]
    people.append((PREMISES, site.premises_person or _("somebody at the premises")))
    return middle(
        request,
        desk,
        "console/caller.html",
        {
            "site": site,
            "people": people,
            "says": list(enumerate(wording.CALLER_SAYS.items(), start=1)),
            "types": [(key, wording.TYPES[key]) for key in TYPES_BY_HAND],
            "all_types": list(wording.TYPES.items()),
            "centre": site.provider.emergency_phone or terms_of(site).house.emergency_phone,
            "refusal": refusal,
            "call": call,
            "perhaps": perhaps,
            "hand": hand or "hand" in request.GET,
        },
    )


def _scope(request: HttpRequest) -> incoming.Scope:
    """What the test is about: numbers as they are said, separated by commas or blanks."""
    zones, areas = (
        tuple(part[:8] for part in request.POST.get(name, "").replace(",", " ").split()[:50])
        for name in ("zones", "areas")
    )
    types = tuple(key for key in request.POST.getlist("types") if key in wording.TYPES)
    return incoming.Scope(areas, zones, types)
