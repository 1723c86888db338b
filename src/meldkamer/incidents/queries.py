"""What the screens read about incidents: the queue, one incident, its course, the lists.

Reads only, and only of the providers that are passed in: an operator without a provider sees
nothing of it. Invariant: a number of queries that does not grow with the rows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from meldkamer.contracts.models import Handling, Interruption, TestMode
from meldkamer.incidents.models import Incident, Notice, Verdict
from meldkamer.journal.models import Entry, Signal
from meldkamer.rules.queue import Waiting, place
from meldkamer.sites.models import Site, Zone
from meldkamer.terms.loader import known, load

#: what stands in the queue; the others are with the system and wait for nobody
DESK_WAITS = ("second_pass", "override")
AT_THE_DESK = Q(state__in=("queued", "taken", "held")) | Q(state="waiting", wait_for__in=DESK_WAITS)


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One row of the queue, in the order of the rules (S15.1)."""

    incident: Incident
    zone_name: str
    detectors: int
    signals: int
    test: TestMode | None
    # a supervisor was called in (S15.3), and none has seen it yet
    called_in: bool = False

    @property
    def since(self) -> datetime:
        """What its age counts from: a waiting one is handed to the desk later (S10.1)."""
        if self.incident.first_taken_at is None and self.incident.queued_at is not None:
            return self.incident.queued_at
        return self.incident.opened_at


@dataclass(frozen=True, slots=True)
class FreeClass:
    """The free incidents of one type: how many, and since when the oldest waits."""

    type: str
    count: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Queue:
    """What stands at the desk: the first rows in full, and counts of all."""

    rows: list[QueueRow]
    free: int
    taken: int
    held: int
    classes: list[FreeClass]


def open_queue(providers: Collection[int], now: datetime, most: int = 150) -> Queue:
    """The incidents that a desk can see, in the order in which they are to be taken (S15.1).

    `most` bounds the free rows that are read; everything else is counted. A number of queries that
    grows with the providers' terms alone.
    """
    open_ones = Incident.objects.filter(closed_at=None, provider_id__in=list(providers))
    free = open_ones.filter(state=Incident.State.QUEUED)
    classes = [
        FreeClass(kind, count, oldest)
        for kind, count, oldest in free.order_by()
        .values_list("type")
        .annotate(count=Count("pk"), oldest=Min(Coalesce("queued_at", "opened_at")))
    ]
    others = _light(open_ones.filter(AT_THE_DESK).exclude(state=Incident.State.QUEUED), now)
    states = [row[1] for row in others]
    wanted = [row[0] for row in _first_free(free, now, most)] + [row[0] for row in others]
    return Queue(
        rows=_rows(wanted, now),
        free=sum(one.count for one in classes),
        taken=states.count("taken"),
        held=states.count("held") + states.count("waiting"),
        classes=classes,
    )


def first_free(providers: Collection[int], now: datetime, most: int) -> list[int]:
    """The numbers of the free incidents that are to be taken first, in their order (S15.1)."""
    free = Incident.objects.filter(state=Incident.State.QUEUED, provider_id__in=list(providers))
    return [row[0] for row in _first_free(free, now, most)]


def _first_free(free: QuerySet[Incident], now: datetime, most: int) -> list[tuple[int, str, Any]]:
    """The first to be taken: of the oldest of each class, and of those that overtake by age."""
    in_order = free.order_by("priority", "opened_at", "pk")
    found = dict.fromkeys(_light(in_order[:most], now))
    for name in known():
        rules = load(name).queue
        if rules.ageing_types:
            old = now - timedelta(seconds=rules.ageing_after_s)
            aged = free.filter(
                provider__terms=name, type__in=rules.ageing_types, opened_at__lte=old
            )
            found |= dict.fromkeys(_light(aged.order_by("opened_at", "pk")[:most], now))
    return sorted(found, key=lambda row: row[2])[:most]


def _light(rows: QuerySet[Incident], now: datetime) -> list[tuple[int, str, Any]]:
    """(number, state, place) of incidents, in the order of the rules."""
    found = rows.values_list("pk", "type", "priority", "opened_at", "state", "provider__terms")
    placed = [
        (pk, state, place(Waiting(pk, kind, priority, opened_at), load(terms), now))
        for pk, kind, priority, opened_at, state, terms in found
    ]
    return sorted(placed, key=lambda row: row[2])


