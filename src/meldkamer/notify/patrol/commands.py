"""The only writer of patrol units, their shifts, their access and where they are (S6.1).

The link and the PIN of a page are returned once, by `issue`, and kept as hashes alone; neither is
ever in the journal. Invariant: a unit has one live access, and what opens its page is that one.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import new as hmac
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from meldkamer.journal import commands as journal
from meldkamer.notify.models import PatrolAccess, PatrolUnit
from meldkamer.rules.shifts import MOST, ShiftFault

#: wrong PINs in a row, from wherever, after which the office must hand out a new link
PINS_MOST = 10
_TOKEN_BYTES, _PIN_DIGITS = 24, 6


class NoEntry(Exception):
    """The link or the PIN does not open this page; `voided` when that was the last try."""

    def __init__(self, *, voided: bool = False) -> None:
        super().__init__("no entry")
        self.voided = voided


@dataclass(frozen=True, slots=True)
class Issued:
    """What is shown once, on the answer to who asked for it."""

    token: str
    pin: str


@transaction.atomic
def enter_unit(
    provider_id: int, name: str, now: datetime, actor: str, *, timezone: str, **fields: Any
) -> PatrolUnit:
    """A new unit: off duty is said later. ValidationError naming the field that is wrong.

    fields: phone, language, has_page, latitude, longitude.
    """
    unit = PatrolUnit(
        provider_id=provider_id, name=name, timezone=timezone, reported_at=now, **fields
    )
    if unit.latitude is not None:
        unit.positioned_at = now
    unit.full_clean()
    unit.save()
    _tell("patrol.unit_entered", unit, now, actor, {"page": unit.has_page})
    return unit


@transaction.atomic
def change_unit(unit_id: int, fields: Mapping[str, Any], now: datetime, actor: str) -> PatrolUnit:
    """Other words or another place of a unit. A unit that loses its page loses its access too."""
    unit = PatrolUnit.objects.select_for_update().get(pk=unit_id)
    changed = {key: value for key, value in fields.items() if getattr(unit, key) != value}
    if not changed:
        return unit
    for key, value in changed.items():
        setattr(unit, key, value)
    if changed.keys() & {"latitude", "longitude"}:
        unit.positioned_at, unit.place_shared = now, False
    unit.full_clean()
    unit.save()
    if not unit.has_page:
        _void(unit, now, actor)
    _tell("patrol.unit_changed", unit, now, actor, {"fields": sorted(changed)})
    return unit


@transaction.atomic
def set_shifts(
    unit_id: int, shifts: Sequence[Mapping[str, Any]], now: datetime, actor: str
) -> None:
    """All its shifts anew, as `rules.shifts` makes them; ShiftFault for too many."""
    if len(shifts) > MOST:
        raise ShiftFault(f"at most {MOST} shifts")
    unit = PatrolUnit.objects.select_for_update().get(pk=unit_id)
    unit.shifts = [dict(shift) for shift in shifts]
    unit.save(update_fields=["shifts"])
    _tell("patrol.shifts_set", unit, now, actor, {"shifts": unit.shifts})


@transaction.atomic
def issue(unit_id: int, now: datetime, actor: str) -> Issued:
    """A new link with a new PIN; the old one opens nothing any more."""
    unit = PatrolUnit.objects.select_for_update().get(pk=unit_id)
    _void(unit, now, actor)
    made = Issued(
        secrets.token_urlsafe(_TOKEN_BYTES), f"{secrets.randbelow(10**_PIN_DIGITS):0{_PIN_DIGITS}d}"
    )
    PatrolAccess.objects.create(
        unit=unit, token_mac=_mac(made.token), pin=make_password(made.pin), issued_at=now,
        issued_by=actor,
    )  # fmt: skip
    if not unit.has_page:
        unit.has_page = True
        unit.save(update_fields=["has_page"])
    _tell("patrol.access_issued", unit, now, actor, {})
    return made


@transaction.atomic
def void(unit_id: int, now: datetime, actor: str) -> bool:
    """Nobody opens this unit's page any more; False when nobody could. Sessions end with it."""
    unit = PatrolUnit.objects.select_for_update().get(pk=unit_id)
    return _void(unit, now, actor)


