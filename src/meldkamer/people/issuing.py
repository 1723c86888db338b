"""Gives a contact an identification code: shown once, then only its keyed hash is kept (S18.1).

Never: log, journal or store the code itself. Invariant: unique within the provider, a duress code
(M7.1) included; a new code of a contact voids his old one in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from meldkamer.journal import commands as journal
from meldkamer.people.codes import code_mac, random_code
from meldkamer.sites.models import Contact, IdentificationCode

_TRIES = 50
#: of a million codes: above this a code is guessed too easily (S18.1)
MANY_CODES = 500_000


class NoCodeLeft(Exception):
    """So many codes are live that no free one was found."""


@transaction.atomic
def issue_code(contact: Contact, now: datetime, actor: str, *, duress: bool = False) -> str:
    """A new code for a contact, returned once; his old one of the same kind is void."""
    provider_id = contact.site.provider_id
    voided, _ = IdentificationCode.objects.filter(contact=contact, duress=duress).delete()
    code = _store_fresh(contact, provider_id, duress, now)
    journal.write(
        "card.issued", now, provider_id=provider_id, site_id=contact.site_id, clause="S18.1",
        to=contact.name, actor=actor, data={"duress": duress, "voided": bool(voided)},
    )  # fmt: skip
    journal.announce(f"site:{contact.site_id}")
    return code


def too_many_codes(provider_id: int) -> bool:
    """Whether so many codes are live at a provider that somebody must be warned (S18.1)."""
    return IdentificationCode.objects.filter(provider_id=provider_id).count() >= MANY_CODES


def _store_fresh(contact: Contact, provider_id: int, duress: bool, now: datetime) -> str:
    for _ in range(_TRIES):
        code = random_code()
        try:
            with transaction.atomic():
                IdentificationCode.objects.create(
                    provider_id=provider_id,
                    contact=contact,
                    code_mac=code_mac(code, provider_id, settings.MELDKAMER_CODE_PEPPER),
                    duress=duress,
                    issued_at=now,
                )
        except IntegrityError:
            continue
        return code
    raise NoCodeLeft(f"no free code found in {_TRIES} tries")


def issue_given(
    pairs: Iterable[tuple[Contact, str, bool]], provider_id: int, now: datetime
) -> None:
    """Store codes that somebody else made, (contact, code, duress) each: the demo and rehearsals.

    IntegrityError when one is not unique within the provider.
    """
    IdentificationCode.objects.bulk_create(
        IdentificationCode(
            provider_id=provider_id,
            contact=contact,
            code_mac=code_mac(code, provider_id, settings.MELDKAMER_CODE_PEPPER),
            duress=duress,
            issued_at=now,
        )
        for contact, code, duress in pairs
    )
