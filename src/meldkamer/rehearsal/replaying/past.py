"""Reads what really happened: incidents of a time, their signals, calls, replies and paces.

Never writes: it reads in one read-only transaction. What it returns holds no codes and no keys,
and knows nothing of the database any more, so that it can be played elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from meldkamer.contracts.models import FalseAlarmForetold
from meldkamer.incidents.models import Incident, Verdict
from meldkamer.journal.models import Entry, Signal
from meldkamer.rules.facts import NUMBER, PREMISES
from meldkamer.sites.models import ProcedureVersion, Site

#: who falls under a longer verification window than this does so before the first incident
BEFORE = timedelta(minutes=31)
#: signals that open or join nothing, and still change what is open
_ALSO = ("restore", "cancel")


@dataclass(frozen=True, slots=True)
class Happened:
    """One entry of the journal."""

    at: datetime
    what: str
    to: str
    clause: str
    reason: str
    data: Mapping[str, Any]
    type: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A signal that came in, as a transmitter sends it or the watch found it."""

    at: datetime
    code: str
    role: str
    type: str
    zone: str
    area: str
    user: str
    watch: bool
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answered:
    """How somebody answered one call: result, identity and words as in `rules.calls`."""

    to: str
    at: datetime
    result: str
    identity: str
    says: str
    person: str


@dataclass(slots=True)
class PastIncident:
    """One incident with all that the journal has of it."""

    id: int
    type: str
    opened_at: datetime
    closed_at: datetime
    outcome: str
    origin: str
    terms: str
    entries: list[Happened] = field(default_factory=list)

    def of(self, *whats: str) -> list[Happened]:
        """The entries of some words, in order."""
        return [entry for entry in self.entries if entry.what in whats]

    def answers(self) -> list[Answered]:
        """Every finished call, with what came of it."""
        found = []
        for place, entry in enumerate(self.entries):
            if entry.what == "call.result":
                after = self.entries[place + 1] if place + 1 < len(self.entries) else None
                found.append(_answered(entry, after))
        return found


def _answered(entry: Happened, after: Happened | None) -> Answered:
    data = entry.data
    result, says = str(data.get("result", "no_answer")), str(data.get("says", ""))
    identity = "right"
    if says == "duress":
        identity, says = "duress", "nothing"
    elif result == "reached" and not data.get("accepted"):
        failed = after is not None and after.what == "identification.failed"
        identity = "wrong" if failed and after and after.reason == "wrong code" else "none"
    return Answered(str(data.get("key")), entry.at, result, identity, says or "nothing", entry.to)


@dataclass(slots=True)
class SitePast:
    """A site as its sheet stands now, and what happened there."""

    site: Site
    contacts: list[tuple[int, str, str, str, str]]
    zones: list[tuple[str, str, str, str, str, str]]
    incidents: list[PastIncident]
    signals: list[Sent] = field(default_factory=list)
    # foretold false alarms: when, by whom, from the premises
    foretold: list[tuple[datetime, str, bool]] = field(default_factory=list)
    versions: list[ProcedureVersion] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def start(self) -> datetime:
        """Before the first incident, and before what could verify it."""
        return min(incident.opened_at for incident in self.incidents) - BEFORE

    @property
    def terms(self) -> str:
        """The terms that the incidents were handled under."""
        return self.incidents[0].terms


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the past: from, until, of which sites; at most so many incidents, the newest."""

    since: datetime
    until: datetime
    site: str = ""
    account: str = ""
    provider_id: int | None = None
    site_id: int | None = None
    most: int = 1000


def read(wanted: Wanted) -> tuple[list[SitePast], int]:
    """The past by site, and how many incidents were left out because there are more than `most`."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        rows = _incidents(wanted)
        kept = sorted(rows[: wanted.most], key=lambda row: (row.site_id, row.opened_at, row.pk))
        by_site: dict[int, list[Incident]] = {}
        for row in kept:
            by_site.setdefault(row.site_id, []).append(row)
        return [_site(rows) for rows in by_site.values()], max(0, len(rows) - wanted.most)


