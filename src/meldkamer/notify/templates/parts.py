"""How many parts a text is sent in: each is paid for, and a long one arrives late.

Cut where the carrier cuts it (`notify.sms.coding`): 160 characters of the GSM alphabet, or 153 a
part when there are several; one character outside of it makes all of it UCS-2: 70, or 67 a part.
"""

from __future__ import annotations

from dataclasses import dataclass

from meldkamer.notify.sms import gsm
from meldkamer.notify.sms.coding import cut

_GSM, _GSM_PART = 160, 153
_UCS2, _UCS2_PART = 70, 67
_OCTETS_OF_UCS2 = 2


@dataclass(frozen=True, slots=True)
class Parts:
    """length: places taken, of so many in `room`; outside: what makes it UCS-2, each once."""

    count: int
    length: int
    room: int
    outside: tuple[str, ...]


def parts(text: str) -> Parts:
    """In how many parts a text goes."""
    outside = tuple(dict.fromkeys(char for char in text if not gsm.fits(char)))
    pieces = cut(text).parts
    places = sum(map(len, pieces)) // (_OCTETS_OF_UCS2 if outside else 1)
    whole, part = (_UCS2, _UCS2_PART) if outside else (_GSM, _GSM_PART)
    return Parts(len(pieces), places, whole if len(pieces) == 1 else len(pieces) * part, outside)
