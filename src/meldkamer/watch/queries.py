"""Reads of the watch for the screens."""

from __future__ import annotations

from collections.abc import Collection

from meldkamer.sites.models import Site
from meldkamer.watch.models import LineTestWatch

SHOWN_MOST = 300


def not_supervised(providers: Collection[int]) -> list[LineTestWatch]:
    """Transmitters whose line tests are handled no more, longest first (S10.3)."""
    rows = (
        LineTestWatch.objects.filter(
            unsupervised_since__isnull=False,
            site__provider_id__in=list(providers),
            transmitter__active=True,
        )
        .select_related("site", "site__installer", "transmitter")
        .order_by("unsupervised_since", "pk")
    )
    return list(rows[:SHOWN_MOST])


def line_tests_of(site: Site) -> dict[int, LineTestWatch]:
    """What is expected of each transmitter of a site, by its number."""
    return {row.transmitter_id: row for row in LineTestWatch.objects.filter(site=site)}
