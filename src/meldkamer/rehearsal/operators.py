"""Operators who follow the offered steps (R5–R7): the robot at the desk of a rehearsal.

They use the console's commands and nothing else; what a called person says comes from the script.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from meldkamer.incidents import commands
from meldkamer.incidents.facts import incident_facts
from meldkamer.incidents.models import Incident
from meldkamer.people.models import Staff
from meldkamer.rehearsal.story import ContactPart, Person
from meldkamer.rehearsal.world import World
from meldkamer.rules import procedures
from meldkamer.rules.facts import PREMISES
from meldkamer.rules.procedures import Step


@dataclass
class Operator:
    """One operator; free when he has no incident."""

    staff: Staff
    pace: timedelta
    incident: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    # whether the act of the step at hand is done: a crash after it does not make him do it again
    acted: bool = False

    def free(self) -> bool:
        """Whether he can take an incident."""
        return self.incident is None

    def drop(self) -> None:
        """His incident is closed or waits."""
        self.incident = self.since = self.until = None
        self.acted = False


def take(operator: Operator, now: datetime) -> bool:
    """Take the first of the queue at once (R5); False when he is busy or the queue is empty."""
    if operator.incident is not None:
        if operator.until is None:  # taken, and then the process died
            _begin(operator, now)
            return True
        return False
    incident = commands.take_next(operator.staff, now)
    if incident is None:
        return False
    operator.incident = incident.pk
    _begin(operator, now)
    return True


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
    part: Person | ContactPart
    if step.to == PREMISES:
        part = world.premises[incident.site_id]
        name = part.name or PREMISES
    else:
        part = world.contacts[int(step.to[1:])]
        name = part.name
    result = {"yes": "reached", "no": "no_answer", "voicemail": "voicemail"}[part.answers]
    return name, result, part.gives_code, part.says
