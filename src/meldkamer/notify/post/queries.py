"""What the office sees of its post."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import QuerySet

from meldkamer.notify.post.models import Letter

_SHOWN_MOST = 200


def _light(providers: Collection[int]) -> QuerySet[Letter]:
    """Without the PDF itself, which no list needs."""
    return (
        Letter.objects.filter(provider_id__in=providers).defer("content").select_related("message")
    )


def to_post(providers: Collection[int]) -> list[Letter]:
    """Letters that must still be printed or posted, in the order of the queue."""
    open_now = (Letter.State.TO_PRINT, Letter.State.PRINTED)
    return list(_light(providers).filter(state__in=open_now).order_by("pk")[:_SHOWN_MOST])


def gone(providers: Collection[int], text: str = "") -> list[Letter]:
    """Letters that were posted, the last first; text: part of a name, a number or an address."""
    rows = _light(providers).filter(posted_at__isnull=False)
    if text:
        rows = (
            rows.filter(recipient__icontains=text)
            | rows.filter(registered_number__icontains=text)
            | rows.filter(address__icontains=text)
        )
    return list(rows.order_by("-posted_at", "-pk")[:_SHOWN_MOST])


def letter_of(letter_id: int, providers: Collection[int]) -> Letter | None:
    """One letter with its PDF; None when it is not of these providers."""
    return Letter.objects.filter(pk=letter_id, provider_id__in=providers).first()
