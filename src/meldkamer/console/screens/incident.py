"""The middle of the desk: one incident in the reading order.

What, where, when; restored, armed, test or trial, schedule; what else came; how sure; what to do.
Reads and arranges; decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from meldkamer.console import wording
from meldkamer.console.norms import norm_of
from meldkamer.console.phones import shown
from meldkamer.console.screens import course, hours, patrol, proof, site, steps
from meldkamer.console.screens.queue import short_name
from meldkamer.console.screens.work import Work, work
from meldkamer.console.timing import clock, clock_or_day, day, day_and_time, span
from meldkamer.incidents import queries
from meldkamer.incidents.deciding.facts import incident_facts, past, signal_facts, site_facts
from meldkamer.incidents.models import Incident
from meldkamer.journal.models import Entry
from meldkamer.people.models import Staff
from meldkamer.rules.avs import Surroundings
from meldkamer.rules.facts import IncidentFacts, SiteFacts
from meldkamer.rules.verdicts import with_sheet
from meldkamer.sites.kinds import KINDS
from meldkamer.sites.service_numbers import SERVICES, number_for

COURSE_ROWS = 9


@dataclass(frozen=True, slots=True)
class SignalLine:
    """A signal of the incident."""

    time: str
    zone: str
    kind: str
    what: str
    code: str
    restored: str
    new: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """The four questions before everything else."""

    restored: str
    restored_more: str
    armed: bool | None
    armed_words: str
    armed_more: str
    modes: str
    modes_more: str
    modes_mind: bool
    schedule: str


@dataclass(frozen=True, slots=True)
class Closing:
    """Whether it may be closed, and what stands in the way."""

    open_steps: int
    unseen: int
    proposed: str
    asks_attendance: bool
    hold_ceiling_min: int

    @property
    def proposed_words(self) -> str:
        """The outcome that the course leads to."""
        return wording.word(wording.OUTCOMES, self.proposed) if self.proposed else ""

    @property
    def possible(self) -> bool:
        """Nothing stands in the way."""
        return not self.open_steps and not self.unseen

    @property
    def why_not(self) -> str:
        """ "2 steps open, 1 not seen"."""
        parts = []
        if self.open_steps:
            words = ngettext("%(count)s step open", "%(count)s steps open", self.open_steps)
            parts.append(words % {"count": self.open_steps})
        if self.unseen:
            parts.append(
                ngettext("%(count)s signal not seen", "%(count)s signals not seen", self.unseen)
                % {"count": self.unseen}
            )
        return ", ".join(parts)


@dataclass(frozen=True)
class IncidentScreen:
    """Everything the middle and the right show."""

    incident: Incident
    last_entry: int
    mine: bool
    # whether images can be judged now: cameras at the site, a type that they verify (S9.1)
    images: bool
    holder: str
    title: str
    where: str
    ids: tuple[str, ...]
    since: str
    taken_after: str
    taken_norm: str
    taken_late: bool
    seen: Seen
    signals: tuple[SignalLine, ...]
    new: SignalLine | None
    proof: proof.Proof
    patrol: patrol.Panel
    steps: list[steps.StepRow]
    work: Work
    course: list[course.Line]
    course_more: int
    closing: Closing
    card: site.SiteScreen
    facts: IncidentFacts = field(repr=False)
    # the services that were asked for: their call sheets stay at hand
    asked: tuple[str, ...] = ()


def screen(
    incident: Incident,
    staff: Staff,
    now: datetime,
    *,
    wanted: str = "",
    whole_course: bool = False,
) -> IncidentScreen:
    """The screen of an incident for one person."""
    entries = queries.course(incident.pk)
    of_site = site_facts(incident.site, now)
    signals = queries.signals_of(incident)
    all_facts = tuple(with_sheet(signal_facts(row.signal), of_site) for row in reversed(signals))
    history = [past(entry) for entry in entries]
    facts = replace(incident_facts(incident, now, of_site, history), signals=all_facts)
    zone = of_site.timezone
    agreed = hours.schedule(list(incident.site.hours.all()), now, zone)
    is_open = agreed.open
    around = Surroundings(
        armed=incident.site.armed,
        closed_hours=None if is_open is None else not is_open,
        cameras="video" in of_site.options
        or any(z.kind == "camera" for z in of_site.zones.values()),
    )
    today = now.astimezone(zone).date()
    rows = steps.rows(
        facts, now, lambda service: shown(number_for(incident.site, service, today).number)
    )
    fresh = _fresh(incident, signals)
    lines = [_signal(row, of_site, row.signal.pk in fresh) for row in signals]
    told = course.lines(entries, of_site, names_of(entries), now)
    panel = work(incident, facts, rows, staff, now, wanted)
    zones = [(s.zone, _zone_name(of_site, s.zone)) for s in all_facts if s.zone]
    after_s, norm_words, late = _taken(incident, entries)
    return IncidentScreen(
        incident=incident,
        last_entry=entries[-1].pk if entries else 0,
        mine=incident.holder_id == staff.pk,
        images=around.cameras and incident.type in of_site.terms.verification.types,
        holder=short_name(incident.holder) if incident.holder else "",
        title=_title(incident, of_site),
        where=_where(incident),
        ids=_ids(incident, staff),
        since=clock_or_day(incident.opened_at, now, zone),
        taken_after=after_s,
        taken_norm=norm_words,
        taken_late=late,
        seen=_seen(incident, of_site, signals, agreed, now),
        signals=tuple(lines),
        new=next((line for line in lines if line.new), None),
        proof=proof.proof(facts, all_facts, around, now),
        patrol=patrol.panel(incident.pk, entries, zone),
        steps=rows,
        work=panel,
        course=told if whole_course else told[:COURSE_ROWS],
        course_more=0 if whole_course else max(0, len(told) - COURSE_ROWS),
        closing=_closing(incident, facts, rows, panel),
        card=site.screen(
            incident.site, now, facts=facts, rings=steps.ringing(facts.history), zones=zones
        ),
        facts=facts,
        asked=tuple(s for s in SERVICES if s in facts.case.requested),
    )


def _zone_name(of_site: SiteFacts, number: str | None) -> str:
    zone = of_site.zones.get(number or "")
    return zone.name if zone else ""


def _title(incident: Incident, of_site: SiteFacts) -> str:
    what = wording.word(wording.TYPES, incident.type)
    if not incident.zone:
        return what
    name = _zone_name(of_site, incident.zone) or _("zone unknown on the sheet")
    return _("%(what)s, zone %(zone)s %(name)s") % {
        "what": what,
        "zone": incident.zone,
        "name": name,
    }


def _where(incident: Incident) -> str:
    site_ = incident.site
    town = " ".join(part for part in (site_.postal_code, site_.town) if part)
    address = ", ".join(part for part in (site_.street, town) if part)
    return f"{site_.name} · {address}" if address else site_.name


def _ids(incident: Incident, staff: Staff) -> tuple[str, ...]:
    holder = incident.holder
    if holder is None:
        held = _("free")
    elif holder.pk == staff.pk:
        held = _("locked by you")
    else:
        held = _("locked by %(who)s") % {"who": short_name(holder)}
    return (incident.provider.name, incident.terms, held)


def _taken(incident: Incident, entries: list[Entry]) -> tuple[str, str, bool]:
    if incident.first_taken_at is None:
        return "", "", False
    queued = [e.at for e in entries if e.what == "incident.queued"]
    start = queued[0] if queued else incident.opened_at
    after_s = (incident.first_taken_at - start).total_seconds()
    norm = norm_of(incident.type, incident.opened_at.date())
    words = _("norm %(span)s") % {"span": span(norm.aim_s)} if norm else ""
    return span(after_s), words, bool(norm and after_s > norm.aim_s)


def _fresh(incident: Incident, signals: list[queries.SignalRow]) -> set[int]:
    """The newest that nobody has marked as seen; as many as the incident counts."""
    rising = [row.signal.pk for row in signals if row.signal.role == "event"]
    return set(rising[: incident.unseen])


def _signal(row: queries.SignalRow, of_site: SiteFacts, new: bool) -> SignalLine:
    signal, zone = row.signal, of_site.timezone
    sheet = of_site.zones.get(signal.zone or "")
    name = " ".join(part for part in (signal.zone or "", sheet.name if sheet else "") if part)
    if signal.zone and sheet is None:
        name = _("%(zone)s zone unknown") % {"zone": signal.zone}
    # restores are matched by zone; a code without any can never be restored singly
    restored = clock(row.restored_at, zone) if row.restored_at else (_("no") if signal.zone else "")
    return SignalLine(
        time=clock(signal.received_at, zone),
        zone=name,
        kind=wording.word(KINDS, sheet.kind) if sheet and sheet.kind else "",
        what=wording.word(wording.TYPES, signal.type if signal.role == "event" else signal.role),
        code=str(wording.OWN_CODES.get(signal.code, signal.code)),
        restored=restored,
        new=new,
    )


def _seen(
    incident: Incident,
    of_site: SiteFacts,
    signals: list[queries.SignalRow],
    agreed: hours.Schedule,
    now: datetime,
) -> Seen:
    zone = of_site.timezone
    standing = {
        row.signal.zone: _zone_name(of_site, row.signal.zone) or f"z{row.signal.zone}"
        for row in signals
        if row.restored_at is None and row.signal.zone and row.signal.role == "event"
    }
    events = [row for row in signals if row.signal.role == "event"]
    last = max((row.restored_at for row in events if row.restored_at), default=None)
    if standing or not events or last is None:
        restored, more = _("No"), ", ".join(dict.fromkeys(standing.values()))
    else:
        restored, more = _("Yes"), _("all zones, at %(time)s") % {"time": clock(last, zone)}
    modes, modes_more, mind = _modes(incident, of_site, now)
    armed, armed_words, armed_more = _armed(incident, zone)
    return Seen(
        restored, more, armed, armed_words, armed_more, modes, modes_more, mind, agreed.words
    )


def _armed(incident: Incident, zone: ZoneInfo) -> tuple[bool | None, str, str]:
    site_ = incident.site
    if site_.armed is None:
        return None, _("Not known"), _("the panel never told")
    words = _("Armed") if site_.armed else _("Not armed")
    more = ""
    if site_.armed_changed_at:
        more = _("since %(when)s") % {"when": day_and_time(site_.armed_changed_at, zone)}
    return site_.armed, words, " · ".join(part for part in (more, site_.armed_by) if part)


def _modes(incident: Incident, of_site: SiteFacts, now: datetime) -> tuple[str, str, bool]:
    zone = of_site.timezone
    found = []
    for test in of_site.tests:
        what = " ".join(f"z{number}" for number in test.zones) or _("whole site")
        found.append(
            _("In test until %(until)s: %(what)s")
            % {"until": clock_or_day(test.until, now, zone), "what": what}
        )
    if of_site.in_trial(now) and of_site.trial_until:
        found.append(
            _("In trial until %(until)s: no police, no fire brigade")
            % {"until": day_and_time(of_site.trial_until, zone)}
        )
    if found:
        return " · ".join(found), "", True
    since = incident.site.in_force_from
    more = _("in service since %(day)s") % {"day": day(since, zone)} if since else ""
    return _("No"), more, False


def _closing(
    incident: Incident, facts: IncidentFacts, rows: list[steps.StepRow], panel: Work
) -> Closing:
    open_steps = sum(row.look in ("current", "pending") for row in rows)
    if panel.kind == "closing" and panel.proposed:
        open_steps = 0
    attended = any(p.what == "service.attended" for p in facts.history)
    proposed = panel.proposed.outcome if panel.proposed else ""
    return Closing(
        open_steps=open_steps,
        unseen=incident.unseen,
        proposed=proposed,
        asks_attendance=bool(facts.case.requested) and not attended,
        hold_ceiling_min=facts.terms.queue.hold_ceiling_s // 60,
    )


def names_of(entries: list[Entry]) -> dict[str, str]:
    """Actor → the name of the member of staff."""
    ids = {
        int(entry.actor.removeprefix("staff:"))
        for entry in entries
        if entry.actor.startswith("staff:") and entry.actor[6:].isdigit()
    }
    return {f"staff:{s.pk}": short_name(s) for s in Staff.objects.filter(pk__in=ids)}