def _rows(incident_ids: Sequence[int], now: datetime) -> list[QueueRow]:
    zone_name = Zone.objects.filter(site_id=OuterRef("site_id"), number=OuterRef("zone"))
    asked_for = Notice.objects.filter(incident_id=OuterRef("pk"), kind="supervisor", seen_at=None)
    found = {
        incident.pk: incident
        for incident in Incident.objects.filter(pk__in=list(incident_ids))
        .select_related("site", "provider", "holder")
        .annotate(
            zone_name=Coalesce(Subquery(zone_name.values("name")[:1]), Value("")),
            called_in=Exists(asked_for),
        )
    }
    incidents = [found[pk] for pk in incident_ids if pk in found]
    counts = _signal_counts([incident.pk for incident in incidents])
    tests = _tests([incident.site_id for incident in incidents], now)
    return [
        QueueRow(
            incident,
            incident.zone_name,
            *counts.get(incident.pk, (0, 0)),
            test=next(iter(tests.get(incident.site_id, [])), None),
            called_in=incident.called_in,
        )
        for incident in incidents
    ]


def _signal_counts(incident_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """(different detectors, signals) by incident: events alone."""
    if not incident_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT v.incident_id,"
            " count(DISTINCT coalesce(nullif(z.detector, ''), s.zone)), count(*)"
            " FROM incidents_verdict v"
            " JOIN journal_signal s ON s.id = v.signal_id"
            " LEFT JOIN sites_zone z ON z.site_id = s.site_id AND z.number = s.zone"
            " WHERE v.incident_id = ANY(%s) AND s.role = 'event' GROUP BY v.incident_id",
            [list(incident_ids)],
        )
        return {row[0]: (row[1], row[2]) for row in cursor.fetchall()}


def _tests(site_ids: Sequence[int], now: datetime) -> dict[int, list[TestMode]]:
    found: dict[int, list[TestMode]] = {}
    if not site_ids:
        return found
    running = TestMode.objects.filter(
        site_id__in=site_ids, ended_at=None, started_at__lte=now, until__gt=now
    )
    for test in running:
        found.setdefault(test.site_id, []).append(test)
    return found


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands around the queue: proof that it lives, and the lists' counts."""

    last_signal_at: datetime | None
    last_signal_role: str
    last_closed_at: datetime | None
    tests: int
    trials: int
    held_signals: int
    notices: int
    with_the_system: int
    unsupervised: int
    outages: int
    tasks: int
    interrupted: int


