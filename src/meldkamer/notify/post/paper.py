"""A parcel as a letter on A4: PDF, with its address where the window of the envelope is.

Words go to typst as data, never as markup. The PDF conforms to PDF/A-2a and PDF/UA-1 where the
fonts have every letter; a name in a script that they lack is still printed, without the mark of
conformity. Never called in a transaction: it takes some 30 ms.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typst
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import override
from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError

from meldkamer.notify.carrier import TEST, Parcel
from meldkamer.notify.letterhead import Letterhead

# what typst brings along; the second one where a letter is missing in the first
_FONTS = ["Libertinus Serif", "DejaVu Sans Mono", "DejaVu Sans", "Noto Sans CJK SC"]
_Standards = list[Any]
_PROMISED: _Standards = ["a-2a", "ua-1"]
_NOT_PROMISED: _Standards = []
# whatever a broken file leads the library to
_BROKEN = (
    PyPdfError, OSError, ValueError, TypeError, LookupError, AttributeError, AssertionError,
    ArithmeticError, RecursionError, NotImplementedError,
)  # fmt: skip
_FOLDS_MM = (99, 198)
PAGES_MOST = 60


@dataclass(frozen=True, slots=True)
class Window:
    """Where the window of the envelope shows the folded letter, in mm from its top left corner.

    As it comes: DL and C5/6 with the window at the right, folded in three (Belgium).
    """

    left_mm: float = 110
    top_mm: float = 45
    width_mm: float = 80
    height_mm: float = 35

    def check(self) -> None:
        """ValueError for a window that is off the envelope, or too small for an address."""
        right_mm, bottom_mm = self.left_mm + self.width_mm, self.top_mm + self.height_mm
        if self.left_mm < 30 or self.width_mm < 40 or right_mm > 200:
            raise ValueError("window: expected it between 30 and 200 mm from the left, 40 mm wide")
        if self.top_mm < 30 or self.height_mm < 20 or bottom_mm > 95:
            raise ValueError("window: expected it between 30 and 95 mm from the top, 20 mm high")


@dataclass(frozen=True, slots=True)
class Paper:
    """A letter as it is printed."""

    pdf: bytes
    pages: int


class PaperFault(ValueError):
    """What was to go with a letter cannot be printed; says what and why."""


def make_letter(
    parcel: Parcel, letterhead: Letterhead, window: Window, enclosed: Sequence[bytes] = ()
) -> Paper:
    """The whole letter, with the PDF papers that go with it behind."""
    written = json.dumps(_data(parcel, letterhead, window), ensure_ascii=False)
    pdf = _compiled(written, int(parcel.created_at.timestamp()))
    if enclosed:
        for paper in enclosed:
            pages_of(paper)
        pdf = together([pdf, *enclosed])
    pages = pages_of(pdf)
    if pages > PAGES_MOST:
        raise PaperFault(f"the letter has {pages} pages; expected {PAGES_MOST} at most")
    return Paper(pdf, pages)


def together(letters: Sequence[bytes], *, both_sides: bool = False) -> bytes:
    """Several letters as one PDF, in order; both_sides: each begins on a sheet of its own.

    PaperFault when one of them is no PDF that can be printed.
    """
    out = PdfWriter()
    try:
        for pdf in letters:
            out.append(BytesIO(pdf), import_outline=False)
            if both_sides and len(out.pages) % 2:
                out.add_blank_page()
        written = BytesIO()
        out.write(written)
    except _BROKEN as fault:
        raise PaperFault(f"a paper cannot be printed: {type(fault).__name__}") from None
    return written.getvalue()


def pages_of(pdf: bytes) -> int:
    """How many pages; PaperFault when it is no PDF that can be printed."""
    try:
        reader = PdfReader(BytesIO(pdf))
        count = 0 if reader.is_encrypted else len(reader.pages)
    except _BROKEN as fault:
        raise PaperFault(f"a paper cannot be read: {type(fault).__name__}") from None
    if not count:
        raise PaperFault("a paper has a password or no page, and cannot be printed")
    return count


def address_lines(recipient: str, address: str) -> list[str]:
    """Name, street, postal code and town: as they stand in the window, the town in capitals."""
    parts = [part.strip() for part in address.replace("\n", ",").split(",")]
    lines = [part for part in parts if part]
    if lines:
        lines[-1] = lines[-1].upper()
    return [line for line in (recipient.strip(), *lines) if line]


def _data(parcel: Parcel, letterhead: Letterhead, window: Window) -> dict[str, object]:
    language = parcel.language
    with override(language):
        local = localtime(parcel.created_at, ZoneInfo(letterhead.timezone))
        day = date_format(local, "DATE_FORMAT")
        about = [[_("Date"), day], [_("Our reference"), str(parcel.id)]]
        closing = _("Kind regards,")
        mark = _("TEST: do not post") if parcel.template == TEST else ""
    return {
        "language": language,
        "fonts": _FONTS,
        "subject": parcel.subject or letterhead.name,
        "mark": mark,
        "sender": {
            "name": letterhead.name,
            "contact": letterhead.contact_line(language),
            "foot": letterhead.company_lines(language),
        },
        "address": address_lines(parcel.recipient, parcel.address),
        "about": about,
        "closing": closing,
        "parts": _parts(parcel.body),
        "window": {
            "left": window.left_mm,
            "top": window.top_mm,
            "width": window.width_mm,
            "height": window.height_mm,
        },
        "folds": _FOLDS_MM,
    }


def _parts(body: str) -> list[dict[str, object]]:
    """Paragraphs and lists, as in a mail."""
    found = []
    for block in body.split("\n\n"):
        lines = [line for line in block.split("\n") if line.strip()]
        if not lines:
            continue
        listed = all(line.startswith("- ") for line in lines)
        found.append({"list": listed, "lines": [line[2:] if listed else line for line in lines]})
    return found


@cache
def _template() -> bytes:
    return (Path(__file__).parent / "letter.typ").read_bytes()


def _compiled(written: str, timestamp: int) -> bytes:
    """With the fonts that come along; then with the system's; at last without the promise."""
    for alone, standards in ((True, _PROMISED), (False, _PROMISED), (False, _NOT_PROMISED)):
        try:
            return bytes(
                typst.compile(
                    _template(),
                    sys_inputs={"letter": written},
                    ignore_system_fonts=alone,
                    pdf_standards=standards,
                    timestamp=timestamp,
                )
            )
        except typst.TypstError as fault:
            last = fault
    raise PaperFault(f"the letter cannot be set: {last}")
