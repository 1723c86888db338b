"""The messages there are: their shipped words, the facts they may name, and what they must say.

Data, not branches. A new message is a row here; its sentences are in the catalogue of translations
like everything a person reads. `needs` are facts that no version may leave out, with the clause
that asks for them: an office may say it in its own words, but it may not stop saying it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext_noop

TYPE_WORDS = {
    "intrusion": gettext_noop("intrusion"),
    "sabotage": gettext_noop("sabotage"),
    "holdup": gettext_noop("hold-up"),
    "fire": gettext_noop("fire"),
    "medical": gettext_noop("medical"),
    "battery": gettext_noop("low battery"),
    "power": gettext_noop("power failure"),
    "line_test": gettext_noop("negative line test"),
    "external_technical": gettext_noop("external technical alarm"),
    "open_close": gettext_noop("open/close"),
    "undefined": gettext_noop("undefined code"),
}

ZONE = gettext_noop(", zone {zone}")
# a text says whom to call; the number is provider data (S12.1, S24.2)
CALL = gettext_noop(" Call {phone}.")

_WHERE = ("provider", "phone", "site")
_WHAT = (*_WHERE, "type", "zone")


@dataclass(frozen=True, slots=True)
class Words:
    """One message. channel: sms, app, mail (a letter where there is no address) or voice.

    needs: fact → clause that asks for it. says: a word that must stand in it → clause.
    call: whether the shipped words end with whom to call, when the provider has a number.
    """

    channel: str
    title: str
    body: str
    facts: tuple[str, ...]
    needs: dict[str, str] = field(default_factory=dict)
    says: dict[str, str] = field(default_factory=dict)
    subject: str = ""
    call: bool = False


CATALOGUE: dict[str, Words] = {
    "ladder": Words(
        "sms",
        gettext_noop("Text that asks for an answer"),
        gettext_noop(
            "{provider}: {type}{zone} at {site}. Reply ok to confirm. "
            "Any other reply: an operator acts at once."
        ),
        _WHAT,
        {"type": "S7.1", "zone": "S7.1", "site": "S7.1", "phone": "S12.1"},
        {"ok": "S7.3"},
        call=True,
    ),
    "information": Words(
        "sms",
        gettext_noop("Text for information, beside a call"),
        gettext_noop("{provider}: {type}{zone} at {site}. For your information."),
        _WHAT,
        {"type": "S8.2", "site": "S8.2", "phone": "S12.1"},
        call=True,
    ),
    "notice": Words(
        "sms",
        gettext_noop("Text without an answer"),
        gettext_noop("{provider}: {type}{zone} at {site}. For your information."),
        _WHAT,
        {"type": "D904.4a", "site": "D904.4a", "phone": "S12.1"},
        call=True,
    ),
    "held": Words(
        "sms",
        gettext_noop("Text: received, not handled"),
        gettext_noop("{provider}: {type}{zone} at {site} was received and is not handled."),
        _WHAT,
        {"type": "D908.1", "site": "D908.1", "phone": "S12.1"},
        call=True,
    ),
    "told_all": Words(
        "sms",
        gettext_noop("Text to all: nobody was reached"),
        gettext_noop(
            "{provider}: {type}{zone} at {site}. We called the whole list and reached nobody."
        ),
        _WHAT,
        {"type": "M3.2", "site": "M3.2"},
        subject=gettext_noop("{type} at {site}: nobody was reached"),
    ),
    "app": Words(
        "app",
        gettext_noop("Message of the app"),
        gettext_noop("{type}{zone} at {site}"),
        _WHAT,
        {"type": "S8.3", "site": "S8.3"},
    ),
    "app_link": Words(
        "sms",
        gettext_noop("Link that lets a phone into the app"),
        gettext_noop(
            "{provider}: open this link on your phone to get our messages about {site} there. "
            "It works once, for {count} days: {link}"
        ),
        ("provider", "site", "link", "count"),
        {"link": "S8.3", "site": "S8.3"},
        subject=gettext_noop("Messages of {provider} on your phone"),
    ),
    "carrier_test": Words(
        "sms",
        gettext_noop("Test of a carrier"),
        gettext_noop("{provider}: this is a test of {carrier}. Nothing is wrong, do nothing."),
        ("provider", "carrier"),
        {"carrier": "M12.3"},
        subject=gettext_noop("Test of {carrier}"),
    ),
    "nobody_reached": Words(
        "mail",
        gettext_noop("Mail to all: nobody was reached"),
        gettext_noop(
            "{provider}: {type}{zone} at {site}. We called the whole list and reached nobody."
        ),
        _WHAT,
        {"type": "M3.2", "site": "M3.2"},
        subject=gettext_noop("{type} at {site}: nobody was reached"),
    ),
    "announced": Words(
        "voice",
        gettext_noop("Call with a spoken text that asks for a key"),
        gettext_noop("This is {provider}, with a message about {site}. It is about: {type}{zone}."),
        _WHAT,
        {"type": "S7.1", "zone": "S7.1", "site": "S7.1"},
    ),
    "supervisor_reminder": Words(
        "voice",
        gettext_noop("Call to a supervisor about what nobody takes"),
        gettext_noop(
            "This is {provider}. Nobody takes an incident: {type} at {site}. "
            "Waiting in the queue: {count}."
        ),
        (*_WHAT, "count"),
        {"type": "M12.2", "site": "M12.2"},
    ),
    "line_test_missed": Words(
        "mail",
        gettext_noop("A test message did not come"),
        gettext_noop("{provider} did not receive the expected test message of {site}."),
        _WHERE,
        {"site": "S10.3"},
        subject=gettext_noop("Negative line test at {site}"),
    ),
    "line_test_unwatched": Words(
        "mail",
        gettext_noop("A line is no longer watched"),
        gettext_noop(
            "{provider} missed {count} test messages of {site} in a row. "
            "This is not handled any more until a test message arrives."
        ),
        (*_WHERE, "count"),
        {"site": "S10.3", "count": "S10.3"},
        subject=gettext_noop("Line test of {site} is no longer handled"),
    ),
    "daily_report": Words(
        "mail",
        gettext_noop("Daily report to the installer"),
        gettext_noop(
            "{provider} reports what it received or missed since the last report:\n\n{lines}\n\n"
            "No answer is needed. Without a test message or a written instruction a line that was "
            "missed three times is not handled any more."
        ),
        ("provider", "day", "lines"),
        {"lines": "S10.3"},
        subject=gettext_noop("Daily report of {provider}, {day}"),
    ),
    "undefined_code": Words(
        "mail",
        gettext_noop("A code that is not known"),
        gettext_noop(
            "{provider} received the code {code} from {site} and does not know it. "
            "You are told once; without your written instruction nothing is done with it."
        ),
        (*_WHERE, "code"),
        {"code": "S10.5", "site": "S10.5"},
        subject=gettext_noop("Unknown code {code} from {site}"),
    ),
    "needless_warning": Words(
        "mail",
        gettext_noop("Warning after false alarms"),
        gettext_noop(
            "{provider} handled {count} false alarms at {site} within a short time. Please have "
            "the cause mended: after more of them the monitoring of these alarms may be suspended."
        ),
        (*_WHERE, "count"),
        {"count": "S12.2", "site": "S12.2"},
        subject=gettext_noop("False alarms at {site}"),
    ),
    "suspension": Words(
        "mail",
        gettext_noop("Monitoring is suspended in part"),
        gettext_noop(
            "{provider} suspends the monitoring of {site} for: {types}, after {count} false "
            "alarms, as we told you by telephone. Hold-up, fire and medical alarms are still "
            "handled. Monitoring goes on as soon as it is shown that the cause was mended."
        ),
        (*_WHERE, "types", "count"),
        {"types": "S12.2", "site": "S12.2"},
        subject=gettext_noop("Monitoring of {site} is suspended in part"),
    ),
    "interrupted": Words(
        "mail",
        gettext_noop("Monitoring is interrupted"),
        gettext_noop(
            "{provider} interrupts the monitoring of {site}. Signals are kept and not handled; "
            "your contacts get a text of each. Nothing is refunded for this time."
        ),
        _WHERE,
        {"site": "D908.1"},
        subject=gettext_noop("Monitoring of {site} is interrupted"),
    ),
    "resumed": Words(
        "mail",
        gettext_noop("Monitoring goes on"),
        gettext_noop("{provider} handles the alarms of {site} again from now on."),
        _WHERE,
        {"site": "D908.1"},
        subject=gettext_noop("Monitoring of {site} goes on"),
    ),
    "test_summary": Words(
        "mail",
        gettext_noop("Summary of a test"),
        gettext_noop("{provider} received {count} signals of {site} in the test."),
        (*_WHERE, "count"),
        {"count": "S20.1", "site": "S20.1"},
        subject=gettext_noop("The test of {site} has ended"),
    ),
}
