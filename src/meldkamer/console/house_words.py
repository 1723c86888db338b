"""What the auditor's checks are called at the desk, and what a person does when one is red.

Invariant: every check has both sentences (a test holds it). A name without them is shown as it is.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_Words = dict[str, tuple["str | Promise", "str | Promise"]]

#: check: what is broken, and what to do
CHECKS: _Words = {
    "signal_without_verdict": (
        _("A signal was stored and never judged."),
        _(
            "Read the signal here and handle it as its code says: open an incident by hand. Then "
            "tell the technician its number."
        ),
    ),
    "signal_waits": (
        _("Signals wait too long to be judged."),
        _(
            "The workers do not keep up or stand still. Ask the technician to look at them, and "
            "to start more. Nothing is lost: the signals are stored."
        ),
    ),
    "signal_put_aside": (
        _("A signal cannot be judged."),
        _(
            "It is tried again every minute. Read it on the list for the supervisor and open an "
            "incident by hand if its code asks for one. The technician finds the fault on the "
            "agenda’s row."
        ),
    ),
    "reply_waits": (
        _("A text that came in was not read."),
        _("Read it on the list for the supervisor. Anything but “ok” means: call the sender."),
    ),
    "message_waits": (
        _("A message does not leave the house."),
        _("Call the people it was meant for. Ask the technician whether the carrier answers."),
    ),
    "message_untried": (
        _("A message would not be tried again."),
        _("Call the people it was meant for. Tell the technician its number."),
    ),
    "receipt_waits": (
        _("What a carrier told of a message was not read."),
        _(
            "The message may never have arrived: call whom it was for. Ask the technician to look "
            "at the workers."
        ),
    ),
    "open_without_owner": (
        _("An open incident is nobody’s."),
        _("Open it and take it over now. Then tell the technician its number."),
    ),
    "open_without_agenda": (
        _("An open incident will not come back by itself."),
        _(
            "Open it and take it over now. A worker that starts puts its deadline back: ask the "
            "technician to start one anew."
        ),
    ),
    "ladder_without_wait": (
        _("An incident says that texts are out, and none are."),
        _("Open it, take it over and call the contacts."),
    ),
    "opened_beside_another": (
        _("Two incidents of one kind are open at one site."),
        _("Take both. Handle the one and close the other with a reason."),
    ),
    "agenda_overdue": (
        _("Something due was not done."),
        _(
            "The workers stand still or do not keep up. Ask the technician to look at them. Watch"
            " the incidents with the system yourself until then."
        ),
    ),
    "agenda_failing": (
        _("Something due fails each time it is tried."),
        _(
            "Do by hand what it was to do; its name says what. The technician finds the fault on "
            "the agenda’s row."
        ),
    ),
    "recurring_missing": (
        _("The house does not clean, seal or check itself any more."),
        _("Ask the technician to start a worker anew: it puts back what is missing."),
    ),
    "test_without_end": (
        _("A site is in test and will not leave it by itself."),
        _(
            "Nobody reacts there. End the test by telephone with the customer, then tell the "
            "technician."
        ),
    ),
    "interruption_without_end": (
        _("The monitoring of a site is interrupted longer than it should be."),
        _("Its time is over. Resume it in the office, then tell the technician."),
    ),
    "flood_without_end": (
        _("A transmitter is held back and will not be released by itself."),
        _(
            "What it sends is stored and not handled. Call the contacts of the site and the "
            "installer. Then tell the technician its number."
        ),
    ),
    "trial_without_end": (
        _("The end of a trial would not be told."),
        _(
            "Nobody hears when this site’s trial is over. Note its day and tell the customer; "
            "then tell the technician."
        ),
    ),
    "task_without_agenda": (
        _("A task will not come back by itself."),
        _("Open it on the list of tasks and do it now. Then tell the technician its number."),
    ),
    "patrol_unanswered": (
        _("A patrol was asked, does not answer, and nobody else is asked."),
        _(
            "Call the unit. If it does not go, call it off in the list of patrols and send "
            "another one. Then tell the technician."
        ),
    ),
    "outage_without_end": (
        _("A general outage will not end by itself."),
        _(
            "Power failures in that area are not handled. Undo the outage, then tell the "
            "technician."
        ),
    ),
    "texted_twice": (
        _("Somebody was texted twice in one round."),
        _("Nothing needs to be done for the incident. Tell the technician its number."),
    ),
    "counted_twice": (
        _("A handling was counted twice."),
        _(
            "The office waives one of them with a reason. Tell the technician the incident’s "
            "number."
        ),
    ),
    "police_unverified": (
        _("The police was asked for without verification."),
        _(
            "Open the incident and read its course. If the request was wrong, call the police and"
            " take it back; write down why."
        ),
    ),
    "closed_without_outcome": (
        _("A closed incident has no outcome."),
        _(
            "Open it and read its course: is it really over? Call the contacts if not. Then tell "
            "the technician its number."
        ),
    ),
    "not_as_told": (
        _("An incident is not what its journal says."),
        _(
            "Believe the course, not the state on the screen: act by what happened. Tell the "
            "technician its number."
        ),
    ),
    "sealed_late": (
        _("The journal is not sealed any more."),
        _(
            "Nothing is lost, but a change would go unnoticed. Ask the technician to look at the "
            "workers."
        ),
    ),
    "chain_broken": (
        _("A sealed row of the journal was changed."),
        _(
            "Somebody with the rights of the owner touched it. Tell the one responsible for "
            "security now; keep the backups and let nobody repair anything."
        ),
    ),
}
KINDS: dict[str, str | Promise] = {
    "signal": _("signal"),
    "incident": _("incident"),
    "agenda": _("agenda row"),
    "message": _("message"),
    "reply": _("reply"),
    "test": _("test"),
    "interruption": _("interruption"),
    "outage": _("outage"),
    "receipt": _("receipt"),
    "trial": _("trial"),
    "task": _("task"),
    "patrol": _("patrol’s job"),
    "recurring": _("recurring"),
    "seal": _("seal"),
    "row": _("row"),
}


def head(name: str) -> str:
    """What is broken."""
    return str(CHECKS[name][0]) if name in CHECKS else name


def what_to_do(name: str) -> str:
    """What a person does about it."""
    return str(CHECKS[name][1]) if name in CHECKS else ""


def kind(name: str) -> str:
    """What a finding is."""
    return str(KINDS.get(name, name))
