"""Practice, shown where the work is: templates of console and office load this.

The bar stands wherever a provider of the reader practises; what belongs to the demo's invented
city (its burglaries, what its people say) only where MELDKAMER_DEMO is on.
"""

from __future__ import annotations

from typing import Any

from django import template
from django.conf import settings
from django.template import Context

from meldkamer.incidents.models import Incident
from meldkamer.notify import health
from meldkamer.notify.channel_words import CHANNEL_WORDS
from meldkamer.office.sandbox.scene import running_call
from meldkamer.office.screens.carriers import words

register = template.Library()


@register.inclusion_tag("office/practice_bar.html", takes_context=True)
def practice_bar(context: Context, site_id: int | None = None) -> dict[str, Any]:
    """The word "practice", the way to the phones and the button "burglary now".

    site_id: the site that the button breaks into; without it somewhere.
    """
    request, office = context.get("request"), context.get("office")
    found = health.in_practice(office.provider_ids) if office is not None else []
    whole = [provider.name for provider, inside in found if not inside]
    some = [
        f"{provider.name} ({', '.join(words(CHANNEL_WORDS, one) for one in inside)})"
        for provider, inside in found
        if inside
    ]
    return {
        "on": bool(found),  # never said of what is real, not even in the demo
        "demo": settings.MELDKAMER_DEMO,
        "whose": "; ".join([*whole, *some]),
        "site_id": site_id,
        "request": request,
        "here": request.get_full_path() if request is not None else "/",
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("office/practice_links.html", takes_context=True)
def practice_links(context: Context) -> dict[str, Any]:
    """The demo's button in the desk's top bar, small: the bar must keep its height."""
    desk = context.get("desk")
    practises = desk is None or any(provider.practice for provider in desk.providers)
    return {"on": settings.MELDKAMER_DEMO and practises}


@register.inclusion_tag("office/practice_call.html")
def practice_call(incident_id: int | None) -> dict[str, Any]:
    """What the person says who is being called in this incident; nothing when nobody is."""
    if not settings.MELDKAMER_DEMO or incident_id is None:
        return {"call": None}
    incident = (
        Incident.objects.select_related("site")
        .filter(pk=incident_id, provider__practice=True)
        .first()
    )
    return {"call": running_call(incident) if incident is not None else None}
