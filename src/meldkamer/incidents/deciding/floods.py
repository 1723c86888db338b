"""Floods: one transmitter is held back alone, noted in one incident, and released when quiet.

Why: see `rules.flood`. What is counted is what was received, so any number of workers agree, and a
backlog judged at once is no flood. Frames that were not believed do not count: a stranger who sends
in another's name would silence it. Never: a row written per signal of a flood beyond its verdict.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from json import dumps
from typing import TYPE_CHECKING, Any

from django.db import connection

from meldkamer.agenda import commands as agenda
from meldkamer.contracts.models import Interruption
from meldkamer.incidents import notices
from meldkamer.incidents.deciding import gathering
from meldkamer.incidents.models import Incident
from meldkamer.journal import commands as journal
from meldkamer.rules.acts import Enqueue, HoldBack, Open
from meldkamer.rules.facts import SiteFacts
from meldkamer.sites.models import Site
from meldkamer.terms.model import Flood

if TYPE_CHECKING:
    from meldkamer.incidents.deciding.carry_out import Docket
    from meldkamer.journal.models import Signal

END = "flood.end"
_CLAUSE = "D908.3"
#: told by a technician on the phone, as a fault of the installation is (S16.2)
TYPE = "external_technical"
# by the index of site and receipt, and never more rows than decide it
_BURSTS = """
SELECT asked.id, (
    SELECT count(*) FROM (
        SELECT FROM journal_signal s WHERE s.site_id = asked.site AND s.received_at > asked.since
            AND s.received_at <= asked.at AND s.id <= asked.id
            AND s.transmitter_id = asked.transmitter
            AND s.role <> 'unparsed' AND s.detail->>'disposition' IS NULL
            AND s.received_at > coalesce((SELECT max(ended_at) FROM contracts_testmode t
                WHERE t.site_id = asked.site), '-infinity')
        LIMIT asked.most
    ) sent
) FROM json_to_recordset(%s::json) AS asked (id bigint, site bigint, since timestamptz,
    at timestamptz, transmitter bigint, most int)
"""
# what keeps it from being quiet: the youngest signal but so many
_LOUD = """
SELECT received_at FROM journal_signal WHERE site_id = %(site)s AND received_at > %(since)s
    AND transmitter_id = %(transmitter)s
    AND role <> 'unparsed' AND detail->>'disposition' IS NULL
ORDER BY received_at DESC, id DESC OFFSET %(quiet)s LIMIT 1
"""
_EVIDENCE = """
SELECT code, coalesce(zone, ''), count(*), min(received_at), max(received_at)
FROM journal_signal WHERE site_id = %(site)s AND received_at > %(since)s
    AND received_at <= %(upto)s AND transmitter_id = %(transmitter)s
    AND role <> 'unparsed' AND detail->>'disposition' IS NULL
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""
_CODES_SHOWN = 12


def bursts(asked: Iterable[tuple[Signal, SiteFacts]]) -> dict[int, int]:
    """How many signals its transmitter sent within the window, by a signal's number (D908.3).

    The signal is counted too. Those are left out at which no flood can begin: no transmitter, a
    test, a flood that runs already.
    """
    values = [_asked(row, site) for row, site in asked if _may_begin(row, site)]
    if not values:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_BURSTS, [dumps(values)])
        return dict(cursor.fetchall())


def _may_begin(row: Signal, site: SiteFacts) -> bool:
    if row.transmitter_id is None or site.tests or not site.in_force:
        return False
    return not any(
        one.transmitter == row.transmitter_id
        and (one.since is None or one.since <= row.received_at)
        for one in site.interruptions
    )


def _asked(row: Signal, site: SiteFacts) -> dict[str, Any]:
    rules = site.terms.flood
    return {
        "id": row.pk,
        "site": site.id,
        "since": (row.received_at - timedelta(seconds=rules.window_s)).isoformat(),
        "at": row.received_at.isoformat(),
        "transmitter": row.transmitter_id,
        "most": rules.signals + 1,
    }


