"""What stands against a version of a procedure: the law, its soundness, its times, its releaser.

Reads the sheet; writes nothing. One answer for the office's page, for the release and for a change
that a story brings.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from meldkamer.rules import soundness
from meldkamer.rules.facts import ContactFacts, SiteFacts
from meldkamer.sites.models import Provider, Site
from meldkamer.sites.phones import PhoneFault, may_be_texted, normal
from meldkamer.sites.procedure_queries import terms_at
from meldkamer.terms import law, procedures
from meldkamer.terms.findings import Finding
from meldkamer.terms.loader import load
from meldkamer.terms.model import Procedure, Terms


def findings(
    procedure: Procedure, provider: Provider, site: Site | None, now: datetime
) -> list[Finding]:
    """The law first; soundness where the law allows it. Refused ones block, others are ticked."""
    terms = load(provider.terms)
    base = procedures.base_of(terms, procedure.name)
    found = [*_shape(procedure, terms, site), *law.breaches(procedure, terms, base)]
    if any(finding.refused for finding in found):
        return found
    place = sheet(site, now) if site else soundness.sample_site(terms)
    return [*found, *soundness.check(procedure, place, hours(site), base)]


def _shape(procedure: Procedure, terms: Terms, site: Site | None) -> list[Finding]:
    base = procedures.base_of(terms, procedure.name)
    found = [
        Finding("S14.1", "", fault, True, "shape", {"found": fault})
        for fault in procedures.structure(procedure)
    ]
    if base is None or base.types != procedure.types:
        reason = f"no procedure {procedure.name} for {', '.join(procedure.types)}"
        found.append(Finding("S14.1", "", reason, True, "unknown_procedure"))
    for step in procedure.steps:
        if step.who == "contact" and site is None:
            reason = f"{step.name} is a contact of one site; this is for all of the provider's"
            found.append(Finding("S14.1", step.id, reason, True, "contact_of_no_site"))
        if step.phone:
            try:
                normal(step.phone)
            except PhoneFault as fault:
                found.append(
                    Finding("S14.1", step.id, str(fault), True, "phone", {"found": step.phone})
                )
    return found


def hours(site: Site | None) -> dict[str, str]:
    """By contact key the hours in which he can be reached."""
    if site is None:
        return {}
    return {f"c{row.pk}": row.reachable for row in site.contacts.all()}


def sheet(site: Site, now: datetime) -> SiteFacts:
    """A site's sheet as the walk of a procedure needs it: whom one calls, what was taken."""
    terms = terms_at(load(site.provider.terms), site.provider_id, site.pk, now)
    countries = terms.texting.mobile_countries
    contacts = tuple(
        ContactFacts(c.pk, c.name, c.phone, c.email, c.language, may_be_texted(c.phone, countries))
        for c in site.contacts.order_by("position")
    )
    return SiteFacts(
        id=site.pk, provider_id=site.provider_id, name=site.name,
        timezone=ZoneInfo(site.timezone), plan=site.plan, formula=site.formula,
        types=None if site.types is None else frozenset(site.types),
        options=frozenset(site.options), premises_phone=site.premises_phone,
        premises_person=site.premises_person, contacts=contacts, zones={}, terms=terms,
        language=site.language,
    )  # fmt: skip