def beside(providers: Collection[int], now: datetime) -> Beside:
    """Counts and last moments of these providers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT max(closed_at) FROM incidents_incident"
            "         WHERE provider_id = ANY(%(p)s) AND closed_at > %(day)s),"
            " (SELECT count(DISTINCT t.site_id) FROM contracts_testmode t"
            "   JOIN sites_site s ON s.id = t.site_id"
            "  WHERE t.ended_at IS NULL AND t.until > %(now)s AND s.provider_id = ANY(%(p)s)),"
            " (SELECT count(*) FROM journal_entry WHERE what = 'signal.held'"
            "   AND at > %(day)s AND provider_id = ANY(%(p)s)),"
            " (SELECT count(*) FROM incidents_notice WHERE seen_at IS NULL"
            "   AND (provider_id IS NULL OR provider_id = ANY(%(p)s))),"
            " (SELECT count(*) FROM incidents_incident WHERE closed_at IS NULL"
            "   AND provider_id = ANY(%(p)s) AND (state = 'texting'"
            "   OR (state = 'waiting' AND wait_for <> ALL(%(w)s)))),"
            " (SELECT count(*) FROM watch_linetestwatch w JOIN sites_site s ON s.id = w.site_id"
            "  WHERE w.unsupervised_since IS NOT NULL AND s.provider_id = ANY(%(p)s)),"
            " (SELECT count(*) FROM incidents_areaoutage"
            "  WHERE ended_at IS NULL AND provider_id = ANY(%(p)s)),"
            " (SELECT count(*) FROM contracts_task t JOIN sites_site s ON s.id = t.site_id"
            "  WHERE t.closed_at IS NULL AND t.ready_at <= %(now)s AND t.owner <> 'office'"
            "   AND s.provider_id = ANY(%(p)s)),"
            " (SELECT count(*) FROM contracts_interruption i JOIN sites_site s ON s.id = i.site_id"
            "  WHERE i.ended_at IS NULL AND s.provider_id = ANY(%(p)s))",
            {
                "p": list(providers),
                "now": now,
                "day": now - timedelta(days=1),
                "w": list(DESK_WAITS),
            },
        )
        closed, tests, held, notices, system, *others = cursor.fetchone()
        cursor.execute(
            "SELECT received_at, role FROM journal_signal WHERE received_at > %s"
            " ORDER BY id DESC LIMIT 1",
            [now - timedelta(days=7)],
        )
        last = cursor.fetchone() or (None, "")
    trials = len(trial_sites(providers, now))
    return Beside(last[0], last[1], closed, tests, trials, held, notices, system, *others)


def incident_for(incident_id: int, providers: Collection[int]) -> Incident:
    """One incident of these providers; Incident.DoesNotExist otherwise."""
    return (
        Incident.objects.select_related(
            "site", "site__provider", "site__customer", "site__installer", "provider", "holder"
        )
        .filter(provider_id__in=list(providers))
        .get(pk=incident_id)
    )


def course(incident_id: int) -> list[Entry]:
    """The entries of an incident, oldest first."""
    return list(Entry.objects.filter(incident_id=incident_id).order_by("id"))


@dataclass(frozen=True, slots=True)
class SignalRow:
    """A signal of an incident, with what became of its zone since."""

    signal: Signal
    verdict: str
    restored_at: datetime | None


def signals_of(incident: Incident) -> list[SignalRow]:
    """The events of an incident, newest first, each with the restore that came after it."""
    verdicts = {
        row.signal_id: row.verdict for row in Verdict.objects.filter(incident_id=incident.pk)
    }
    signals = list(Signal.objects.filter(pk__in=list(verdicts)).order_by("id"))
    restores = [s for s in signals if s.role == "restore"]
    rows = []
    for signal in signals:
        if signal.role == "restore":
            continue
        back = next((r for r in restores if r.zone == signal.zone and r.pk > signal.pk), None)
        rows.append(SignalRow(signal, verdicts[signal.pk], back.received_at if back else None))
    return rows[::-1]


def last_incidents(site_id: int, but: int, most: int = 6) -> list[Incident]:
    """What happened at the site before."""
    return list(
        Incident.objects.filter(site_id=site_id).exclude(pk=but).order_by("-opened_at")[:most]
    )


@dataclass(frozen=True, slots=True)
class Tally:
    """Handlings against the limit (S13.1)."""

    used: int
    included: int | None


def tally(site: Site, period_start: Any) -> Tally:
    """A site's handlings in the period."""
    counted = Handling.objects.filter(site=site, period_start=period_start).aggregate(
        used=Max("used"), included=Min("included")
    )
    return Tally(counted["used"] or 0, counted["included"])


def neighbours(site: Site, reach_deg: float = 0.06) -> list[Site]:
    """Other sites of the provider nearby, for the sketch of the map."""
    if site.latitude is None or site.longitude is None:
        return []
    return list(
        Site.objects.filter(
            provider_id=site.provider_id,
            latitude__range=(site.latitude - reach_deg, site.latitude + reach_deg),
            longitude__range=(site.longitude - reach_deg * 1.6, site.longitude + reach_deg * 1.6),
        )
        .exclude(pk=site.pk)
        .only("name", "latitude", "longitude")[:24]
    )


def find_sites(words: str, providers: Collection[int], most: int = 12) -> list[Site]:
    """Sites by name, street, town, account or telephone: every word must occur somewhere."""
    sites: QuerySet[Site] = Site.objects.filter(provider_id__in=list(providers))
    for word in words.split()[:6]:
        digits = "".join(c for c in word if c.isdigit())
        match = (
            Q(name__icontains=word)
            | Q(street__icontains=word)
            | Q(town__icontains=word)
            | Q(postal_code__startswith=word)
            | Q(contacts__name__icontains=word)
            | Q(transmitters__account__iexact=word)
        )
        if len(digits) >= 6:
            tail = digits.lstrip("0")
            match |= Q(premises_phone__contains=tail) | Q(contacts__phone__contains=tail)
        sites = sites.filter(match)
    return list(sites.select_related("provider").distinct().order_by("name")[:most])


def like_sites(words: str, providers: Collection[int], most: int = 4) -> list[Site]:
    """When nothing was found: sites that share the beginning of any word."""
    match = Q()
    for word in words.split()[:6]:
        if len(word) >= 3:
            match |= Q(name__icontains=word[:4]) | Q(street__istartswith=word[:5])
    if not match:
        return []
    return list(Site.objects.filter(match, provider_id__in=list(providers)).order_by("name")[:most])


