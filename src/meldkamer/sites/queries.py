"""Reads of master data for the office's screens, always within the providers given."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet

from meldkamer.sites.models import Site, Zone

SHOWN_MOST = 60
UNFINISHED, WATCHED, ALL = "unfinished", "watched", "all"


def search(
    provider_ids: Collection[int], text: str = "", show: str = ALL, limit: int = SHOWN_MOST
) -> list[Site]:
    """Sites by name, address, customer, contact, telephone number or account; by name.

    Every word must be found somewhere. show: all, unfinished (not in force) or watched.
    """
    rows: QuerySet[Site] = Site.objects.filter(provider_id__in=provider_ids)
    if show == UNFINISHED:
        rows = rows.filter(in_force_from__isnull=True)
    elif show == WATCHED:
        rows = rows.filter(in_force_from__isnull=False)
    for word in text.replace("\0", "").split()[:6]:
        rows = rows.filter(_somewhere(word))
    return list(
        rows.select_related("provider")
        .prefetch_related("transmitters")
        .order_by("name", "pk")
        .distinct()[:limit]
    )


def _somewhere(word: str) -> Q:
    found = (
        Q(name__icontains=word)
        | Q(street__icontains=word)
        | Q(town__icontains=word)
        | Q(postal_code__startswith=word)
        | Q(customer__name__icontains=word)
        | Q(customer__email__icontains=word)
        | Q(contacts__name__icontains=word)
        | Q(transmitters__account__iexact=word)
    )
    digits = "".join(c for c in word if c.isdigit())
    if len(digits) >= 4:
        tail = digits.removeprefix("00").removeprefix("32").lstrip("0")
        for column in ("premises_phone", "customer__phone", "contacts__phone"):
            found |= Q(**{f"{column}__contains": tail})
    return found


def counts(provider_ids: Collection[int]) -> dict[str, int]:
    """How many sites there are, how many are watched and how many are not finished."""
    rows = Site.objects.filter(provider_id__in=provider_ids)
    unfinished = rows.filter(in_force_from__isnull=True).count()
    every = rows.count()
    return {ALL: every, UNFINISHED: unfinished, WATCHED: every - unfinished}


def site_for(site_id: int, provider_ids: Collection[int]) -> Site | None:
    """A site of these providers, with customer, installer and provider; None otherwise."""
    return (
        Site.objects.select_related("provider", "customer", "installer")
        .filter(pk=site_id, provider_id__in=provider_ids)
        .first()
    )


def zones_of(site: Site) -> list[Zone]:
    """The zones in the order of their numbers, ten after nine."""
    return sorted(
        site.zones.all(), key=lambda z: (not z.number.isdecimal(), len(z.number), z.number)
    )