def enter(token: str, pin: str, now: datetime) -> PatrolAccess:
    """Link and PIN together open the page; NoEntry otherwise, counted on the access itself.

    Too many wrong PINs void it: six digits are few, and the link may have been found.
    """
    with transaction.atomic():
        access = (
            PatrolAccess.objects.select_for_update(of=("self",))
            .select_related("unit")
            .filter(token_mac=_mac(token), voided_at=None)
            .first()
        )
        if access is None:
            raise NoEntry
        if check_password(pin, access.pin):
            access.failed, access.used_at = 0, now
            access.save(update_fields=["failed", "used_at"])
            _tell("patrol.page_opened", access.unit, now, f"patrol:{access.unit}", {})
            # who begins on his phone is back from being off duty
            _on_duty(access.unit_id, PatrolUnit.State.OFF, PatrolUnit.State.FREE, now)
            return access
        access.failed += 1
        access.save(update_fields=["failed"])
        voided = access.failed >= PINS_MOST
        if voided:
            _void(access.unit, now, journal.SYSTEM, reason="too many wrong PINs")
    # outside: the count stays although the entry is refused
    raise NoEntry(voided=voided)


@transaction.atomic
def leave(unit: PatrolUnit, now: datetime) -> None:
    """The unit ends on its phone: off duty, unless it has a job that is not done."""
    off = _on_duty(unit.pk, PatrolUnit.State.FREE, PatrolUnit.State.OFF, now)
    _tell("patrol.page_left", unit, now, f"patrol:{unit}", {"off": off})


def _on_duty(unit_id: int, was: str, now_is: str, now: datetime) -> bool:
    rows = PatrolUnit.objects.filter(pk=unit_id, state=was)
    return bool(rows.update(state=now_is, reported_at=now))


def access_of(access_id: object) -> PatrolAccess | None:
    """The live access that a session was opened with, with its unit."""
    if not isinstance(access_id, int):
        return None
    found = PatrolAccess.objects.select_related("unit").filter(pk=access_id, voided_at=None)
    return found.filter(unit__has_page=True).first()


def sign_of_life(unit: PatrolUnit, now: datetime) -> None:
    """Its page asked for news."""
    PatrolUnit.objects.filter(pk=unit.pk).update(seen_at=now)


def stands_at(unit: PatrolUnit, latitude: float, longitude: float, now: datetime) -> None:
    """Where the unit's phone is, shared with consent: the latest alone is kept."""
    PatrolUnit.objects.filter(pk=unit.pk).update(
        latitude=latitude, longitude=longitude, positioned_at=now, place_shared=True, seen_at=now
    )


def _void(unit: PatrolUnit, now: datetime, actor: str, reason: str = "") -> bool:
    live = PatrolAccess.objects.filter(unit=unit, voided_at=None)
    if not live.update(voided_at=now, voided_by=actor[:80]):
        return False
    _tell("patrol.access_voided", unit, now, actor, {}, reason)
    return True


def _mac(token: str) -> bytes:
    """The keyed hash of a link; the same house's key as of identification codes, other words."""
    return hmac(settings.MELDKAMER_CODE_PEPPER, b"patrol:" + token.encode(), sha256).digest()


def _tell(
    what: str, unit: PatrolUnit, now: datetime, actor: str, data: dict[str, Any], reason: str = ""
) -> None:
    journal.write(
        what, now, provider_id=unit.provider_id, to=unit.name, clause="S6.1", reason=reason,
        actor=actor, data={"unit": unit.name, **data},
    )  # fmt: skip
    journal.announce("patrols")
