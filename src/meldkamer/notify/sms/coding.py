"""Text to what an SMS centre carries, and back: alphabets, parts of a long text, their headers.

Invariant: the parts of a text, put together again, are that text; no character is cut in two.
Sizes are those of 3GPP TS 23.040: 140 octets in one text, six of them the header of a part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from meldkamer.notify.sms import gsm

Alphabet = Literal["gsm", "latin1"]
#: data_coding (SMPP 3.4, 5.2.19)
DEFAULT, ASCII, OCTETS, LATIN1, OCTETS_TOO, JIS, CYRILLIC, HEBREW, UCS2 = 0, 1, 2, 3, 4, 5, 6, 7, 8
_CODECS = {
    ASCII: "ascii", OCTETS: "latin-1", LATIN1: "latin-1", OCTETS_TOO: "latin-1",
    JIS: "shift_jis", CYRILLIC: "iso8859_5", HEBREW: "iso8859_8", UCS2: "utf-16-be",
}  # fmt: skip
#: what one text holds, and one of several: septets of GSM, octets of UCS-2
_ALONE = {DEFAULT: 160, UCS2: 140}
_PART = {DEFAULT: 153, UCS2: 134}
_CONCATENATED_8, _CONCATENATED_16 = 0x00, 0x08
PARTS_MOST = 255


@dataclass(frozen=True, slots=True)
class Cut:
    """A text as it is sent. parts: octets of each, without headers; one when it fits."""

    data_coding: int
    parts: tuple[bytes, ...]


def cut(text: str, alphabet: Alphabet = "gsm") -> Cut:
    """The text in as many parts as it needs, in the alphabet that takes it (UCS-2 at last).

    alphabet: what the centre means by data_coding 0.
    """
    coding, units = _units(text, alphabet)
    if sum(size for _, size in units) <= _ALONE[coding]:
        return Cut(coding, (b"".join(octets for octets, _ in units),))
    parts, part, room = [], bytearray(), _PART[coding]
    for octets, size in units:
        if size > room:
            parts.append(bytes(part))
            part, room = bytearray(), _PART[coding]
        part += octets
        room -= size
    return Cut(coding, (*parts, bytes(part)))


def whole(text: str, alphabet: Alphabet = "gsm") -> tuple[int, bytes]:
    """data_coding and octets of the text in one piece."""
    coding, units = _units(text, alphabet)
    return coding, b"".join(octets for octets, _ in units)


def _units(text: str, alphabet: Alphabet) -> tuple[int, list[tuple[bytes, int]]]:
    """data_coding, and each character's octets with the room it takes."""
    if gsm.fits(text):
        units = gsm.units(text)
        if alphabet == "gsm":
            return DEFAULT, [(unit, len(unit)) for unit in units]
        if all(ord(char) < 0x100 for char in text):
            # the centre makes GSM of it, where some take two
            return DEFAULT, [
                (char.encode("latin-1"), len(unit)) for char, unit in zip(text, units, strict=True)
            ]
    wide = [char.encode("utf-16-be", "replace") for char in text]
    return UCS2, [(unit, len(unit)) for unit in wide]


def decode(data_coding: int, octets: bytes, alphabet: Alphabet = "gsm") -> str:
    """The text that a person sent; never fails. Unknown codings are read as the centre's own."""
    group = data_coding & 0xF0
    if data_coding in _CODECS:
        return octets.decode(_CODECS[data_coding], "replace")
    if group == 0xF0 and data_coding & 0x04:  # message class, 8 bit
        return octets.decode("latin-1")
    if group == 0xE0:  # message waiting, UCS-2
        return octets.decode("utf-16-be", "replace")
    return gsm.decode(octets) if alphabet == "gsm" else octets.decode("latin-1")


@dataclass(frozen=True, slots=True)
class PieceOf:
    """Which piece of a longer text one is. number counts from 1."""

    ref: int
    of: int
    number: int


def header(piece: PieceOf) -> bytes:
    """The user data header of a part; its ref is of eight bits."""
    return bytes([5, _CONCATENATED_8, 3, piece.ref & 0xFF, piece.of, piece.number])


def take_header(octets: bytes) -> tuple[PieceOf | None, bytes]:
    """What the user data header says of a longer text, and the octets after it.

    A header that does not fit its octets is none: all of it is text then, so that nothing is lost.
    """
    end = octets[0] + 1 if octets else 0
    if end < 1 or end > len(octets):
        return None, octets
    at, found = 1, None
    while at + 2 <= end:
        kind, size = octets[at], octets[at + 1]
        value = octets[at + 2 : at + 2 + size]
        at += 2 + size
        if at > end:
            return None, octets
        if kind == _CONCATENATED_8 and size == 3:
            found = PieceOf(value[0], value[1], value[2])
        elif kind == _CONCATENATED_16 and size == 4:
            found = PieceOf(value[0] << 8 | value[1], value[2], value[3])
    return piece_or_none(found), octets[end:]


def piece_or_none(found: PieceOf | None) -> PieceOf | None:
    """None for what says that it is the only piece, or one that cannot be."""
    if found is None or found.of < 2 or not 1 <= found.number <= found.of:
        return None
    return found
