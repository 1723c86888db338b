"""The carriers an installation has: which there are, whose they are, whether they work.

Reads alone; `way_commands` enters and changes them. A secret is opened only where a carrier is
built, never for a screen or a log.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from django.conf import settings

from meldkamer.notify.carrier import Carrier
from meldkamer.notify.ears import StoringEars
from meldkamer.notify.kinds import BY_NAME, CHANNELS, SANDBOX, build
from meldkamer.notify.models import WayOut
from meldkamer.rules import routing
from meldkamer.sites.models import Provider
from meldkamer.sites.sealing import unseal

PURPOSE = b"carrier"


def enabled() -> list[WayOut]:
    """Every carrier outside that is switched on, by number."""
    return list(WayOut.objects.filter(enabled=True).exclude(kind=SANDBOX).order_by("pk"))


def get(carrier_id: int) -> WayOut:
    """One carrier; WayOut.DoesNotExist when there is none."""
    return WayOut.objects.get(pk=carrier_id)


def facts(row: WayOut, now: datetime) -> routing.Way:
    """A carrier as the routing sees it; one that rests or is of unknown health is not asked."""
    rests = row.rests_until is not None and row.rests_until > now
    return routing.Way(
        id=int(row.pk),
        channel=row.channel,
        provider_id=row.provider_id,
        priority=row.priority,
        up=row.state == WayOut.State.UP and not rests,
        two_way=row.two_way,
        lane=row.name if row.kind in BY_NAME else "",
    )


def outside(now: datetime) -> list[routing.Way]:
    """Every carrier outside as the routing sees it now."""
    return [facts(row, now) for row in enabled()]


def works(provider_id: int, channel: str) -> bool | None:
    """Whether a message of this provider could leave over this channel now.

    None: the channel is inside, or no carrier was ever entered for it.
    """
    own = [
        row
        for row in WayOut.objects.filter(enabled=True, channel=channel)
        if row.provider_id in (None, provider_id)
    ]
    if not own or any(row.kind == SANDBOX for row in own) or is_practice(provider_id):
        return None
    return any(row.state != WayOut.State.DOWN for row in own)


def is_practice(provider_id: int) -> bool:
    """Whether everything of this provider stays in the house."""
    return Provider.objects.filter(pk=provider_id, practice=True).exists()


def providers_outside() -> list[int]:
    """Providers whose messages may leave the house."""
    return list(Provider.objects.filter(practice=False).order_by("pk").values_list("pk", flat=True))


def in_sandbox() -> list[tuple[int, str]]:
    """The (provider, channel) whose messages stay in the house."""
    boxes = list(
        WayOut.objects.filter(kind=SANDBOX, enabled=True).values_list("provider_id", "channel")
    )
    return [
        (provider_id, channel)
        for provider_id, practice in Provider.objects.order_by("pk").values_list("pk", "practice")
        for channel in CHANNELS
        if practice or (provider_id, channel) in boxes or (None, channel) in boxes
    ]


def carrier_of(row: WayOut) -> Carrier:
    """The carrier itself, not opened yet: what it hears is stored. SettingsFault, see `build`."""
    return build(row.kind, row.settings, secrets_of(row), StoringEars(int(row.pk)))


def secrets_of(row: WayOut) -> dict[str, str]:
    """A carrier's secrets, opened; for the one who builds it, never for a screen or a log."""
    if row.secrets_sealed is None:
        return {}
    opened = unseal(bytes(row.secrets_sealed), settings.MELDKAMER_SEALING_KEY, PURPOSE)
    return msgspec.json.decode(opened, type=dict[str, str])
