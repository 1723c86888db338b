"""Which addresses are in doubt, and what came back."""

from __future__ import annotations

from collections.abc import Iterable

from meldkamer.notify.mail.models import BouncedAddress, IncomingMail


def in_doubt(provider_id: int, addresses: Iterable[str]) -> dict[str, BouncedAddress]:
    """Address in lower case → since when and why, of those that a mail came back from."""
    asked = {address.lower() for address in addresses if address}
    if not asked:
        return {}
    rows = BouncedAddress.objects.filter(
        provider_id=provider_id, address__in=asked, cleared_at=None
    )
    return {row.address: row for row in rows}


def came_back(message_id: int) -> list[IncomingMail]:
    """What came back to a message, in order."""
    return list(IncomingMail.objects.filter(message_id=message_id).order_by("pk"))
