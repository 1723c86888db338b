"""What an incident's due time means, by its state; called by the agenda alone.

waiting → its wait is over · texting → the ladder's next rung · queued → it climbs · taken → the
operator was idle, back to the queue · held → back to its holder.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.models import AgendaRow
from meldkamer.incidents import notices
from meldkamer.incidents.deciding import gathering
from meldkamer.incidents.deciding.carry_out import RUNG_LINES, UNANSWERED, Docket
from meldkamer.incidents.deciding.facts import facts_of, histories, site_facts
from meldkamer.incidents.messages import supervisor_calls
from meldkamer.incidents.models import Incident
from meldkamer.notify import ways
from meldkamer.notify.models import OutboxMessage
from meldkamer.notify.outbox import RUNGS, UNSENT
from meldkamer.people.models import Staff
from meldkamer.rules import ladder, queue, verdicts
from meldkamer.rules.acts import Close, Enqueue, LadderWait, Say
from meldkamer.sites.models import Site

#: a text that lies in the house is looked at again after so long
_LOOK_AGAIN = timedelta(seconds=15)


def lock_site_of(incident_id: int) -> Site:
    """The site of an incident, locked for this transaction: always before anything of it."""
    site_id = Incident.objects.values_list("site_id", flat=True).get(pk=incident_id)
    return (
        Site.objects.select_related("provider", "customer", "installer")
        .select_for_update(no_key=True, of=("self",))
        .get(pk=site_id)
    )


def lock_sites(site_ids: Iterable[int]) -> None:
    """Several sites, locked for this transaction, always in the order of their numbers."""
    rows = Site.objects.filter(pk__in=set(site_ids)).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk"))


def lock_docket(incident_id: int, now: datetime, actor: str = "system") -> Docket:
    """The incident with its site locked, in this transaction; the order is always site first."""
    site = lock_site_of(incident_id)
    incident = Incident.objects.select_related("holder").get(pk=incident_id)
    incident.site = site
    return Docket(site, site_facts(site, now), now, incident=incident, actor=actor)


def incident_due(row: AgendaRow, now: datetime) -> None:
    """An agenda row of kind incident.due."""
    _act(lock_docket(row.payload["incident"], now), row, now)


def lock_incidents_of(rows: Iterable[AgendaRow]) -> list[int]:
    """Lock the sites of these rows' incidents; the ids of the rows whose site could be had.

    One row a site, its earliest (R1): what a second one does may depend on the first. A site that
    is in use keeps its row for later.
    """
    by_incident = {row.payload["incident"]: row.pk for row in rows}
    known = Incident.objects.filter(pk__in=list(by_incident))
    sites = dict(known.values_list("pk", "site_id"))
    free = Site.objects.filter(pk__in=set(sites.values())).order_by("pk")
    had = set(free.select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True))
    first: dict[int, int] = {}
    for incident_id, number in by_incident.items():
        if (site_id := sites.get(incident_id)) in had:
            first.setdefault(site_id, number)
    return list(first.values())


def incidents_due(rows: list[AgendaRow], now: datetime) -> None:
    """Several agenda rows of kind incident.due, each of another site, all locked."""
    found = Incident.objects.in_bulk([row.payload["incident"] for row in rows])
    sites = Site.objects.select_related("provider", "customer", "installer").in_bulk(
        {incident.site_id for incident in found.values()}
    )
    facts = facts_of(sites.values(), now)
    pasts = histories(list(found))
    with gathering.gathered():
        for row in rows:
            incident = found[row.payload["incident"]]
            incident.site = site = sites[incident.site_id]
            past = pasts[incident.pk]
            docket = Docket(site, facts[site.pk], now, incident=incident, past=past)
            _act(docket, row, now)


def _act(docket: Docket, row: AgendaRow, now: datetime) -> None:
    incident = docket.opened
    if incident.closed_at is not None or incident.due is None:
        return
    if incident.due > now:
        # a row that came too early is not the end of it: no open incident is without one (M12.2)
        agenda.schedule(
            row.kind,
            row.subject,
            incident.due,
            now,
            urgency=incident.priority,
            payload=row.payload,
        )
        return
    _BY_STATE[Incident.State(incident.state)](docket, now)


def _wait_is_over(docket: Docket, now: datetime) -> None:
    incident = docket.opened
    purpose = incident.wait_for
    docket.carry_out([Say("incident.waited", data={"for": purpose})])
    if purpose == "power":
        docket.carry_out(verdicts.treat("power", docket.site_facts, now))
    elif purpose == "override":
        docket.carry_out([Close("nobody_reached", "S4.3", "no override")])
    else:
        docket.carry_out([Enqueue("M3.2", "second pass")])


def _ladder_climbs(docket: Docket, now: datetime) -> None:
    facts = docket.facts()
    site = docket.site_facts
    last = _last_rungs(docket)
    until = _wait_of_last_rung(docket, last, now)
    if until is None and (late := _lies_here(docket, last)) is not None:
        # it is told from its hand-over on (S7.2), which is still to come
        until = now + _LOOK_AGAIN if now < late else None
    if until is not None:
        docket.carry_out([LadderWait(until)])
        return
    treatment = site.terms.treatment(site.plan, site.formula, docket.opened.type)
    carried, calls = _is_carried(docket, last, "sms"), _is_carried(docket, last, "voice")
    docket.carry_out(ladder.climb(facts, treatment, now, carried=carried, calls=calls))


def _last_rungs(docket: Docket) -> list[OutboxMessage]:
    """The last text and the last announced call of an incident, the latest of them first."""
    last = {
        past.what: past.data["message"]
        for past in docket.facts().history
        if past.what in RUNG_LINES
    }
    rungs = OutboxMessage.objects.filter(pk__in=last.values(), template__in=RUNGS)
    return list(rungs.order_by("-pk"))


def _lies_here(docket: Docket, last: list[OutboxMessage]) -> datetime | None:
    """Until when the last rung may lie in the house, though carriers work; None when it is gone.

    A throttle or a storm holds it. Nobody is passed over who was never texted (S7.5).
    """
    if not last or last[0].state not in UNSENT:
        return None
    if not ways.works(docket.site.provider_id, last[0].channel):
        return None
    return last[0].created_at + timedelta(seconds=docket.site_facts.terms.texting.unsent_most_s)


def _is_carried(docket: Docket, last: list[OutboxMessage], channel: str) -> bool:
    """False when the last rung over this channel did not leave the house, and none does.

    None: no carrier was ever entered, as in a rehearsal, where the next contact is texted.
    """
    unsent = any(one.channel == channel and one.state in UNSENT for one in last)
    return not unsent or ways.works(docket.site.provider_id, channel) is None


def _wait_of_last_rung(docket: Docket, last: list[OutboxMessage], now: datetime) -> datetime | None:
    """Until when the last rung is waited for, if its hand-over says so (S7.2).

    The deadline moves when the carrier takes a text; a process that dies between the two leaves the
    deadline of the decision, which is too early.
    """
    if not last:
        return None
    latest = last[0]
    # rung at, and nobody acted: the wait is over before its time
    unanswered = {
        past.data["message"] for past in docket.facts().history if past.what == UNANSWERED
    }
    # one that never arrives is not waited for
    failed = latest.state == OutboxMessage.State.FAILED
    if latest.handed_over_at is None or failed or latest.pk in unanswered:
        return None
    by = docket.facts().case.texts[-1].by
    until = latest.handed_over_at + ladder.wait_for(by, docket.site_facts.terms)
    return until if until > now else None


def _queue_climbs(docket: Docket, now: datetime) -> None:
    incident = docket.opened
    rung, due, tell = queue.climb(
        incident.rung, incident.queued_at or incident.opened_at, docket.site_facts.terms
    )
    if tell:
        due = now + timedelta(seconds=docket.site_facts.terms.queue.remind_every_s)
        # told once, reminded for ever
        word = "supervisor.reminded" if incident.rung == rung else "supervisor.notified"
        docket.say(word, "M12.2", "untouched", data={"rung": rung})
        site = docket.site
        notices.add("untouched", "M12.2", site.name, now, site=site, incident=incident)
        supervisor_calls.remind(docket, now, first=word == "supervisor.notified")
    incident.rung = rung
    incident.save(update_fields=["rung"])
    docket.move(Incident.State.QUEUED, queue.RUNGS[rung], due)


def _operator_was_idle(docket: Docket, now: datetime) -> None:
    docket.carry_out([Enqueue("M12.2", "idle")])


def _hold_is_over(docket: Docket, now: datetime) -> None:
    incident = docket.opened
    holder = incident.holder
    docket.say("incident.resumed", "M12.2", to=str(holder))
    due = now + timedelta(seconds=docket.site_facts.terms.queue.idle_s)
    docket.move(Incident.State.TAKEN, owner_of(holder), due, holder=holder)


def owner_of(staff: Staff | None) -> str:
    """The owner of an incident in somebody's hands."""
    if staff is None:
        raise LookupError("an incident that is taken has a holder")
    return f"staff:{staff.pk}"


_BY_STATE = {
    Incident.State.WAITING: _wait_is_over,
    Incident.State.TEXTING: _ladder_climbs,
    Incident.State.QUEUED: _queue_climbs,
    Incident.State.TAKEN: _operator_was_idle,
    Incident.State.HELD: _hold_is_over,
}
