"""A carrier fails or works again: an operator hears of it, and messages go another way.

It becomes a signal of the provider's own house (`sites.house`), judged like any other, so it has an
owner and a due time (M12.2). A failure is told once, until the carrier works again.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from meldkamer.journal import commands as journal
from meldkamer.journal.synthetic import store_synthetic
from meldkamer.notify import outbox
from meldkamer.notify.models import WayOut
from meldkamer.sites import house
from meldkamer.sites.models import Provider

_TYPE = "external_technical"


@transaction.atomic
def fails(carrier_id: int, fault: str, now: datetime) -> None:
    """It does not work: what it was to take is free for others, and an operator is told (S16.2)."""
    row = _locked(carrier_id)
    if row.state == WayOut.State.DOWN:
        _still_fails(row, fault, now)
        return
    outbox.note_health(row, WayOut.State.DOWN, fault, now)
    _signal(row, now, role="event", code="carrier down", fault=fault)
    waiting = outbox.unpin(carrier_id)
    _tell("carrier.failed", row, now, reason=fault, waiting=waiting)


@transaction.atomic
def works(carrier_id: int, now: datetime) -> None:
    """It works, for the first time or again."""
    row = _locked(carrier_id)
    before = row.state
    if before == WayOut.State.UP:
        return
    outbox.note_health(row, WayOut.State.UP, "", now)
    _tell("carrier.works", row, now)
    if before == WayOut.State.DOWN:
        _signal(row, now, role="restore", code="carrier up")


def _still_fails(row: WayOut, fault: str, now: datetime) -> None:
    """In another way than before: whoever mends it reads what is wrong now, and is told no more."""
    if not outbox.note_reason(row, fault):
        return
    provider = _provider_of(row)
    if provider is not None:
        house.zone_of(house.house_of(provider, now), *_zone(row), row.help_phone, fault)
    journal.announce("carriers")


def _locked(carrier_id: int) -> WayOut:
    """The carrier, in a way that lets others note a message for it meanwhile: nobody waits."""
    return WayOut.objects.select_for_update(no_key=True).get(pk=carrier_id)


def _tell(word: str, row: WayOut, now: datetime, reason: str = "", **data: object) -> None:
    journal.write(
        word,
        now,
        provider_id=row.provider_id,
        clause="M12.1",
        reason=reason,
        to=row.name,
        data={"carrier": row.pk, "channel": row.channel, **data},
    )
    journal.announce("carriers")


def _signal(row: WayOut, now: datetime, *, role: str, code: str, fault: str = "") -> None:
    """Into the house of its provider."""
    provider = _provider_of(row)
    if provider is None:  # nobody's: nothing waits for it
        return
    site = house.house_of(provider, now)
    number, name = _zone(row)
    zone = house.zone_of(site, number, name, row.help_phone, fault)
    store_synthetic(
        site_id=site.pk,
        at=now,
        code=code,
        role=role,
        signal_type=_TYPE if role == "event" else "",
        restores_type=_TYPE if role == "restore" else None,
        zone=zone.number,
        found={"carrier": row.name, **({"fault": fault[:200]} if fault else {})},
    )


def _provider_of(row: WayOut) -> Provider | None:
    """Whose house it is; of one that serves every provider: of the oldest outside."""
    providers = Provider.objects.filter(practice=False).order_by("pk")
    if row.provider_id is not None:
        providers = providers.filter(pk=row.provider_id)
    return providers.first()


def _zone(row: WayOut) -> tuple[str, str]:
    """Number and name of the zone that stands for a carrier."""
    return f"{house.ZONE}{row.pk}", f"{row.channel}: {row.name}"
