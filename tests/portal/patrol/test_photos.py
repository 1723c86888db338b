"""What is a photo, and what is shown of it: the picture, not where and by whom it was taken."""

from __future__ import annotations

import struct
import zlib

import pytest

from meldkamer.notify.patrol import photos


def segment(code: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, code, len(body) + 2) + body


def exif(orientation: int, order: str = ">") -> bytes:
    """EXIF with a place in it, and how the phone was held."""
    mark = b"MM" if order == ">" else b"II"
    tiff = struct.pack(f"{order}2sHIH", mark, 42, 8, 2)
    tiff += struct.pack(f"{order}HHII", 0x8825, 4, 1, 99)  # where the GPS part begins
    tiff += struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    return segment(0xE1, b"Exif\0\0" + tiff + b"N51.0406 E3.7172 PHONE OF JAN")


def jpeg(*parts: bytes, scan: bytes = b"\x12\xff\x00\x34") -> bytes:
    return b"\xff\xd8" + b"".join(parts) + segment(0xDA, b"\x01") + scan + b"\xff\xd9"


def chunk(name: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", crc)


def test_kinds_are_found_in_the_content() -> None:
    assert photos.kind_of(jpeg()) == "image/jpeg"
    assert photos.kind_of(b"\x89PNG\r\n\x1a\n") == "image/png"
    assert photos.kind_of(b"RIFF\x04\0\0\0WEBP") == "image/webp"
    for wrong in (b"", b"GIF89a", b"<svg/>", b"%PDF-1.4", b"\xff\xd8\xff" + b"0" * (8 * 2**20)):
        with pytest.raises(photos.PhotoFault):
            photos.kind_of(wrong)


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_jpeg_is_shown_without_place_and_owner_and_still_the_right_way_up(
    order: str, orientation: int
) -> None:
    tables = segment(0xDB, b"tables")
    colours = segment(0xE2, b"ICC_PROFILE\0 colours")
    taken = jpeg(
        segment(0xE0, b"JFIF\0"), exif(orientation, order), colours, segment(0xFE, b"by Jan"),
        segment(0xED, b"Photoshop 3.0 Gent"), tables,
    )  # fmt: skip
    shown = photos.shown(taken, "image/jpeg")
    for secret in (b"51.0406", b"JAN", b"by Jan", b"Gent"):
        assert secret in taken
        assert secret not in shown
    assert tables in shown
    assert colours in shown
    assert b"\x12\xff\x00\x34\xff\xd9" in shown
    at = shown.index(b"Exif\0\0")
    assert photos._orientation(shown[at + 6 :]) == orientation


def test_what_hangs_behind_a_jpeg_is_not_shown() -> None:
    shown = photos.shown(jpeg(segment(0xE0, b"JFIF\0")) + b"PHONE OF JAN", "image/jpeg")
    assert b"JAN" not in shown


def test_a_png_is_shown_without_its_texts() -> None:
    taken = b"\x89PNG\r\n\x1a\n" + b"".join(
        [
            chunk(b"IHDR", b"x" * 13),
            chunk(b"eXIf", b"N51.0406"),
            chunk(b"tEXt", b"by Jan"),
            chunk(b"IDAT", b"pixels"),
            chunk(b"IEND", b""),
        ]
    )
    shown = photos.shown(taken, "image/png")
    assert b"51.0406" not in shown
    assert b"Jan" not in shown
    assert chunk(b"IDAT", b"pixels") in shown
    assert shown.endswith(chunk(b"IEND", b""))


def test_a_webp_is_shown_without_its_metadata() -> None:
    def part(name: bytes, body: bytes) -> bytes:
        return struct.pack("<4sI", name, len(body)) + body + b"\0" * (len(body) % 2)

    body = part(b"VP8X", bytes([0b1100]) + b"\0" * 9) + part(b"VP8 ", b"pixel")
    body += part(b"EXIF", b"N51.0406") + part(b"XMP ", b"by Jan!")
    taken = struct.pack("<4sI4s", b"RIFF", 4 + len(body), b"WEBP") + body
    shown = photos.shown(taken, "image/webp")
    assert b"51.0406" not in shown
    assert b"Jan" not in shown
    assert part(b"VP8X", b"\0" * 10) in shown
    assert struct.unpack_from("<I", shown, 4)[0] == len(shown) - 8


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png", "image/webp"])
def test_what_is_cut_off_anywhere_is_refused(kind: str) -> None:
    whole = {
        "image/jpeg": jpeg(segment(0xE0, b"JFIF\0"), segment(0xDB, b"tables")),
        "image/png": b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"x" * 13) + chunk(b"IEND", b""),
        "image/webp": b"RIFF\x12\0\0\0WEBPVP8 \x06\0\0\0pixels",
    }[kind]
    photos.shown(whole, kind)
    # a webp that ends between two of its parts has no mark of its end but the length in its head
    for length in range(13, len(whole)):
        with pytest.raises(photos.PhotoFault):
            photos.shown(whole[:length], kind)
