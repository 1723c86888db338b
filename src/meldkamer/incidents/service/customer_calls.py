"""The operators' task before a suspension: the customer is called, then written to (S12.2).

Whoever answers gives name and code first (S19.1). Told by phone, the letter or mail goes out and
the suspension starts, in one transaction; not reached, the task comes back later, and in the end to
the supervisor. Never: start a suspension that the customer was not told of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from meldkamer.contracts import interruptions, needless, tasks
from meldkamer.contracts.models import Task
from meldkamer.incidents.deciding.carry_out import Docket
from meldkamer.incidents.deciding.facts import site_facts
from meldkamer.incidents.faults import Gone, Refused
from meldkamer.incidents.locking import lock_site
from meldkamer.incidents.operating.hands import visible_to
from meldkamer.incidents.service.needless import notice, propose, write
from meldkamer.incidents.telephone import incoming
from meldkamer.people import identification
from meldkamer.people.models import Staff
from meldkamer.rules.facts import PREMISES
from meldkamer.sites.models import Site
from meldkamer.terms.model import Terms

CUSTOMER = "customer"
RESULTS = ("reached", "no_answer", "voicemail")
_CLAUSE = "S12.2"


@dataclass(frozen=True, slots=True)
class Callee:
    """Where the customer may be reached; `key` as in the history of an incident."""

    key: str
    name: str
    phone: str


def callees(site: Site) -> list[Callee]:
    """The customer's own number, the first contact, the premises; each number once."""
    found = [Callee(CUSTOMER, site.customer.name, site.customer.phone)]
    first = site.contacts.order_by("position").first()
    if first is not None:
        found.append(Callee(f"c{first.pk}", first.name, first.phone))
    found.append(Callee(PREMISES, site.premises_person or PREMISES, site.premises_phone))
    numbers: set[str] = set()
    kept = []
    for one in found:
        if one.phone and one.phone not in numbers:
            numbers.add(one.phone)
            kept.append(one)
    return kept


def next_callee(task: Task) -> Callee | None:
    """Whom to call next in this round; None when all were called."""
    tried = {call["key"] for call in task.calls if call["round"] == task.round}
    return next((one for one in callees(task.site) if one.key not in tried), None)


@transaction.atomic
def take(staff: Staff, task_id: int, now: datetime) -> Task:
    """The task is this operator's: nobody else calls the same customer meanwhile."""
    task, docket = _task(staff, task_id, now)
    _claim(task, docket, staff)
    return task


def _claim(task: Task, docket: Docket, staff: Staff) -> None:
    mine, owner = tasks.in_hands_of(staff), str(task.owner)
    if owner.startswith("staff:") and owner != mine:
        raise Refused(_CLAUSE, "taken by another")
    due = docket.now + timedelta(seconds=docket.site_facts.terms.needless.call_due_s)
    if owner != mine or task.due is None or task.due <= docket.now:
        tasks.hand_on(task, mine, task.ready_at, due, docket.now)


@transaction.atomic
def dial(staff: Staff, task_id: int, key: str, now: datetime) -> Callee:
    """Place the call; a second press changes nothing."""
    task, docket = _task(staff, task_id, now)
    callee = next((one for one in callees(task.site) if one.key == key), None)
    if callee is None:
        raise Refused(_CLAUSE, "no such number", expected=[c.key for c in callees(task.site)])
    if task.calling.get("key") != key or task.calling.get("staff") != staff.pk:
        task.calling = {"key": key, "staff": staff.pk, "at": now.isoformat(), "tries": 0}
        docket.say("call.placed", _CLAUSE, to=callee.name, data={"key": key, "task": task.pk})
        task.save(update_fields=["calling"])
    _claim(task, docket, staff)
    return callee


