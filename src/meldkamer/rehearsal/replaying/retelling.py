"""A site's past as a world that can be played: the same people, answers, replies and paces.

The production code decides anew; what people did is taken from the record. Where the record says
nothing, because another was called or another text was sent, an assumption is counted: nobody
answers, nobody replies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from meldkamer.incidents.models import Incident
from meldkamer.journal.models import Entry
from meldkamer.notify.models import OutboxMessage, PatrolUnit
from meldkamer.rehearsal.replaying.past import Happened, PastIncident, SitePast, told
from meldkamer.rehearsal.story import (
    ContactPart,
    InstallerPart,
    Person,
    SitePart,
    Story,
    StoryPart,
    ZonePart,
)
from meldkamer.rehearsal.world import World, build
from meldkamer.rules.facts import PREMISES
from meldkamer.rules.procedures import Step
from meldkamer.sites.models import ProcedureVersion

#: so far may a played incident's opening lie from the recorded one
NEAR = timedelta(minutes=15)
USUAL = timedelta(seconds=20)
#: after the last recorded closing the play goes on so long: it may last longer under other terms
AFTERWARDS = timedelta(hours=24)
_BY_PHONE = ("help asked for by phone", "duress code by phone")
_STEP_ENDS = (
    "call.result", "police.requested", "fire.requested", "medical.requested", "patrol.sent",
    "police.refused", "fire.refused", "medical.refused", "patrol.refused",
)  # fmt: skip


def story_of(past: SitePast, terms: str) -> Story:
    """The site of the past as a story under these terms; its events come by `Recorded`."""
    site = past.site
    part = SitePart(
        name=site.name,
        address=f"{site.street}, {site.postal_code} {site.town}".strip(", "),
        position=(
            None
            if site.latitude is None or site.longitude is None
            else (site.latitude, site.longitude)
        ),
        customer="business" if site.customer.kind == "business" else "consumer",
        plan=site.plan,
        formula=site.formula,
        types=None if site.types is None else list(site.types),  # type: ignore[arg-type]
        options=list(site.options),  # type: ignore[arg-type]
        activated=site.activated_at,
        premises=Person(phone=site.premises_phone, name=site.premises_person),
        installer=InstallerPart(name=site.installer.name if site.installer else "installer"),
        zone=[
            ZonePart(number=number, name=name, area=area, detector=detector, kind=kind, type=type_)
            for number, name, area, detector, kind, type_ in past.zones
        ],
        contact=[
            ContactPart(name=name, phone=phone, email=email, language=language)
            for _id, name, phone, email, language in past.contacts
        ],
    )
    parts = StoryPart(
        title=f"the past of {site.name}", terms=terms, start=past.start, site=[part], operators=4
    )
    until = max(incident.closed_at for incident in past.incidents) + AFTERWARDS
    return Story(f"site {site.pk}", parts, past.start, until, USUAL, [], terms)


def furnish(past: SitePast, terms: str, draft: ProcedureVersion | None) -> World:
    """Rows for the story, with the versions of procedures that were released, and the units."""
    world = build(story_of(past, terms))
    site = next(iter(world.sites.values()))
    site.options, site.timezone = list(past.site.options), past.site.timezone
    site.power_delay_s = past.site.power_delay_s
    site.save()
    for version in past.versions:
        if draft is None or (version.name, version.site_id) != (draft.name, draft.site_id):
            _copy(version, world, version.starts_at, version.released_at)
    if draft is not None:
        _copy(draft, world, past.start, past.start)
    PatrolUnit.objects.filter(provider_id=world.provider.pk).delete()
    for name in _units(past):
        PatrolUnit.objects.create(
            provider_id=world.provider.pk, name=name, state=PatrolUnit.State.FREE,
            reported_at=past.start,
        )  # fmt: skip
    return world


def _copy(
    version: ProcedureVersion, world: World, starts_at: datetime | None, released: datetime | None
) -> None:
    site = next(iter(world.sites.values()))
    ProcedureVersion.objects.create(
        provider=world.provider, site=site if version.site_id else None, name=version.name,
        number=version.number, procedure=version.procedure, starts_at=starts_at,
        ends_at=version.ends_at, drafted_by=version.drafted_by, drafted_at=version.drafted_at,
        released_by=version.released_by or "replay", released_at=released,
        withdrawn_at=version.withdrawn_at, withdrawn_by=version.withdrawn_by,
    )  # fmt: skip


def _units(past: SitePast) -> list[str]:
    """The units that went; one where none was asked for; none where none was free."""
    every = [entry for incident in past.incidents for entry in incident.entries]
    sent = [entry.to for entry in every if entry.what == "patrol.sent"]
    if sent:
        return list(dict.fromkeys(sent))
    none_free = any(e.what == "patrol.refused" and e.reason == "no patrol free" for e in every)
    return [] if none_free else ["patrol"]


@dataclass(slots=True)
class Record:
    """What the record says of people: which answer, when, how fast; and what it does not say."""

    past: SitePast
    world: World
    #: by the number of the played incident
    same: dict[int, PastIncident | None] = field(default_factory=dict)
    assumed: dict[int, list[str]] = field(default_factory=dict)
    _keys: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """The keys of the played contacts stand for the recorded ones, place by place."""
        played = sorted(self.world.contacts)
        for (recorded, *_rest), mine in zip(self.past.contacts, played, strict=False):
            self._keys[f"c{mine}"] = f"c{recorded}"

    def recorded_key(self, key: str) -> str:
        """The recorded key of somebody of the played site."""
        return self._keys.get(key, key)

    def played_key(self, key: str) -> str:
        """The played key of somebody of the record; "" when he left the list."""
        if key in ("", PREMISES):
            return key
        return next((mine for mine, recorded in self._keys.items() if recorded == key), "")

    def incident(self, played: Incident) -> PastIncident | None:
        """The recorded incident that a played one stands for: same type, opened nearest to it."""
        if played.pk not in self.same:
            taken = {past.id for past in self.same.values() if past is not None}
            kind = opening_type(played)
            near = [
                past
                for past in self.past.incidents
                if past.type == kind
                and past.id not in taken
                and abs(past.opened_at - played.opened_at) <= NEAR
            ]
            near.sort(key=lambda past: abs(past.opened_at - played.opened_at))
            self.same[played.pk] = near[0] if near else None
        return self.same[played.pk]

    def answer(self, played: Incident, step: Step) -> tuple[str, str, str, str]:
        """How the person of a step answered then; nobody answers where nothing is recorded."""
        past, key = self.incident(played), self.recorded_key(step.to)
        name = step.name or PREMISES
        answers = [a for a in past.answers() if a.to == key] if past else []
        if not answers:
            self.assumed.setdefault(played.pk, []).append(f"{name} does not answer")
            return name, "no_answer", "right", "nothing"
        before = calls_made(played, step.to)
        if before >= len(answers):
            self.assumed.setdefault(played.pk, []).append(f"{name} answers as the last time")
        answer = answers[min(before, len(answers) - 1)]
        return answer.person or name, answer.result, answer.identity, answer.says

    def pace(self, played: Incident) -> timedelta:
        """How long the operator took for this step then; else his usual time."""
        past = self.incident(played)
        times = step_times(past) if past else []
        done = len(step_times(told(played)))
        if done < len(times):
            return times[done]
        return _middle(times) or self.usual()

    def usual(self) -> timedelta:
        """The middle of all recorded steps of the site."""
        every = [time for past in self.past.incidents for time in step_times(past)]
        return _middle(every) or USUAL

    def taken_at(self, played: Incident) -> datetime:
        """When an operator would take a queued incident: after the recorded wait."""
        queued = played.queued_at or played.opened_at
        past = self.incident(played)
        if past is None:
            return queued + USUAL
        place = Entry.objects.filter(incident_id=played.pk, what="incident.queued").count()
        waits = queue_waits(past)
        if waits:
            return queued + waits[min(max(place, 1), len(waits)) - 1]
        if past.of("incident.queued"):  # nobody took it before it was over
            return queued + max(past.closed_at - past.opened_at, USUAL) + timedelta(seconds=1)
        return queued + USUAL

    def replies(self, text: OutboxMessage, played: Incident) -> list[tuple[timedelta, str]]:
        """What this contact texted back to his n-th text of the incident, so long after it."""
        past = self.incident(played)
        if past is None:
            return []
        key = self.recorded_key(f"c{text.contact_id}")
        sent = [e for e in past.of("sms.sent") if e.data.get("key") == key]
        place = OutboxMessage.objects.filter(
            incident_id=played.pk, contact_id=text.contact_id, channel="sms", pk__lt=text.pk
        ).count()
        if place >= len(sent):
            return []
        until = sent[place + 1].at if place + 1 < len(sent) else None
        return [
            (reply.at - sent[place].at, str(reply.data.get("text", "")))
            for reply in past.of("sms.received")
            if reply.data.get("key") == key
            and reply.at >= sent[place].at
            and (until is None or reply.at < until)
        ]


def opening_type(incident: Incident) -> str:
    """The type that an incident was opened as; a duress code may have changed it."""
    opened = Entry.objects.filter(incident_id=incident.pk, what="incident.opened").first()
    return str(opened.data.get("type", incident.type)) if opened else incident.type


def calls_made(incident: Incident, key: str) -> int:
    """How many calls of a person are finished in an incident."""
    rows = Entry.objects.filter(incident_id=incident.pk, what="call.result")
    return sum(row.data.get("key") == key for row in rows)


def step_times(past: PastIncident) -> list[timedelta]:
    """How long each step took: from the one before, or from the taking.

    What follows within a step, such as a refusal in a call, ends none of its own (R7).
    """
    found: list[timedelta] = []
    since, last = past.opened_at, None
    for entry in past.entries:
        if entry.what in ("incident.taken", "incident.taken_over"):
            since = entry.at
        elif entry.what in _STEP_ENDS and not entry.data.get("in_call") and entry.at != last:
            found.append(max(entry.at - since, timedelta(0)))
            since = last = entry.at
    return found


def queue_waits(past: PastIncident) -> list[timedelta]:
    """How long it stood in the queue each time before somebody took it."""
    found, queued = [], None
    for entry in past.entries:
        if entry.what == "incident.queued":
            queued = entry.at
        elif entry.what == "incident.taken" and queued is not None:
            found.append(entry.at - queued)
            queued = None
    return found


def _middle(times: list[timedelta]) -> timedelta | None:
    if not times:
        return None
    return timedelta(seconds=median(time.total_seconds() for time in times))


Doing = Callable[[World, datetime], None]


def by_hand(past: PastIncident) -> str:
    """The reason of an operator who opened it without any signal (S24.1); "" otherwise."""
    opened = past.of("incident.opened")
    if past.origin != "person" or not opened or opened[0].reason in _BY_PHONE:
        return ""
    return opened[0].reason


def outside(past: SitePast) -> list[Happened]:
    """What others did in the incidents: images, overrides, patrols, phone-ins."""
    words = ("images.judged", "phoned.in", "incident.help", "patrol.arrived", "patrol.done")
    every = [e for past_ in past.incidents if not by_hand(past_) for e in past_.entries]
    found = [entry for entry in every if entry.what in words]
    found += [e for e in every if e.what == "police.requested" and e.data.get("override")]
    found += [
        e for e in every if e.what == "incident.opened" and e.reason == "duress code by phone"
    ]
    return sorted(found, key=lambda entry: entry.at)
