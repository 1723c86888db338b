"""The only writer of providers: a tenant is a name and a terms file, no code (D0)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from meldkamer.journal import commands as journal
from meldkamer.sites.models import Provider
from meldkamer.terms.loader import load


@transaction.atomic
def enter_provider(slug: str, name: str, terms: str, now: datetime, actor: str) -> Provider:
    """A new provider, with what its terms say of the house (S24.2, S24.5).

    Raises ValidationError naming the field for a short name that is taken or malformed, and
    TermsFault for terms that are not shipped.
    """
    house = load(terms).house
    provider = Provider(
        slug=slug,
        name=name,
        terms=terms,
        operating_company=house.operating_company,
        company_number=house.company_number,
        licence=house.licence,
        seat=house.seat,
        emergency_phone=house.emergency_phone,
        office_email=house.technical_email,
    )
    provider.full_clean()
    provider.save()
    journal.write(
        "provider.entered",
        now,
        provider_id=provider.pk,
        clause="S22.1",
        actor=actor,
        to=name,
        data={"terms": terms},
    )
    return provider


@transaction.atomic
def set_practice(provider_id: int, on: bool, now: datetime, actor: str) -> Provider:
    """From now on this provider practises, or its messages really leave the house.

    What was made in practice and did not go yet is the caller's to cancel, in this transaction.
    """
    provider = Provider.objects.select_for_update(no_key=True).get(pk=provider_id)
    if provider.practice != on:
        provider.practice = on
        provider.save(update_fields=["practice"])
        journal.write(
            "provider.practises" if on else "provider.goes_live",
            now,
            provider_id=provider.pk,
            clause="M12.3",
            actor=actor,
            to=provider.name,
        )
    return provider
