"""Is it who he says? Name and code together, against the keyed hashes (S18.1, S19.1).

Never tells which of the two was wrong, never keeps or logs the code.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from meldkamer.people.codes import CodeFault, code_mac
from meldkamer.sites.models import Contact, IdentificationCode, Site

PREMISES = "premises"


@dataclass(frozen=True, slots=True)
class Checked:
    """outcome: right, wrong, none or duress; `left`: tries left in this call."""

    outcome: str
    left: int


def check(site: Site, key: str, code: str) -> str:
    """right, wrong, none or duress for a person of the site and the code he gives.

    key: c<id> of the person named; "premises" takes the code of anybody on the site's list.
    """
    if not code.strip():
        return "none"
    try:
        mac = code_mac(code, site.provider_id, settings.MELDKAMER_CODE_PEPPER)
    except CodeFault:
        return "wrong"
    rows = IdentificationCode.objects.filter(contact__site=site, code_mac=mac)
    if key != PREMISES:
        rows = rows.filter(contact_id=_id(key))
    row = rows.first()
    if row is None:
        return "wrong"
    return "duress" if row.duress else "right"


def _id(key: str) -> int:
    """The id of a key c<id>; 0, which nobody has, for anything else."""
    number = key[1:]
    known = key[:1] == "c" and number.isascii() and number.isdigit() and len(number) < 19
    return int(number) if known else 0


def name_of(site: Site, key: str) -> str:
    """The name behind a key: the contact's, or the premises'."""
    if key in ("", PREMISES):
        return site.premises_person or PREMISES
    contact = Contact.objects.filter(site=site, pk=_id(key)).first()
    return contact.name if contact else key
