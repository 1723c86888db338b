"""Rows into the values that the rules look at. Reads only; the caller holds the lock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from json import loads
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.db import connection

from meldkamer.contracts.commands import trial_until
from meldkamer.incidents.models import Incident, Verdict
from meldkamer.journal.models import Entry, Signal
from meldkamer.rules.facts import (
    ContactFacts,
    IncidentFacts,
    InterruptionFacts,
    Past,
    SignalFacts,
    SiteFacts,
    TestFacts,
    ZoneFacts,
)
from meldkamer.rules.versions import overlay
from meldkamer.sites import procedure_queries
from meldkamer.sites.house import help_desks
from meldkamer.sites.models import Site
from meldkamer.sites.phones import may_be_texted
from meldkamer.terms.loader import load
from meldkamer.terms.model import Procedure, Terms

# Everything the rules ask of sites besides their own rows, in one round trip.
_SHEET = """
SELECT
 (SELECT coalesce(jsonb_agg(jsonb_build_array(id, name, phone, email, language)
    ORDER BY position), '[]') FROM sites_contact WHERE site_id = %(site)s),
 (SELECT coalesce(jsonb_agg(jsonb_build_array(number, area, name, detector, kind, type)), '[]')
    FROM sites_zone WHERE site_id = %(site)s),
 (SELECT coalesce(jsonb_agg(jsonb_build_array(id, areas, zones, types, until, started_at)
    ORDER BY id), '[]')
    FROM contracts_testmode
    WHERE site_id = %(site)s AND ended_at IS NULL AND started_at <= %(now)s),
 (SELECT coalesce(jsonb_agg(jsonb_build_array(kind, clause, types, transmitter_id, started_at)
    ORDER BY id), '[]')
    FROM contracts_interruption WHERE site_id = %(site)s AND ended_at IS NULL),
 (SELECT jsonb_build_array(until, by, from_premises) FROM contracts_falsealarmforetold
    WHERE site_id = %(site)s AND at <= %(now)s AND until >= %(now)s ORDER BY at DESC LIMIT 1),
 (SELECT coalesce(jsonb_agg(jsonb_build_array(code, handle)), '[]')
    FROM watch_undefinedcode WHERE site_id = %(site)s),
 (SELECT max(missed) FROM watch_linetestwatch WHERE site_id = %(site)s),
 (SELECT coalesce(jsonb_agg(jsonb_build_array(id, site_id IS NOT NULL, procedure::text,
    starts_at, ends_at, withdrawn_at) ORDER BY id), '[]') FROM sites_procedureversion
    WHERE provider_id = %(provider)s AND (site_id IS NULL OR site_id = %(site)s)
    AND released_at IS NOT NULL AND (ends_at IS NULL OR ends_at > %(now)s)
    AND (withdrawn_at IS NULL OR withdrawn_at > %(now)s))
"""
_SHEETS = (
    _SHEET.replace("SELECT", "SELECT asked.id,", 1)
    .replace("%(site)s", "asked.id")
    .replace("%(provider)s", "asked.provider")
    + "FROM unnest(%(sites)s::bigint[], %(providers)s::bigint[]) AS asked (id, provider)"
)


def terms_of(site: Site) -> Terms:
    """The terms that bind a site: its provider's."""
    return load(site.provider.terms)


def site_facts(site: Site, now: datetime) -> SiteFacts:
    """A site with its sheet and service state as of `now`."""
    return facts_of([site], now)[site.pk]


def facts_of(sites: Collection[Site], now: datetime) -> dict[int, SiteFacts]:
    """The same of several sites, by their numbers, in one statement."""
    values: dict[str, Any] = {
        "sites": [site.pk for site in sites],
        "providers": [site.provider_id for site in sites],
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SHEETS, values)
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
    return {site.pk: _facts(site, rows[site.pk], now) for site in sites}


def _facts(site: Site, cells: Sequence[Any], now: datetime) -> SiteFacts:
    terms = terms_of(site)
    row = [loads(cell) if isinstance(cell, str) else cell for cell in cells]
    contacts, zones, tests, interruptions, foretold, codes, missed, changed = row
    # a version begins and ends by time: whoever keeps these facts lays it over anew (S14.1)
    terms = overlay(terms, procedure_queries.from_cells(changed), now)
    return SiteFacts(
        id=site.pk,
        provider_id=site.provider_id,
        name=site.name,
        timezone=ZoneInfo(site.timezone),
        plan=site.plan,
        formula=site.formula,
        types=None if site.types is None else frozenset(site.types),
        options=frozenset(site.options),
        premises_phone=site.premises_phone,
        premises_person=site.premises_person,
        contacts=tuple(_contact(cell, terms) for cell in contacts),
        zones={cell[0]: ZoneFacts(*cell) for cell in zones},
        terms=terms,
        postal_code=site.postal_code,
        position=(
            None
            if site.latitude is None or site.longitude is None
            else (site.latitude, site.longitude)
        ),
        language=site.language,
        trial_until=trial_until(site, terms),
        in_force=site.in_force_from is not None and site.in_force_from <= now,
        tests=tuple(_test(cell) for cell in tests),
        interruptions=tuple(
            InterruptionFacts(kind, clause, tuple(types), sender, datetime.fromisoformat(since))
            for kind, clause, types, sender, since in interruptions
        ),
        foretold_until=datetime.fromisoformat(foretold[0]) if foretold else None,
        foretold_by=foretold[1] if foretold else "",
        foretold_from_premises=bool(foretold and foretold[2]),
        power_delay_s=site.power_delay_s,
        app_cloud=site.app_cloud,
        app_notifies=site.app_notifies,
        app_managed_by=site.app_managed_by
        or (site.installer.name if site.app_cloud and site.installer else ""),
        known_undefined=frozenset(code for code, handle in codes if not handle),
        handled_undefined=frozenset(code for code, handle in codes if handle),
        test_period_s=site.test_period_s,
        missed_tests=missed or 0,
        help_desks=help_desks(site.pk) if site.house else {},
    )


