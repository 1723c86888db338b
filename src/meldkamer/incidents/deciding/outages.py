"""General power outages, found from the signals themselves (S10.2, R19).

All power signals of a provider are judged one after the other (an advisory lock taken before any
site's), so that an outage is declared once. What many sites need afterwards stands on the agenda
site by site: no transaction handles more than one, but for the closing at the declaration.

A site in an outage is never forgotten: it is looked at again after the area's first restore, or a
while after its own failure where that came later, or at once when a supervisor undoes the outage.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Min

from meldkamer.agenda import commands as agenda
from meldkamer.incidents import notices
from meldkamer.incidents.deciding.carry_out import DUE, Docket
from meldkamer.incidents.deciding.facts import site_facts, terms_of
from meldkamer.incidents.faults import Refused
from meldkamer.incidents.locking import lock_site
from meldkamer.incidents.models import AreaOutage, Incident
from meldkamer.journal import commands as journal
from meldkamer.people.models import Staff
from meldkamer.rules import verdicts
from meldkamer.rules.acts import Act, Close, Open, Wait
from meldkamer.rules.distance import distance_km
from meldkamer.sites.models import Site
from meldkamer.watch import mains
from meldkamer.watch.mains import Area
from meldkamer.watch.models import Mains

END, RECHECK, RESUME = "outage.end", "outage.recheck", "outage.resume"
_UNDONE, _NOT_RESTORED = "the general outage was undone", "not restored after the outage"
_LOCK = 7305002
_LOCK_WAITING = """
SELECT id, pg_advisory_xact_lock(%(lock)s, id::int) FROM (
    SELECT DISTINCT provider_id AS id FROM sites_site WHERE id = ANY(%(sites)s) ORDER BY 1
) AS asked
"""
_LOCK_FREE = """
SELECT id FROM (
    SELECT DISTINCT provider_id AS id FROM sites_site WHERE id = ANY(%(sites)s) ORDER BY 1 OFFSET 0
) AS asked WHERE pg_try_advisory_xact_lock(%(lock)s, id::int)
"""
_CLOSE_WAITING = """
UPDATE incidents_incident SET closed_at = %(now)s, outcome = 'general_outage', state = 'closed',
    owner = NULL, due = NULL, wait_for = '', unseen = 0, version = version + 1
WHERE site_id = ANY(%(sites)s) AND type = 'power' AND closed_at IS NULL AND state = 'waiting'
    AND wait_for = 'power' AND id <> ALL(%(own)s)
RETURNING id, site_id
"""


def lock(site_ids: Collection[int], *, wait: bool) -> set[int]:
    """Judge the power signals of these sites' providers alone, until this transaction ends.

    Without `wait` a provider whose signals somebody judges is left out. Returns the sites of which
    the provider is locked; locked in the order of the providers' numbers.
    """
    asked: dict[str, Any] = {"lock": _LOCK, "sites": list(site_ids)}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_WAITING if wait else _LOCK_FREE, asked)
        providers = [row[0] for row in cursor.fetchall()]
    rows = Site.objects.filter(pk__in=site_ids, provider_id__in=providers)
    return set(rows.values_list("pk", flat=True))


def lock_provider_of(outage_id: int) -> None:
    """The same lock, for what the agenda does with an outage."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, provider_id::int) FROM incidents_areaoutage"
            " WHERE id = %s",
            [_LOCK, outage_id],
        )


def covered(sites: Collection[Site]) -> set[int]:
    """The sites that lie in an outage that runs: their power failures close on opening."""
    running = _running(sites)
    return {site.pk for site in sites if _around(running, site) is not None}


def _running(sites: Collection[Site]) -> list[AreaOutage]:
    """The outages that run and could hold one of these sites, the oldest first."""
    rows = AreaOutage.objects.filter(
        provider_id__in={site.provider_id for site in sites},
        postal_code__in={site.postal_code for site in sites} | {""},
        ended_at=None,
    )
    return list(rows.order_by("pk")) if sites else []


