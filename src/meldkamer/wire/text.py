"""Bytes of a transmitter as text a person can read.

Why: DC-09 checks its CRC over raw bytes; text is UTF-8 in new editions, CP1252 in the field.
Never: fail, and never hand on a NUL character (PostgreSQL refuses it): it becomes the visible
sign U+2400.
"""

import codecs
from typing import Final


def _windows_1252() -> str:
    # The five positions that CP1252 leaves open stay what they are in Latin-1.
    return "".join(bytes([value]).decode("cp1252", "ignore") or chr(value) for value in range(256))


_CP1252: Final = _windows_1252()
NUL_SIGN: Final = "\u2400"


def to_text(data: bytes) -> str:
    """Strict UTF-8 if it is that, else CP1252; never raises, never contains NUL."""
    if data.isascii():
        text = data.decode("ascii")
    else:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = codecs.charmap_decode(data, "strict", _CP1252)[0]
    return text.replace("\0", NUL_SIGN) if "\0" in text else text
