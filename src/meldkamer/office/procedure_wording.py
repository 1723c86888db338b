"""The words of procedures in the office: steps, their fields, what is wrong, what happens when.

Never decides. Sentences are whole, so that each language has its own order of words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from meldkamer.incidents.models import Incident
from meldkamer.rules.differences import Difference
from meldkamer.rules.walk import Line
from meldkamer.sites.kinds import TYPES
from meldkamer.terms.model import Step

Words = Mapping[str, "str | Promise"]

PROCEDURES: Words = {
    "intrusion": _("Burglary and sabotage"),
    "holdup": _("Hold-up"),
    "fire": _("Fire"),
    "medical": _("Medical"),
    "technical": _("Battery, power, line test"),
    "external_technical": _("External technical"),
    "open_close": _("Open/close"),
    "undefined": _("Unknown code"),
}
WHO: Words = {
    "premises": _("the premises"),
    "premises_or_first": _("the premises; without a line there, the first contact"),
    "contacts": _("the contacts in order"),
}
SERVICES: Words = {
    "police": _("Police"),
    "fire": _("Fire brigade"),
    "medical": _("Medical service"),
}
WHEN: Words = {
    "verified_and_consulted": _("verified, and somebody consulted"),
    "unsatisfied": _("the call was not answered or does not satisfy"),
    "consulted_or_exhausted": _("somebody consulted, or nobody on the list answers"),
    "exhausted": _("nobody on the list answers"),
    "in_turn": _("the calls above were not answered"),
    "": _("no condition"),
}
IDENTIFY: Words = {
    "": _("as the rules ask"),
    "always": _("always asked"),
    "never": _("never asked"),
}
EXHAUSTED: Words = {
    "nobody_reached": _("closed: nobody reached"),
    "notified": _("closed: notified"),
}
ADD: Words = {
    "call": _("Call"),
    "number": _("Call a number"),
    "request": _("Ask for a service"),
    "inform": _("Inform the others"),
    "patrol": _("Patrol"),
    "again": _("Another pass"),
    "tell": _("Tell everybody"),
}
FIELDS: Words = {
    "who": _("whom"),
    "service": _("service"),
    "when": _("when"),
    "after_s": _("seconds"),
    "leave_message": _("message at a voicemail"),
    "name": _("name"),
    "phone": _("telephone"),
    "identify": _("name and code"),
    "clause": _("clause"),
    "do": _("what"),
}
DAYS: Words = {
    "mon": _("Monday"), "tue": _("Tuesday"), "wed": _("Wednesday"), "thu": _("Thursday"),
    "fri": _("Friday"), "sat": _("Saturday"), "sun": _("Sunday"),
}  # fmt: skip
#: what comes before an operator, or instead of him, by the treatment of the formula
BEFOREHAND: Words = {
    "operator": "",
    "operator+app": _("At the same time the app is told."),
    "operator+text": _("At the same time the first contact gets a text."),
    "ladder": _("First the contacts are texted; this begins when nobody confirms."),
    "ladder+operator": _("First the contacts are texted; this begins when nobody confirms."),
    "app": _("Only the app is told; this begins when somebody asks for it."),
    "mail+app": _("Only mail and app are sent; this begins when somebody asks for it."),
    "text": _("Only a text is sent; this begins when the reply is another than ok."),
    "mail+text": _("Only mail and a text are sent; this begins when the reply is another than ok."),
}
_OUTCOMES: Words = dict(Incident.Outcome.choices)
#: what is wrong with a procedure, by the code of the finding
FAULTS: Words = {
    "law_police_unverified": _(
        "%(type)s: police only when verified and somebody was consulted. Choose that condition."
    ),
    "law_police_unconsulted": _(
        "%(type)s: nobody is called before police. Put a call before this step."
    ),
    "law_holdup_without_police": _("A hold-up without police. Add the request after the call."),
    "law_holdup_uncalled": _(
        "Police at a hold-up without a call before: that call is the verification. Add it."
    ),
    "law_holdup_when": _(
        "Police at a hold-up as soon as the call does not satisfy. Choose that condition."
    ),
    "law_service_removed": _("%(service)s cannot be left out. Add the request."),
    "law_service_when": _(
        "%(service)s also when nobody on the list answers. Choose that condition."
    ),
    "law_service_uncalled": _("%(service)s: nobody is called before. Put a call before this step."),
    "law_service_late": _(
        "%(service)s after %(found)s seconds at the latest; expected 1 to %(most)s."
    ),
    "law_wrong_service": _("%(type)s cannot be verified for: %(service)s. Remove the request."),
    "law_unidentified": _("%(type)s: name and code are asked in every call. Choose so."),
    "law_told_is_not_enough": _(
        "%(type)s: a list without an answer is not “notified”. Choose nobody reached."
    ),
    "shape": _("The steps contradict themselves: %(found)s"),
    "unknown_procedure": _("The terms have no such procedure."),
    "contact_of_no_site": _("A contact belongs to one site; this is for all of the provider's."),
    "nobody_to_call": _("Nobody on the list has a number. Add one."),
    "never_reached": _("This step is never reached. Remove it, or move it."),
    "never_by_itself": _("This step never comes by itself."),
    "number_missing": _("%(name)s has no number and is never called."),
    "contact_without_number": _("%(name)s has no number. Enter it, or call somebody else."),
    "contact_unknown": _("%(name)s is not on the call list. Choose somebody who is."),
    "premises_without_number": _("The premises have no telephone: this step is skipped."),
    "loop": _("Calls again after %(found)s seconds; expected %(least)s or more."),
    "passes": _("%(found)s more passes; expected %(most)s at most."),
    "no_end": _("There is a way through it without an end."),
    "nobody_told": _("Nobody is told when nobody was reached."),
    "police_left_out": _("Police are never the next step."),
    "patrol_not_taken": _("The patrol was not taken: refused at this step."),
    "without_code": _("%(name)s has no code: what he says stands nothing down."),
    "nobody_at_night": _(
        "Nobody can be reached from %(day)s %(begin)s to %(last)s %(end)s."
    ),
    "period": _("It ends before it starts."),
    "period_over": _("Its period is over. Choose another end."),
    "second_person": _("Who wrote a procedure does not release it. Ask a colleague."),
    "not_a_draft": _("It was released and is never changed. Draft another."),
    "not_released": _("Only a released version is withdrawn."),
}  # fmt: skip
_MORE = {"type": TYPES, "service": SERVICES, "day": DAYS, "last": DAYS}


def numbers(found: Mapping[str, object]) -> dict[str, str]:
    """The numbers of a finding as a person reads them."""
    return {name: str(_MORE.get(name, {}).get(str(value), value)) for name, value in found.items()}


def name_of(name: str) -> str:
    """A procedure: one of the terms file's, or of a type alone."""
    return str(PROCEDURES.get(name) or TYPES.get(name, name))


