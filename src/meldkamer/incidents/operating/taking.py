"""Taking and holding: who has an incident, in the order of S15.1.

Never leaves an incident without owner and due time (M12.2): taking, holding and releasing all move
its deadline.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from meldkamer.incidents.deciding.carry_out import Docket
from meldkamer.incidents.deciding.due import owner_of
from meldkamer.incidents.faults import NotYours, Refused
from meldkamer.incidents.models import Incident
from meldkamer.incidents.operating.hands import docket_of, keep, mine, visible_to
from meldkamer.incidents.queries import first_free
from meldkamer.people.models import Staff
from meldkamer.rules.acts import Enqueue
from meldkamer.rules.settle import settle

#: read at once when the next one is taken: more than there are operators
_FIRST = 40


def in_order(staff: Staff, now: datetime) -> list[int]:
    """The first of the queued incidents that this operator may take, in the order of S15.1."""
    return first_free(visible_to(staff), now, _FIRST)


def take_next(staff: Staff, now: datetime) -> Incident | None:
    """Take the first of the queue (S15.1); None when there is nothing to take.

    In a storm tens of thousands wait: only the first ones are read, and again when all of them
    were taken by others meanwhile.
    """
    tried: set[int] = set()
    while first := set(row := in_order(staff, now)) - tried:
        tried |= first
        for number in row:
            try:
                return take(staff, number, now)
            except Refused:
                continue  # another operator was first, or it ended: the next one
    return None


@transaction.atomic
def take(staff: Staff, incident_id: int, now: datetime) -> Incident:
    """Take an incident that nobody has; first to accept wins."""
    docket = docket_of(staff, incident_id, now)
    incident = docket.opened
    if incident.state in (Incident.State.TAKEN, Incident.State.HELD):
        if incident.holder_id == staff.pk:
            _hand_to(docket, staff)
            return incident
        raise NotYours("M12.2", "taken by another", holder=str(incident.holder))
    if incident.state != Incident.State.QUEUED:
        raise Refused("S15.1", "not in the queue", state=incident.state)
    _hand_to(docket, staff)
    return incident


@transaction.atomic
def take_over(staff: Staff, incident_id: int, reason: str, now: datetime) -> Incident:
    """Take an incident from its holder, with a reason; a waiting one may be taken up early."""
    docket = docket_of(staff, incident_id, now)
    if not reason.strip():
        raise Refused("M12.3", "a take-over has a reason")
    docket.say("incident.taken_over", "M12.3", reason, to=str(docket.opened.holder or ""))
    _hand_to(docket, staff)
    return docket.opened


def _hand_to(docket: Docket, staff: Staff) -> None:
    incident = docket.opened
    if incident.holder_id != staff.pk or incident.state != Incident.State.TAKEN:
        docket.say("incident.taken", "S15.1", to=str(staff))
    incident.taken_at = docket.now
    if incident.first_taken_at is None:
        # who takes it has all that came so far before him: nothing of it is new
        incident.first_taken_at, incident.unseen = docket.now, 0
    incident.save(update_fields=["taken_at", "first_taken_at", "unseen"])
    keep(docket, staff)
    docket.carry_out(settle(docket.facts(), docket.now))


@transaction.atomic
def stay(staff: Staff, incident_id: int, now: datetime) -> None:
    """A sign of life from the holder: the incident stays with him for another while."""
    docket = mine(staff, incident_id, now)
    if docket.opened.state == Incident.State.TAKEN:
        keep(docket, staff)


@transaction.atomic
def release(staff: Staff, incident_id: int, now: datetime) -> None:
    """Back into the queue."""
    docket = mine(staff, incident_id, now)
    docket.carry_out([Enqueue("M12.2", "released")])


@transaction.atomic
def hold(staff: Staff, incident_id: int, minutes: int, reason: str, now: datetime) -> None:
    """On hold with a reason, at most the ceiling of the terms; it comes back by itself."""
    docket = mine(staff, incident_id, now)
    ceiling_s = docket.site_facts.terms.queue.hold_ceiling_s
    if not reason.strip():
        raise Refused("M12.2", "holding has a reason")
    if not 0 < minutes * 60 <= ceiling_s:
        raise Refused("M12.2", "hold is bounded", ceiling_min=ceiling_s // 60)
    until = now + timedelta(minutes=minutes)
    docket.say("incident.held", "M12.2", reason, data={"until": until.isoformat()})
    docket.move(Incident.State.HELD, owner_of(staff), until, "hold", holder=staff)
