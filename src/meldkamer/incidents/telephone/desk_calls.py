"""A call that the exchange places for the operator: asked for after the step's transaction.

The step commits `call.placed` and a row that says what is asked of the exchange; only then is the
exchange asked, by the process that serves the desk, so that the telephone rings in the same second.
What was not asked in time (that process died) is marked by the agenda. It is never tried again by
itself: a telephone that rings minutes later rings for nobody. Whatever fails, the number stands on
the screen to be dialled by hand.

What the exchange tells is a hint and is written down; it settles no step and identifies nobody
(S19.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.models import AgendaRow
from meldkamer.incidents.locking import lock_site
from meldkamer.incidents.models import Incident
from meldkamer.incidents.operating import calling
from meldkamer.incidents.service import customer_calls
from meldkamer.incidents.service.customer_calls import Callee
from meldkamer.journal import commands as journal
from meldkamer.notify import ways
from meldkamer.notify.carrier import CarrierFault, InDoubt, Parcel, Rejected
from meldkamer.notify.desk import queries
from meldkamer.notify.desk.models import DeskCall
from meldkamer.notify.kinds import SettingsFault
from meldkamer.notify.models import WayOut
from meldkamer.people.models import Staff
from meldkamer.rules.procedures import Step
from meldkamer.sites.models import Site

#: kind of the agenda's row: the exchange was not asked, or gave no sign
DUE = "desk_call.due"
#: longer than an exchange has to answer; then it is dialled by hand
WAIT_S = 12.0
URGENT = 1
State = DeskCall.State
#: as long as a key is kept
KEY_MOST = 40
#: a state is never taken back; those of the last rank end a call
_RANK = {
    State.ASKED: 0, State.PLACED: 1, State.RINGING: 2, State.ANSWERED: 3,
    State.BUSY: 4, State.NO_ANSWER: 4, State.FAILED: 4, State.ENDED: 4,
}  # fmt: skip
#: what stands in the incident's course: what a person could have heard as well
_HEARD = (State.ANSWERED, State.BUSY, State.NO_ANSWER, State.ENDED)
NO_EXTENSION, NO_EXCHANGE, NO_SIGN = "no extension", "no exchange", "no sign"
IN_DOUBT, REFUSED = "in doubt", "refused"


def dial(staff: Staff, incident_id: int, step_id: str, now: datetime) -> DeskCall | None:
    """Place the call of a step, and through the exchange where he dials so; None by hand."""
    with transaction.atomic():
        step, fresh = calling.place(staff, incident_id, step_id, now)
        call = _ask_for_step(staff, incident_id, step, now) if fresh else None
    return _placed(call, now)


def _ask_for_step(staff: Staff, incident_id: int, step: Step, now: datetime) -> DeskCall | None:
    site = _site_of(incident_id)
    return _ask(site, staff, step.to, step.phone, now, incident_id=incident_id)


def dial_service(
    staff: Staff, incident_id: int, service: str, now: datetime
) -> tuple[str, DeskCall | None]:
    """Call a service: the number of the site's zone is written down, and dialled (B1)."""
    with transaction.atomic():
        number = calling.call_service(staff, incident_id, service, now)
        site = _site_of(incident_id)
        call = _ask(site, staff, service, number, now, incident_id=incident_id)
    return number, _placed(call, now)


def dial_customer(staff: Staff, task_id: int, key: str, now: datetime) -> Callee:
    """The call of a task, as any other."""
    with transaction.atomic():
        callee = customer_calls.dial(staff, task_id, key, now)
        site = customer_calls.site_of(task_id)
        call = _ask(site, staff, key, callee.phone, now, task_id=task_id)
    _placed(call, now)
    return callee


def _site_of(incident_id: int) -> Site:
    return Incident.objects.select_related("site__provider").get(pk=incident_id).site


def _ask(
    site: Site,
    staff: Staff,
    key: str,
    number: str,
    now: datetime,
    *,
    incident_id: int | None = None,
    task_id: int | None = None,
) -> DeskCall | None:
    """The row of what is asked; a failed one when it cannot be. In practice nobody is called."""
    if staff.dials != Staff.Dials.PBX or not number or site.provider.practice:
        return None
    exchanges = queries.exchanges(site.provider_id)
    fault = "" if exchanges else NO_EXCHANGE
    fault = fault if staff.extension else NO_EXTENSION
    call = DeskCall.objects.create(
        way=exchanges[0] if exchanges else None,
        provider_id=site.provider_id,
        site_id=site.pk,
        incident_id=incident_id,
        task_id=task_id,
        staff=staff,
        key=key[:KEY_MOST],
        number=number,
        extension=staff.extension,
        state=State.FAILED if fault else State.ASKED,
        fault=fault,
        asked_at=now,
    )
    if fault:
        _tell(call, "call.failed", now, fault)
    else:
        due = now + timedelta(seconds=WAIT_S)
        payload = {"call": call.pk, "site": site.pk}
        agenda.schedule(DUE, f"desk_call:{call.pk}", due, now, urgency=URGENT, payload=payload)
    return call