@transaction.atomic
def check_code(staff: Staff, task_id: int, code: str, now: datetime) -> identification.Checked:
    """Name and code of who answered (S19.1); so many tries a call."""
    task, docket = _task(staff, task_id, now)
    key = _running(task, staff)
    most = docket.site_facts.terms.identification.tries
    if task.calling["tries"] >= most:
        raise Refused("S19.1", "no tries left")
    outcome = identification.check(task.site, _coded(key), code)
    task.calling = {
        **task.calling,
        "tries": task.calling["tries"] + (outcome in ("wrong", "none")),
        "identity": outcome,
    }
    task.save(update_fields=["calling"])
    left = most - task.calling["tries"]
    docket.say("identity.checked", "S19.1", data={"key": key, "outcome": outcome, "left": left})
    return identification.Checked(outcome, left)


def _coded(key: str) -> str:
    """Whose code is asked: the contact's own; elsewhere that of anybody on the list."""
    return key if key.startswith("c") and key != CUSTOMER else PREMISES


@transaction.atomic
def result(
    staff: Staff,
    task_id: int,
    result: str,
    now: datetime,
    *,
    told: bool = True,
    identity: str | None = None,
    person: str = "",
) -> str:
    """What came of the call; returns what followed: told, again, supervisor, duress or next.

    identity: given by a rehearsal; None takes what `check_code` found in this call. person: who
    answered, where it is not the one on the list.
    """
    task, docket = _task(staff, task_id, now)
    key = _running(task, staff)
    if result not in RESULTS:
        raise Refused(_CLAUSE, "unknown result", expected=list(RESULTS))
    found = identity or str(task.calling.get("identity", "none"))
    name = person or next((one.name for one in callees(task.site) if one.key == key), key)
    data = {"key": key, "result": result, "task": task.pk}
    docket.say("call.result", _CLAUSE, to=name, data=data)
    task.calls = [
        *task.calls,
        {"key": key, "name": name, "at": now.isoformat(), "result": result, "round": task.round},
    ]
    task.calling = {}
    task.save(update_fields=["calls", "calling"])
    if result == "reached":
        if found == "duress":
            docket.say("identified", "S19.1", to=name, data={"key": key})
            incoming.under_duress(task.site, key, staff, now)
        elif found == "right":
            docket.say("identified", "S19.1", to=name, data={"key": key})
            if told:
                return _told(task, docket, staff, name)
        else:
            reason = "wrong code" if found == "wrong" else "no code"
            docket.say("identification.failed", "S19.1", reason, to=name, data={"key": key})
    return _not_told(task, docket)


def _told(task: Task, docket: Docket, staff: Staff, name: str) -> str:
    """Told by phone: written to, and only then suspended."""
    site, terms, now = docket.site, docket.site_facts.terms, docket.now
    tally = needless.tally(site, terms, now)
    if not tally.types or interruptions.is_suspended(site):
        reason = "suspended already" if tally.types else "nothing to suspend"
        tasks.close(task, Task.Outcome.WITHDRAWN, now, staff=staff, reason=reason)
        return "nothing"
    phone = {"at": now.isoformat(), "to": name, "by": f"staff:{staff.pk}"}
    words = {"count": tally.count, "types": list(tally.types)}
    way = write(docket, "suspension", dict(words))
    interruptions.suspend(
        site,
        tally.types,
        {"phone": phone, "writing": {"at": now.isoformat(), "way": way}},
        terms,
        now,
        reason=f"{tally.count} needless alarms in {terms.needless.window_days} days",
        actor=f"staff:{staff.pk}",
    )
    tasks.close(task, Task.Outcome.DONE, now, staff=staff)
    return "told"


def _not_told(task: Task, docket: Docket) -> str:
    """The next number, the next round, and after the last one the supervisor."""
    rules, now = docket.site_facts.terms.needless, docket.now
    due = timedelta(seconds=rules.call_due_s)
    if next_callee(task) is not None:
        tasks.hand_on(task, tasks.OPERATORS, now, now + due, now)
        return "next"
    again_at = now + timedelta(seconds=rules.call_again_s)
    task.round += 1
    if task.round > rules.call_rounds:
        notice(task.site, "suspension", now)
        tasks.hand_on(task, tasks.SUPERVISOR, again_at, again_at + due, now)
        return "supervisor"
    tasks.hand_on(task, tasks.OPERATORS, again_at, again_at + due, now)
    return "again"