def _around(running: Iterable[AreaOutage], site: Site) -> AreaOutage | None:
    terms = terms_of(site).outage
    if not terms.enabled:
        return None
    ours = (one for one in running if one.provider_id == site.provider_id)
    return next((one for one in ours if _inside(one, site, terms.radius_km)), None)


def _inside(outage: AreaOutage, site: Site, radius_km: float) -> bool:
    if outage.postal_code:
        return outage.postal_code == site.postal_code
    if site.latitude is None or site.longitude is None:
        return False
    centre = (outage.latitude or 0.0, outage.longitude or 0.0)
    return distance_km(centre, (site.latitude, site.longitude)) <= radius_km


def power_failed(failures: Sequence[tuple[Docket, datetime]], now: datetime) -> None:
    """Power failures were acted on: each is part of an outage, or completes one, or neither.

    failures: each with when it was received; of different sites. What the dockets decided stands
    in the database; their providers are locked (see `lock`).
    """
    dockets = [docket for docket, _ in failures]
    mains.failed([(docket.site, at) for docket, at in failures])
    running = _running([docket.site for docket in dockets])
    held: dict[int, list[Docket]] = {}
    free = [(one, at) for one, at in failures if _around(running, one.site) is None]
    suspects = mains.suspects([(one.site, one.site_facts.terms.outage, at) for one, at in free])
    for docket, at in failures:
        outage = _around(running, docket.site)
        if outage is not None:
            held.setdefault(outage.pk, []).append(docket)
            continue
        if docket.site.pk not in suspects:
            continue
        terms = docket.site_facts.terms
        area = mains.outage_around(docket.site, terms.outage, at, terms.power.delay_s)
        if area is not None:
            running.append(_declare(docket, area, dockets, now))
    for outage in running:
        if outage.pk in held:
            _hold(outage, held[outage.pk], now)


def _hold(outage: AreaOutage, dockets: Sequence[Docket], now: datetime) -> None:
    """Further failures in an outage that runs."""
    AreaOutage.objects.filter(pk=outage.pk).update(last_power_at=now)
    through = AreaOutage.sites.through
    through.objects.bulk_create(
        [through(areaoutage_id=outage.pk, site_id=docket.site.pk) for docket in dockets],
        ignore_conflicts=True,
    )
    for docket in dockets:
        if outage.rechecked_at is not None:
            # the others were looked at already
            due = now + timedelta(seconds=docket.site_facts.terms.outage.recheck_s)
            _resume_later(outage, docket.site.pk, due, now, _NOT_RESTORED)
        if _waits(docket):
            docket.carry_out([Close("general_outage", "S10.2")])


def _waits(docket: Docket) -> bool:
    return docket.opened.closed_at is None and docket.opened.wait_for == "power"


def _declare(docket: Docket, area: Area, dockets: Sequence[Docket], now: datetime) -> AreaOutage:
    """The one notice to the supervisor, and no action at any of the sites."""
    site, terms = docket.site, docket.site_facts.terms.outage
    name = area.postal_code or f"{terms.radius_km:g} km around {site.name}"[:40]
    latitude, longitude = area.centre or (None, None)
    outage = AreaOutage.objects.create(
        provider=site.provider,
        area=name,
        postal_code=area.postal_code,
        latitude=latitude,
        longitude=longitude,
        declared_at=now,
        last_power_at=now,
    )
    outage.sites.set(area.dark)
    names = list(
        Site.objects.filter(pk__in=area.sites).order_by("pk").values_list("name", flat=True)
    )
    data = {"area": name, "sites": names}
    journal.write("outage.declared", now, provider_id=site.provider_id, clause="S10.2", data=data)
    text = f"{name}: {', '.join(names)}"
    notices.add("outage", "S10.2", text, now, provider_id=site.provider_id)
    _schedule_end(outage, now + timedelta(seconds=terms.quiet_s), now)
    restored = Mains.objects.filter(site__in=area.sites).aggregate(first=Min("restored_at"))[
        "first"
    ]
    if restored is not None:  # the area's first restore came before its outage was known
        _note_restore(outage, restored, terms.recheck_s, now)
    _close_waiting(area.dark, dockets, now)
    return outage


