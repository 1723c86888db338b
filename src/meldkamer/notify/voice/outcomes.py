"""What the end of a call means for the message it carried. Pure.

An answered telephone proves nothing: it may be voicemail. Only a key does (see `call`).
"""

from __future__ import annotations

import re

from meldkamer.notify.carrier import CarrierFault, ReceiptState, Rejected

_CODE = re.compile(r"\b([3-6]\d\d)\b")
#: nobody took it: busy, switched off, not taken up, turned away by a hand
_UNANSWERED = {
    408: "no answer",
    480: "not available",
    486: "busy",
    487: "no answer",
    600: "busy",
    603: "turned away",
    607: "turned away",
}
#: there is no such telephone
_NO_SUCH = frozenset((404, 410, 414, 416, 484, 485, 502, 604))


def refused(reason: str) -> CarrierFault | str:
    """A call that ended before it rang anywhere.

    CarrierFault: the exchange's own trouble. Rejected: the number. A word: nobody took it.
    """
    code = _code(reason)
    if code in _UNANSWERED:
        return _UNANSWERED[code]
    if code in _NO_SUCH:
        return Rejected(f"the exchange knows no such number: {reason}")
    return CarrierFault(f"the exchange refused the call: {reason}")


def ended(reason: str) -> tuple[ReceiptState, str]:
    """A call that rang and ended before anybody answered."""
    code = _code(reason)
    if code in _UNANSWERED:
        return ReceiptState.UNANSWERED, _UNANSWERED[code]
    return ReceiptState.FAILED, f"the exchange ended the call: {reason}"


def _code(reason: str) -> int:
    found = _CODE.search(reason)
    return int(found[1]) if found else 0


def without_key(keys: str, how: str) -> str:
    """The words for a call that was answered and not acknowledged. keys: pressed all the same."""
    pressed = f"other keys: {keys}" if keys else "no key was pressed"
    return f"answered, {pressed}, {how}"
