"""The frame of every office page: the list of sites on the left, the record, its changes."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from meldkamer.office.access import Office
from meldkamer.office.screens import site as screen
from meldkamer.office.screens.doubts import doubts
from meldkamer.sites import queries
from meldkamer.sites.models import Site

SHOWS = (queries.ALL, queries.WATCHED, queries.UNFINISHED)


def listing(request: HttpRequest, office: Office) -> dict[str, Any]:
    """The left column: what was searched for, and the counts."""
    text = request.GET.get("q", "")[:100]
    show = request.GET.get("show", queries.ALL)
    show = show if show in SHOWS else queries.ALL
    found = queries.search(office.provider_ids, text, show)
    return {
        "sites": found,
        "q": text,
        "show": show,
        "counts": queries.counts(office.provider_ids),
        "more": len(found) >= queries.SHOWN_MOST,
    }


def page(
    request: HttpRequest,
    office: Office,
    template: str,
    values: dict[str, Any],
    *,
    site: Site | None = None,
    status: int = 200,
) -> HttpResponse:
    """A whole page; with a site its head and its changes as well."""
    shown: dict[str, Any] = {
        "office": office,
        "demo": settings.MELDKAMER_DEMO,
        **listing(request, office),
        **values,
    }
    if site is not None:
        shown |= {
            "site": site,
            "states": screen.states(site, office.now),
            "checks": screen.checks(site),
            "doubts": doubts(site),
            "changes": screen.changes(site),
            "accounts": [t.account for t in site.transmitters.filter(active=True)],
            "zone_count": site.zones.count(),
            "contact_count": site.contacts.count(),
        }
    return render(request, template, shown, status=status)
