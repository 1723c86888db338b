"""The words of messages, in the recipient's language (S7.1, M12.4).

Types and sentences are in the catalogue like everything a person reads.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

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

_ZONE = gettext_noop(", zone {zone}")
_TEXTS: dict[str, tuple[str, str]] = {
    "ladder": (
        "",
        gettext_noop(
            "{provider}: {type}{zone} at {site}. Reply ok to confirm. "
            "Any other reply: an operator acts at once."
        ),
    ),
    "information": ("", gettext_noop("{provider}: {type}{zone} at {site}. For your information.")),
    "notice": ("", gettext_noop("{provider}: {type}{zone} at {site}. For your information.")),
    "held": (
        "",
        gettext_noop("{provider}: {type}{zone} at {site} was received and is not handled."),
    ),
    "told_all": (
        gettext_noop("{type} at {site}: nobody was reached"),
        gettext_noop(
            "{provider}: {type}{zone} at {site}. We called the whole list and reached nobody."
        ),
    ),
    "nobody_reached": (
        gettext_noop("{type} at {site}: nobody was reached"),
        gettext_noop(
            "{provider}: {type}{zone} at {site}. We called the whole list and reached nobody."
        ),
    ),
    "app": ("", gettext_noop("{type}{zone} at {site}")),
    "line_test_missed": (
        gettext_noop("Negative line test at {site}"),
        gettext_noop("{provider} did not receive the expected test message of {site}."),
    ),
    "line_test_unwatched": (
        gettext_noop("Line test of {site} is no longer handled"),
        gettext_noop(
            "{provider} missed {count} test messages of {site} in a row. "
            "This is not handled any more until a test message arrives."
        ),
    ),
    "daily_report": (
        gettext_noop("Daily report of {provider}, {day}"),
        gettext_noop(
            "{provider} reports what it received or missed since the last report:\n\n{lines}\n\n"
            "No answer is needed. Without a test message or a written instruction a line that was "
            "missed three times is not handled any more."
        ),
    ),
    "undefined_code": (
        gettext_noop("Unknown code {code} from {site}"),
        gettext_noop(
            "{provider} received the code {code} from {site} and does not know it. "
            "You are told once; without your written instruction nothing is done with it."
        ),
    ),
    "needless_warning": (
        gettext_noop("False alarms at {site}"),
        gettext_noop(
            "{provider} handled {count} false alarms at {site} within a short time. Please have "
            "the cause mended: after more of them the monitoring of these alarms may be suspended."
        ),
    ),
    "suspension": (
        gettext_noop("Monitoring of {site} is suspended in part"),
        gettext_noop(
            "{provider} suspends the monitoring of {site} for: {types}, after {count} false "
            "alarms, as we told you by telephone. Hold-up, fire and medical alarms are still "
            "handled. Monitoring goes on as soon as it is shown that the cause was mended."
        ),
    ),
    "interrupted": (
        gettext_noop("Monitoring of {site} is interrupted"),
        gettext_noop(
            "{provider} interrupts the monitoring of {site}. Signals are kept and not handled; "
            "your contacts get a text of each. Nothing is refunded for this time."
        ),
    ),
    "resumed": (
        gettext_noop("Monitoring of {site} goes on"),
        gettext_noop("{provider} handles the alarms of {site} again from now on."),
    ),
    "test_summary": (
        gettext_noop("The test of {site} has ended"),
        gettext_noop("{provider} received {count} signals of {site} in the test."),
    ),
}
# a text says whom to call; the number is provider data (S12.1, S24.2)
_CALL = gettext_noop(" Call {phone}.")
_CALLED_FROM = ("ladder", "information", "notice", "held")


def render(template: str, language: str, facts: Mapping[str, object]) -> tuple[str, str]:
    """Subject and body of a template in a language.

    facts: provider, site, type, zone ("" when unknown), and what the template names besides.
    """
    subject, body = _TEXTS[template]
    with override(language):
        kind = str(facts.get("type", ""))
        zone = str(facts.get("zone") or "")
        values = {
            "count": "",
            "code": "",
            **facts,
            "type": _(TYPE_WORDS[kind]) if kind in TYPE_WORDS else kind,
            "zone": _(_ZONE).format(zone=zone) if zone else "",
            "types": _listed(facts.get("types")),
        }
        if template in _CALLED_FROM and facts.get("phone"):
            return "", _(body).format(**values) + _(_CALL).format(**values)
        return (
            _(subject).format(**values) if subject else "",
            _(body).format(**values),
        )


def _listed(types: object) -> str:
    """Types as a reader says them."""
    named = types if isinstance(types, (list, tuple)) else ()
    return ", ".join(_(TYPE_WORDS[kind]) for kind in named if kind in TYPE_WORDS)
