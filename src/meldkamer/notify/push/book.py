"""A contact's phones with the app: where each is pushed to, and who keeps that book."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from django.conf import settings

from meldkamer.notify.push import commands
from meldkamer.notify.push.queries import subscriptions_of


@dataclass(frozen=True, slots=True)
class Address:
    """One phone: its row, its push service and its keys."""

    id: int
    endpoint: str
    p256dh: str
    auth: str


class Book(Protocol):
    """Where a contact's phones are written."""

    def addresses(self, contact_id: int) -> Sequence[Address]:
        """The phones of this contact that are pushed to."""

    def gone(self, address_id: int) -> None:
        """Its push service knows it no more."""


class TableBook:
    """The book of the installation; each reading and marking is a transaction of its own."""

    def addresses(self, contact_id: int) -> Sequence[Address]:
        """The phones of this contact that are pushed to, the latest first."""
        return [
            Address(row.pk, row.endpoint, row.p256dh, row.auth)
            for row in subscriptions_of(contact_id)
        ]

    def gone(self, address_id: int) -> None:
        """Its push service knows it no more: it is not pushed to again."""
        commands.note_gone(address_id, datetime.now(UTC))


def installation() -> tuple[bytes, bool]:
    """The installation's key for web push, and whether addresses of this house may be called."""
    return settings.MELDKAMER_PUSH_KEY, settings.MELDKAMER_PUSH_ANYWHERE
