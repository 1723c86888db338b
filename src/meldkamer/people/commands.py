"""The only writer of staff and their presence at a desk."""

from __future__ import annotations

from datetime import datetime

from meldkamer.people.models import Presence, Staff


def sign_of_life(staff: Staff, now: datetime) -> None:
    """A console of this person answered: counted on duty for a while (queries.on_duty)."""
    Presence.objects.update_or_create(staff=staff, defaults={"seen_at": now})


def leave_desk(staff: Staff) -> None:
    """Logged out: no longer at a desk."""
    Presence.objects.filter(staff=staff).delete()


def choose_language(staff: Staff, language: str) -> None:
    """The language of this person's screens; the caller has checked that it is offered."""
    if staff.language != language:
        staff.language = language
        staff.save(update_fields=["language"])