def _contact(cell: list[Any], terms: Terms) -> ContactFacts:
    id_, name, phone, email, language = cell
    textable = bool(phone) and may_be_texted(phone, terms.texting.mobile_countries)
    return ContactFacts(id_, name, phone, email, language, textable)


def _test(cell: list[Any]) -> TestFacts:
    id_, areas, zones, types, until, since = cell
    moments = datetime.fromisoformat(until), datetime.fromisoformat(since)
    return TestFacts(id_, tuple(areas), tuple(zones), tuple(types), *moments)


def signal_facts(row: Signal) -> SignalFacts:
    """One stored signal."""
    detail: dict[str, Any] = row.detail or {}
    return SignalFacts(
        id=row.pk,
        at=row.received_at,
        code=row.code,
        role=row.role,
        type=row.type,
        klass=row.klass,
        zone=row.zone or None,
        area=row.area or None,
        user=row.user or None,
        label=str(detail.get("label") or ""),
        origin=row.origin,
        duress=bool(detail.get("duress")),
        verifies=bool(detail.get("verifies")),
        entry_exit=bool(detail.get("entry_exit")),
        restores_type=detail.get("restores_type"),
        disposition=detail.get("disposition"),
        detail=detail,
        transmitter=row.transmitter_id,
    )


def history(incident_id: int) -> tuple[Past, ...]:
    """The journal entries of an incident, oldest first."""
    return tuple(
        past(entry) for entry in Entry.objects.filter(incident_id=incident_id).order_by("id")
    )


def histories(incident_ids: Collection[int]) -> dict[int, list[Past]]:
    """The journal entries of several incidents, by their numbers."""
    found: dict[int, list[Past]] = {id_: [] for id_ in incident_ids}
    if found:
        for entry in Entry.objects.filter(incident_id__in=list(found)).order_by("id"):
            found[entry.incident_id or 0].append(past(entry))
    return found


def past(entry: Entry) -> Past:
    """One journal entry as the rules read it."""
    return Past(entry.at, entry.what, entry.recipient, entry.clause, entry.data)


def incident_signals(incident_id: int, site: SiteFacts) -> tuple[SignalFacts, ...]:
    """The signals that opened or joined an incident, with the sheet's types."""
    from meldkamer.rules.verdicts import with_sheet

    ids = Verdict.objects.filter(incident_id=incident_id).values_list("signal_id", flat=True)
    rows = Signal.objects.filter(pk__in=list(ids)).order_by("id")
    return tuple(with_sheet(signal_facts(row), site) for row in rows)


def recent_signals_of(
    sites: Mapping[int, SiteFacts], now: datetime
) -> dict[int, tuple[SignalFacts, ...]]:
    """Of each site the signals that were acted on, in the longest window that a rule looks back.

    By the sites' numbers, in one statement. Without those of incidents closed as a false alarm: a
    refuted signal verifies nothing (S9.1).
    """
    from meldkamer.rules.verdicts import with_sheet

    since = {id_: now - timedelta(seconds=_longest_s(site.terms)) for id_, site in sites.items()}
    earliest = min(since.values())
    ids = (
        Verdict.objects.filter(
            site_id__in=list(sites), at__gte=earliest, verdict__in=("opened", "joined")
        )
        .exclude(incident__outcome="false_alarm")
        .values_list("signal_id", "site_id", "at")
    )
    given = [signal for signal, site_id, at in ids if at >= since[site_id]]
    found: dict[int, list[SignalFacts]] = {id_: [] for id_ in sites}
    if given:
        rows = Signal.objects.filter(received_at__gte=earliest, pk__in=given).order_by("id")
        for row in rows:
            if row.site_id in found and row.received_at >= since[row.site_id]:
                found[row.site_id].append(with_sheet(signal_facts(row), sites[row.site_id]))
    return {id_: tuple(signals) for id_, signals in found.items()}


def _longest_s(terms: Terms) -> int:
    return max(terms.verification.window_s, terms.queue.raise_within_s)


def frozen_procedure(incident: Incident) -> Procedure | None:
    """The procedure that the incident was opened with."""
    return msgspec.convert(incident.procedure, Procedure) if incident.procedure else None


def incident_facts(
    incident: Incident,
    now: datetime,
    site: SiteFacts | None = None,
    past_entries: Iterable[Past] | None = None,
) -> IncidentFacts:
    """An incident as the rules see it; `site` and the history are read when they are not given."""
    site = site or site_facts(incident.site, now)
    return IncidentFacts(
        id=incident.pk,
        type=incident.type,
        opened_at=incident.opened_at,
        state=incident.state,
        site=site,
        procedure=frozen_procedure(incident),
        history=history(incident.pk) if past_entries is None else tuple(past_entries),
        signals=(
            incident_signals(incident.pk, site)
            if incident.type == "fire" or site.help_desks
            else ()
        ),
        verified_by=incident.verified_by,
        wait_for=incident.wait_for,
        origin=incident.origin,
        free_patrols=free_patrols(site, now),
    )


def free_patrols(site: SiteFacts, now: datetime) -> int:
    """How many patrol units could go now (S6.1)."""
    from meldkamer.notify.queries import free_units

    if not site.takes("patrol"):
        return 0
    stale_s = site.terms.patrol.stale_s
    return len(free_units(site.provider_id, site.position, now, stale_s=stale_s))
