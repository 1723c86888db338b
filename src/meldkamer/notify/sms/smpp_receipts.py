"""Delivery receipts over SMPP: of which message, and what became of it.

They come as text (SMPP 3.4, appendix B), as parameters, or both, and some centres write the number
of a message in another base than when they gave it. A long text has a receipt for each part: it is
delivered when all of them are, and failed with the first that failed.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from meldkamer.notify.carrier import ReceiptState
from meldkamer.notify.sms import smpp_pdus as pdus
from meldkamer.notify.sms.smpp_pdus import Delivered

IdForm = Literal["same", "hex", "decimal"]
#: esm_class: what kind of message a deliver_sm is (5.2.12)
_KIND, RECEIPT, INTERMEDIATE, HEADER = 0x3C, 0x04, 0x20, 0x40
_FIELD = re.compile(r"\b(id|stat|err)\s*:\s*([^\s]+)", re.IGNORECASE)
_WHOLE = re.compile(r"\bid:\S+.*\bsub:\d+.*\bdlvrd:\d+.*\bstat:\w+", re.IGNORECASE | re.DOTALL)
#: what is on its way, or what nobody knows, is no end: no state
_WORDS = {
    "DELIVRD": ReceiptState.DELIVERED,
    "DELIVERED": ReceiptState.DELIVERED,
    "EXPIRED": ReceiptState.EXPIRED,
    "DELETED": ReceiptState.FAILED,
    "UNDELIV": ReceiptState.FAILED,
    "UNDELIVERABLE": ReceiptState.FAILED,
    "REJECTD": ReceiptState.FAILED,
    "REJECTED": ReceiptState.FAILED,
    "FAILED": ReceiptState.FAILED,
}
_STATES = {2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 8: "REJECTD"}
_LONG_MOST = 20_000
_UNSENT = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt: the centre's number, and how it ended; state None: not yet."""

    message_id: str
    state: ReceiptState | None
    detail: str


def is_receipt(delivered: Delivered, *, unmarked: bool) -> bool:
    """Whether this is about a message of ours. unmarked: the centre does not say so itself."""
    if delivered.esm_class & _KIND in (RECEIPT, INTERMEDIATE):
        return True
    if delivered.text(pdus.TLV_RECEIPTED_ID) and delivered.number(pdus.TLV_STATE) is not None:
        return True
    return unmarked and _WHOLE.search(delivered.octets.decode("latin-1")) is not None


def read(delivered: Delivered) -> Receipt | None:
    """The receipt; None when it does not say of which message."""
    text = {
        name.lower(): value
        for name, value in _FIELD.findall(delivered.octets.decode("latin-1", "replace"))
    }
    message_id = delivered.text(pdus.TLV_RECEIPTED_ID) or text.get("id", "")
    if not message_id:
        return None
    number = delivered.number(pdus.TLV_STATE)
    word = (_STATES.get(number, "") if number is not None else "") or text.get("stat", "").upper()
    detail = " ".join(
        part for part in (word, f"err {text['err']}" if "err" in text else "") if part
    )
    if delivered.esm_class & _KIND == INTERMEDIATE:
        return Receipt(message_id, None, detail)
    return Receipt(message_id, _WORDS.get(word), detail)


def given_ref(message_id: str, form: IdForm) -> str:
    """The ref of a message from the number that the centre gave when it took it.

    form: how its receipts write that number: the same, in hex (given in decimal), or in decimal
    (given in hex).
    """
    return _canonical(message_id, {"hex": 10, "decimal": 16}.get(form))


def told_ref(message_id: str, form: IdForm) -> str:
    """The same ref from the number in a receipt."""
    return _canonical(message_id, {"hex": 16, "decimal": 10}.get(form))


def _canonical(message_id: str, base: int | None) -> str:
    stripped = message_id.strip()
    if base is None:
        return stripped
    try:
        return str(int(stripped, base))
    except ValueError:
        return stripped


@dataclass(slots=True)
class _Long:
    ref: str
    left: set[str]


class LongTexts:
    """Of which long text a part is. Kept in memory: after a restart each part speaks for itself."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: OrderedDict[str, _Long] = OrderedDict()

    def begin(self, ref: str) -> None:
        """The first part of a long text was taken; its ref is that of the whole."""
        with self._lock:
            self._add(ref, _Long(ref, {ref, _UNSENT}))

    def more(self, ref: str, part: str) -> None:
        """Another part of it was taken."""
        with self._lock:
            long = self._of.get(ref)
            if long is not None and part:
                long.left.add(part)
                self._add(part, long)

    def complete(self, ref: str) -> bool:
        """All parts were taken; whether all of them are delivered by now already."""
        with self._lock:
            long = self._of.get(ref)
            if long is None:
                return False
            long.left.discard(_UNSENT)
            return not long.left

    def told(self, ref: str, state: ReceiptState) -> tuple[str, ReceiptState] | None:
        """What to tell the house of this receipt; None while other parts are on their way."""
        with self._lock:
            long = self._of.get(ref)
            if long is None:
                return ref, state
            long.left.discard(ref)
            if state != ReceiptState.DELIVERED:
                return long.ref, state
            return None if long.left else (long.ref, state)

    def _add(self, part: str, long: _Long) -> None:
        self._of[part] = long
        while len(self._of) > _LONG_MOST:
            self._of.popitem(last=False)
