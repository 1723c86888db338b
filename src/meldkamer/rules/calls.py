"""What a call does: its result, the identification, and what the person's words lead to (R7–R13).

Unidentified words never stand an alarm down, change or learn anything (S19.1).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from meldkamer.rules import services, verification
from meldkamer.rules.acts import Act, BecomeHoldup, Say, Verify, Wait
from meldkamer.rules.facts import PREMISES, IncidentFacts
from meldkamer.rules.procedures import Step, request_refusal

RESULTS = ("reached", "no_answer", "voicemail")
SAYS = ("real", "false_alarm", "coming", "send_patrol", "nothing")
_OVERRIDE_WAIT_S = 600


def needs_identification(incident: IncidentFacts, step: Step) -> bool:
    """Whether name and code are asked for in this call (S19.1, S19.2); a sheet may ask always."""
    exempt = incident.type in incident.terms.identification.exempt_types
    return step.do == "call" and (not exempt or step.identify == "always")


def dialled(incident: IncidentFacts, step: Step, person: str) -> list[Act]:
    """The line of placing a call."""
    data = {"key": step.to, "round": step.round, "inform": step.do == "inform"}
    return [Say("call.placed", step.clause, to=person, data=data)]


def answered(
    incident: IncidentFacts,
    step: Step,
    person: str,
    result: str,
    identity: str,
    says: str,
    now: datetime,
) -> list[Act]:
    """What a finished call leads to, in the order of the timeline.

    result: reached, no_answer, voicemail. identity: right, wrong, none, duress, not_asked.
    says: one of SAYS, "" when nobody was reached. Closing is not decided here (proposed_close).
    """
    asked = needs_identification(incident, step)
    reached = result == "reached"
    accepted = reached and (not asked or identity in ("right", "duress"))
    words = "duress" if asked and identity == "duress" and reached else says
    not_enough = (
        accepted and words == "false_alarm" and not _may_cancel(incident, step.to == PREMISES)
    )
    data: dict[str, object] = {
        "key": step.to,
        "round": step.round,
        "result": result,
        "accepted": accepted,
        "inform": step.do == "inform",
    }
    if accepted and step.do != "inform":
        data["says"] = words
        if not_enough:
            data["not_enough"] = True
    acts: list[Act] = [Say("call.result", step.clause, to=step_to(step, person), data=data)]
    if reached and asked:
        if accepted:
            acts.append(Say("identified", "S19.1", to=person, data={"key": step.to}))
        else:
            reason = "wrong code" if identity == "wrong" else "no code"
            acts.append(
                Say("identification.failed", "S19.1", reason, to=person, data={"key": step.to})
            )
    if result == "voicemail" and step.leave_message:
        acts.append(Say("message.left", step.clause, to=step_to(step, person)))
    if accepted and step.do == "call":
        if not_enough:
            acts.append(Say("supervisor.notified", "S15.5", "false alarm not said at the premises"))
        acts += spoken(incident, step.to == PREMISES, words, person, now)
    return acts


def step_to(step: Step, person: str) -> str:
    """Who a line of a call is about: "premises" or the contact's name (R9)."""
    return PREMISES if step.to == PREMISES else person


def _may_cancel(incident: IncidentFacts, from_premises: bool) -> bool:
    """S15.5: with several fire detectors or a call point only somebody at the premises may."""
    if incident.type != "fire" or from_premises:
        return True
    zones = incident.site.zones
    return not (
        verification.fire_detectors(incident.signals, zones)
        >= incident.terms.verification.detectors
        or verification.call_point(incident.signals, zones)
    )


def may_cancel(incident: IncidentFacts, from_premises: bool) -> bool:
    """Whether these words may stand the incident down at all (S15.5)."""
    return _may_cancel(incident, from_premises)


def spoken(
    incident: IncidentFacts, from_premises: bool, words: str, person: str, now: datetime
) -> list[Act]:
    """R11, R12: what an identified person's words lead to within the call's step."""
    if words == "duress":
        return [BecomeHoldup()]
    acts: list[Act] = []
    if incident.type in ("holdup", "fire", "medical"):
        return acts
    if words == "send_patrol" and not incident.site.takes("patrol"):
        acts.append(Say("patrol.refused", "S6.1", "patrol not taken", to="patrol"))
    if incident.type not in incident.terms.verification.types:
        return acts
    if words == "real" and from_premises and not incident.verified_by:
        acts.append(verification.by_person(person))
        return acts
    if words in ("real", "send_patrol") and not incident.verified_by:
        refusal = services.forbidden(incident.site, "police", now)
        clause, reason = (refusal.clause, refusal.reason) if refusal else ("S15.3", "not verified")
        acts.append(Say("police.refused", clause, reason, to="police", data={"in_call": True}))
    return acts