def _placed(call: DeskCall | None, now: datetime) -> DeskCall | None:
    """Ask the exchange, after the commit and in no transaction; what came of it is committed."""
    if call is None or call.state != State.ASKED:
        return call
    way: WayOut | None = None
    ref, fault = "", NO_EXCHANGE
    for way in queries.exchanges(call.provider_id):
        ref, fault, final = _ask_exchange(way, call)
        if final:
            break
    return _settle(call.pk, way, ref, fault, now)


def _ask_exchange(way: WayOut, call: DeskCall) -> tuple[str, str, bool]:
    """(its reference, what went wrong, whether no other is to be asked)."""
    try:
        return ways.carrier_of(way).send(_parcel(call)), "", True
    except InDoubt:
        # it may ring: another exchange would ring a second time
        return "", IN_DOUBT, True
    except Rejected as refused:
        return "", f"{REFUSED}: {refused}", False
    except (CarrierFault, SettingsFault) as fault:
        return "", str(fault), False


def _parcel(call: DeskCall) -> Parcel:
    return Parcel(
        id=int(call.pk),
        channel="desk",
        template="originate",
        address=call.number,
        recipient=call.key,
        language="",
        subject="",
        body=call.extension,
        provider_id=call.provider_id,
        site_id=call.site_id,
        incident_id=call.incident_id,
        contact_id=None,
        created_at=call.asked_at,
        attempt=1,
    )


@transaction.atomic
def _settle(call_id: int, way: WayOut | None, ref: str, fault: str, now: datetime) -> DeskCall:
    """What the exchange answered. Its hook may have been quicker: that state stays."""
    call = _locked(call_id)
    call.way = way
    call.ref = ref
    if fault and call.state == State.ASKED:
        call.state, call.fault = State.FAILED, fault[:200]
        _tell(call, "call.failed", now, fault[:200])
    elif not fault:
        call.placed_at = now
        call.state = State.PLACED if call.state == State.ASKED else call.state
    call.save()
    agenda.strike(DUE, f"desk_call:{call.pk}", now)
    _announce(call)
    return call


def overdue(row: AgendaRow, now: datetime) -> None:
    """The agenda's row: nobody asked the exchange, or nobody wrote down what it said."""
    call = _locked(row.payload["call"])
    if call.state != State.ASKED:
        return
    call.state, call.fault = State.FAILED, NO_SIGN
    call.save(update_fields=["state", "fault"])
    _tell(call, "call.failed", now, NO_SIGN)
    _announce(call)


@transaction.atomic
def heard(
    way_id: int, call_id: int, state: str, now: datetime, talked_s: int | None = None
) -> bool:
    """What the exchange tells of a call; False when it is none of its own. Told twice: once."""
    asked = DeskCall.objects.filter(pk=call_id).first()
    if asked is None or way_id not in {int(w.pk) for w in queries.exchanges(asked.provider_id)}:
        return False
    call = _locked(call_id)
    found = State(state)
    if found == State.ENDED and call.answered_at is None:
        found = State.NO_ANSWER
    if _RANK[found] <= _RANK[State(call.state)] and call.fault not in (IN_DOUBT, NO_SIGN):
        return True
    call.state, call.fault = found, ""
    if found == State.ANSWERED:
        call.answered_at = now
    elif _RANK[found] == _RANK[State.ENDED]:
        call.ended_at = now
    if talked_s is not None and call.answered_at is not None:
        call.talked_s = talked_s
    call.save()
    if found in _HEARD:
        data = {"state": found.value, "talked_s": call.talked_s}
        _tell(call, "call.heard", now, data=data)
    elif found == State.FAILED:
        _tell(call, "call.failed", now, REFUSED)
    _announce(call)
    return True


def _locked(call_id: int) -> DeskCall:
    """The call with its site locked before it, as every command does."""
    lock_site(DeskCall.objects.values_list("site_id", flat=True).get(pk=call_id))
    return DeskCall.objects.select_for_update(of=("self",)).get(pk=call_id)


def _tell(
    call: DeskCall,
    what: str,
    now: datetime,
    reason: str = "",
    data: Mapping[str, object] | None = None,
) -> None:
    journal.write(
        what,
        now,
        provider_id=call.provider_id,
        site_id=call.site_id,
        incident_id=call.incident_id,
        clause="M12.3",
        reason=reason,
        data={"key": call.key, "call": call.pk, **(data or {})},
    )


def _announce(call: DeskCall) -> None:
    if call.incident_id is not None:
        journal.announce(f"incident:{call.incident_id}")
    else:
        journal.announce("tasks")
