"""Notes, the supervisor, and closing: once no required step is open, or it was waived (M3.1).

Never closes false on the word of somebody who was not identified (S19.1).
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from meldkamer.incidents import notices
from meldkamer.incidents.faults import Refused
from meldkamer.incidents.models import Incident, Notice
from meldkamer.incidents.operating.hands import docket_of, keep, mine, visible_to
from meldkamer.incidents.telephone import handing_over
from meldkamer.journal import commands as journal
from meldkamer.people.models import Staff
from meldkamer.rules import calls, procedures
from meldkamer.rules.acts import Close
from meldkamer.rules.facts import IncidentFacts


@transaction.atomic
def note(staff: Staff, incident_id: int, text: str, now: datetime) -> None:
    """A note in the incident's course."""
    docket = docket_of(staff, incident_id, now)
    if not text.strip():
        raise Refused("M12.3", "an empty note")
    docket.say("note", "M12.3", data={"text": text.replace("\0", "").strip()})
    docket.save()


@transaction.atomic
def see_signals(staff: Staff, incident_id: int, now: datetime) -> None:
    """The new signals of the site were seen; before that nothing is closed."""
    docket = mine(staff, incident_id, now)
    docket.opened.unseen = 0
    docket.say("signals.seen", "M3.1")
    docket.save("unseen")
    keep(docket, staff)


@transaction.atomic
def call_supervisor(staff: Staff, incident_id: int, reason: str, now: datetime) -> None:
    """Call a supervisor in."""
    docket = docket_of(staff, incident_id, now)
    docket.say("supervisor.notified", "S15.3", reason or "asked for by the operator")
    site = docket.site
    text = reason or site.name
    notices.add("supervisor", "S15.3", text, now, site=site, incident=docket.opened)
    docket.save()


@transaction.atomic
def override_police(staff: Staff | None, incident_id: int, reason: str, now: datetime) -> bool:
    """A supervisor calls police with a written reason, and closes handled (S15.3, S4.3, B1)."""
    docket = docket_of(staff, incident_id, now)
    if staff is not None and not staff.is_supervisor:
        raise Refused("S15.3", "only a supervisor may override")
    if not reason.strip():
        raise Refused("B1", "an override has a written reason")
    docket.carry_out(calls.overridden(docket.facts(), reason, now))
    if "police" not in docket.facts().case.requested:
        return False
    handing_over.tell_service(docket, "police", None, "", "")
    docket.carry_out([Close("handled", "S15.3", reason)])
    return True


@transaction.atomic
def close(
    staff: Staff,
    incident_id: int,
    outcome: str,
    now: datetime,
    attends: str = "",
    waive_reason: str = "",
) -> None:
    """Close with an outcome, once no required step is open or it was waived (M3.1)."""
    docket = mine(staff, incident_id, now)
    facts = docket.facts()
    if docket.opened.unseen:
        raise Refused("M3.1", "new signals were not seen", unseen=docket.opened.unseen)
    if outcome not in Incident.Outcome.values:
        raise Refused("M3.1", "unknown outcome", expected=list(Incident.Outcome.values))
    proposed = procedures.proposed_close(facts, now)
    if (proposed is None or proposed.outcome != outcome) and not waive_reason.strip():
        step = procedures.current(facts, now)
        raise Refused(
            "M3.1",
            "a required step is open" if step else "another outcome follows from the course",
            step=step.id if step else "",
            proposed=proposed.outcome if proposed else "",
        )
    said_false = facts.case.false_alarm and not facts.case.duress
    if outcome == Incident.Outcome.FALSE_ALARM and not said_false:
        raise Refused("S19.1", "nobody identified said false alarm")
    if facts.case.requested and not attends.strip() and not _attendance_known(facts):
        raise Refused("M3.1", "who attends, and when, or nobody")
    if attends.strip():
        docket.say("service.attended", "M3.1", data={"attends": attends})
        handing_over.attendance_changed(docket, attends)
    clause = proposed.clause if proposed else "M3.1"
    docket.carry_out([Close(outcome, clause, waive_reason)])


def _attendance_known(facts: IncidentFacts) -> bool:
    return any(past.what == "service.attended" for past in facts.history)


@transaction.atomic
def close_as_proposed(staff: Staff, incident_id: int, now: datetime) -> bool:
    """Close with the outcome that the course leads to, if it does (R7: costs no step)."""
    docket = mine(staff, incident_id, now)
    proposed = procedures.proposed_close(docket.facts(), now)
    if proposed is None:
        return False
    docket.carry_out([proposed])
    return True


@transaction.atomic
def see_notice(staff: Staff, notice_id: int, now: datetime) -> None:
    """Somebody looked at a notice and takes care of it."""
    notice = Notice.objects.select_for_update().get(pk=notice_id)
    if notice.provider_id is not None and notice.provider_id not in visible_to(staff):
        raise Refused("M12.3", "another provider's")
    if notice.seen_at is None:
        notice.seen_by, notice.seen_at = staff, now
        notice.save(update_fields=["seen_by", "seen_at"])
        journal.announce("notices")
