"""General power outages, found from the signals themselves (S10.2, R19).

All power signals of a provider are judged one after the other (an advisory lock taken before any
site's), so that an outage is declared once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q

from meldkamer.agenda import commands as agenda
from meldkamer.incidents.carry_out import Docket
from meldkamer.incidents.facts import site_facts, terms_of
from meldkamer.incidents.models import AreaOutage, Incident, Notice
from meldkamer.journal import commands as journal
from meldkamer.journal.models import Signal
from meldkamer.rules import verdicts
from meldkamer.rules.acts import Close, Open
from meldkamer.sites.distance import distance_km
from meldkamer.sites.models import Site

END, RECHECK = "outage.end", "outage.recheck"
_LOCK = 7305002


def lock(site_id: int) -> None:
    """Judge the power signals of a provider one by one, until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, provider_id::int) FROM sites_site WHERE id = %s",
            [_LOCK, site_id],
        )


def lock_provider_of(outage_id: int) -> None:
    """The same lock, for what the agenda does with an outage."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, provider_id::int) FROM incidents_areaoutage"
            " WHERE id = %s",
            [_LOCK, outage_id],
        )


def power_failed(docket: Docket, now: datetime) -> None:
    """A power failure was acted on: part of an outage, or the one that completes it?"""
    terms = docket.site_facts.terms.outage
    if not terms.enabled:
        return
    outage = _current(docket.site)
    if outage is None:
        outage = _declare(docket, now)
        if outage is None:
            return
    outage.sites.add(docket.site)
    outage.last_power_at = now
    outage.save(update_fields=["last_power_at"])
    agenda.schedule(
        END,
        f"outage:{outage.pk}",
        now + timedelta(seconds=terms.quiet_s),
        now,
        rank=0,
        payload={"outage": outage.pk},
    )
    for site in outage.sites.order_by("id"):
        _close_waiting(site, now, docket if site.pk == docket.site.pk else None)


def covers(site: Site) -> bool:
    """Whether the site lies in an outage that runs: its power failures close on opening."""
    return terms_of(site).outage.enabled and _current(site) is not None


def _current(site: Site) -> AreaOutage | None:
    for outage in AreaOutage.objects.filter(provider_id=site.provider_id, ended_at=None):
        if _inside(outage, site, terms_of(site).outage.radius_km):
            return outage
    return None


def _inside(outage: AreaOutage, site: Site, radius_km: float) -> bool:
    if outage.postal_code:
        return outage.postal_code == site.postal_code
    if site.latitude is None or site.longitude is None:
        return False
    centre = (outage.latitude or 0.0, outage.longitude or 0.0)
    return distance_km(centre, (site.latitude, site.longitude)) <= radius_km


def _declare(docket: Docket, now: datetime) -> AreaOutage | None:
    """Declared by the signal that completes the count and the share of an area (R19)."""
    site, terms = docket.site, docket.site_facts.terms.outage
    since = now - timedelta(seconds=terms.window_s)
    monitored = list(
        Site.objects.filter(provider_id=site.provider_id)
        .filter(Q(in_force_from__lte=now))
        .only("id", "name", "postal_code", "latitude", "longitude")
    )
    failed = set(
        Signal.objects.filter(
            received_at__gte=since,
            received_at__lte=now,
            type="power",
            role="event",
            site_id__in=[s.pk for s in monitored],
        ).values_list("site_id", flat=True)
    )
    for area, members in _areas(site, monitored, terms.radius_km):
        down = [s for s in members if s.pk in failed]
        if len(down) >= terms.sites and len(down) >= terms.share * len(members):
            return _write(docket, area, down, now)
    return None


def _areas(
    site: Site, monitored: list[Site], radius_km: float
) -> list[tuple[AreaOutage, list[Site]]]:
    areas: list[tuple[AreaOutage, list[Site]]] = []
    if site.postal_code:
        members = [s for s in monitored if s.postal_code == site.postal_code]
        areas.append((AreaOutage(area=site.postal_code, postal_code=site.postal_code), members))
    if site.latitude is not None and site.longitude is not None:
        centre = (site.latitude, site.longitude)
        members = [
            s
            for s in monitored
            if s.latitude is not None
            and s.longitude is not None
            and distance_km(centre, (s.latitude, s.longitude)) <= radius_km
        ]
        name = f"{radius_km:g} km around {site.name}"[:40]
        circle = AreaOutage(area=name, latitude=centre[0], longitude=centre[1])
        areas.append((circle, members))
    return areas


def _write(docket: Docket, outage: AreaOutage, down: list[Site], now: datetime) -> AreaOutage:
    outage.provider = docket.site.provider
    outage.declared_at = outage.last_power_at = now
    outage.save()
    outage.sites.set(down)
    names = [site.name for site in sorted(down, key=lambda s: s.pk)]
    data = {"area": outage.area, "sites": names}
    provider_id = docket.site.provider_id
    journal.write("outage.declared", now, provider_id=provider_id, clause="S10.2", data=data)
    Notice.objects.create(
        provider=docket.site.provider,
        at=now,
        kind="outage",
        clause="S10.2",
        text=f"{outage.area}: {', '.join(names)}",
    )
    journal.announce("notices")
    return outage


def _close_waiting(site: Site, now: datetime, own: Docket | None) -> None:
    incident = Incident.objects.filter(
        site=site, type="power", closed_at=None, state=Incident.State.WAITING
    ).first()
    if incident is None:
        return
    docket = own
    if docket is None or docket.opened.pk != incident.pk:
        locked = (
            Site.objects.select_related("provider", "customer", "installer")
            .select_for_update(no_key=True, of=("self",))
            .get(pk=site.pk)
        )
        docket = Docket(locked, site_facts(locked, now), now, incident=incident)
    docket.carry_out([Close("general_outage", "S10.2")])


def power_restored(site: Site, now: datetime) -> None:
    """The first restore of an area: the others are looked at again a while later (R19)."""
    outage = (
        AreaOutage.objects.filter(sites=site, rechecked_at=None).order_by("-declared_at").first()
    )
    if outage is None or outage.first_restore_at is not None:
        return
    outage.first_restore_at = now
    outage.save(update_fields=["first_restore_at"])
    recheck_s = terms_of(site).outage.recheck_s
    agenda.schedule(
        RECHECK,
        f"outage:{outage.pk}",
        now + timedelta(seconds=recheck_s),
        now,
        payload={"outage": outage.pk},
    )


def end(outage_id: int, now: datetime) -> None:
    """No new power failure for a while: the outage is over (S10.2)."""
    outage = AreaOutage.objects.select_for_update().get(pk=outage_id)
    outage.ended_at = now
    outage.save(update_fields=["ended_at"])
    journal.write(
        "outage.ended",
        now,
        provider_id=outage.provider_id,
        clause="S10.2",
        data={"area": outage.area},
    )


def recheck(outage_id: int, now: datetime) -> None:
    """Each site of the area that is not restored is handled singly (S10.2)."""
    outage = AreaOutage.objects.select_for_update().get(pk=outage_id)
    outage.rechecked_at = now
    outage.save(update_fields=["rechecked_at"])
    sites = outage.sites.select_related("provider", "customer", "installer").order_by("id")
    for site in sites.select_for_update(no_key=True, of=("self",)):
        if _restored_since(site, outage.declared_at):
            continue
        if Incident.objects.filter(site=site, type="power", closed_at=None).exists():
            continue
        facts = site_facts(site, now)
        docket = Docket(site, facts, now)
        priority = facts.terms.priority("power")
        opening = Open("power", priority, "S10.2", "not restored after the outage", origin="outage")
        docket.carry_out([opening, *verdicts.treat("power", facts, now)])


def _restored_since(site: Site, declared_at: datetime) -> bool:
    """Whether the site's last power signal, from shortly before the outage on, is a restore."""
    last = (
        Signal.objects.filter(site_id=site.pk, received_at__gte=declared_at - timedelta(hours=1))
        .filter(Q(type="power", role="event") | Q(detail__restores_type="power"))
        .order_by("-id")
        .first()
    )
    return last is not None and last.role == "restore"
