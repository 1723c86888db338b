"""What a played story left behind, as plain values for the checkers.

Read from journal and tables once, at the end. A checker gets nothing else, so it cannot ask the
production code what is right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from meldkamer.contracts.models import Handling
from meldkamer.incidents.models import Incident, Notice, Verdict
from meldkamer.journal.models import Entry, Frame, Signal
from meldkamer.notify.models import OutboxMessage
from meldkamer.rehearsal.timeline import PRINTED
from meldkamer.rehearsal.world import World
from meldkamer.sites.models import Contact, Site
from meldkamer.terms.model import Terms

#: handled without asking who speaks (S19.2)
UNASKED = ("battery", "power", "line_test", "external_technical")
TEXTED = ("battery", "power", "line_test")
VERIFIED = ("intrusion", "sabotage")


class Broken(Exception):
    """A rule that did not hold: which checker saw it, and what exactly it saw."""

    def __init__(self, checker: str, sentence: str) -> None:
        super().__init__(f"{checker}: {sentence}")
        self.checker, self.sentence = checker, sentence


@dataclass
class Run:
    """One played story."""

    world: World
    end: datetime
    entries: list[Entry]
    signals: list[Signal]
    frames: list[Frame]
    verdicts: list[Verdict]
    incidents: dict[int, Incident]
    messages: dict[int, OutboxMessage]
    handlings: list[Handling]
    notices: list[Notice]
    sites: dict[int, Site]
    contacts: dict[int, list[Contact]]
    changed_sites: set[int] = field(default_factory=set)
    of_incident: dict[int, list[Entry]] = field(default_factory=dict)

    @property
    def terms(self) -> Terms:
        """The story's terms."""
        return self.world.terms

    def told(self, *words: str) -> Iterator[Entry]:
        """The entries with one of these words, in order."""
        return (entry for entry in self.entries if entry.what in words)

    def courses(self) -> Iterable[tuple[int, list[Entry]]]:
        """Each incident's entries, in order."""
        return self.of_incident.items()

    def in_trial(self, site_id: int | None, at: datetime) -> bool:
        """S4.3, from the activation and the terms alone."""
        site = self.sites.get(site_id or 0)
        if site is None or site.activated_at is None:
            return False
        return (at - site.activated_at).total_seconds() < self.terms.trial.days * 86400


def observe(world: World, end: datetime) -> Run:
    """Everything of the story that was just played, in the same transaction."""
    own = Q(provider_id=world.provider.pk) | Q(provider_id=None)
    entries = list(Entry.objects.filter(own, pk__gt=world.first_entry).order_by("id"))
    sites = {site.pk: site for site in Site.objects.filter(provider=world.provider)}
    since = world.story.start
    contacts: dict[int, list[Contact]] = defaultdict(list)
    for contact in Contact.objects.filter(site__in=sites).order_by("site", "position"):
        contacts[contact.site_id].append(contact)
    run = Run(
        world=world,
        end=end,
        entries=entries,
        signals=list(Signal.objects.filter(received_at__gte=since).order_by("id")),
        frames=list(Frame.objects.filter(received_at__gte=since).order_by("id")),
        verdicts=list(Verdict.objects.order_by("signal_id")),
        incidents=Incident.objects.in_bulk(),
        messages=OutboxMessage.objects.in_bulk(),
        handlings=list(Handling.objects.filter(site__in=sites).order_by("id")),
        notices=list(Notice.objects.filter(site__in=sites).order_by("id")),
        sites=sites,
        contacts=contacts,
        changed_sites={e.site_id for e in entries if e.what == "sheet.changed" and e.site_id},
    )
    for entry in entries:
        if entry.incident_id is not None:
            run.of_incident.setdefault(entry.incident_id, []).append(entry)
    return run


def printed(entry: Entry) -> bool:
    """Whether a reader of the timeline sees it."""
    return entry.what in PRINTED


def moment(entry: Entry) -> str:
    """An entry in a failure's sentence."""
    number = f" of incident {entry.incident_id}" if entry.incident_id else ""
    return f"{entry.what}{number} at {entry.at.isoformat()} ({entry.clause} {entry.reason})"


Said = Iterator[str]