def _schedule_end(outage: AreaOutage, due: datetime, now: datetime) -> None:
    payload = {"outage": outage.pk}
    agenda.schedule(END, f"outage:{outage.pk}", due, now, rank=0, payload=payload)


def _close_waiting(site_ids: tuple[int, ...], dockets: Sequence[Docket], now: datetime) -> None:
    """The waiting power incidents of the area close at once, lowest number first (R19).

    In one statement: nobody called about them, so nothing is counted and nobody has them. Those of
    `dockets` are being worked on and close by their own.
    """
    own = {one.opened.pk: one for one in dockets if one.site.pk in site_ids and _waits(one)}
    list(
        Site.objects.filter(pk__in=site_ids)
        .order_by("pk")
        .select_for_update(no_key=True)
        .values_list("pk")
    )
    # all that are worked on: one that closed a moment ago may not be written yet
    in_hand = [one.opened.pk for one in dockets]
    values: dict[str, Any] = {"now": now, "sites": list(site_ids), "own": in_hand}
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE_WAITING, values)
        closed = dict(cursor.fetchall())
    provider_id = dockets[0].site.provider_id
    for incident_id in sorted(closed | own):
        if incident_id in own:
            own[incident_id].carry_out([Close("general_outage", "S10.2")])
            continue
        journal.write(
            "incident.closed",
            now,
            provider_id=provider_id,
            site_id=closed[incident_id],
            incident_id=incident_id,
            incident_type="power",
            clause="S10.2",
            data={"outcome": "general_outage"},
        )
        agenda.strike(DUE, f"incident:{incident_id}", now)
        journal.announce(f"incident:{incident_id}")


def power_restored(site: Site, now: datetime) -> None:
    """The first restore of an area: the others are looked at again a while later (R19).

    A site may lie in two areas: it is the first of each.
    """
    mains.restored(site, now)
    recheck_s = terms_of(site).outage.recheck_s
    waiting = AreaOutage.objects.filter(
        sites=site, first_restore_at=None, rechecked_at=None, undone_at=None
    )
    for outage in waiting.order_by("pk"):
        _note_restore(outage, now, recheck_s, now)


def _note_restore(outage: AreaOutage, first: datetime, recheck_s: int, now: datetime) -> None:
    outage.first_restore_at = first
    outage.save(update_fields=["first_restore_at"])
    due = max(now, first + timedelta(seconds=recheck_s))
    agenda.schedule(RECHECK, f"outage:{outage.pk}", due, now, payload={"outage": outage.pk})


def end(outage_id: int, now: datetime) -> None:
    """No new power failure for a while: the outage is over (S10.2)."""
    outage = AreaOutage.objects.select_for_update().select_related("provider").get(pk=outage_id)
    if outage.ended_at is not None:
        return
    quiet_s = _quiet_s(outage)
    due = outage.last_power_at + timedelta(seconds=quiet_s)
    if due > now:
        # another one came meanwhile: it is not moved with each of them
        _schedule_end(outage, due, now)
        return
    outage.ended_at = now
    outage.save(update_fields=["ended_at"])
    _tell(outage, "outage.ended", now)


def _quiet_s(outage: AreaOutage) -> int:
    from meldkamer.terms.loader import load

    return load(outage.provider.terms).outage.quiet_s


def _tell(
    outage: AreaOutage, what: str, now: datetime, reason: str = "", actor: str = journal.SYSTEM
) -> None:
    journal.write(
        what,
        now,
        provider_id=outage.provider_id,
        clause="S10.2",
        reason=reason,
        actor=actor,
        data={"area": outage.area, "outage": outage.pk},
    )
    journal.announce("notices")


