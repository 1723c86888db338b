"""Puts a message for an authority into the outbox, bound to the carrier that it was written for."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.db.models import Q

from meldkamer.notify.commands import OUTBOX
from meldkamer.notify.kinds import SANDBOX
from meldkamer.notify.models import OutboxMessage, WayOut

CHANNEL, TEMPLATE = "authority", "cap"
URGENT = 1


def way_for(provider_id: int, service: str, zone: str) -> WayOut | None:
    """The carrier that takes this service in this zone; None when nobody does by wire."""
    rows = WayOut.objects.filter(
        Q(provider_id=provider_id) | Q(provider_id=None), channel=CHANNEL, enabled=True
    )
    ordered = sorted(rows, key=lambda row: (row.provider_id is None, row.priority, row.pk))
    return next((row for row in ordered if _takes(row, service, zone)), None)


def _takes(row: WayOut, service: str, zone: str) -> bool:
    if row.kind == SANDBOX:
        return True
    services = row.settings.get("services") or ("police", "fire", "medical")
    zones = [str(one).casefold() for one in row.settings.get("zones") or ()]
    return service in services and (not zones or zone.casefold() in zones)


def put(
    way: WayOut,
    body: str,
    headline: str,
    *,
    service: str,
    language: str,
    provider_id: int,
    site_id: int,
    incident_id: int,
    now: datetime,
) -> int:
    """Commit a message with the decision that made it; its number. No throttle holds it back."""
    sandbox = way.kind == SANDBOX
    message = OutboxMessage.objects.create(
        channel=CHANNEL,
        template=TEMPLATE,
        address=str(way.settings.get("recipient") or "authority"),
        recipient=service,
        language=language,
        clause="B1",
        subject=headline[:200],
        body=body,
        created_at=now,
        provider_id=provider_id,
        site_id=site_id,
        incident_id=incident_id,
        first_of_incident=True,
        urgency=URGENT,
        carrier=None if sandbox else way,
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [OUTBOX])
    return int(message.pk)