def words_of(step: Step) -> str:
    """A step in a few words."""
    if step.do == "call":
        who = step.name or str(WHO.get(step.who, step.who))
        return gettext("Call %(who)s") % {"who": who}
    if step.do == "request":
        return str(SERVICES.get(str(step.service), step.service))
    if step.do == "again":
        minutes = f"{step.after_s / 60:g}"
        return gettext("Another pass after %(minutes)s min") % {"minutes": minutes}
    return str(ADD[step.do])


def condition_of(step: Step) -> str:
    """When a step comes; empty when that goes without saying."""
    if step.do == "request" and step.after_s:
        return gettext("%(when)s, after %(seconds)s s at the latest") % {
            "when": WHEN[step.when],
            "seconds": step.after_s,
        }
    return str(WHEN[step.when]) if step.when else ""


def difference_in_words(one: Difference) -> str:
    """One difference between two versions."""
    if one.step is None:
        (change,) = one.fields
        return gettext("List exhausted: %(old)s → %(new)s") % {
            "old": EXHAUSTED[str(change.old)],
            "new": EXHAUSTED[str(change.new)],
        }
    told = {"step": words_of(one.step), "old": one.old_place, "new": one.new_place}
    if one.kind == "added":
        return gettext("Step %(new)s added: %(step)s") % told
    if one.kind == "removed":
        return gettext("Step %(old)s removed: %(step)s") % told
    if one.kind == "moved":
        return gettext("Step %(old)s is now step %(new)s: %(step)s") % told
    fields = ", ".join(
        f"{FIELDS.get(c.name, c.name)} {_value(c.name, c.old)} → {_value(c.name, c.new)}"
        for c in one.fields
    )
    return gettext("Step %(new)s changed: %(step)s: %(fields)s") % {**told, "fields": fields}


def _value(name: str, value: object) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    tables: Mapping[str, Words] = {
        "who": WHO, "service": SERVICES, "when": WHEN, "identify": IDENTIFY,
    }  # fmt: skip
    if value in ("", None) and name != "when":
        return "–"
    return str(tables.get(name, {}).get(str(value), value))


# --- what happens when

_RESULTS: Words = {
    "no_answer": _("Call %(to)s: no answer"),
    "voicemail": _("Call %(to)s: voicemail"),
    "reached": _("Call %(to)s: reached"),
    "inform": _("Inform %(to)s"),
}
_SAID: Words = {
    "real": _("“It is real.”"),
    "false_alarm": _("“False alarm.”"),
    "coming": _("“I am coming.”"),
    "send_patrol": _("“Send the patrol.”"),
    "nothing": _("says nothing of use"),
    "duress": _("gives the duress code"),
}
_LINES: Words = {
    "identification.failed": _("Name and code do not match: the procedure goes on"),
    "incident.verified": _("Verified"),
    "police.requested": _("Police called"),
    "fire.requested": _("Fire brigade called"),
    "medical.requested": _("Medical service called"),
    "police.refused": _("Police refused: %(reason)s"),
    "fire.refused": _("Fire brigade refused: %(reason)s"),
    "medical.refused": _("Medical service refused: %(reason)s"),
    "patrol.refused": _("Patrol refused: %(reason)s"),
    "patrol.sent": _("Patrol sent"),
    "supervisor.notified": _("A supervisor is called in"),
    "incident.duress": _("Becomes a hold-up"),
    "message.left": _("Message left"),
    "told.all": _("Everybody is told by text and mail"),
}
_REASONS: Words = {
    "not verified": _("not verified"),
    "not consulted": _("nobody consulted"),
    "in trial": _("in trial"),
    "patrol not taken": _("not taken"),
    "no patrol free": _("none is free"),
}


def line_in_words(line: Line) -> str:
    """A line of a course; empty for those that only carry others."""
    told: dict[str, Any] = {
        "to": _person(line.to),
        "reason": _REASONS.get(line.reason, line.reason),
    }
    if line.what == "call.result":
        result = "inform" if line.data.get("inform") else str(line.data.get("result"))
        words = str(_RESULTS[result]) % told
        said = str(_SAID.get(str(line.data.get("says", "")), ""))
        return f"{words}, {said}" if said else words
    if line.what == "incident.waiting":
        return gettext("Waiting until the next pass")
    if line.what == "incident.closed":
        outcome = str(line.data.get("outcome"))
        return gettext("Closed: %(outcome)s") % {"outcome": _OUTCOMES.get(outcome, outcome)}
    known = _LINES.get(line.what)
    return str(known) % told if known else ""


def _person(to: str) -> str:
    return str(WHO["premises"]) if to == "premises" else to
