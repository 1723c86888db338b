"""Reads of the desk's calls: the one that runs in an incident, and those that come in."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q

from meldkamer.notify.desk.models import DeskCall, IncomingCall
from meldkamer.notify.kinds import SANDBOX
from meldkamer.notify.models import WayOut

#: who hung up is still being written down; a call that was never heard to end is not for ever
_STILL, _LONGEST = timedelta(minutes=2), timedelta(hours=2)


def last_call(*, incident_id: int | None = None, task_id: int | None = None) -> DeskCall | None:
    """The call that was asked for last in an incident or a task."""
    calls = DeskCall.objects.filter(incident_id=incident_id, task_id=task_id)
    return calls.order_by("-pk").first()


def exchanges(provider_id: int) -> list[WayOut]:
    """The exchanges that place calls for this provider: its own before the house's."""
    rows = WayOut.objects.filter(
        Q(provider_id=provider_id) | Q(provider_id=None), channel="desk", enabled=True
    ).exclude(kind=SANDBOX)
    return sorted(rows, key=lambda row: (row.provider_id is None, row.priority, row.pk))


def running(
    provider_ids: Collection[int], staff_id: int, now: datetime, most: int = 4
) -> list[IncomingCall]:
    """Calls that run and are this person's to see: not taken yet, or taken by himself.

    A call to a number that is nobody's is shown to everybody.
    """
    return list(
        IncomingCall.objects.filter(
            Q(provider_id__in=list(provider_ids)) | Q(provider_id=None),
            Q(taken_by=None) | Q(taken_by_id=staff_id),
            came_at__gt=now - _LONGEST,
        )
        .exclude(state=IncomingCall.State.ENDED)
        .order_by("pk")[:most]
    )


def in_hand(staff_id: int, now: datetime) -> IncomingCall | None:
    """The call that a member of staff took last, while it runs and shortly after."""
    return (
        IncomingCall.objects.filter(
            Q(ended_at=None) | Q(ended_at__gt=now - _STILL),
            taken_by_id=staff_id,
            taken_at__gt=now - _LONGEST,
        )
        .order_by("-taken_at")
        .first()
    )
