"""The words of the desk: types, classes, results, reasons, in the operator's language.

Why: rules and journal speak in keys; a person reads sentences. Never: decide. Invariant: the same
word for the same thing as in the glossary. Unknown keys are shown as they are, never hidden.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from meldkamer.incidents.models import Incident
from meldkamer.sites.kinds import TYPES as TYPES

Words = Mapping[str, "str | Promise"]

CLASSES: Words = {
    "security": _("Security"),
    "safety": _("Safety"),
    "technical": _("Technical"),
    "open-close": _("Open/close"),
    "undefined": _("Undefined"),
}
_CLASS_OF = {
    "intrusion": "security",
    "sabotage": "security",
    "holdup": "security",
    "fire": "safety",
    "medical": "safety",
    "battery": "technical",
    "power": "technical",
    "line_test": "technical",
    "external_technical": "technical",
    "open_close": "open-close",
}
OUTCOMES: Words = dict(Incident.Outcome.choices)
#: the outcomes an operator may choose; the others come by themselves
OPERATOR_OUTCOMES = ("handled", "false_alarm", "nobody_reached", "notified")
STEP_STATES: Words = {
    "done": pgettext_lazy("step", "Done"),
    "now": pgettext_lazy("step", "Now"),
    "next": pgettext_lazy("step", "Next"),
    "allowed": pgettext_lazy("step", "Allowed"),
    "waived": pgettext_lazy("step", "Waived"),
    "not_allowed": pgettext_lazy("step", "Not allowed"),
}
RESULTS: Words = {
    "reached": _("reached"),
    "no_answer": _("no answer"),
    "voicemail": _("voicemail, does not count as an answer"),
    "busy": _("engaged"),
    "wrong_number": _("wrong number"),
    "not_identified": _("reached, not identified: does not count"),
    "requested": _("asked"),
}
RESULTS_SHORT: Words = {**RESULTS, "voicemail": _("voicemail"), "not_identified": _("no code")}
SAYS: Words = {
    "real": _("real alarm"),
    "false_alarm": _("false alarm"),
    "coming": _("comes to the site"),
    "send_patrol": _("asks for a patrol"),
    "nothing": _("says nothing of use"),
    # what the caller hears stays ordinary; the operator must know
    "duress": _("duress code: accepted for the caller alone"),
    "start_test": _("starts a test"),
    "end_test": _("ends the test"),
    "help": _("asks for help"),
}
SERVICES: Words = {
    "police": _("Call the police"),
    "fire": _("Call the fire brigade"),
    "medical": _("Call the medical service"),
    "patrol": _("Send a patrol"),
}
SERVICE_NAMES: Words = {
    "police": _("police"),
    "fire": _("fire brigade"),
    "medical": _("medical service"),
    "patrol": _("patrol"),
    "premises": _("the premises"),
    "customer": _("the customer"),
    "installer": _("the installer"),
}
NOT_DONE: Words = {
    "police": _("Police not called."),
    "fire": _("Fire brigade not called."),
    "medical": _("Medical service not called."),
    "patrol": _("Patrol not sent."),
    "take": _("Not taken."),
    "close": _("Not closed."),
    "hold": _("Not put on hold."),
    "": _("Not done."),
}
#: what was expected, and how it was missed (S11.1)
MISSED_HOURS: Words = {
    "open.early": _("Opened too early"),
    "open.late": _("Not opened in time"),
    "open.off_schedule": _("Opened on a day without hours"),
    "close.early": _("Closed too early"),
    "close.late": _("Not closed in time"),
    "close.off_schedule": _("Closed on a day without hours"),
}
CONDITIONS: Words = {
    "verified": _("verified"),
    "consulted": _("customer or contact consulted"),
    "asked": _("asked for by customer or contact"),
}
#: how an announced call ended (`notify.voice.outcomes`)
CALL_ENDS: Words = {
    "busy": _("busy"),
    "no answer": _("no answer"),
    "not available": _("not available"),
    "turned away": _("turned away"),
    "answered, no key was pressed": _("answered, no key was pressed"),
    "answered, another key was pressed": _("answered, another key was pressed"),
    "answered, hung up without a key": _("answered, hung up without a key"),
    "answered, hung up after another key": _("answered, hung up after another key"),
    "cut off: this centre was stopping": _("cut off: this centre was stopping"),
    "the key was pressed": _("the key was pressed"),
}
REASONS: Words = {
    **CALL_ENDS,
    "no carrier takes texts": _("no carrier takes texts"),
    "in trial": _("The site is in trial."),
    "not verified": _("Not verified yet."),
    "not consulted": _("Nobody consulted yet."),
    "patrol not taken": _("The customer has not taken the patrol option."),
    "no patrol free": _("No patrol is free."),
    "the call list is still running": _("The call list is still running."),
    "somebody was consulted": _("somebody was consulted"),
    "false alarm": _("false alarm, said by an identified person"),
    "no further call": _("no further call: duress or a cry for help"),
    "test": _("in test"),
    "undoing an outage has a reason": _("Undoing an outage has a reason: type it."),
    "this outage was undone already": _("This outage was undone already."),
    "only a supervisor undoes a general outage": _("Only a supervisor undoes a general outage."),
    "the general outage was undone": _("The general outage was undone by a supervisor."),
    "not_in_force": _("not in force"),
    "suspended": _("suspended"),
    "flood": _("held back: flood"),
    "not_selected": _("type not selected on the sheet"),
    "line_test_unwatched": _("line test no longer watched"),
    "undefined_known": _("unknown code, installer was told"),
    "undefined": _("unknown code, installer told"),
    "late_reply": _("late reply"),
    "verified, nobody reached": _("verified, nobody reached"),
    "override asked for": _("a supervisor's decision is asked for"),
    "false alarm not said at the premises": _("false alarm not said at the premises"),
    "wrong code": _("wrong code"),
    "no code": _("no code"),
    "asked": _("on request"),
    "time is over": _("time is over"),
    "unknown account": _("unknown account"),
    "content not understood": _("content not understood"),
    "untouched": _("nobody took it"),
    "released": _("released"),
    "idle": _("no sign of life from its holder"),
    "second pass": _("second pass"),
    "nobody confirmed": _("nobody confirmed"),
    "nobody may be texted": _("no number may be texted"),
    "no contact to notify": _("no contact to notify"),
    "reply other than ok": _("a reply other than ok"),
    "late reply": _("late reply"),
    "number locked": _("this number is locked"),
    "no override": _("no decision by a supervisor"),
    "not restored after the outage": _("not restored after the outage"),
    "not restored when the test ended": _("not restored when the test ended"),
    "help asked for by phone": _("help asked for by telephone"),
    "duress code by phone": _("duress code by telephone"),
    "asked for by phone": _("asked for by telephone"),
    "the period is over": _("the period is over"),
    "by phone": _("by telephone"),
    "by phone at most 24 h; longer in writing": _(
        "by telephone at most 24 hours; longer in writing"
    ),
    "a transmitter is held back": _("a transmitter is held back: flood"),
    "quiet": _("quiet again"),
    "in writing": _("in writing"),
}
WAITS: Words = {
    "power": _("restore awaited"),
    "second_pass": _("second pass"),
    "override": _("supervisor's decision"),
    "hold": _("on hold"),
}
HOLD_REASONS: Words = {
    "patrol": _("waits for the patrol"),
    "call_back": _("waits for a call back"),
    "service": _("waits for the emergency service"),
    "other": _("another reason"),
}
VERIFIED_BY: Words = {
    "detectors": _("detectors"),
    "camera": _("images"),
    "person": _("a person"),
}
NOTICE_KINDS: Words = {
    "unknown_account": _("unknown account"),
    "downgrade": _("plain frame of a transmitter with a key"),
    "wrong_key": _("frame that its key does not open"),
    "clock": _("frame whose clock is wrong"),
    "noise": _("frame that could not be read"),
    "unsupported": _("frame of a kind that is not taken"),
    "unparsed": _("signal that was not understood"),
    "not_judged": _("signal that could not be judged"),
    "reply": _("text to be looked at"),
    "receipt": _("receipt that could not be noted"),
    "message": _("message whose incident could not follow"),
    "untouched": _("nobody took it"),
    "supervisor": _("supervisor asked for"),
    "flood": _("transmitter held back"),
    "needless": _("many false alarms, nothing that may be suspended"),
    "suspension": _("suspension proposed"),
    "review": _("suspension to be looked at again"),
    "task": _("a task that nobody did"),
    "patrol": _("patrol sent without an incident"),
    "patrol_none": _("no patrol goes: all were asked"),
    "patrol_found": _("the patrol found somebody or traces, and nobody had the incident"),
    "missed_call": _("a call that nobody took: call back"),
    "letter": _("a letter that nobody posted"),
    "outage": _("general outage"),
    "app": _("the app was on no phone: nobody was told"),
}
TASKS: Words = {
    "suspension_call": _("call the customer before a suspension"),
}
TASK_OWNERS: Words = {
    "operators": _("with the operators"),
    "supervisor": _("nobody did it: with the supervisor"),
    "office": _("with the office"),
}
PATROL_STATES: Words = {
    "free": pgettext_lazy("patrol", "free"),
    "offered": pgettext_lazy("patrol", "is asked"),
    "sent": pgettext_lazy("patrol", "on the way"),
    "arrived": pgettext_lazy("patrol", "on site"),
    "off": pgettext_lazy("patrol", "off duty"),
}
PATROL_JOBS: Words = {
    "offered": pgettext_lazy("patrol", "is asked"),
    "accepted": pgettext_lazy("patrol", "on the way"),
    "arrived": pgettext_lazy("patrol", "on site"),
    "done": pgettext_lazy("patrol", "done"),
    "declined": pgettext_lazy("patrol", "cannot"),
    "unanswered": pgettext_lazy("patrol", "did not answer"),
    "withdrawn": pgettext_lazy("patrol", "called off"),
}
PATROL_FINDINGS: Words = {
    "nothing": _("No traces"),
    "traces": _("Traces of a break-in"),
    "open": _("Door or window open, no break-in"),
    "person": _("Person seen"),
    "damage": _("Other damage"),
}
PATROL_REASONS: Words = {
    "busy": _("Busy elsewhere"),
    "too_far": _("Too far away"),
    "no_car": _("No vehicle"),
    "not_safe": _("Not safe"),
    "other": _("Another reason"),
    "said by radio": _("said by radio"),
    "passed on": _("too late: another unit was asked"),
    "declined before": _("it had said that it cannot"),
    "called off": _("it was called off"),
    "done before": _("the job was done"),
}
PATROL_REPORTS: Words = {
    "accepted": pgettext_lazy("patrol", "Goes"),
    "cannot": pgettext_lazy("patrol", "Cannot"),
    "arrived": pgettext_lazy("patrol", "Is on site"),
    "intruder": pgettext_lazy("patrol", "Sees an intruder"),
    "nothing": pgettext_lazy("patrol", "Found nothing"),
    "done": pgettext_lazy("patrol", "Is done"),
    "free": pgettext_lazy("patrol", "Is free"),
    "off": pgettext_lazy("patrol", "Goes off duty"),
}
#: codes of signals that the house gives itself
OWN_CODES: Words = {
    "carrier down": _("carrier fails"),
    "carrier up": _("carrier works"),
}
CALLER_SAYS: Words = {
    "false_alarm": _("False alarm"),
    "start_test": _("Start a test"),
    "end_test": _("End the test"),
    "send_patrol": _("Asks for a patrol"),
    "help": _("Asks for help"),
}


def class_of(incident_type: str) -> str:
    """security, safety, technical, open-close or undefined: the shape of the sign."""
    return _CLASS_OF.get(incident_type, "undefined")


def word(words: Words, key: str) -> str:
    """The word for a key; the key itself when the table lacks it."""
    return str(words[key]) if key in words else key.replace("_", " ")


def within(words: str) -> str:
    """A word inside a sentence: small letters, except in German, whose nouns keep their capital."""
    return words if (get_language() or "").startswith("de") else words.lower()


def reason(text: str) -> str:
    """A reason of a rule as a sentence; what a person wrote stays as it was written."""
    return word(REASONS, text) if text in REASONS else text
