"""What a simulated person does: picks up or not, says something, knows a code, answers a text.

Why: an operator in training needs somebody at the other end. Pure and fixed: the same person in
the same incident always does the same, so the sandbox page, the console's banner and the city agree
without a table. Never used outside the demo.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256
from random import Random

from django.utils.translation import gettext_noop

from meldkamer.people.codes import CODE_DIGITS

PREMISES = "premises"
#: incidents in which texts are sent first
_TEXTED = ("battery", "power", "line_test")


@dataclass(frozen=True, slots=True)
class Answer:
    """What happens when he is called.

    picks_up: yes, no or voicemail. says: real, false_alarm, coming, send_patrol, nothing ("" when
    nobody speaks). gives_code: right, wrong or none. words: what he says, an English sentence of
    the catalogue, for the operator to judge.
    """

    picks_up: str
    says: str = ""
    gives_code: str = "right"
    words: str = ""


@dataclass(frozen=True, slots=True)
class Texted:
    """His answer to a text: after so many seconds; None text: he never answers."""

    after_s: float
    text: str | None


_WORDS = {
    "real": (
        gettext_noop("I hear noise downstairs, there is somebody inside."),
        gettext_noop("I see on my camera that the door is open. Nobody should be there."),
    ),
    "false_alarm": (
        gettext_noop("That was me, I forgot to switch the alarm off."),
        gettext_noop("The cleaner pressed a wrong button. Nothing is wrong here."),
    ),
    "coming": (
        gettext_noop("I do not know what it is. I go and look, ten minutes."),
        gettext_noop("Nobody should be there. I am on my way."),
    ),
    "send_patrol": (
        gettext_noop("I am abroad. Send a patrol."),
        gettext_noop("I cannot leave here. Can somebody of yours go and look?"),
    ),
    "nothing": (
        gettext_noop("Thank you for telling me. I note it."),
        gettext_noop("I cannot say anything about it from here."),
    ),
}
_FIRE = gettext_noop("I smell smoke, send the fire brigade.")
_MEDICAL = gettext_noop("My mother has fallen and cannot get up. She needs help.")
_HOLDUP = gettext_noop("I cannot talk now.")
_FAULT = gettext_noop("Thank you, I have it looked at tomorrow.")


def answer(person: str, incident_id: int, incident_type: str, verified: bool) -> Answer:
    """What a person (c<id> or "premises") does when he is called in an incident."""
    dice = Random(f"{person}/{incident_id}")  # noqa: S311 - a script, no secret
    pick, code, choice = dice.random(), dice.random(), dice.random()
    at_home = person == PREMISES
    if verified and at_home:
        return Answer("no") if pick < 0.75 else Answer("yes", "real", words=_say("real", choice))
    if pick < (0.45 if at_home else 0.3):
        return Answer("no" if choice < 0.6 or at_home else "voicemail")
    says = _what(incident_type, verified, at_home, choice)
    gives = "right" if code < 0.86 else "wrong" if code < 0.94 else "none"
    return Answer("yes", says, gives, _sentence(incident_type, says, choice))


def _what(incident_type: str, verified: bool, at_home: bool, choice: float) -> str:
    if incident_type in (*_TEXTED, "external_technical", "open_close"):
        return "nothing"
    if incident_type in ("fire", "medical"):
        return "false_alarm" if choice < 0.5 else "real" if at_home else "coming"
    if incident_type == "holdup":
        return "false_alarm" if choice < 0.5 else "nothing"
    if verified:
        return "coming" if choice < 0.6 else "send_patrol" if choice < 0.8 else "real"
    return "false_alarm" if choice < 0.65 else "coming" if choice < 0.9 else "send_patrol"


def _sentence(incident_type: str, says: str, choice: float) -> str:
    if says == "real" and incident_type in ("fire", "medical"):
        return _FIRE if incident_type == "fire" else _MEDICAL
    if incident_type == "holdup" and says == "nothing":
        return _HOLDUP
    if incident_type in _TEXTED:
        return _FAULT
    return _say(says, choice)


def _say(says: str, choice: float) -> str:
    return _WORDS[says][int(choice * 1000) % 2]


def texted(person: str, incident_id: int) -> Texted:
    """His answer to a text of the ladder; most say ok, some say something else, some nothing."""
    dice = Random(f"{person}/{incident_id}/text")  # noqa: S311 - a script, no secret
    after_s = 6 + dice.random() * 40
    kind = dice.random()
    if kind < 0.62:
        return Texted(after_s, dice.choice(("ok", "OK", "Ok ")))
    if kind < 0.75:
        return Texted(
            after_s, dice.choice(("?", "wat is er?", "je suis à l'étranger", "who is this"))
        )
    return Texted(after_s, None)


def candidate(pepper: bytes, account: str, position: int, attempt: int, *, duress: bool) -> str:
    """A demo person's code, from the installation's pepper: not in the source, not random either.

    The attempt rises until the code is free within the provider.
    """
    text = f"demo:{account}:{position}:{attempt}:{'d' if duress else 'c'}"
    digest = hmac.new(pepper, text.encode(), sha256).digest()
    return f"{int.from_bytes(digest[:8]) % 10**CODE_DIGITS:0{CODE_DIGITS}d}"
