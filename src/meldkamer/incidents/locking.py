"""The lock that every command takes first: the site's row (docs/explanation/architecture.md)."""

from __future__ import annotations

from meldkamer.sites.models import Site


def lock_site(site_id: int) -> Site:
    """The site, locked for this transaction."""
    return (
        Site.objects.select_related("provider", "customer", "installer")
        .select_for_update(no_key=True, of=("self",))
        .get(pk=site_id)
    )
