"""Whose hands an incident is in: the holder alone works it (M12.2).

What every command of the desk asks first: is it open, is it of a provider this person works for, is
it in his hands. Whoever works keeps it for another while.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from meldkamer.incidents.deciding.carry_out import Docket
from meldkamer.incidents.deciding.due import lock_docket, owner_of
from meldkamer.incidents.faults import Gone, NotYours, Refused
from meldkamer.incidents.models import Incident
from meldkamer.journal import commands as journal
from meldkamer.people.models import Staff
from meldkamer.rules.settle import settle


def visible_to(staff: Staff) -> list[int]:
    """The providers whose sites a member of staff may see."""
    return list(staff.providers.values_list("id", flat=True))


def actor_of(staff: Staff | None) -> str:
    return f"staff:{staff.pk}" if staff else journal.SYSTEM


def docket_of(staff: Staff | None, incident_id: int, now: datetime) -> Docket:
    """The incident, open and of a provider this person works for; None is a rehearsal's event."""
    docket = lock_docket(incident_id, now, actor_of(staff))
    if staff is not None and docket.site.provider_id not in visible_to(staff):
        raise Refused("M12.3", "another provider's")
    still_open(docket)
    return docket


def still_open(docket: Docket) -> None:
    incident = docket.opened
    if incident.closed_at is not None:
        raise Gone("M3.1", "already closed", outcome=incident.outcome)


def mine(staff: Staff, incident_id: int, now: datetime) -> Docket:
    docket = docket_of(staff, incident_id, now)
    if docket.opened.holder_id != staff.pk:
        holder = docket.opened.holder
        raise NotYours("M12.2", "not in your hands", holder=str(holder) if holder else "")
    return docket


def keep(docket: Docket, staff: Staff) -> None:
    due = docket.now + timedelta(seconds=docket.site_facts.terms.queue.idle_s)
    docket.move(Incident.State.TAKEN, owner_of(staff), due, holder=staff)


def after_step(docket: Docket, staff: Staff) -> None:
    """What follows by itself from a step, and the incident stays with its holder otherwise."""
    for _ in range(4):
        acts = settle(docket.facts(), docket.now)
        if not acts:
            break
        docket.carry_out(acts)
        if docket.opened.state != Incident.State.TAKEN:
            return
    if docket.opened.state == Incident.State.TAKEN:
        keep(docket, staff)
