"""CRC-16/ARC, the checksum of every DC-09 frame.

Why: poly 0x8005 reflected, init 0, no xor-out; "123456789" gives BB3D. `binascii.crc_hqx` is
another polynomial and must never be used here. A compiled routine is used where it is
installed, else a table in plain Python: the same numbers, slower.
"""

from collections.abc import Callable
from typing import Final


def _table() -> tuple[int, ...]:
    entries = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
        entries.append(value)
    return tuple(entries)


_TABLE: Final = _table()


def crc16_arc_python(data: bytes) -> int:
    """CRC-16/ARC of `data` without any library; 0..0xFFFF."""
    crc = 0
    table = _TABLE
    for byte in data:
        crc = (crc >> 8) ^ table[(crc ^ byte) & 0xFF]
    return crc


def _fastest() -> Callable[[bytes], int]:
    try:
        from fastcrc import crc16
    except ImportError:
        return crc16_arc_python
    compiled: Callable[[bytes], int] = crc16.arc
    return compiled


crc16_arc: Final = _fastest()
"""CRC-16/ARC of bytes; 0..0xFFFF."""
