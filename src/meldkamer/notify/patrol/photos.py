"""What a photo is, by its content, and the copy of it that is shown. Pure.

A photo is kept as the phone made it: it may have to prove something. What is shown at the desk is a
copy without what the phone wrote beside the picture (place, device, owner); how it is to be turned
stays. Never: believe a name or a type that was sent along, or show what is of no known kind.
"""

from __future__ import annotations

import struct

MOST_BYTES = 8 * 1024 * 1024
KINDS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_START_OF_SCAN, _APP1, _APP2, _APP14, _APP15, _COMMENT = 0xDA, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_PNG_TELLS = (b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME")
_WEBP_TELLS = (b"EXIF", b"XMP ")
_ORIENTATION = 0x0112


class PhotoFault(ValueError):
    """No photo; the message says what was expected."""


def kind_of(content: bytes) -> str:
    """The content type by its first bytes; PhotoFault for anything else, or too much of it."""
    if not content:
        raise PhotoFault("empty")
    if len(content) > MOST_BYTES:
        raise PhotoFault("too large")
    if content.startswith(_JPEG):
        return "image/jpeg"
    if content.startswith(_PNG):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    raise PhotoFault("not a photo")


def shown(content: bytes, kind: str) -> bytes:
    """The copy to show; PhotoFault when it is cut off or made up in another way than its kind."""
    try:
        return {"image/jpeg": _jpeg, "image/png": _png, "image/webp": _webp}[kind](content)
    except (struct.error, IndexError, KeyError):
        raise PhotoFault("cut off") from None


def _jpeg(content: bytes) -> bytes:
    kept, turned, at = [content[:2]], 0, 2
    while True:
        mark, code, length = struct.unpack_from(">BBH", content, at)
        if mark != 0xFF or length < 2 or at + 2 + length > len(content):
            raise PhotoFault("cut off")
        part = content[at : at + 2 + length]
        if code == _START_OF_SCAN:
            break
        if code == _APP1 and part[4:10] == b"Exif\0\0":
            turned = turned or _orientation(part[10:])
        # APP2 is the colours (ICC) where it says so, APP14 how they are coded
        plain = not (_APP1 <= code <= _APP15 or code == _COMMENT) or code == _APP14
        if plain or (code == _APP2 and part[4:15] == b"ICC_PROFILE"):
            kept.append(part)
        at += 2 + length
    if turned > 1:
        kept.insert(1, _turned(turned))
    # another picture may follow the first one; its metadata as well
    end = content.find(b"\xff\xd9", at)
    if end < 0:
        raise PhotoFault("cut off")
    return b"".join([*kept, content[at : end + 2]])


def _orientation(tiff: bytes) -> int:
    """1 to 8 as the phone was held; 0 when it does not say."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 0
    (first,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, first)
    for number in range(min(count, 200)):
        tag, form, many, value = struct.unpack_from(f"{order}HHIH", tiff, first + 2 + 12 * number)
        if (tag, form, many) == (_ORIENTATION, 3, 1):
            return value if 1 <= value <= 8 else 0
    return 0


def _turned(orientation: int) -> bytes:
    """An APP1 segment that says nothing but how the picture is turned."""
    tiff = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, _ORIENTATION, 3, 1, orientation, 0, 0)
    return struct.pack(">BBH", 0xFF, _APP1, 2 + 6 + len(tiff)) + b"Exif\0\0" + tiff


def _png(content: bytes) -> bytes:
    kept, at = [content[:8]], 8
    while at < len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        if at + 12 + length > len(content):
            raise PhotoFault("cut off")
        if name not in _PNG_TELLS:
            kept.append(content[at : at + 12 + length])
        at += 12 + length
        if name == b"IEND":
            return b"".join(kept)
    raise PhotoFault("cut off")


def _webp(content: bytes) -> bytes:
    kept, at = [], 12
    while at < len(content):
        name, length = struct.unpack_from("<4sI", content, at)
        whole = 8 + length + length % 2
        if at + 8 + length > len(content):
            raise PhotoFault("cut off")
        part = bytearray(content[at : at + whole])
        if name == b"VP8X":
            part[8] &= ~0b1100  # no EXIF, no XMP follows
        if name not in _WEBP_TELLS:
            kept.append(bytes(part))
        at += whole
    body = b"".join(kept)
    return struct.pack("<4sI4s", b"RIFF", 4 + len(body), b"WEBP") + body
