"""What the exchange says of the call that runs, as a hint under the operator's eyes.

It may choose a result for him to confirm; it never settles one. What answered may be a voicemail,
which is no answer: only who listens knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from meldkamer.console.phones import shown
from meldkamer.console.timing import clock, span
from meldkamer.incidents.telephone import desk_calls
from meldkamer.notify import fault_words
from meldkamer.notify.desk.models import DeskCall

State = DeskCall.State
_RESULTS: dict[str, str] = {State.BUSY: "busy", State.NO_ANSWER: "no_answer"}


@dataclass(frozen=True, slots=True)
class Hint:
    """words: what is known. result: the one to confirm. by_hand: it must be dialled by hand."""

    words: str
    result: str = ""
    by_hand: bool = False


def hint(call: DeskCall | None, key: str, since: datetime, zone: ZoneInfo) -> Hint | None:
    """Of the call to this person that began then; None when no exchange was asked."""
    if call is None or call.key != key[: desk_calls.KEY_MOST] or call.asked_at < since:
        return None
    if call.state == State.FAILED:
        words = _("The exchange did not place the call: %(why)s. Dial %(number)s by hand.")
        return Hint(words % {"why": _why(call.fault), "number": shown(call.number)}, by_hand=True)
    return Hint(_words(call, zone), _RESULTS.get(call.state, ""))


def _words(call: DeskCall, zone: ZoneInfo) -> str:
    state = State(call.state)
    if state in (State.ASKED, State.PLACED):
        return _("Your telephone %(extension)s rings.") % {"extension": call.extension}
    if state == State.RINGING:
        return _("It rings there.")
    if state == State.BUSY:
        return _("The exchange says: engaged.")
    if state == State.NO_ANSWER:
        return _("The exchange says: nobody answered.")
    at = clock(call.answered_at, zone) if call.answered_at else ""
    if state == State.ANSWERED:
        return _("Answered at %(at)s. A voicemail answers too.") % {"at": at}
    if call.talked_s is not None:
        return _("Answered at %(at)s, ended after %(span)s. A voicemail answers too.") % {
            "at": at, "span": span(call.talked_s),
        }  # fmt: skip
    return _("Answered at %(at)s, ended. A voicemail answers too.") % {"at": at}


def _why(fault: str) -> str:
    words = {
        desk_calls.NO_EXTENSION: _("no telephone is entered for you (F1)"),
        desk_calls.NO_EXCHANGE: _("no exchange is set up"),
        desk_calls.NO_SIGN: _("it was not asked in time"),
        desk_calls.IN_DOUBT: _("it did not answer; your telephone may still ring"),
    }
    return words.get(fault) or fault_words.said(fault) or _("it refuses")