def recheck(outage_id: int, now: datetime) -> None:
    """Each site of the area that is not restored is handled singly (S10.2)."""
    outage = AreaOutage.objects.select_for_update().get(pk=outage_id)
    if outage.rechecked_at is not None or outage.undone_at is not None:
        return
    outage.rechecked_at = now
    outage.save(update_fields=["rechecked_at"])
    for site_id in _dark(outage):
        _resume_later(outage, site_id, now, now, _NOT_RESTORED)


def _dark(outage: AreaOutage) -> list[int]:
    """The sites of an outage whose mains are not back, in the order of their numbers."""
    rows = Mains.objects.filter(site__areaoutage=outage, restored_at=None)
    return list(rows.order_by("site_id").values_list("site_id", flat=True))


def _resume_later(
    outage: AreaOutage, site_id: int, due: datetime, now: datetime, reason: str
) -> None:
    payload = {"outage": outage.pk, "site": site_id, "reason": reason}
    agenda.schedule(RESUME, f"site:{site_id}", due, now, payload=payload)


def resume(site_id: int, reason: str, now: datetime) -> None:
    """A site that is still dark is handled singly (S10.2).

    After an undo the rest of its own delay runs; after the area's restore it waits for nothing.
    """
    site = lock_site(site_id)
    failure = mains.is_dark(site)
    if failure is None:
        return
    last = Incident.objects.filter(site=site, type="power").order_by("-pk").first()
    if last is not None and last.closed_at is None:
        return
    if reason == _UNDONE and (last is None or last.outcome != Incident.Outcome.GENERAL_OUTAGE):
        return  # handled singly already
    facts = site_facts(site, now)
    if verdicts.keeps_back("power", facts, now):
        # in test, interrupted: looked at again as long as it is dark
        due = now + timedelta(seconds=facts.terms.outage.recheck_s)
        payload = {"site": site_id, "reason": reason}
        agenda.schedule(RESUME, f"site:{site_id}", due, now, payload=payload)
        return
    docket = Docket(site, facts, now)
    opening = Open("power", facts.terms.priority("power"), "S10.2", reason, origin="outage")
    acts: list[Act] = [opening]
    since = failure.failed_at if last is None else last.opened_at
    until = since + timedelta(seconds=verdicts.power_delay_s(facts))
    if reason == _UNDONE and until > now:
        acts.append(Wait(until, "power", "S10.1"))
    else:
        acts += verdicts.treat("power", facts, now)
    docket.carry_out(acts)


@transaction.atomic
def undo(staff: Staff | None, outage_id: int, reason: str, now: datetime) -> int:
    """A supervisor says that it is no general outage: each dark site is handled singly (S10.2).

    Returns how many sites are resumed. Their failures declare no outage again; new ones may.
    Refused without a reason, and a second time. staff: None in a rehearsal.
    """
    if staff is not None and not staff.is_supervisor:
        raise Refused("S10.2", "only a supervisor undoes a general outage")
    lock_provider_of(outage_id)
    outage = AreaOutage.objects.select_for_update().get(pk=outage_id)
    if staff is not None and not staff.providers.filter(pk=outage.provider_id).exists():
        raise Refused("M12.3", "another provider's")
    if outage.undone_at is not None:
        raise Refused("S10.2", "this outage was undone already")
    reason = reason.replace("\0", "").strip()
    if not reason:
        raise Refused("S10.2", "undoing an outage has a reason")
    dark = _dark(outage)
    outage.undone_at, outage.undone_by, outage.undo_reason = now, staff, reason[:200]
    outage.ended_at = outage.ended_at or now
    outage.save(update_fields=["undone_at", "undone_by", "undo_reason", "ended_at"])
    for kind in (END, RECHECK):
        agenda.strike(kind, f"outage:{outage.pk}", now)
    mains.discount(list(outage.sites.values_list("pk", flat=True)))
    for site_id in dark:
        _resume_later(outage, site_id, now, now, _UNDONE)
    _tell(outage, "outage.undone", now, reason, f"staff:{staff.pk}" if staff else journal.SYSTEM)
    return len(dark)
