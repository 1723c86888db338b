"""The carriers an installation has: which there are, whose they are, and how they are changed.

The only writer of their settings. A secret is sealed when it comes in and is opened only where its
carrier is built; nothing here returns one for a screen. A channel of a provider is either in the
sandbox or outside, never both.
"""

from __future__ import annotations

import secrets as randomness
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from meldkamer.journal import commands as journal
from meldkamer.notify.ears import StoringEars
from meldkamer.notify.inbox import hook_mac
from meldkamer.notify.kinds import (
    BY_NAME,
    CHANNELS,
    SANDBOX,
    SettingsFault,
    build,
    kind_of,
    read_settings,
)
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.rules import routing
from meldkamer.sites import providers
from meldkamer.sites.models import Provider
from meldkamer.sites.sealing import seal, unseal

#: woken when a carrier is added or changed
CHANNEL = "meldkamer_ways"
_TOKEN_BYTES = 32
_PURPOSE = b"carrier"


def enabled() -> list[WayOut]:
    """Every carrier outside that is switched on, by number."""
    return list(WayOut.objects.filter(enabled=True).exclude(kind=SANDBOX).order_by("pk"))


def get(carrier_id: int) -> WayOut:
    """One carrier; WayOut.DoesNotExist when there is none."""
    return WayOut.objects.get(pk=carrier_id)


def facts(row: WayOut) -> routing.Way:
    """A carrier as the routing sees it; one of unknown health is not asked yet."""
    return routing.Way(
        id=int(row.pk),
        channel=row.channel,
        provider_id=row.provider_id,
        priority=row.priority,
        up=row.state == WayOut.State.UP,
        two_way=row.two_way,
        lane=row.name if row.kind in BY_NAME else "",
    )


def outside() -> list[routing.Way]:
    """Every carrier outside as the routing sees it now."""
    return [facts(row) for row in enabled()]


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


def secrets_of(row: WayOut) -> dict[str, str]:
    """A carrier's secrets, opened; for the one who builds it, never for a screen or a log."""
    if row.secrets_sealed is None:
        return {}
    opened = unseal(bytes(row.secrets_sealed), settings.MELDKAMER_SEALING_KEY, _PURPOSE)
    return msgspec.json.decode(opened, type=dict[str, str])


