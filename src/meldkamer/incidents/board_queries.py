"""Reads of the wallboard: the whole room at one look, in a few statements whatever happens.

Lists are bounded, counts are not: in a storm the board shows the oldest and says how many.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import Count, Q
from django.db.models.functions import Coalesce

from meldkamer.contracts.models import TestMode
from meldkamer.incidents.models import Incident
from meldkamer.people.models import Staff
from meldkamer.people.queries import PRESENT_S
from meldkamer.watch.models import LineTestWatch

#: free incidents of one type whose ages are drawn
_AGES_MOST = 60
#: how many of the newest signals are looked at for the rate of the last minute
_NEWEST, _RATE_S = 2_000, 60.0
_SINCE = Coalesce("queued_at", "opened_at")


@dataclass(frozen=True, slots=True)
class FreeType:
    """Free incidents of one type: how many, the ages to draw, and where the oldest is."""

    type: str
    count: int
    since: tuple[datetime, ...]
    where: str


def free(providers: Collection[int]) -> list[FreeType]:
    """What waits for an operator, by type."""
    rows = Incident.objects.filter(
        closed_at=None, state=Incident.State.QUEUED, provider_id__in=list(providers)
    )
    counts = list(rows.order_by().values_list("type").annotate(n=Count("pk")))
    found = []
    for kind, n in counts:
        oldest = list(
            rows.filter(type=kind)
            .annotate(since=_SINCE)
            .order_by("since", "pk")
            .values_list("since", "site__name", "site__town")[:_AGES_MOST]
        )
        if oldest:
            where = ", ".join(part for part in oldest[0][1:] if part)
            found.append(FreeType(kind, n, tuple(row[0] for row in oldest), where))
    return found


def in_hand(providers: Collection[int]) -> dict[str, int]:
    """type → how many an operator has."""
    rows = Incident.objects.filter(
        closed_at=None, state=Incident.State.TAKEN, provider_id__in=list(providers)
    )
    return dict(rows.order_by().values_list("type").annotate(n=Count("pk")))


def held(providers: Collection[int], most: int) -> tuple[int, list[Incident]]:
    """How many are on hold, and the first to come back."""
    rows = Incident.objects.filter(
        closed_at=None, state=Incident.State.HELD, provider_id__in=list(providers)
    )
    return rows.count(), list(rows.select_related("site", "holder").order_by("due")[:most])


@dataclass(frozen=True, slots=True)
class AtWork:
    """One of the staff at a desk, with the incident that he has longest."""

    staff: Staff
    incident: Incident | None


def at_work(providers: Collection[int], now: datetime) -> list[AtWork]:
    """Who is at a desk now: those with an incident before, then by name."""
    staff = list(
        Staff.objects.filter(
            is_active=True,
            role__in=(Staff.Role.OPERATOR, Staff.Role.SUPERVISOR),
            providers__in=list(providers),
            presence__seen_at__gt=now - timedelta(seconds=PRESENT_S),
        )
        .distinct()
        .order_by("last_name", "username")
    )
    has: dict[int, Incident] = {}
    for incident in (
        Incident.objects.filter(
            holder__in=staff, state=Incident.State.TAKEN, provider_id__in=list(providers)
        )
        .select_related("site")
        .order_by("-taken_at")
    ):
        has[int(incident.holder_id or 0)] = incident
    found = [AtWork(one, has.get(one.pk)) for one in staff]
    return sorted(found, key=lambda one: one.incident is None)


@dataclass(frozen=True, slots=True)
class LineTests:
    """Transmitters whose tests are expected, and how many missed one, two, three in a row."""

    watched: int
    first: int
    second: int
    third: int

    @property
    def late(self) -> int:
        """All that missed one."""
        return self.first + self.second + self.third


def line_tests(providers: Collection[int]) -> LineTests:
    """How the lines are (S10.3)."""
    counts = LineTestWatch.objects.filter(
        site__provider_id__in=list(providers), transmitter__active=True
    ).aggregate(
        watched=Count("pk"),
        first=Count("pk", filter=Q(missed=1)),
        second=Count("pk", filter=Q(missed=2)),
        third=Count("pk", filter=Q(missed__gte=3) | Q(unsupervised_since__isnull=False)),
    )
    return LineTests(**counts)


def tests(providers: Collection[int], now: datetime, most: int) -> tuple[int, list[TestMode]]:
    """How many tests run, and the first to end (S20.1)."""
    rows = TestMode.objects.filter(
        ended_at=None, until__gt=now, site__provider_id__in=list(providers)
    )
    return rows.count(), list(rows.select_related("site").order_by("until")[:most])


@dataclass(frozen=True, slots=True)
class Taken:
    """Of a day and a norm: incidents, taken up within the aim, within the limit."""

    on: date
    norm: tuple[int, int]
    count: int
    in_aim: int
    in_limit: int


def quality(
    providers: Collection[int],
    norms: Mapping[str, tuple[int, int]],
    since: datetime,
    now: datetime,
    timezone: str,
) -> list[Taken]:
    """How soon incidents were taken up, by day and norm (EN 50518).

    norms: type → (aim, limit) in seconds. One that still waits counts as long as it waits now. What
    never was an operator's (texted, ended by itself) does not count.
    """
    kinds = sorted(norms)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (opened_at AT TIME ZONE %(zone)s)::date, aim, most, count(*),"
            " count(*) FILTER (WHERE waited <= aim), count(*) FILTER (WHERE waited <= most)"
            " FROM (SELECT i.opened_at, n.aim, n.most, extract(epoch FROM"
            "   coalesce(i.first_taken_at, least(i.closed_at, %(now)s), %(now)s)"
            "   - coalesce(i.queued_at, i.opened_at)) AS waited"
            "  FROM incidents_incident i"
            "  JOIN unnest(%(kinds)s::text[], %(aims)s::int[], %(limits)s::int[])"
            "   AS n (kind, aim, most) ON n.kind = i.type"
            "  WHERE i.provider_id = ANY(%(p)s) AND i.opened_at > %(since)s"
            "   AND (i.first_taken_at IS NOT NULL OR i.state = 'queued')) AS one"
            " GROUP BY 1, 2, 3 ORDER BY 1",
            {
                "zone": timezone,
                "now": now,
                "kinds": kinds,
                "aims": [norms[kind][0] for kind in kinds],
                "limits": [norms[kind][1] for kind in kinds],
                "p": list(providers),
                "since": since,
            },
        )
        return [Taken(row[0], (row[1], row[2]), *row[3:]) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Traffic:
    """What comes in, of the whole house: when the last signal came, and so many a second."""

    last: datetime | None
    per_second: float


def traffic(now: datetime) -> Traffic:
    """The last signal of the last week, and the rate of the last minute.

    Only the newest _NEWEST rows are looked at; where these are of less than a minute, the rate is
    that of their time. Signals that the house made itself (a missed test) do not come in.
    """
    since = now - timedelta(seconds=_RATE_S)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(received_at), count(*) FILTER (WHERE received_at > %(since)s"
            " AND origin = 'frame'), count(*), min(received_at)"
            " FROM (SELECT received_at, origin FROM journal_signal"
            " WHERE received_at > %(week)s ORDER BY id DESC LIMIT %(newest)s) AS newest",
            {"since": since, "week": now - timedelta(days=7), "newest": _NEWEST},
        )
        last, came, rows, oldest = cursor.fetchone()
    full = rows == _NEWEST and oldest > since
    lasted_s = (now - oldest).total_seconds() if full else _RATE_S
    return Traffic(last, came / max(lasted_s, 0.001))
