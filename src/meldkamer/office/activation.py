"""A site goes live: the one order in which contracts and watch are told of it.

Why: the office, the import and the demo do the same. Refuses a sheet that nobody can work by
(S4.4, S11.1, S6.3). Securitas' sites are in force at once (S4.2), D'Tral's after a delay (D903.1).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from meldkamer.contracts import commands as contracts
from meldkamer.incidents.deciding.facts import terms_of
from meldkamer.incidents.locking import lock_site
from meldkamer.journal import commands as journal
from meldkamer.rules import sheets
from meldkamer.rules.sheets import Finding
from meldkamer.sites.faults import Fault, Refused, from_finding
from meldkamer.sites.models import Site
from meldkamer.watch import commands as watch
from meldkamer.watch import hours


def findings(site: Site, contacts: int | None = None) -> list[Finding]:
    """What the terms say about the sheet as it stands; the signed tick was asked at entry."""
    return sheets.check(
        site.plan,
        site.formula,
        site.types,
        site.contacts.count() if contacts is None else contacts,
        site.hours.exists(),
        site.options,
        terms_of(site),
    )


def obstacles(site: Site) -> list[Fault]:
    """Why the site cannot be activated now; empty when it can."""
    faults = [from_finding(finding) for finding in findings(site) if finding.refused]
    if not site.transmitters.filter(active=True).exists():
        faults.append(
            Fault("transmitter", "no_transmitter", "no transmitter dials in for it", "S4.2")
        )
    return faults


@transaction.atomic
def activate(site: Site, now: datetime, actor: str, *, at: datetime | None = None) -> None:
    """Activate a site (S4.2, S4.3): trial, force, line tests and hours. Raises Refused.

    at: an instant in the past for a site that is taken over from elsewhere; default `now`.
    """
    # locked: two clerks, or a double click, activate it once
    site.activated_at = lock_site(site.pk).activated_at
    faults = obstacles(site)
    if site.activated_at is not None:
        faults.append(Fault("site", "active_already", "is activated already", "S4.2"))
    if faults:
        raise Refused(faults)
    at = at or now
    terms = terms_of(site)
    journal.write(
        "site.activated", now, provider_id=site.provider_id, site_id=site.pk, clause="S4.2",
        actor=actor, data={"at": at.isoformat()},
    )  # fmt: skip
    contracts.activate(site, terms, at, now)
    in_force = at + timedelta(seconds=terms.not_in_force.delay_s)
    if in_force <= now:
        contracts.start_force(site, "D903.1" if terms.not_in_force.delay_s else "S4.2", in_force)
    else:
        contracts.put_in_force(site, in_force, now)
    start_watching(site, now)


@transaction.atomic
def keep_watching(site: Site, now: datetime, *, period_changed: bool = False) -> None:
    """After a change of the sheet of an active site, in its transaction: expect what it says now.

    The site is locked and read again: the agenda's own acts lock it before its rows.
    """
    site = lock_site(site.pk)
    if site.activated_at is None:
        return
    if period_changed:
        watch.watch_line_tests(site, now, now)
    watch.watch_missing(site, now)
    hours.watch_hours(site, now)


def start_watching(site: Site, now: datetime) -> None:
    """Expect test messages and openings from now on (S10.3, S11.1)."""
    watch.watch_line_tests(site, now, now)
    hours.watch_hours(site, now)
