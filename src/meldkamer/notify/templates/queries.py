"""What the office sees of its messages: which words hold, and what they were before."""

from __future__ import annotations

from django.db.models import QuerySet

from meldkamer.notify.templates.models import MessageTemplate


def newest(provider_id: int, key: str, language: str) -> MessageTemplate | None:
    """The version that holds; None: the shipped words were never changed."""
    return history_of(provider_id, key, language).first()


def history_of(provider_id: int, key: str, language: str) -> QuerySet[MessageTemplate]:
    """Every version, the newest first."""
    return MessageTemplate.objects.filter(
        provider_id=provider_id, key=key, language=language
    ).order_by("-version")


def changed(provider_id: int) -> dict[tuple[str, str], MessageTemplate]:
    """(key, language) → the version that holds, where the office has words of its own."""
    rows = (
        MessageTemplate.objects.filter(provider_id=provider_id)
        .order_by("key", "language", "-version")
        .distinct("key", "language")
    )
    return {(row.key, row.language): row for row in rows if not row.shipped}
