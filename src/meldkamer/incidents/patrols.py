"""Reports of patrol units: where they are, what they found (S6.1)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from meldkamer.incidents.due import lock_docket
from meldkamer.incidents.faults import Refused
from meldkamer.journal import commands as journal
from meldkamer.notify.models import PatrolUnit
from meldkamer.people.models import Staff
from meldkamer.rules import calls

_STATES = {
    "free": PatrolUnit.State.FREE,
    "arrived": PatrolUnit.State.ARRIVED,
    "done": PatrolUnit.State.FREE,
    "off": PatrolUnit.State.OFF,
}
#: what a unit may report next, by where it stands
NEXT = {
    PatrolUnit.State.FREE: ("off",),
    PatrolUnit.State.SENT: ("arrived", "done"),
    PatrolUnit.State.ARRIVED: ("intruder", "nothing", "done"),
    PatrolUnit.State.OFF: ("free",),
}
_FINDINGS = ("intruder", "nothing")


@transaction.atomic
def report(
    provider_id: int,
    name: str,
    state: str,
    now: datetime,
    *,
    position: tuple[float, float] | None = None,
    finding: str = "",
    actor: str = "",
) -> None:
    """A unit reports; a finding of an intruder verifies its incident (R12)."""
    if state not in _STATES:
        raise Refused("S6.1", "unknown state of a patrol", expected=sorted(_STATES))
    unit, _ = PatrolUnit.objects.select_for_update().get_or_create(
        provider_id=provider_id, name=name, defaults={"reported_at": now}
    )
    incident_id = unit.incident_id
    unit.state, unit.reported_at = _STATES[state], now
    if position is not None:
        unit.latitude, unit.longitude = position
    if state != "arrived":
        unit.incident_id = None
    unit.save()
    if incident_id is not None:
        _tell(incident_id, unit, state, finding, now, actor or f"patrol:{unit.name}")


@transaction.atomic
def pass_on(staff: Staff, unit_id: int, word: str, now: datetime) -> None:
    """What a unit says by radio or telephone, written down by who heard it (S6.1, M12.3).

    word: one of NEXT for where the unit stands; a finding is reported from on site.
    """
    # locked: two desks hear the same radio, and one of them writes it down
    unit = PatrolUnit.objects.select_for_update().get(pk=unit_id)
    if not staff.providers.filter(pk=unit.provider_id).exists():
        raise Refused("M12.3", "another provider's")
    allowed = NEXT[PatrolUnit.State(unit.state)]
    if word not in allowed:
        raise Refused("S6.1", "not from where the patrol stands", expected=list(allowed))
    state = "arrived" if word in _FINDINGS else word
    finding = word if word in _FINDINGS else ""
    actor = f"staff:{staff.pk}"
    report(unit.provider_id, unit.name, state, now, finding=finding, actor=actor)
    if unit.incident_id is None:
        # of no incident, so in no incident's course
        journal.write(
            "patrol.reported",
            now,
            provider_id=unit.provider_id,
            clause="S6.1",
            to=unit.name,
            actor=actor,
            data={"unit": unit.name, "word": word},
        )
    journal.announce("patrols")


def _tell(
    incident_id: int, unit: PatrolUnit, state: str, finding: str, now: datetime, actor: str
) -> None:
    docket = lock_docket(incident_id, now, actor)
    data = {"unit": unit.name, **({"finding": finding} if finding else {})}
    if state in ("arrived", "done"):
        docket.say(f"patrol.{state}", "S6.1", to=unit.name, data=data)
    incident = docket.opened
    if incident.closed_at is not None or incident.type not in (
        docket.site_facts.terms.verification.types
    ):
        return
    verified = calls.finding(docket.facts(), unit.name, finding)
    docket.carry_out(verified)
    if verified:
        docket.call_in_supervisor()