def begin(docket: Docket, act: HoldBack) -> None:
    """Hold a transmitter back from now on; noted in the incident of its signals, else in a new one.

    The signal that completed the count is of no incident when it is held itself (R4).
    """
    gathering.put_down()
    site, now, rules = docket.site, docket.now, docket.site_facts.terms.flood
    since = act.at - timedelta(seconds=rules.window_s)
    evidence = _evidence(site, act.transmitter, since, act.at)
    running = _incident_of(site, act.transmitter, since)
    row = Interruption.objects.create(
        site=site,
        kind=Interruption.Kind.FLOOD,
        clause=act.clause,
        transmitter_id=act.transmitter,
        started_by=journal.SYSTEM,
        started_at=act.at,
        evidence=evidence,
    )
    from meldkamer.incidents.deciding.carry_out import Docket

    if docket.incident is not None and running == docket.incident:
        running = docket.incident  # read twice, the one would undo what the other counts
    told = Docket(site, docket.site_facts, now, incident=running)
    data = {"transmitter": act.transmitter, "signals": act.signals, "window_s": rules.window_s}
    told.say("flood.started", act.clause, data={**data, **evidence})
    if running is None:
        priority = docket.site_facts.terms.priority(TYPE)
        reason = "a transmitter is held back"
        told.carry_out([Open(TYPE, priority, act.clause, reason, origin="flood"), Enqueue("S16.2")])
        told.say("flood.noted", act.clause, data=evidence)
    else:
        told.save()
    row.incident_id = told.opened.pk
    row.save(update_fields=["incident_id"])
    _look_again(row, act.at + timedelta(seconds=rules.quiet_s), now)
    _notice(told, "flood")


def _incident_of(site: Site, transmitter_id: int, since: datetime) -> Incident | None:
    """The open incident that this transmitter's signals opened or joined, or of the type itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(i.id) FROM incidents_incident i JOIN incidents_verdict v"
            " ON v.incident_id = i.id JOIN journal_signal s ON s.id = v.signal_id"
            " WHERE i.site_id = %s AND i.closed_at IS NULL AND s.transmitter_id = %s"
            " AND s.received_at > %s",
            [site.pk, transmitter_id, since],
        )
        (found,) = cursor.fetchone()
    rows = Incident.objects.filter(site=site, closed_at=None).select_related("site__provider")
    if found is not None:
        return rows.get(pk=found)
    return rows.filter(type=TYPE).first()


def _evidence(site: Site, transmitter_id: int, since: datetime, upto: datetime) -> dict[str, Any]:
    """What came: how much, from when to when, and the codes with their zones, the most first."""
    with connection.cursor() as cursor:
        cursor.execute(
            _EVIDENCE,
            {"site": site.pk, "since": since, "upto": upto, "transmitter": transmitter_id},
        )
        rows = cursor.fetchall()
    if not rows:
        return {"received": 0, "codes": []}
    return {
        "received": sum(row[2] for row in rows),
        "first": min(row[3] for row in rows).isoformat(),
        "last": max(row[4] for row in rows).isoformat(),
        "codes": [
            {"code": code, "zone": zone, "count": count}
            for code, zone, count, _, _ in rows[:_CODES_SHOWN]
        ],
    }


def _look_again(row: Interruption, due: datetime, now: datetime) -> None:
    payload = {"interruption": row.pk, "site": row.site_id}
    agenda.schedule(END, f"interruption:{row.pk}", due, now, rank=0, payload=payload)


def end(row_id: int, site: Site, facts: SiteFacts, now: datetime) -> None:
    """The agenda's row: released when it was quiet, else looked at when it can be (D908.3)."""
    row = Interruption.objects.filter(pk=row_id, ended_at=None).first()
    if row is None or row.transmitter_id is None:
        return
    loud = _loud_at(row, facts.terms.flood, now)
    if loud is not None:
        _look_again(row, loud + timedelta(seconds=facts.terms.flood.quiet_s), now)
        return
    began = row.started_at - timedelta(seconds=facts.terms.flood.window_s)
    row.evidence = _evidence(site, row.transmitter_id, began, now)
    row.ended_at, row.ended_by = now, journal.SYSTEM
    row.save(update_fields=["evidence", "ended_at", "ended_by"])
    from meldkamer.incidents.deciding.carry_out import Docket

    incident = None
    if row.incident_id is not None:
        incident = Incident.objects.select_related("site__provider").get(pk=row.incident_id)
    docket = Docket(site, facts, now, incident=incident)
    data = {"transmitter": row.transmitter_id, **row.evidence}
    docket.say("flood.ended", _CLAUSE, "quiet", data=data)
    if incident is not None and incident.closed_at is None:
        docket.save()
    journal.announce(f"site:{site.pk}")


def _loud_at(row: Interruption, rules: Flood, now: datetime) -> datetime | None:
    """When the signal came that still makes it loud; None when it is quiet."""
    with connection.cursor() as cursor:
        cursor.execute(
            _LOUD,
            {
                "site": row.site_id,
                "since": now - timedelta(seconds=rules.quiet_s),
                "transmitter": row.transmitter_id,
                "quiet": rules.quiet_signals,
            },
        )
        found = cursor.fetchone()
    return found[0] if found else None


def _notice(docket: Docket, kind: str) -> None:
    site = docket.site
    notices.add(kind, _CLAUSE, site.name, docket.now, site=site, incident=docket.incident)