def requested(
    incident: IncidentFacts, service: str, clause: str, now: datetime, *, in_turn: bool = True
) -> list[Act]:
    """Asking for a service, also in vain: the request with how it was verified (B1), or why not.

    in_turn: asked as the current step; a refusal then settles that step (R13). Asked too early, it
    is written down and the step comes when its turn is there.
    """
    ask = services.refusal if in_turn else request_refusal
    refusal = ask(incident, service, now)
    if refusal is None:
        return [Say(f"{service}.requested", clause, to=service, data=evidence(incident))]
    acts: list[Act] = [
        Say(
            f"{service}.refused",
            refusal.clause,
            refusal.reason,
            to=service,
            data={"missing": list(refusal.missing), **({} if in_turn else {"in_call": True})},
        )
    ]
    case = incident.case
    if (case.duress or case.called_for_help) and not case.consulted:
        acts.append(Say("supervisor.notified", refusal.clause, "override asked for"))
        acts.append(Wait(now + timedelta(seconds=_OVERRIDE_WAIT_S), "override", refusal.clause))
    return acts


def evidence(incident: IncidentFacts) -> dict[str, object]:
    """What the record says of the verification before 101 or 112 is called (B1)."""
    case = incident.case
    calls = [
        {
            "to": _name(incident, call.to),
            "at": call.at.isoformat(),
            "result": call.result,
            "says": call.says,
        }
        for call in case.calls
        if not call.inform
    ]
    method = incident.verified_by or (
        "duress code" if case.duress else "person" if case.called_for_help else "calls"
    )
    return {"rule": "B1", "method": method, "calls": calls}


def _name(incident: IncidentFacts, key: str) -> str:
    """Who was called, in words that still mean something when he has left the list."""
    contact = incident.site.contact(key)
    return contact.name if contact else key


def patrol(incident: IncidentFacts, unit: str) -> list[Act]:
    """Sending the nearest free patrol, or why none goes (S6.1)."""
    refusal = services.patrol_refusal(incident)
    if refusal is not None:
        return [Say("patrol.refused", refusal.clause, refusal.reason, to="patrol")]
    return [Say("patrol.sent", "S6.1", to=unit, data={"unit": unit})]


#: what a patrol can say it sees, and what that means to the rules: who or what was there can only
#: be said on site, so a person seen and traces of a break-in verify; an open door alone does not
FINDINGS = {
    "nothing": "nothing",
    "traces": "intruder",
    "open": "nothing",
    "person": "intruder",
    "damage": "nothing",
}


def patrol_offered(unit: str, until: datetime, km: float | None) -> Say:
    """The nearest free unit is asked, over its page; until when it may answer (S6.1)."""
    data: dict[str, object] = {"unit": unit, "until": until.isoformat()}
    if km is not None:
        data["km"] = round(km, 1)
    return Say("patrol.offered", "S6.1", to=unit, data=data)


def overridden(incident: IncidentFacts, reason: str, now: datetime) -> list[Act]:
    """A supervisor calls the police, with a written reason (S15.3, S4.3, B1)."""
    if not incident.verified_by and incident.type in incident.terms.verification.types:
        trial = services.forbidden(incident.site, "police", now)
        clause, why = (trial.clause, trial.reason) if trial else ("S15.3", "not verified")
        return [Say("police.refused", clause, why, to="police", data={"in_call": True})]
    clause = "S4.3" if services.forbidden(incident.site, "police", now) else "S15.3"
    data = {**evidence(incident), "override": True}
    return [Say("police.requested", clause, reason, to="police", data=data)]


def finding(incident: IncidentFacts, unit: str, found: str) -> list[Verify]:
    """A patrol's finding of an intruder verifies (R12)."""
    if found == "intruder" and not incident.verified_by:
        return [verification.by_person(unit)]
    return []