@transaction.atomic
def withdraw(site_id: int, reason: str, now: datetime, staff: Staff) -> None:
    """Office or supervisor decide against it, with a reason: S12.2 says may."""
    site = lock_site(site_id)
    if not reason.strip():
        raise Refused(_CLAUSE, "a withdrawal has a reason")
    task = Task.objects.filter(site=site, kind=tasks.SUSPENSION_CALL, closed_at=None).first()
    if task is None:
        raise Gone(_CLAUSE, "no such task is open")
    task.site = site
    tasks.close(task, Task.Outcome.WITHDRAWN, now, staff=staff, reason=reason)


@transaction.atomic
def ask_for(site_id: int, terms: Terms, now: datetime) -> None:
    """The office decides for it: the call goes to the operators."""
    site = lock_site(site_id)
    tally = needless.tally(site, terms, now)
    if tally.count < terms.needless.suspend_at or not tally.types:
        raise Refused(_CLAUSE, "too few needless alarms", count=tally.count)
    if interruptions.is_suspended(site):
        raise Refused(_CLAUSE, "suspended already")
    task = Task.objects.filter(site=site, kind=tasks.SUSPENSION_CALL, closed_at=None).first()
    due_s = terms.needless.call_due_s
    if task is None:
        propose(site, terms, now, owner=tasks.OPERATORS, count=tally.count)
    elif task.owner == tasks.OFFICE:
        task.site = site
        tasks.hand_on(task, tasks.OPERATORS, now, now + timedelta(seconds=due_s), now)


def overdue(task_id: int, terms: Terms, now: datetime) -> None:
    """The agenda's row: nobody did it; the supervisor is told, for ever (M12.2)."""
    task = Task.objects.select_related("site__provider").get(pk=task_id)
    if task.closed_at is not None or task.due is None:
        return
    if task.due > now:
        # it can be done again from now on
        tasks.hand_on(task, str(task.owner), task.ready_at, task.due, now)
        return
    notice(task.site, "task", now)
    owner = task.owner if task.owner == tasks.OFFICE else tasks.SUPERVISOR
    again = now + timedelta(seconds=terms.needless.call_due_s)
    tasks.hand_on(task, str(owner), task.ready_at, again, now)


def site_of(task_id: int) -> Site:
    """The site that a task is about."""
    return Task.objects.select_related("site__provider").get(pk=task_id).site


def _task(staff: Staff, task_id: int, now: datetime) -> tuple[Task, Docket]:
    """The open task with its site locked."""
    site_id = Task.objects.values_list("site_id", flat=True).get(pk=task_id)
    site = lock_site(site_id)
    if site.provider_id not in visible_to(staff):
        raise Refused("M12.3", "another provider's")
    task = Task.objects.get(pk=task_id)
    task.site = site
    if task.closed_at is not None:
        raise Gone(_CLAUSE, "already done")
    return task, Docket(site, site_facts(site, now), now, actor=f"staff:{staff.pk}")


def _running(task: Task, staff: Staff) -> str:
    if task.calling.get("staff") != staff.pk:
        raise Refused(_CLAUSE, "nobody was called yet")
    return str(task.calling["key"])


def ready_for(staff: Staff, now: datetime) -> Sequence[Task]:
    """The tasks that this operator can do now, what he has in hand first."""
    mine = tasks.in_hands_of(staff)
    rows = tasks.ready(visible_to(staff), now)
    free = [task for task in rows if not str(task.owner).startswith("staff:")]
    return [task for task in rows if task.owner == mine] + free
