"""Journal entries as the lines of a timeline: the words of the contract, and of announced calls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from meldkamer.journal.models import Entry
from meldkamer.rehearsal.world import World

# fmt: off
PRINTED = frozenset((
    "signal.received", "signal.held", "incident.opened", "incident.waiting", "incident.queued",
    "incident.verified", "incident.closed", "call.placed", "call.result", "identified",
    "identification.failed", "sms.sent", "sms.received", "call.announced", "app.sent", "mail.sent",
    "letter.sent", "message.left", "police.requested", "fire.requested", "medical.requested",
    "police.refused", "fire.refused", "medical.refused", "patrol.refused", "supervisor.notified",
    "patrol.sent", "patrol.arrived", "patrol.done", "line_test.missed", "line_test.returned",
    "schedule.missed", "outage.declared", "test.started", "test.ended", "trial.ended",
    "service.in_force", "service.suspended", "service.resumed", "flood.started", "flood.ended",
    "needless.counted", "needless.warned", "sheet.changed", "sheet.refused", "handling.counted",
))
# fmt: on
#: kept in UTC, told in the time of the site
_MOMENTS = ("until", "first", "last", "started_at")
# what an entry keeps for the rules and a reader of the timeline has no use for
_HIDDEN = {
    *("key", "round", "message", "accepted", "inform", "in_call", "for", "purpose", "other"),
    *("test", "task", "interruption", "document", "transmitter", "told", "without_code"),
}


def lines(world: World, end: datetime) -> Iterator[dict[str, Any]]:
    """The timeline of a story that was played, with its last line."""
    from meldkamer.incidents.models import Incident

    zone = ZoneInfo(world.terms.timezone)
    names = {site.pk: site for site in world.sites.values()}
    numbers: dict[int, int] = {}
    own = Q(provider_id=world.provider.pk) | Q(provider_id=None, pk__gt=world.first_entry)
    for entry in Entry.objects.filter(own).order_by("id"):
        if entry.incident_id is not None:
            numbers.setdefault(entry.incident_id, len(numbers) + 1)
        if entry.what in PRINTED:
            site = names.get(entry.site_id or 0)
            yield _line(entry, site.name if site else "", numbers, zone)
    yield {
        "what": "end",
        "at": _when(end, zone),
        "open": Incident.objects.filter(closed_at=None).count(),
    }


def _when(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat()


def _line(entry: Entry, site: str, numbers: dict[int, int], zone: ZoneInfo) -> dict[str, Any]:
    line: dict[str, Any] = {"at": _when(entry.at, zone)}
    if site:
        line["site"] = site
    line["what"] = entry.what
    if entry.incident_id is not None:
        line["incident"] = numbers[entry.incident_id]
    if entry.type:
        line["type"] = entry.type
    if entry.recipient:
        line["to"] = entry.recipient
    if entry.clause:
        line["clause"] = entry.clause
    if entry.reason:
        line["reason"] = entry.reason
    for key, value in entry.data.items():
        if key not in _HIDDEN:
            line[key] = _shown(key, value, zone)
    return line


def _shown(key: str, value: Any, zone: ZoneInfo) -> Any:
    if key in _MOMENTS and isinstance(value, str):
        return _when(datetime.fromisoformat(value), zone)
    if key == "zone" and isinstance(value, str) and value.isdigit():
        return int(value)
    return value
