"""The GSM 7 bit alphabet (3GPP TS 23.038, 6.2.1), one character in an octet as SMPP carries it.

Never: a character replaced by one that looks like it. What does not fit is sent as UCS-2; what
comes in and is not in the tables shows as the replacement character, so nothing that a person sent
goes away unseen.
"""

from __future__ import annotations

ESCAPE = 0x1B
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
#: after an escape
_EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]",
    0x40: "|", 0x65: "€",
}  # fmt: skip
_CODES: dict[str, bytes] = {
    **{char: bytes([code]) for code, char in enumerate(_BASIC) if code != ESCAPE},
    **{char: bytes([ESCAPE, code]) for code, char in _EXTENSION.items()},
}


def fits(text: str) -> bool:
    """Whether each character is in the alphabet or its extension."""
    return all(char in _CODES for char in text)


def units(text: str) -> list[bytes]:
    """Each character as its one or two octets, which are not to be parted. KeyError: not fit."""
    return [_CODES[char] for char in text]


def encode(text: str) -> bytes:
    """One octet for each septet. KeyError when the text does not fit."""
    return b"".join(units(text))


def decode(octets: bytes) -> str:
    """The text of such octets; never fails.

    An unknown code after an escape shows as the character of the basic table, as the standard
    asks of phones that do not know a table; an octet above 0x7F is not of this alphabet.
    """
    found, escaped = [], False
    for octet in octets:
        if escaped and octet != ESCAPE:
            found.append(_EXTENSION.get(octet) or _basic(octet))
        elif octet != ESCAPE:
            found.append(_basic(octet))
        elif escaped:
            found.append(" ")
        escaped = octet == ESCAPE and not escaped
    return "".join(found)


def _basic(octet: int) -> str:
    return _BASIC[octet] if octet < len(_BASIC) else "\ufffd"
