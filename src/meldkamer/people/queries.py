"""Who may see what, and who is at a desk now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from meldkamer.people.models import Staff
from meldkamer.sites.models import Provider

#: a console writes every 20 s; two missed ones mean nobody is there
PRESENT_S = 60


@dataclass(frozen=True, slots=True)
class OnDuty:
    """How many of the staff for some providers are at a desk."""

    present: int
    all: int


def providers_of(staff: Staff) -> list[Provider]:
    """The providers a member of staff is assigned to; nobody sees another's sites."""
    return list(staff.providers.order_by("name"))


def on_duty(providers: Collection[int], now: datetime) -> OnDuty:
    """Operators and supervisors for these providers: at a desk, and all."""
    since = now - timedelta(seconds=PRESENT_S)
    counts = Staff.objects.filter(
        is_active=True,
        role__in=(Staff.Role.OPERATOR, Staff.Role.SUPERVISOR),
        providers__in=list(providers),
    ).aggregate(
        all=Count("pk", distinct=True),
        present=Count("pk", distinct=True, filter=Q(presence__seen_at__gt=since)),
    )
    return OnDuty(counts["present"], counts["all"])


def supervisors_on_duty(provider_id: int) -> list[Staff]:
    """Who is called about what nobody takes, in order: supervisors with a telephone (M12.2)."""
    people = Staff.objects.filter(
        is_active=True, role=Staff.Role.SUPERVISOR, providers=provider_id
    ).exclude(phone="")
    return list(people.order_by("username"))
