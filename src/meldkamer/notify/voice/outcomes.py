"""What the end of a call means for the message it carried. Pure.

An answered telephone proves nothing: it may be voicemail. Only a key does (see `call`).
"""

from __future__ import annotations

import re

from meldkamer.notify.carrier import CarrierFault, ReceiptState, Rejected

#: what a receipt says of a call that was not acknowledged; a fixed set, said in four languages
BUSY, NO_ANSWER, AWAY, TURNED_AWAY = "busy", "no answer", "not available", "turned away"
NO_KEY, ANOTHER_KEY = "answered, no key was pressed", "answered, another key was pressed"
HUNG_UP = "answered, hung up without a key"
HUNG_UP_AFTER_ANOTHER = "answered, hung up after another key"
CUT_OFF = "cut off: this centre was stopping"
KEY = "the key was pressed"

_CODE = re.compile(r"\b([3-6]\d\d)\b")
#: nobody took it: busy, switched off, not taken up, turned away by a hand
_UNANSWERED = {
    408: NO_ANSWER,
    480: AWAY,
    486: BUSY,
    487: NO_ANSWER,
    600: BUSY,
    603: TURNED_AWAY,
    607: TURNED_AWAY,
}
#: there is no such telephone
_FORBIDDEN = 403
_NO_SUCH = frozenset((404, 410, 414, 416, 484, 485, 604))


def refused(reason: str) -> CarrierFault | str:
    """A call that ended before it rang anywhere.

    CarrierFault: the exchange's own trouble. Rejected: the number. A word: nobody took it.
    """
    code = _code(reason)
    if code in _UNANSWERED:
        return _UNANSWERED[code]
    if code in _NO_SUCH:
        return Rejected(f"the exchange knows no such number: {reason}")
    # what is forbidden may be this number alone, as one that costs extra
    return CarrierFault(f"the exchange refused the call: {reason}", blames=code != _FORBIDDEN)


def ended(reason: str) -> tuple[ReceiptState, str]:
    """A call that rang and ended before anybody answered."""
    code = _code(reason)
    if code in _UNANSWERED:
        return ReceiptState.UNANSWERED, _UNANSWERED[code]
    return ReceiptState.FAILED, f"the exchange ended the call: {reason}"


def _code(reason: str) -> int:
    found = _CODE.search(reason)
    return int(found[1]) if found else 0


def without_key(*, other: bool, hung_up: bool) -> str:
    """The words for a call that was answered and not acknowledged.

    other: another key was pressed. hung_up: the other side ended it before the text did.
    """
    if other:
        return HUNG_UP_AFTER_ANOTHER if hung_up else ANOTHER_KEY
    return HUNG_UP if hung_up else NO_KEY
