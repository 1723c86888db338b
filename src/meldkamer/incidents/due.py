"""What an incident's due time means, by its state; called by the agenda alone.

waiting → its wait is over · texting → the ladder's next rung · queued → it climbs · taken → the
operator was idle, back to the queue · held → back to its holder.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.models import AgendaRow
from meldkamer.incidents import notices, supervisor_calls
from meldkamer.incidents.carry_out import RUNG_LINES, UNANSWERED, Docket
from meldkamer.incidents.facts import site_facts
from meldkamer.incidents.models import Incident
from meldkamer.notify import ways
from meldkamer.notify.models import OutboxMessage
from meldkamer.notify.outbox import RUNGS
from meldkamer.people.models import Staff
from meldkamer.rules import ladder, queue, verdicts
from meldkamer.rules.acts import Close, Enqueue, LadderWait, Say
from meldkamer.sites.models import Site


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
    docket = lock_docket(row.payload["incident"], now)
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
    until = _wait_of_last_text(docket, now)
    if until is not None:
        docket.carry_out([LadderWait(until)])
        return
    treatment = site.terms.treatment(site.plan, site.formula, docket.opened.type)
    carried, calls = _is_carried(docket, "sms"), _is_carried(docket, "voice")
    docket.carry_out(ladder.climb(facts, treatment, now, carried=carried, calls=calls))


def _is_carried(docket: Docket, channel: str) -> bool:
    """False when the last rung over this channel did not leave the house and none could now."""
    what = "sms.sent" if channel == "sms" else "call.announced"
    sent = [past.data["message"] for past in docket.facts().history if past.what == what]
    unsent = OutboxMessage.objects.filter(
        pk__in=sent[-1:], state__in=("pending", "sending", "waiting")
    )
    return not unsent.exists() or ways.works(docket.site.provider_id, channel) is not False


def _wait_of_last_text(docket: Docket, now: datetime) -> datetime | None:
    """Until when the last text is waited for, if its hand-over says so (S7.2).

    The deadline moves when the carrier takes a text; a process that dies between the two leaves the
    deadline of the decision, which is too early.
    """
    history = docket.facts().history
    sent = [past.data["message"] for past in history if past.what in RUNG_LINES][-1:]
    # rung at, and nobody acted: the wait is over before its time
    unanswered = [past.data["message"] for past in history if past.what == UNANSWERED]
    handed = (
        OutboxMessage.objects.filter(pk__in=sent, template__in=RUNGS)
        .exclude(pk__in=unanswered)
        .exclude(state=OutboxMessage.State.FAILED)  # it never arrives: not waited for
        .values_list("handed_over_at", flat=True)
        .first()
    )
    if handed is None:
        return None
    by = docket.facts().case.texts[-1].by
    until = handed + ladder.wait_for(by, docket.site_facts.terms)
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
