"""How many parts a text is sent in: each is paid for, and a long one arrives late.

A text in the alphabet of GSM 03.38 has 160 characters, or 153 a part when there are several; one
character outside of it makes all of it UCS-2: 70, or 67 a part. No part ends inside a character.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# GSM 03.38, the basic alphabet; those of its extension take two places
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
_GSM, _GSM_PART = 160, 153
_UCS2, _UCS2_PART = 70, 67


@dataclass(frozen=True, slots=True)
class Parts:
    """length: places taken, of so many in `room`; outside: what makes it UCS-2, each once."""

    count: int
    length: int
    room: int
    outside: tuple[str, ...]


def parts(text: str) -> Parts:
    """In how many parts a text goes."""
    outside = tuple(dict.fromkeys(c for c in text if c not in _BASIC and c not in _EXTENDED))
    if outside:
        sizes = [2 if ord(char) > 0xFFFF else 1 for char in text]
        whole, part = _UCS2, _UCS2_PART
    else:
        sizes = [2 if char in _EXTENDED else 1 for char in text]
        whole, part = _GSM, _GSM_PART
    length = sum(sizes)
    if length <= whole:
        return Parts(1, length, whole, outside)
    count = _filled(sizes, part)
    return Parts(count, length, count * part, outside)


def _filled(sizes: Iterable[int], part: int) -> int:
    count, left = 1, part
    for size in sizes:
        if size > left:
            count, left = count + 1, part
        left -= size
    return count
