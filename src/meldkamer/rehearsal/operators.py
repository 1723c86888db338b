"""Operators who follow the offered steps (R5–R7): the robot at the desk of a rehearsal.

They use the console's commands and nothing else; what a called person says comes from the script.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from meldkamer.contracts.models import Task
from meldkamer.incidents import commands
from meldkamer.incidents.deciding.facts import incident_facts
from meldkamer.incidents.models import Incident
from meldkamer.incidents.service import customer_calls
from meldkamer.people.models import Staff
from meldkamer.rehearsal.story import ContactPart, Person
from meldkamer.rehearsal.world import World
from meldkamer.rules import procedures
from meldkamer.rules.facts import NUMBER, PREMISES
from meldkamer.rules.procedures import Step


@dataclass
class Operator:
    """One operator; free when he has no incident."""

    staff: Staff
    pace: timedelta
    incident: int | None = None
    # or something that is no incident: to call a customer (S12.2)
    task: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    # whether the act of the step at hand is done: a crash after it does not make him do it again
    acted: bool = False

    def free(self) -> bool:
        """Whether he can take an incident."""
        return self.incident is None and self.task is None

    def drop(self) -> None:
        """His incident is closed or waits."""
        self.incident = self.task = self.since = self.until = None
        self.acted = False


def take(operator: Operator, now: datetime) -> bool:
    """Take the first of the queue at once (R5); False when he is busy or the queue is empty."""
    if operator.incident is not None:
        if operator.until is None:  # taken, and then the process died
            _begin(operator, now)
            return True
        return False
    if operator.task is not None:
        return False
    incident = commands.take_next(operator.staff, now)
    if incident is None:
        return _take_task(operator, now)
    operator.incident = incident.pk
    _begin(operator, now)
    return True


def _take_task(operator: Operator, now: datetime) -> bool:
    """With nothing in the queue: a task, one step of it."""
    for task in customer_calls.ready_for(operator.staff, now)[:1]:
        customer_calls.take(operator.staff, task.pk, now)
        operator.task = task.pk
        operator.since, operator.until, operator.acted = now, now + operator.pace, False
        return True
    return False


def _finish_task(operator: Operator, world: World, now: datetime) -> None:
    """One call of a task, as the script says; then he is free (R7)."""
    task = (
        Task.objects.select_related("site__customer")
        .filter(pk=operator.task or 0, closed_at=None)
        .first()
    )
    callee = customer_calls.next_callee(task) if task is not None else None
    if task is not None and callee is not None:
        person, result, identity, _ = _answer(world, task.site_id, callee.key)
        customer_calls.dial(operator.staff, task.pk, callee.key, now)
        customer_calls.result(
            operator.staff, task.pk, result, now, identity=identity, person=person
        )
    operator.drop()


def _begin(operator: Operator, now: datetime) -> None:
    """Begin the next step, or be done with the incident."""
    incident = _his(operator)
    if incident is None:
        operator.drop()
        return
    if procedures.current(incident_facts(incident, now), now, now) is None:
        commands.close_as_proposed(operator.staff, incident.pk, now)
        operator.drop()
        return
    until = now + operator.pace
    commands.stay(operator.staff, incident.pk, until)
    operator.since, operator.until, operator.acted = now, until, False


def look_again(operator: Operator) -> None:
    """After a crash he finds at his desk what he had taken."""
    if operator.incident is None:
        his = Incident.objects.filter(state=Incident.State.TAKEN, holder=operator.staff)
        operator.incident = his.order_by("id").values_list("id", flat=True).first()


def _his(operator: Operator) -> Incident | None:
    return (
        Incident.objects.select_related("site__provider")
        .filter(pk=operator.incident or 0, state=Incident.State.TAKEN, holder=operator.staff)
        .first()
    )


def finish_step(operator: Operator, world: World, now: datetime) -> None:
    """The step's time is over: do what the facts of this moment call for (R6)."""
    if operator.task is not None:
        _finish_task(operator, world, now)
        return
    incident = _his(operator)
    if incident is None:
        operator.drop()
        return
    since = operator.since
    if not operator.acted:
        step = procedures.current(incident_facts(incident, now), now, since)
        if step is not None:
            _do(operator, world, incident, step, now, since)
        operator.acted = True
    if _his(operator) is not None and commands.close_as_proposed(operator.staff, incident.pk, now):
        operator.drop()
        return
    _begin(operator, now)


def _do(
    operator: Operator,
    world: World,
    incident: Incident,
    step: Step,
    now: datetime,
    since: datetime | None,
) -> None:
    staff = operator.staff
    if step.do == "request":
        commands.request_service(staff, incident.pk, step.service, now, clause=step.clause)
    elif step.do == "patrol":
        commands.send_patrol(staff, incident.pk, now)
    else:
        person, result, identity, says = _script(world, incident, step)
        commands.dial(staff, incident.pk, step.id, now, since=since)
        commands.call_result(
            staff,
            incident.pk,
            step.id,
            result,
            says,
            now,
            identity=identity,
            person=person,
            since=since,
        )


def _script(world: World, incident: Incident, step: Step) -> tuple[str, str, str, str]:
    """Who answers, the result, the identification, and what he says."""
    if world.answers is not None:
        return world.answers(incident, step)
    if step.to.startswith(NUMBER):
        other = world.others.get((incident.site_id, step.name)) or Person()
        return _answered_by(other, step.name)
    return _answer(world, incident.site_id, step.to)


def _answer(world: World, site_id: int, key: str) -> tuple[str, str, str, str]:
    if key == PREMISES:
        person = world.premises[site_id]
        return _answered_by(person, person.name or PREMISES)
    contact = world.contacts[int(key[1:])]
    return _answered_by(contact, contact.name)


def _answered_by(part: Person | ContactPart, name: str) -> tuple[str, str, str, str]:
    result = {"yes": "reached", "no": "no_answer", "voicemail": "voicemail"}[part.answers]
    return name, result, part.gives_code, part.says
