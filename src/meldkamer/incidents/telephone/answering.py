"""Somebody rings the centre: what the exchange tells of it, who answers, and who is called back.

The caller's number says who it may be and proves nothing: networks show what they are told. So a
call opens a record for the operator alone, as one that is asked about by name; no code, no note of
access and no telephone number of it is shown before name and code fit (S19.1). A call that nobody
took is not lost: it goes to the list with its number and time (S12.1).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.models import AgendaRow
from meldkamer.incidents import notices
from meldkamer.incidents.faults import Gone, NotYours, Refused
from meldkamer.incidents.operating.hands import visible_to
from meldkamer.journal import commands as journal
from meldkamer.notify.desk.models import IncomingCall
from meldkamer.notify.models import WayOut
from meldkamer.people.models import Staff
from meldkamer.sites.models import Contact, Provider, Site
from meldkamer.sites.phones import heard

#: kind of the agenda's row: nobody took the call in time
DUE = "incoming_call.due"
UNANSWERED_AFTER_S = 30
_CLAUSE = "S12.1"
_REF_MOST, _CANDIDATES_MOST = 120, 8
State = IncomingCall.State
_RANK = {State.RINGING: 0, State.ANSWERED: 1, State.ENDED: 2}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A site that this number is known at, and whose number it is there ("" for the premises)."""

    site_id: int
    site: str
    town: str
    person: str
    key: str


@transaction.atomic
def tell(
    way: WayOut,
    ref: str,
    state: str,
    now: datetime,
    *,
    caller: str = "",
    called: str = "",
    extension: str = "",
) -> IncomingCall:
    """What the exchange tells of a call that came in; the same told twice changes nothing.

    state: ringing, answered, ended. A call may be heard of first when it is answered or over.
    """
    call = IncomingCall.objects.select_for_update().filter(way=way, ref=ref[:_REF_MOST]).first()
    if call is None:
        call = _new(way, ref[:_REF_MOST], caller, called, now)
    found = State(state)
    if _RANK[found] > _RANK[State(call.state)]:
        _moves_on(call, found, extension, now)
    elif found == State.ANSWERED == call.state and extension and call.taken_by_id is None:
        _answered(call, extension, now)
    journal.announce("calls")
    return call


def _new(way: WayOut, ref: str, caller: str, called: str, now: datetime) -> IncomingCall:
    number, shown = heard(caller)
    dialled = heard(called)[0]
    call, fresh = IncomingCall.objects.get_or_create(
        way=way,
        ref=ref,
        defaults={
            "provider_id": _whose(dialled, way),
            "caller": number,
            "caller_text": shown,
            "called": dialled,
            "came_at": now,
        },
    )
    if fresh:
        _journal(call, "call.came_in", now)
        wait_s = int(way.settings.get("unanswered_after_s") or UNANSWERED_AFTER_S)
        due = now + timedelta(seconds=max(1, wait_s))
        agenda.schedule(DUE, f"incoming:{call.pk}", due, now, payload={"call": call.pk})
    return IncomingCall.objects.select_for_update().get(pk=call.pk)


def _whose(called: str, way: WayOut) -> int | None:
    """Whose emergency number was dialled (S24.2); else the exchange's own provider, or nobody's."""
    if called:
        for provider in Provider.objects.order_by("pk"):
            if heard(provider.emergency_phone)[0] == called:
                return int(provider.pk)
    return way.provider_id


def _moves_on(call: IncomingCall, state: IncomingCall.State, extension: str, now: datetime) -> None:
    if state == State.ANSWERED:
        call.state, call.answered_at = state, now
        _answered(call, extension, now)
    else:
        missed = call.answered_at is None and call.taken_at is None
        call.state, call.ended_at = state, now
        if missed:
            _missed(call, now)
    call.save()
    agenda.strike(DUE, f"incoming:{call.pk}", now)


def _answered(call: IncomingCall, extension: str, now: datetime) -> None:
    """At which telephone: whoever sits there has it."""
    call.answered_on = extension[:24]
    sits = list(Staff.objects.filter(extension=extension, is_active=True)[:2]) if extension else []
    if len(sits) == 1 and call.taken_by_id is None and _may(sits[0], call):
        call.taken_by, call.taken_at = sits[0], now
        _journal(call, "call.taken", now, f"staff:{sits[0].pk}")
    call.save()


def _may(staff: Staff, call: IncomingCall) -> bool:
    return call.provider_id is None or call.provider_id in visible_to(staff)


