"""Addresses of a site that mail came back from: of its customer, installer and contacts."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from meldkamer.notify.mail.queries import came_back, in_doubt
from meldkamer.sites.models import Site


@dataclass(frozen=True, slots=True)
class Doubt:
    """One address, and what the record says of it. report: the mail that came back; 0: none."""

    address: str
    words: str
    report: int = 0


def doubts(site: Site) -> list[Doubt]:
    """What came back, by address; empty when every mail arrived as far as is known."""
    addresses = [site.customer.email, site.installer.email if site.installer else ""]
    addresses += site.contacts.values_list("email", flat=True)
    found = []
    for address, row in sorted(in_doubt(site.provider_id, addresses).items()):
        day = date_format(localtime(row.bounced_at), "j M Y")
        why = f"{row.code} {row.detail}".strip() or _("no reason was given")
        words = _("Mail to %(address)s came back on %(day)s: %(why)s")
        reports = came_back(row.message_id) if row.message_id else []
        text = words % {"address": address, "day": day, "why": why[:160]}
        found.append(Doubt(address, text, reports[-1].pk if reports else 0))
    return found