@contextmanager
def listener(*channels: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection of its own that hears these notices."""
    parameters = connection.get_connection_params()
    for name in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(name, None)
    parameters["autocommit"] = True
    with psycopg.connect(**parameters) as opened:
        for channel in channels:
            opened.execute(f"LISTEN {channel}".encode())
        yield opened


def prove(
    kind: str, settings_given: Mapping[str, Any], secrets: Mapping[str, str], row: WayOut | None
) -> None:
    """Build such a carrier, unopened: what its line would refuse is said where it is typed.

    row: the carrier that is changed; secrets that were not given are those it has. Nothing is
    asked outside. Raises SettingsFault naming the field and what was expected.
    """
    kept = secrets_of(row) if row is not None else {}
    try:
        build(kind, settings_given, {**kept, **secrets}, StoringEars(row.pk if row else 0))
    except ValueError as fault:
        text = str(fault)
        raise SettingsFault(text if text.startswith(f"{kind}: ") else f"{kind}: {text}") from None


@transaction.atomic
def add(
    kind: str,
    name: str,
    now: datetime,
    *,
    provider_id: int | None = None,
    channel: str = "",
    settings_given: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    priority: int = 1,
    two_way: bool | None = None,
    per_second: float | None = None,
    help_phone: str = "",
    actor: str = "system",
) -> WayOut:
    """Enter a carrier. channel: asked for the sandbox alone, which may stand for any.

    Raises SettingsFault naming the field and what was expected.
    """
    given = dict(settings_given or {})
    row = WayOut(
        provider_id=provider_id,
        kind=kind,
        name=name.strip(),
        priority=priority,
        per_second=per_second,
        help_phone=help_phone,
        settings=given,
    )
    if kind == SANDBOX:
        row.channel = channel
    else:
        known = kind_of(kind)
        row.channel, row.two_way = known.channel, known.two_way if two_way is None else two_way
        row.secrets_sealed = _sealed(kind, secrets or {})
    _check(row)
    row.save()
    _told("carrier.entered", row, now, actor)
    return row


@transaction.atomic
def change(
    carrier_id: int,
    now: datetime,
    *,
    values: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    actor: str = "system",
) -> WayOut:
    """Change fields of a carrier; its line starts again with them.

    values: of name, priority, enabled, settings, two_way, per_second, help_phone. secrets: those
    to be replaced; the others stay. Raises SettingsFault naming the field.
    """
    row = WayOut.objects.select_for_update().get(pk=carrier_id)
    allowed = ("name", "priority", "enabled", "settings", "two_way", "per_second", "help_phone")
    for field, value in (values or {}).items():
        if field not in allowed:
            raise SettingsFault(f"{field} cannot be changed; expected one of {', '.join(allowed)}")
        setattr(row, field, value)
    if secrets:
        row.secrets_sealed = _sealed(row.kind, {**secrets_of(row), **secrets})
    row.version += 1
    _check(row)
    row.save()
    _told("carrier.changed", row, now, actor, fields=sorted({*(values or {}), *(secrets or {})}))
    return row


@transaction.atomic
def new_hook_token(carrier_id: int, now: datetime, actor: str = "system") -> str:
    """A new token for the address of the carrier's hooks, to be shown once; the old one is void."""
    row = WayOut.objects.select_for_update().get(pk=carrier_id)
    token = randomness.token_urlsafe(_TOKEN_BYTES)
    row.hook_mac = hook_mac(token)
    row.save(update_fields=["hook_mac"])
    _told("carrier.changed", row, now, actor, fields=["hook"])
    return token


def _check(row: WayOut) -> None:
    if not row.name:
        raise SettingsFault("a carrier has a name")
    if row.channel not in CHANNELS:
        raise SettingsFault(f"channel {row.channel!r}; expected one of {', '.join(CHANNELS)}")
    if row.per_second is not None and row.per_second <= 0:
        raise SettingsFault("messages a second: expected more than 0, or nothing for no limit")
    same = WayOut.objects.filter(channel=row.channel, name=row.name, provider_id=row.provider_id)
    if same.exclude(pk=row.pk).exists():
        raise SettingsFault(f"another carrier of this channel is called {row.name!r}")
    if row.enabled:
        _check_alone(row)
    if row.kind != SANDBOX:
        read = read_settings(kind_of(row.kind), row.settings)
        why_none = getattr(read, "why_no_answers", "")
        if row.two_way and why_none:
            raise SettingsFault(f"{row.kind}: {why_none}")


def _check_alone(row: WayOut) -> None:
    """Sandbox and the world outside are never both there for one channel of one provider."""
    connection.ensure_connection()
    with connection.cursor() as cursor:  # two desks at once: one of them is refused
        cursor.execute("SELECT pg_advisory_xact_lock(7305011, hashtext(%s))", [row.channel])
    others = WayOut.objects.filter(channel=row.channel, enabled=True).exclude(pk=row.pk)
    for other in others:
        meets = None in (row.provider_id, other.provider_id) or (
            row.provider_id == other.provider_id
        )
        if meets and (row.kind == SANDBOX) != (other.kind == SANDBOX):
            raise SettingsFault(
                f"{other.name!r} is {'the sandbox' if other.kind == SANDBOX else 'outside'}: "
                "a channel is in the sandbox or outside, never both; switch that one off first"
            )


def _sealed(kind: str, secrets: Mapping[str, str]) -> bytes | None:
    unknown = set(secrets) - set(kind_of(kind).secrets)
    if unknown:
        raise SettingsFault(f"{kind}: no secret is called {', '.join(sorted(unknown))}")
    kept = {name: value for name, value in secrets.items() if value}
    if not kept:
        return None
    return seal(msgspec.json.encode(kept), settings.MELDKAMER_SEALING_KEY, _PURPOSE)


def _told(word: str, row: WayOut, now: datetime, actor: str, **data: Any) -> None:
    journal.write(
        word,
        now,
        provider_id=row.provider_id,
        clause="M12.3",
        actor=actor,
        to=row.name,
        data={"carrier": row.pk, "kind": row.kind, "channel": row.channel, **data},
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


@transaction.atomic
def set_practice(provider_id: int, on: bool, now: datetime, actor: str) -> int:
    """This provider practises from now on, or goes live; how many messages were cancelled.

    What was made before and did not go yet belongs to the other side: a text of an exercise must
    not reach a customer, nor an alarm end on the sandbox page unseen. So nothing changes while
    real messages wait: SettingsFault says how many.
    """
    unsent = OutboxMessage.objects.select_for_update().filter(
        provider_id=provider_id, state__in=("pending", "sending", "waiting")
    )
    practises = Provider.objects.filter(pk=provider_id, practice=True).exists()
    count = 0
    if practises and not on:
        count = _cancel(unsent)
    elif on and not practises and (waiting := unsent.count()):
        raise SettingsFault(f"{waiting} real messages wait; expected none before practice begins")
    providers.set_practice(provider_id, on, now, actor)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
    return count


def _cancel(unsent: QuerySet[OutboxMessage]) -> int:
    ids = list(unsent.values_list("pk", flat=True))
    OutboxMessage.objects.filter(pk__in=ids).update(
        state=OutboxMessage.State.CANCELLED, last_fault="made in practice"
    )
    return len(ids)


@transaction.atomic
def put_in_sandbox(provider_id: int, channel: str, inside: bool, now: datetime, actor: str) -> None:
    """A channel of a provider into the sandbox, or out of it; never while its carriers are on.

    Out: what was made in practice and did not go yet is cancelled. In: nothing real may wait.
    SettingsFault says what stands in the way.
    """
    unsent = OutboxMessage.objects.select_for_update().filter(
        provider_id=provider_id, channel=channel, state__in=("pending", "sending", "waiting")
    )
    box = WayOut.objects.filter(provider_id=provider_id, channel=channel, kind=SANDBOX).first()
    before = box is not None and box.enabled
    if before == inside:
        return
    if inside and (waiting := unsent.count()):
        raise SettingsFault(f"{waiting} real messages wait; expected none before practice begins")
    if not inside:
        _cancel(unsent)
    if box is None:
        add(SANDBOX, SANDBOX, now, provider_id=provider_id, channel=channel, actor=actor)
    else:
        change(box.pk, now, values={"enabled": inside}, actor=actor)