@transaction.atomic
def take(staff: Staff, call_id: int, now: datetime) -> IncomingCall:
    """An operator answers at the desk: the first one has it, the others see no more of it."""
    call = IncomingCall.objects.select_for_update(of=("self",)).filter(pk=call_id).first()
    if call is None or not _may(staff, call):
        raise Refused("M12.3", "another provider's")
    if call.taken_by is not None and call.taken_by_id != staff.pk:
        who = call.taken_by.get_full_name() or call.taken_by.username
        raise NotYours(_CLAUSE, "taken by another", holder=who)
    if call.state == State.ENDED and call.taken_by_id is None:
        raise Gone(_CLAUSE, "the call is over")
    if call.taken_by_id is None:
        call.taken_by, call.taken_at = staff, now
        call.save(update_fields=["taken_by", "taken_at"])
        agenda.strike(DUE, f"incoming:{call.pk}", now)
        _journal(call, "call.taken", now, f"staff:{staff.pk}")
        journal.announce("calls")
    return call


@transaction.atomic
def about(staff: Staff, call_id: int, site_id: int, now: datetime) -> None:
    """Which record was opened for a call that this person took."""
    call = IncomingCall.objects.select_for_update(of=("self",)).filter(pk=call_id).first()
    if call is None or call.taken_by_id != staff.pk or call.site_id == site_id:
        return
    call.site_id = site_id
    call.save(update_fields=["site_id"])
    _journal(call, "call.opened_record", now, f"staff:{staff.pk}")


def lock_call(row: AgendaRow) -> None:
    """The call, before its row: whoever tells of a call moves the row while he holds it."""
    IncomingCall.objects.select_for_update(of=("self",)).get(pk=row.payload["call"])


def overdue(row: AgendaRow, now: datetime) -> None:
    """The agenda's row: it rang for so long and nobody took it."""
    call = IncomingCall.objects.select_for_update(of=("self",)).get(pk=row.payload["call"])
    if call.state == State.RINGING and call.taken_at is None:
        _missed(call, now)
        call.save(update_fields=["missed_at"])
        journal.announce("calls")


def _missed(call: IncomingCall, now: datetime) -> None:
    """On the list, once, with number and time: somebody calls back."""
    if call.missed_at is not None:
        return
    call.missed_at = now
    known = candidates(call, _providers(call))
    site = Site.objects.get(pk=known[0].site_id) if len(known) == 1 else None
    text = ", ".join([call.caller or call.caller_text or "–", *(_label(one) for one in known)])
    notices.add("missed_call", _CLAUSE, text, now, site=site, provider_id=call.provider_id)
    _journal(call, "call.missed", now)


def _label(one: Candidate) -> str:
    return f"{one.person} ({one.site})" if one.person else one.site


def _providers(call: IncomingCall) -> list[int]:
    """A call to nobody's number may be anybody's: then no name is put beside it."""
    return [call.provider_id] if call.provider_id is not None else []


def candidates(call: IncomingCall, provider_ids: Collection[int]) -> list[Candidate]:
    """Whose number this may be, at sites of these providers: perhaps, never for sure."""
    ids = [one for one in provider_ids if call.provider_id in (None, one)]
    if not call.caller or not ids:
        return []
    found = [
        Candidate(c.site_id, c.site.name, c.site.town, c.name, f"c{c.pk}")
        for c in Contact.objects.filter(phone=call.caller, site__provider_id__in=ids)
        .select_related("site")
        .order_by("site__name", "position")[:_CANDIDATES_MOST]
    ]
    seen = {one.site_id for one in found}
    sites = Site.objects.filter(
        Q(premises_phone=call.caller) | Q(customer__phone=call.caller), provider_id__in=ids
    ).select_related("customer")
    for site in sites.order_by("name")[:_CANDIDATES_MOST]:
        if site.pk not in seen:
            at_home = site.premises_phone == call.caller
            person = site.premises_person if at_home else site.customer.name
            found.append(Candidate(site.pk, site.name, site.town, person, ""))
    return found[:_CANDIDATES_MOST]


def _journal(call: IncomingCall, what: str, now: datetime, actor: str = journal.SYSTEM) -> None:
    journal.write(
        what,
        now,
        provider_id=call.provider_id,
        site_id=call.site_id,
        clause="S19.1" if what == "call.opened_record" else _CLAUSE,
        to=call.caller or call.caller_text,
        actor=actor,
        data={"call": call.pk, "called": call.called},
    )
