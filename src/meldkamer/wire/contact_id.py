"""Contact ID (DC-05): the blank form of DC-09 and the raw string of the phone line.

    1130 01 003          qualifier, code, group, zone or user: what DC-09 carries
    18160201000D         message type, the same without blanks, checksum: Teknim and others

Never: raise on what a transmitter sent; what cannot be read is named in `fault`.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from .codes import lookup_contact_id
from .signals import Signal, number, place
from .text import to_text

MALFORMED: Final = "malformed Contact ID block"
RAW_FORM: Final = "raw DC-05 string"


class ContactId(NamedTuple):
    """One Contact ID block as received, all text; `checksum` only in the raw form."""

    qualifier: str
    code: str
    group: str
    zone: str
    checksum: str | None = None


_BLANK_FORM: Final = re.compile(r"([136])([0-9A-F]{3}) +([0-9A-F]{2}) +([0-9A-F]{3})")
_BLANK_SIZE: Final = 11
_RAW_FORM: Final = re.compile(
    r"(?:18|98|58)([136])([0-9A-F]{3})([0-9A-F]{2})([0-9A-F]{3})([0-9A-F])?"
)
_WRONG_QUALIFIER: Final = re.compile(r"[2-9A-F][0-9A-F]{3} [0-9A-F]{2} [0-9A-F]{3}")


def checksum(digits: str) -> str:
    """The DC-05 check digit of `digits` (account to zone): the sum is 0 modulo 15, 0 counts 10."""
    total = sum(int(digit, 16) or 10 for digit in digits)
    return "F1234567890BCDE"[-total % 15]


@lru_cache(maxsize=16384)
def read_blank_form(payload: bytes) -> tuple[ContactId, Signal] | None:
    """The usual form with its event, None for any other. Panels repeat themselves: cached."""
    match = _BLANK_FORM.fullmatch(to_text(payload)) if len(payload) == _BLANK_SIZE else None
    if match is None:
        return None
    block = ContactId(*match.groups())
    return block, contact_id_event(block)


def read_contact_id(payload: str, account: str) -> tuple[ContactId | None, str, str]:
    """Read a block: (block or None, leniency or "", fault or "").

    `account` is needed for the checksum of the raw form; four digits, padded with zeros.
    """
    text = payload.strip().upper()
    match = _BLANK_FORM.fullmatch(text)
    if match is not None:
        return ContactId(*match.groups()), "", ""
    match = _RAW_FORM.fullmatch(text)
    if match is not None:
        block = ContactId(*match.groups())
        if block.checksum is not None and not _sums_up(text, account):
            return block, f"{RAW_FORM}, checksum wrong", ""
        return block, RAW_FORM, ""
    if _WRONG_QUALIFIER.fullmatch(text):
        return None, "", f"{MALFORMED} (qualifier must be 1,3,6)"
    return None, "", MALFORMED


def _sums_up(text: str, account: str) -> bool:
    digits = account.upper().rjust(4, "0")[-4:] + text[:-1]
    return all(digit in "0123456789ABCDEF" for digit in digits) and checksum(digits) == text[-1]


def contact_id_event(block: ContactId) -> Signal:
    """The event of a block. Group 00 and zone or user 000 mean none."""
    info = lookup_contact_id(block.qualifier, block.code)
    kind = "User" if "User" in info.address_kind else info.address_kind
    zone, _, user = place(kind, block.zone)
    return Signal(
        info.code,
        "cid",
        info,
        zone=zone,
        area=number(block.group),
        user=user,
        address=block.zone,
    )
