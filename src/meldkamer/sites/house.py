"""A provider's own control room as a site: what fails in the house is an incident there.

So it comes in like everything else, with an owner and a due time. It is no customer's: it has no
postal code (no outage counts it), no quota and no invoice. Its contacts, whom the office keeps, are
who mends such things; each carrier is a zone, with the number of its help desk (S16.2, D904.2).
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from meldkamer.sites.models import Contact, Customer, Provider, Site, Zone
from meldkamer.terms.loader import load

#: what the numbers of the zones begin with that stand for carriers
ZONE = "C"


@transaction.atomic
def house_of(provider: Provider, now: datetime) -> Site:
    """The site of the provider's control room; made when it is asked for first."""
    found = Site.objects.filter(provider=provider, house=True).first()
    if found is not None:
        return found
    Provider.objects.select_for_update(no_key=True).get(pk=provider.pk)
    found = Site.objects.filter(provider=provider, house=True).first()
    if found is not None:  # another process made it meanwhile
        return found
    terms = load(provider.terms)
    plan, promises = next(iter(terms.plans.items()))
    formulas = list(promises.included)
    customer = Customer.objects.create(
        provider=provider,
        name=provider.operating_company or provider.name,
        kind=Customer.Kind.BUSINESS,
        language=terms.languages[0],
        email=provider.office_email,
    )
    site = Site.objects.create(
        provider=provider,
        customer=customer,
        name=f"{provider.name}: meldkamer",
        timezone=terms.timezone,
        language=terms.languages[0],
        plan=plan,
        formula="operator" if "operator" in formulas else formulas[0],
        in_force_from=now,
        created_at=now,
        house=True,
    )
    # somebody there is to call from the first day; the office puts its own people in their place
    Contact.objects.create(
        site=site,
        position=1,
        name=provider.operating_company or provider.name,
        phone=terms.house.administration_phone or provider.emergency_phone,
        email=provider.office_email,
        language=site.language,
    )
    return site


def zone_of(site: Site, number: str, name: str, help_phone: str, fault: str = "") -> Zone:
    """The zone that stands for a thing of the house, with whom to call for it (D904.2).

    fault: what is wrong with it now, shown where a detector would be.
    """
    zone, _ = Zone.objects.update_or_create(
        site=site,
        number=number,
        defaults={"name": name[:80], "detector": fault[:80], "service_phone": help_phone},
    )
    return zone


def help_desks(site_id: int) -> dict[str, tuple[str, str]]:
    """By the number of a zone: what it stands for, and whom to call when that fails (S16.2)."""
    zones = Zone.objects.filter(site_id=site_id, number__startswith=ZONE)
    return {zone.number: (zone.name, zone.service_phone) for zone in zones.order_by("pk")}
