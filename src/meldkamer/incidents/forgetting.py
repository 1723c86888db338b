"""What holds a person's data beside the journal goes when its time is over (GDPR 5.1.e).

The terms of its provider say after how long (`[keeping]`); what is of nobody or of the whole house
stays as long as the longest of them. Never: forget what belongs to an open incident or task, to
one that was closed less than so long ago, or to a handling counted in a period that still runs
(S13.1, D904.3). Invariant: how much was forgotten stands in the journal (M12.3), and nothing of it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from meldkamer.journal import commands as journal
from meldkamer.sites.models import Provider
from meldkamer.terms.loader import load
from meldkamer.terms.model import Keeping, Terms

#: forgotten of each kind in one call: what a storm left must not keep an alarm waiting
MOST = 2_000
_PERIOD_DAYS = {"contract_year": 366, "calendar_quarter": 92}
_NOBODY = 0

# k: whose terms count, and before when it must have been; old: what is forgotten now
_HEAD = """
WITH k AS (SELECT * FROM unnest(%(whose)s::bigint[], %(befores)s::timestamptz[],
 %(periods)s::date[]) AS one (whose, before, period)
), old AS (SELECT r.id, k.whose"""
_TAIL = """
 LIMIT %(most)s
), gone AS (DELETE FROM {table} WHERE id IN (SELECT id FROM old))
SELECT whose, count(*) FROM old GROUP BY whose"""
# An incident i whose things are kept. What there is of it is asked for row by row, as "SELECT 1 …
# LIMIT 1" and not as EXISTS, which may become a join of everything with everything at a busy site.
_KEPT = """(i.closed_at IS NULL OR i.closed_at >= k.before OR EXISTS (
  SELECT FROM contracts_handling h WHERE h.incident_id = i.id AND h.period_start > k.period))"""

_CALLS = """
 FROM notify_deskcall r JOIN k ON k.whose = r.provider_id
 WHERE r.asked_at < %(latest)s AND r.asked_at < k.before
 AND (SELECT 1 FROM incidents_incident i WHERE i.id = r.incident_id AND {kept} LIMIT 1) IS NULL
 AND (SELECT 1 FROM contracts_task t WHERE t.id = r.task_id
  AND (t.closed_at IS NULL OR t.closed_at >= k.before) LIMIT 1) IS NULL"""
# whoever rang may have spoken of what was open then at the site whose record was opened for it
_CALLS_IN = """
 FROM notify_incomingcall r JOIN k ON k.whose = coalesce(r.provider_id, 0)
 WHERE r.came_at < %(latest)s AND r.came_at < k.before
 AND (SELECT 1 FROM incidents_incident i WHERE i.site_id = r.site_id AND i.closed_at IS NULL
  AND i.opened_at < r.came_at + interval '1 hour' LIMIT 1) IS NULL
 AND (SELECT 1 FROM incidents_incident i WHERE i.site_id = r.site_id AND i.closed_at >= r.came_at
  AND i.opened_at BETWEEN r.came_at - interval '7 days' AND r.came_at + interval '1 hour'
  AND {kept} LIMIT 1) IS NULL"""
# a reply answers the texts of a day (S7.8), and those of what is still open
_REPLIES = """
 FROM notify_inboundmessage r LEFT JOIN notify_wayout w ON w.id = r.carrier_id
 JOIN k ON k.whose = coalesce(w.provider_id, 0)
 WHERE r.received_at < %(latest)s AND r.received_at < k.before AND r.consumed_at IS NOT NULL
 AND r.sender NOT IN (SELECT m.address FROM incidents_incident i
  JOIN notify_outboxmessage m ON m.incident_id = i.id WHERE i.closed_at IS NULL)
 AND (SELECT 1 FROM notify_outboxmessage m JOIN incidents_incident i ON i.id = m.incident_id
  WHERE m.address = r.sender AND {kept}
  AND m.created_at BETWEEN r.received_at - interval '7 days' AND r.received_at LIMIT 1) IS NULL"""
# nothing is invoiced for a receipt: those of a counted incident need not wait for its period
_RECEIPTS = """
 FROM notify_receipt r JOIN notify_wayout w ON w.id = r.carrier_id
 JOIN k ON k.whose = coalesce(w.provider_id, 0)
 WHERE r.received_at < %(latest)s AND r.received_at < k.before AND r.consumed_at IS NOT NULL
 AND (SELECT 1 FROM notify_outboxmessage m JOIN incidents_incident i ON i.id = m.incident_id
  WHERE m.carrier_id = r.carrier_id AND m.carrier_ref = r.ref AND m.carrier_ref <> ''
  AND i.closed_at IS NULL LIMIT 1) IS NULL"""
_ENTRIES = """
 FROM notify_patrolentry r JOIN notify_patrolunit u ON u.id = r.unit_id
 JOIN k ON k.whose = u.provider_id LEFT JOIN notify_patroljob j ON j.id = r.job_id
 WHERE r.received_at < %(latest)s AND r.received_at < k.before
 AND (j.id IS NULL OR j.ended_at < k.before)
 AND (SELECT 1 FROM incidents_incident i WHERE i.id = j.incident_id AND {kept} LIMIT 1) IS NULL"""
# a photo goes with its entry, in one statement: the tables are held against each other at its end
_PHOTOS = """
 LIMIT %(most)s
), photos AS (DELETE FROM notify_patrolphoto WHERE entry_id IN (SELECT id FROM old)
), gone AS (DELETE FROM notify_patrolentry WHERE id IN (SELECT id FROM old))
SELECT whose, count(*) FROM old GROUP BY whose"""
# where the office or the radio put a unit is a place, where its phone said it is a person's; the
# time is asked for again, for the phone may say a new one in this very moment
_PLACES = """
 FROM notify_patrolunit r JOIN k ON k.whose = r.provider_id
 WHERE r.place_shared AND r.positioned_at < k.before AND NOT EXISTS (
  SELECT FROM notify_patroljob j WHERE j.unit_id = r.id AND j.ended_at IS NULL)
 LIMIT %(most)s
), gone AS (UPDATE notify_patrolunit
 SET latitude = NULL, longitude = NULL, positioned_at = NULL, place_shared = false
 WHERE id IN (SELECT id FROM old) AND positioned_at < %(latest)s)
