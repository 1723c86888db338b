"""What follows by itself once a list is exhausted: supervisor, waiting, second pass, telling all.

These cost no operator a step (R7, R14); they are decided after every change of an incident that an
operator has.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from meldkamer.rules.acts import Act, Mail, Say, Text, Wait
from meldkamer.rules.facts import IncidentFacts
from meldkamer.rules.procedures import again_step, current, next_target, tells


def settle(incident: IncidentFacts, now: datetime) -> list[Act]:
    """The next automatic acts of an incident in an operator's hands; empty when there are none."""
    case, procedure = incident.case, incident.procedure
    if procedure is None or case.consulted or case.requested:
        return []
    if case.duress or case.called_for_help:
        return []
    if next_target(incident) is not None:
        return []
    if _supervisor_is_called_in(incident):
        reason = "verified, nobody reached"
        return [Say("supervisor.notified", "S15.3", reason, data={"may": "override_police"})]
    if current(incident, now) is not None or case.told_all:
        return []
    again = again_step(procedure, case.round)
    if again is not None:
        until = now + timedelta(seconds=again.after_s)
        return [Wait(until, "second_pass", again.clause)]
    if not tells(procedure):
        return []
    if procedure.exhausted == "notified" and any(c.result == "voicemail" for c in case.calls):
        return []
    clause = next((s.clause for s in procedure.steps if s.do == "tell"), "M3.2")
    return tell_all(incident, clause)


def _supervisor_is_called_in(incident: IncidentFacts) -> bool:
    """S15.3: verified, and the first pass exhausted."""
    return (
        bool(incident.verified_by)
        and incident.type in incident.terms.verification.types
        and not incident.case.supervisor_told
    )


def tell_all(incident: IncidentFacts, clause: str) -> list[Act]:
    """SMS and e-mail to all contacts (M3.2, R15)."""
    contacts = incident.site.contacts
    texts: list[Act] = [Text(c.key, "told_all", clause) for c in contacts if c.textable]
    mails: list[Act] = [Mail(c.key, "nobody_reached", clause) for c in contacts if c.email]
    return [*texts, *mails, Say("told.all", clause)]