def _incidents(wanted: Wanted) -> list[Incident]:
    rows = Incident.objects.filter(
        opened_at__gte=wanted.since, opened_at__lt=wanted.until, closed_at__isnull=False
    )
    if wanted.site:
        rows = rows.filter(site__name__iexact=wanted.site)
    if wanted.account:
        rows = rows.filter(site__transmitters__account__iexact=wanted.account)
    if wanted.provider_id is not None:
        rows = rows.filter(provider_id=wanted.provider_id)
    if wanted.site_id is not None:
        rows = rows.filter(site_id=wanted.site_id)
    return list(rows.distinct().order_by("-opened_at", "-id"))


def _site(rows: Sequence[Incident]) -> SitePast:
    site = Site.objects.select_related("provider", "customer", "installer").get(pk=rows[0].site_id)
    incidents = [told(row) for row in rows]
    past = SitePast(
        site,
        [(c.pk, c.name, c.phone, c.email, c.language) for c in site.contacts.order_by("position")],
        [(z.number, z.name, z.area, z.detector, z.kind, z.type) for z in site.zones.all()],
        incidents,
    )
    end = max(incident.closed_at for incident in incidents)
    past.signals = _signals(site.pk, [row.pk for row in rows], past.start, end, past.notes)
    past.foretold = list(
        FalseAlarmForetold.objects.filter(site=site, at__gte=past.start, at__lte=end)
        .order_by("at")
        .values_list("at", "by", "from_premises")
    )
    past.versions = list(
        ProcedureVersion.objects.filter(
            provider_id=site.provider_id, released_at__isnull=False
        ).filter(Q(site=None) | Q(site_id=site.pk))
    )
    _changed_since(past)
    return past


def told(row: Incident) -> PastIncident:
    """An incident with all that the journal has of it."""
    entries = [
        Happened(e.at, e.what, e.recipient, e.clause, e.reason, e.data, e.type)
        for e in Entry.objects.filter(incident_id=row.pk).order_by("id")
    ]
    opened = next((e for e in entries if e.what == "incident.opened"), None)
    kind = str(opened.data.get("type", row.type)) if opened else row.type
    return PastIncident(
        row.pk, kind, row.opened_at, row.closed_at or row.opened_at, row.outcome or "open",
        row.origin, row.terms, entries,
    )  # fmt: skip


def _signals(
    site_id: int, incident_ids: Sequence[int], start: datetime, end: datetime, notes: list[str]
) -> list[Sent]:
    """Those of the incidents, and restores and cancels between; what was held back stays so."""
    rows = Signal.objects.filter(site_id=site_id, received_at__gte=start, received_at__lte=end)
    verdicts = {
        verdict.signal_id: verdict
        for verdict in Verdict.objects.filter(site_id=site_id, at__gte=start)
    }
    mine, found, held = set(incident_ids), [], 0
    for row in rows.order_by("received_at", "id"):
        verdict = verdicts.get(row.pk)
        if verdict is not None and verdict.verdict == "held":
            held += 1
        belongs = verdict is not None and verdict.incident_id in mine
        loose = verdict is not None and verdict.verdict == "journaled" and row.role in _ALSO
        if belongs or loose:
            detail = {k: v for k, v in (row.detail or {}).items() if v is not None}
            found.append(
                Sent(row.received_at, row.code, row.role, row.type, row.zone or "", row.area or "",
                     row.user or "", row.origin == "watch", detail)
            )  # fmt: skip
    if held:
        notes.append(f"{held} signals were held back then and are held back again")
    return found


def _changed_since(past: SitePast) -> None:
    """A sheet that was changed after the first incident is not the one they were handled by."""
    words = ("sheet.changed", "contact.added", "contact.removed", "contact.changed",
             "contact.moved", "zone.added", "zone.changed", "zone.removed")  # fmt: skip
    first = min(incident.opened_at for incident in past.incidents)
    changed = Entry.objects.filter(site_id=past.site.pk, what__in=words, at__gte=first).count()
    if changed:
        past.notes.append(f"the sheet was changed {changed} times since; it is played as it is now")
    known = {f"c{contact[0]}" for contact in past.contacts} | {PREMISES}
    gone = {
        answer.person
        for incident in past.incidents
        for answer in incident.answers()
        if answer.to not in known and not answer.to.startswith(NUMBER)
    }
    if gone:
        past.notes.append(f"no longer on the list: {', '.join(sorted(gone))}")
