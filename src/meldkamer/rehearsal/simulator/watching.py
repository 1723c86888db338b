"""Looks at the tables after every instant of a story, and stops it at the first broken rule.

What is checked here is over once the story has moved on: that every open incident stands on the
agenda, that what was due was acted on, that nothing waits, that journal and tables say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q

from meldkamer.agenda.models import AgendaRow
from meldkamer.contracts.models import TestMode
from meldkamer.incidents.models import AreaOutage, Incident
from meldkamer.journal.models import Entry
from meldkamer.rehearsal.simulator.observed import Broken
from meldkamer.rehearsal.world import World

_STATES = {
    "incident.opened": "queued",
    "incident.waiting": "waiting",
    "incident.queued": "queued",
    "incident.taken": "taken",
    "incident.held": "held",
    "incident.resumed": "taken",
    "incident.closed": "closed",
}
_PENDING = (
    "SELECT (SELECT count(*) FROM journal_pending),"
    " (SELECT count(*) FROM notify_inboundmessage WHERE consumed_at IS NULL)"
)


@dataclass
class Folded:
    """An incident as its journal entries tell it."""

    type: str
    opened_at: datetime
    state: str = "queued"
    verified_by: str = ""
    outcome: str | None = None
    closed_at: datetime | None = None


class Watcher:
    """Follows one story; `look` is called after each of its instants."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.last = world.first_entry
        self.folded: dict[int, Folded] = {}
        self.tests: dict[int, int] = {}
        self.outages = 0
        self.before = world.story.start

    def look(self, now: datetime) -> None:
        """Raises Broken at the first rule that does not hold."""
        self._fold()
        for checker, found in (
            ("overdue is acted on", overdue(now)),
            ("nothing waits", waits()),
            ("open has owner and due", without_owner(now)),
            ("journal equals tables", self.unlike(now)),
        ):
            for sentence in found:
                raise Broken(checker, f"{sentence}, at {now.isoformat()}")

    def _fold(self) -> None:
        for entry in Entry.objects.filter(pk__gt=self.last).order_by("id"):
            self.last = entry.pk
            if entry.at < self.before:
                raise Broken("time ascends", f"{entry.what} at {entry.at} after {self.before}")
            self.before = entry.at
            site_id = entry.site_id or 0
            if entry.what == "test.started":
                self.tests[site_id] = self.tests.get(site_id, 0) + 1
            elif entry.what == "test.ended":
                self.tests[site_id] = self.tests.get(site_id, 0) - 1
            elif entry.what == "outage.declared":
                self.outages += 1
            elif entry.what == "outage.ended":
                self.outages -= 1
            if entry.incident_id is not None:
                self._fold_incident(entry.incident_id, entry)

    def _fold_incident(self, number: int, entry: Entry) -> None:
        if number not in self.folded:
            self.folded[number] = Folded(entry.type, entry.at)
        one = self.folded[number]
        if one.outcome is not None:
            return
        one.type = entry.type or one.type
        one.state = _STATES.get(entry.what, one.state)
        if entry.what in ("sms.sent", "call.announced") and entry.data.get("purpose") == "ladder":
            one.state = "texting"
        elif entry.what == "incident.taken_over":
            one.state = "taken"
        elif entry.what == "incident.verified":
            one.verified_by = entry.data["by"]
        elif entry.what == "incident.closed":
            one.outcome, one.closed_at = entry.data["outcome"], entry.at

    def unlike(self, now: datetime) -> Iterator[str]:
        """M12.3: what the journal folds into, against the tables."""
        rows = Incident.objects.filter(Q(closed_at=None) | Q(closed_at__gte=now))
        for row in rows.order_by("id"):
            folded = self.folded.get(row.pk)
            if folded is None:
                yield f"incident {row.pk} stands in the table and nowhere in the journal"
                continue
            table = Folded(
                row.type,
                row.opened_at,
                row.state,
                row.verified_by,
                row.outcome,
                row.closed_at,
            )
            if table != folded:
                yield f"incident {row.pk}: the journal tells {folded}, the table {table}"
        running = {row.site_id: 0 for row in TestMode.objects.filter(ended_at=None)}
        for row_ in TestMode.objects.filter(ended_at=None):
            running[row_.site_id] += 1
        told = {site: count for site, count in self.tests.items() if count}
        if running != told:
            yield f"tests that run by site: the journal tells {told}, the table {running}"
        outages = AreaOutage.objects.filter(ended_at=None).count()
        if outages != self.outages:
            yield f"outages that run: the journal tells {self.outages}, the table {outages}"


def overdue(now: datetime) -> Iterator[str]:
    """M12.2: after two cycles at an instant nothing that is due may be left."""
    for row in AgendaRow.objects.filter(done_at=None, due__lte=now).order_by("due", "id")[:1]:
        yield f"{row.kind} of {row.subject} was due at {row.due.isoformat()} and is not done"
    for row in AgendaRow.objects.filter(done_at=None).exclude(last_fault="")[:1]:
        yield f"{row.kind} of {row.subject} failed: {row.last_fault.strip().splitlines()[-1]}"


def waits() -> Iterator[str]:
    """M12.1: a signal or a reply that nobody looked at."""
    with connection.cursor() as cursor:
        cursor.execute(_PENDING)
        signals, replies = cursor.fetchone()
    if signals:
        yield f"{signals} signals without a verdict"
    if replies:
        yield f"{replies} replies that nobody took"


_OWNERS = {"waiting": "system", "texting": "system", "taken": "staff", "held": "staff"}


def without_owner(now: datetime) -> Iterator[str]:
    """M12.2: owner and due time, and the due time on the agenda."""
    dues = {
        row.payload.get("incident"): row.due
        for row in AgendaRow.objects.filter(done_at=None, kind="incident.due")
    }
    for row in Incident.objects.filter(closed_at=None).order_by("id"):
        owner = (row.owner or "").partition(":")[0]
        if not owner or owner != _OWNERS.get(row.state, owner):
            yield f"incident {row.pk} is {row.state} and its owner is {row.owner!r}"
        if row.due is None or row.due < now - timedelta(microseconds=1):
            yield f"incident {row.pk} is {row.state} and was due at {row.due}"
        if row.pk not in dues:
            yield f"incident {row.pk} is {row.state} and stands nowhere on the agenda"
        elif row.due is not None and dues[row.pk] > row.due:
            yield f"incident {row.pk} is due at {row.due}, the agenda has it at {dues[row.pk]}"