def site_for(site_id: int, providers: Collection[int]) -> Site:
    """One site of these providers; Site.DoesNotExist otherwise."""
    return (
        Site.objects.select_related("provider", "customer", "installer")
        .filter(provider_id__in=list(providers))
        .get(pk=site_id)
    )


def open_incidents_of(site_id: int) -> list[Incident]:
    """What is open at a site now."""
    return list(Incident.objects.filter(site_id=site_id, closed_at=None).order_by("opened_at"))


def notices(providers: Collection[int], most: int = 100) -> list[Notice]:
    """The supervisor's list: what is no incident and must be seen, oldest first."""
    return list(
        Notice.objects.filter(Q(provider=None) | Q(provider_id__in=list(providers)), seen_at=None)
        .select_related("provider", "site", "incident")
        .order_by("at")[:most]
    )


def running_tests(providers: Collection[int], now: datetime) -> list[TestMode]:
    """Sites in test, the first to end first (S20.1)."""
    return list(
        TestMode.objects.filter(ended_at=None, until__gt=now, site__provider_id__in=list(providers))
        .select_related("site", "site__provider")
        .order_by("until")[:200]
    )


def trial_sites(providers: Collection[int], now: datetime) -> list[Site]:
    """Sites in trial, by the terms of their provider (S4.3)."""
    recent = Site.objects.filter(
        provider_id__in=list(providers), activated_at__gt=now - timedelta(days=60)
    ).select_related("provider")
    return [
        site
        for site in recent.order_by("activated_at")
        if site.activated_at
        and now < site.activated_at + timedelta(days=load(site.provider.terms).trial.days)
    ]


def interrupted(providers: Collection[int]) -> list[Interruption]:
    """Sites whose monitoring is interrupted, suspended or held back (D908.1, S12.2)."""
    return list(
        Interruption.objects.filter(ended_at=None, site__provider_id__in=list(providers))
        .select_related("site", "transmitter")
        .order_by("started_at")[:200]
    )


def ended_tests(providers: Collection[int], now: datetime) -> list[TestMode]:
    """Tests that ended in the last day, the latest first, with their summary (S20.1)."""
    return list(
        TestMode.objects.filter(
            ended_at__gt=now - timedelta(days=1), site__provider_id__in=list(providers)
        )
        .select_related("site")
        .order_by("-ended_at")[:100]
    )


def signals_of_test(test: TestMode, most: int = 100) -> list[Signal]:
    """What a test kept, the newest first."""
    ids = Verdict.objects.filter(
        site_id=test.site_id, reason="test", at__gte=test.started_at
    ).order_by("-signal_id")
    if test.ended_at is not None:
        ids = ids.filter(at__lte=test.ended_at)
    found = list(ids.values_list("signal_id", flat=True)[:most])
    rows = Signal.objects.filter(
        pk__in=found, site_id=test.site_id, received_at__gte=test.started_at
    )
    return list(rows.order_by("-id"))


def held_signals(providers: Collection[int], now: datetime, most: int = 200) -> list[Entry]:
    """Signals held back in the last day, the newest first, with reason and clause."""
    return list(
        Entry.objects.filter(
            what="signal.held",
            provider_id__in=list(providers),
            at__gt=now - timedelta(days=1),
        ).order_by("-id")[:most]
    )


def with_the_system(providers: Collection[int]) -> list[Incident]:
    """Open incidents that no desk has: waiting for a restore, or being texted."""
    return list(
        Incident.objects.filter(closed_at=None, provider_id__in=list(providers))
        .exclude(AT_THE_DESK)
        .select_related("site")
        .order_by("due")[:200]
    )


def site_names(
    site_ids: Collection[int], providers: Collection[int] | None = None
) -> dict[int, str]:
    """Names for rows of the journal, which carry ids alone; of these providers, where given."""
    sites = Site.objects.filter(pk__in=list(site_ids))
    if providers is not None:
        sites = sites.filter(provider_id__in=list(providers))
    return dict(sites.values_list("pk", "name"))


def overdue(now: datetime) -> tuple[int, int]:
    """(open incidents whose deadline passed a minute ago, signals unjudged for ten seconds).

    Both are 0 in a centre that works; the desk shows it when they are not.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM incidents_incident WHERE closed_at IS NULL AND due < %s),"
            " (SELECT count(*) FROM journal_pending WHERE received_at < %s)",
            [now - timedelta(minutes=1), now - timedelta(seconds=10)],
        )
        late, unjudged = cursor.fetchone()
        return int(late), int(unjudged)
