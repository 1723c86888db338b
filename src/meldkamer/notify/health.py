"""How the ways out are now, for screens: each carrier, each channel of a provider, what waits.

Reads only, and few statements whatever there is. What is shown is never better than it is: a
carrier whose line gave no sign of life is not called good, and a channel in the sandbox is never
shown as a way out of the house.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, Sum

from meldkamer.notify.kinds import BY_NAME, CHANNELS, SANDBOX
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.sites.models import Provider

#: a line says every ten seconds that it runs
SILENT = timedelta(seconds=45)
HOUR = timedelta(hours=1)
_State = OutboxMessage.State
UNSENT = (_State.PENDING, _State.SENDING, _State.WAITING)


@dataclass(frozen=True, slots=True)
class CarrierNow:
    """One carrier. state: good, bad (it does not work), unknown (nobody drives it) or off."""

    row: WayOut
    state: str
    waiting: int = 0
    last_hour: int = 0
    failed: int = 0
    doubted: int = 0

    @property
    def sandbox(self) -> bool:
        """Whether what it takes stays in the house."""
        return self.row.kind == SANDBOX


@dataclass(frozen=True, slots=True)
class ChannelNow:
    """One channel of one provider.

    lane: the panel maker's cloud, "" for everything else (S8.3). state: good · second (the first
    does not work, another one takes its place) · bad (none works) · unknown (nobody drives them) ·
    none (messages wait and no carrier was entered) · practice (it stays in the house). in_use and
    first are names of carriers. waiting: messages that did not leave yet; oldest: since when.
    """

    provider: Provider
    channel: str
    lane: str
    state: str
    in_use: str
    first: str
    since: datetime | None
    fault: str
    waiting: int
    oldest: datetime | None

    @property
    def attention(self) -> bool:
        """Whether a person should know."""
        return self.state in ("second", "bad", "unknown", "none")


def carriers(
    provider_ids: Collection[int], now: datetime, *, enabled: bool = False
) -> list[CarrierNow]:
    """The carriers of these providers and of the house, by channel and order of asking."""
    rows = WayOut.objects.filter(Q(provider_id__in=provider_ids) | Q(provider_id=None))
    if enabled:
        rows = rows.filter(enabled=True)
    counts = _counts(now)
    found = [
        CarrierNow(row, state_of(row, now), *counts.get(int(row.pk), (0, 0, 0, 0))) for row in rows
    ]
    return sorted(found, key=lambda one: (CHANNELS.index(one.row.channel), *_rank(one.row)))


def _rank(row: WayOut) -> tuple[bool, bool, int, int]:
    """As the routing asks: those that are on, the provider's own, then by priority."""
    return (not row.enabled, row.provider_id is None, row.priority, int(row.pk))


def state_of(row: WayOut, now: datetime) -> str:
    """good, bad, unknown or off."""
    if not row.enabled:
        return "off"
    if row.kind == SANDBOX:
        return "good"
    if row.state == WayOut.State.DOWN:
        return "bad"
    driven = row.beat_at is not None and now - row.beat_at <= SILENT
    return "good" if driven and row.state == WayOut.State.UP else "unknown"


def _counts(now: datetime) -> dict[int, tuple[int, int, int, int]]:
    """carrier → (waiting, taken in the last hour, failed of these, perhaps doubled of these)."""
    waiting = (
        OutboxMessage.objects.filter(state__in=UNSENT, carrier__isnull=False)
        .values_list("carrier_id")
        .annotate(n=Count("pk"))
        .order_by()
    )
    lately = (
        OutboxMessage.objects.filter(handed_over_at__gt=now - HOUR, carrier__isnull=False)
        .values_list("carrier_id")
        .annotate(n=Count("pk"), failed=Count("pk", filter=Q(state=_State.FAILED)), d=Sum("doubts"))
        .order_by()
    )
    found = {int(carrier): (n, 0, 0, 0) for carrier, n in waiting}
    for carrier, n, failed, doubted in lately:
        held = found.get(int(carrier), (0, 0, 0, 0))[0]
        found[int(carrier)] = (held, n, failed, doubted)
    return found


def channels(provider_ids: Collection[int], now: datetime) -> list[ChannelNow]:
    """Every channel of these providers that has a carrier, or messages that wait for one."""
    return channels_of(list(Provider.objects.filter(pk__in=provider_ids).order_by("name")), now)


def channels_of(providers: Sequence[Provider], now: datetime) -> list[ChannelNow]:
    """The same where the providers were read already."""
    rows = list(WayOut.objects.filter(enabled=True))
    unsent = _unsent([provider.pk for provider in providers])
    found = []
    for provider in providers:
        mine = [row for row in rows if row.provider_id in (None, provider.pk)]
        lanes = {(row.channel, _lane(row)) for row in mine}
        lanes |= {(channel, lane) for whose, channel, lane in unsent if whose == provider.pk}
        for channel, lane in sorted(lanes, key=lambda one: (CHANNELS.index(one[0]), one[1])):
            of = [row for row in mine if (row.channel, _lane(row)) == (channel, lane)]
            waits = unsent.get((int(provider.pk), channel, lane), (0, None))
            found.append(_channel(provider, channel, lane, of, waits, now))
    return found


def _lane(row: WayOut) -> str:
    """A panel maker's cloud takes what is for it alone (S8.3)."""
    return row.name if row.kind in BY_NAME else ""


_Waits = tuple[int, datetime | None]


def _unsent(provider_ids: Collection[int]) -> dict[tuple[int, str, str], _Waits]:
    rows = (
        OutboxMessage.objects.filter(state__in=UNSENT, provider_id__in=provider_ids)
        .values_list("provider_id", "channel", "cloud")
        .annotate(n=Count("pk"), oldest=Min("created_at"))
        .order_by()
    )
    return {(int(whose or 0), channel, lane): (n, at) for whose, channel, lane, n, at in rows}


def _channel(
    provider: Provider,
    channel: str,
    lane: str,
    rows: Iterable[WayOut],
    waits: _Waits,
    now: datetime,
) -> ChannelNow:
    asked = sorted(rows, key=_rank)
    waiting, oldest = waits
    boxes = [row for row in asked if row.kind == SANDBOX]
    if provider.practice or boxes:
        name = boxes[0].name if boxes else ""
        return ChannelNow(provider, channel, lane, "practice", name, "", None, "", waiting, oldest)
    if not asked:
        return ChannelNow(provider, channel, lane, "none", "", "", None, "", waiting, oldest)
    states = [(row, state_of(row, now)) for row in asked]
    good = [row for row, state in states if state == "good"]
    first, its_state = states[0]
    if good:
        state = "good" if good[0] == first else "second"
    else:
        state = "bad" if any(one == "bad" for _, one in states) else "unknown"
    return ChannelNow(
        provider,
        channel,
        lane,
        state,
        good[0].name if good else "",
        first.name,
        first.since if its_state == "bad" else None,
        first.last_fault if its_state == "bad" else "",
        waiting,
        oldest,
    )


def in_practice(provider_ids: Collection[int]) -> list[tuple[Provider, list[str]]]:
    """Whose messages stay in the house: a provider with nothing named wholly, else its channels."""
    boxes = list(
        WayOut.objects.filter(kind=SANDBOX, enabled=True).values_list("provider_id", "channel")
    )
    found = []
    for provider in Provider.objects.filter(pk__in=provider_ids).order_by("name"):
        inside = [
            channel
            for channel in CHANNELS
            if (None, channel) in boxes or (provider.pk, channel) in boxes
        ]
        if provider.practice or inside:
            found.append((provider, [] if provider.practice else inside))
    return found
