"""The only writer of carriers: entered, changed, given an address for their hooks.

A secret is sealed when it comes in. A channel of a provider is either in the sandbox or outside,
never both. What a carrier's line would refuse is refused here, where it is typed.
"""

from __future__ import annotations

import secrets as randomness
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from django.conf import settings
from django.db import connection, transaction

from meldkamer.journal import commands as journal
from meldkamer.notify.ears import StoringEars
from meldkamer.notify.inbox import hook_mac
from meldkamer.notify.kinds import CHANNELS, SANDBOX, SettingsFault, build, kind_of, read_settings
from meldkamer.notify.models import WayOut
from meldkamer.notify.outbox import WAYS
from meldkamer.notify.ways import PURPOSE, secrets_of
from meldkamer.sites.sealing import seal

_TOKEN_BYTES = 32


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
    return seal(msgspec.json.encode(kept), settings.MELDKAMER_SEALING_KEY, PURPOSE)


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
        cursor.execute("SELECT pg_notify(%s, '')", [WAYS])
