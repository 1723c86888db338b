"""Addresses of a site that mail came back from: of its customer, installer and contacts."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from meldkamer.notify.mail.queries import in_doubt
from meldkamer.sites.models import Site


@dataclass(frozen=True, slots=True)
class Doubt:
    """One address, and what the record says of it."""

    address: str
    words: str


def doubts(site: Site) -> list[Doubt]:
    """What came back, by address; empty when every mail arrived as far as is known."""
    addresses = [site.customer.email, site.installer.email if site.installer else ""]
    addresses += site.contacts.values_list("email", flat=True)
    found = []
    for address, row in sorted(in_doubt(site.provider_id, addresses).items()):
        day = date_format(localtime(row.bounced_at), "j M Y")
        why = f"{row.code} {row.detail}".strip() or _("no reason was given")
        words = _("Mail to %(address)s came back on %(day)s: %(why)s")
        found.append(Doubt(address, words % {"address": address, "day": day, "why": why[:160]}))
    return found