SELECT whose, count(*) FROM old GROUP BY whose"""


def _statement(old: str, tail: str = _TAIL, table: str = "") -> str:
    return _HEAD + old.format(kept=_KEPT) + tail.format(table=table)


#: what is forgotten: the days in `[keeping]`, and the statement that forgets and counts by provider
STATEMENTS: dict[str, tuple[str, str]] = {
    "calls": ("handling_days", _statement(_CALLS, table="notify_deskcall")),
    "calls_in": ("handling_days", _statement(_CALLS_IN, table="notify_incomingcall")),
    "replies": ("handling_days", _statement(_REPLIES, table="notify_inboundmessage")),
    "patrol_entries": ("handling_days", _statement(_ENTRIES, _PHOTOS)),
    "receipts": ("receipts_days", _statement(_RECEIPTS, table="notify_receipt")),
    "places": ("places_days", _statement(_PLACES, "")),
}


@dataclass(frozen=True, slots=True)
class _Whose:
    """A provider's number, or nobody's; how long its things are kept."""

    number: int
    days: dict[str, int]
    period: timedelta


@transaction.atomic
def forget(now: datetime) -> bool:
    """Forget what is over, MOST of each kind at most; whether that was all of it."""
    everybody = _everybody()
    told: dict[int, dict[str, int]] = defaultdict(dict)
    complete = True
    for kind in STATEMENTS:
        gone = _forget(kind, everybody, now)
        complete = complete and sum(gone.values()) < MOST
        for number, count in gone.items():
            told[number][kind] = count
    for number, counts in sorted(told.items()):
        whose = None if number == _NOBODY else number
        journal.write("data.forgotten", now, provider_id=whose, clause="M12.3", data=counts)
    return complete


def _forget(kind: str, everybody: list[_Whose], now: datetime) -> dict[int, int]:
    days, statement = STATEMENTS[kind]
    befores = [now - timedelta(days=whose.days[days]) for whose in everybody]
    wanted: dict[str, Any] = {
        "whose": [whose.number for whose in everybody],
        "befores": befores,
        "periods": [(now - whose.period).date() for whose in everybody],
        # an index can go by this one
        "latest": max(befores, default=now),
        "most": MOST,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, wanted)
        return {int(number): int(count) for number, count in cursor.fetchall()}


def _everybody() -> list[_Whose]:
    found = []
    for provider in Provider.objects.order_by("pk"):
        terms = load(provider.terms)
        found.append(_Whose(int(provider.pk), _days(terms.keeping), _period(terms)))
    if found:
        longest = {key: max(whose.days[key] for whose in found) for key in found[0].days}
        found.append(_Whose(_NOBODY, longest, max(whose.period for whose in found)))
    return found


def _days(keeping: Keeping) -> dict[str, int]:
    return {key: getattr(keeping, key) for key in keeping.__struct_fields__}


def _period(terms: Terms) -> timedelta:
    """The longest time over which a provider's plans count handlings (S13.1, D904.3)."""
    return timedelta(days=max(_PERIOD_DAYS[plan.period] for plan in terms.plans.values()))
