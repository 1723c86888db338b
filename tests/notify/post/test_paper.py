"""A letter: its words are data, its address is in the window, and who writes stands under it."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from meldkamer.notify.carrier import Parcel
from meldkamer.notify.kinds import SettingsFault, kind_of, read_settings
from meldkamer.notify.letterhead import Letterhead
from meldkamer.notify.post.paper import (
    PaperFault,
    Window,
    address_lines,
    make_letter,
    pages_of,
    together,
)
from meldkamer.terms.loader import load
from tests.notify.mail.test_smtp import HEAD

_MM = 72 / 25.4
_A4_MM = 297


def parcel(**more: Any) -> Parcel:
    values: dict[str, Any] = {
        "id": 41, "channel": "letter", "template": "interrupted",
        "address": "Kerkstraat 12, 2800 Mechelen", "recipient": "An Peeters", "language": "nl",
        "subject": "De bewaking is onderbroken", "body": "Wij onderbreken.\n\n- één\n- twee",
        "provider_id": 1, "site_id": None, "incident_id": None, "contact_id": None,
        "created_at": datetime(2026, 11, 22, 23, 30, tzinfo=UTC), "attempt": 1,
    }  # fmt: skip
    return Parcel(**values | more)


def words(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


@pytest.mark.clause("S24.5", "M12.4")
@pytest.mark.parametrize(
    ("language", "day", "licence"),
    [
        ("nl", "23 november 2026", "Vergunning: 17.1234.56, geldig tot 31 maart 2029"),
        ("fr", "23 novembre 2026", "Autorisation : 17.1234.56, valable jusqu’au 31 mars 2029"),
        ("de", "23. November 2026", "Genehmigung: 17.1234.56, gültig bis 31. März 2029"),
        ("en", "Nov. 23, 2026", "Licence: 17.1234.56, valid until March 31, 2029"),
    ],
)
def test_a_letter_says_who_writes_with_company_seat_number_and_licence(
    language: str, day: str, licence: str
) -> None:
    paper = make_letter(parcel(language=language), HEAD, Window())
    shown = words(paper.pdf).replace("\N{SOFT HYPHEN}", "-").replace("\xa0", " ")
    for line in ("Securitas", "+3227523700", "0461.363.870", "1120 Brussel", day.split(",")[0],
                 licence.replace("\xa0", " "), "41", "An Peeters", "2800 MECHELEN"):  # fmt: skip
        assert line in shown, line
    assert paper.pages == 1


def test_the_pdf_says_its_title_and_language_and_has_the_marks_of_its_standards() -> None:
    reader = PdfReader(BytesIO(make_letter(parcel(), HEAD, Window()).pdf))
    root = reader.trailer["/Root"]
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"]) == ("nl", True)
    assert "/StructTreeRoot" in root
    assert reader.metadata is not None
    assert reader.metadata.title == "De bewaking is onderbroken"
    described = root["/Metadata"].get_data().decode()
    assert "<pdfuaid:part>1</pdfuaid:part>" in described
    assert "<pdfaid:part>2</pdfaid:part>" in described


def places(pdf: bytes) -> dict[str, tuple[float, float]]:
    """Each piece of text on the first page → mm from the left and from the top."""
    found: dict[str, tuple[float, float]] = {}

    def look(text: str, user: list[float], matrix: list[float], *_: object) -> None:
        if text.strip():
            x = matrix[4] * user[0] + matrix[5] * user[2] + user[4]
            y = matrix[4] * user[1] + matrix[5] * user[3] + user[5]
            found[text.strip()] = (x / _MM, _A4_MM - y / _MM)

    PdfReader(BytesIO(pdf)).pages[0].extract_text(visitor_text=look)
    return found


@pytest.mark.parametrize("window", [Window(), Window(left_mm=95, top_mm=50, width_mm=95)])
def test_the_address_and_nothing_else_stands_in_the_window(window: Window) -> None:
    address = "Kerkstraat 12 bus 3, Gebouw C, 2800 Mechelen"
    seen = places(make_letter(parcel(address=address), HEAD, window).pdf)
    right, bottom = window.left_mm + window.width_mm, window.top_mm + window.height_mm
    inside = {
        text
        for text, (x, y) in seen.items()
        if window.left_mm <= x <= right and window.top_mm <= y <= bottom
    }
    assert "".join(sorted(inside)).replace(" ", "") == "".join(
        sorted(["An Peeters", "Kerkstraat 12 bus 3", "Gebouw C", "2800 MECHELEN"])
    ).replace(" ", "")


NASTY = (
    '#panic("x") #include "/etc/passwd" #read("/etc/hostname") $x^2$ *bold* _it_ `raw` <label> '
    '@ref [x] {y} \\ // /* = #let a = 1 "quoted" ~ -- --- ... https://x.example #sys.inputs'
)


@pytest.mark.parametrize("field", ["subject", "body", "recipient", "address"])
def test_what_somebody_typed_is_printed_and_never_read_as_markup(field: str) -> None:
    paper = make_letter(parcel(**{field: NASTY}), HEAD, Window())
    # without blanks and without hyphens: a long line is broken anywhere
    shown = "".join(words(paper.pdf).split()).replace("\N{SOFT HYPHEN}", "").replace("-", "")
    for wanted in ('#panic("x")', '#include"/etc/passwd"', "$x^2$", "*bold*", "<label>", "//"):
        assert wanted in shown or wanted.upper() in shown, (wanted, shown)
    assert "root:" not in shown


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=120))
def test_every_text_makes_a_letter(text: str) -> None:
    assert make_letter(parcel(body=text, subject=text, recipient=text), HEAD, Window()).pages >= 1


def test_a_name_in_a_script_that_the_fonts_lack_is_printed_all_the_same() -> None:
    assert make_letter(parcel(recipient="王小明", body="ꦗꦮ"), HEAD, Window()).pages == 1


def test_a_long_letter_counts_its_pages_and_keeps_its_foot_on_each() -> None:
    paper = make_letter(parcel(body="\n\n".join(["woord " * 80] * 30)), HEAD, Window())
    assert paper.pages > 2
    pages = [page.extract_text() for page in PdfReader(BytesIO(paper.pdf)).pages]
    for number, page in enumerate(pages, 1):
        assert "0461.363.870" in page
        assert f"{number} / {paper.pages}" in page


def test_the_same_message_gives_the_same_letter() -> None:
    assert make_letter(parcel(), HEAD, Window()).pdf == make_letter(parcel(), HEAD, Window()).pdf


def test_papers_go_behind_the_letter_and_a_broken_one_is_named() -> None:
    behind = make_letter(parcel(subject="Proefverslag"), HEAD, Window()).pdf
    paper = make_letter(parcel(), HEAD, Window(), [behind])
    assert paper.pages == 2
    assert "Proefverslag" in words(paper.pdf)
    secret = PdfWriter()
    secret.append(BytesIO(behind))
    secret.encrypt("x")
    out = BytesIO()
    secret.write(out)
    for broken in (b"", b"%PDF-1.7 nothing", b"hello", out.getvalue()):
        with pytest.raises(PaperFault):
            make_letter(parcel(), HEAD, Window(), [broken])


def test_letters_printed_on_both_sides_begin_on_a_sheet_of_their_own() -> None:
    one = make_letter(parcel(), HEAD, Window()).pdf
    assert pages_of(together([one, one, one])) == 3
    assert pages_of(together([one, one, one], both_sides=True)) == 6


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        ("Kerkstraat 12, 2800 Mechelen", ["A", "Kerkstraat 12", "2800 MECHELEN"]),
        ("Kerkstraat 12 bus 3\n2800 Mechelen", ["A", "Kerkstraat 12 bus 3", "2800 MECHELEN"]),
        ("Rue X 1, 1200 Genève, Suisse", ["A", "Rue X 1", "1200 Genève", "SUISSE"]),
        (" , ", ["A"]),
    ],
)
def test_an_address_is_put_on_lines_of_its_own(address: str, lines: list[str]) -> None:
    assert address_lines(" A ", address) == lines


@pytest.mark.parametrize(
    "window",
    [{"window_left_mm": 10}, {"window_width_mm": 20}, {"window_left_mm": 150},
     {"window_top_mm": 5}, {"window_height_mm": 70}, {"depth": 3}],
)  # fmt: skip
def test_a_window_that_is_off_the_envelope_is_refused(window: dict[str, float]) -> None:
    with pytest.raises(SettingsFault, match=r"window|depth"):
        read_settings(kind_of("print_queue"), window)


def test_hours_that_make_no_sense_are_refused() -> None:
    with pytest.raises(SettingsFault, match="late_after_h"):
        read_settings(kind_of("print_queue"), {"late_after_h": 0})
    assert msgspec.to_builtins(read_settings(kind_of("print_queue"), {}))["late_after_h"] == 24


@pytest.mark.clause("S24.5", "M12.4")
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("nl", "Vergunning: bewakingsonderneming, beheer van alarmcentrales"),
        ("fr", "gestion de centrales d’alarme"),
        ("de", "Betrieb von Alarmzentralen"),
    ],
)
def test_the_licence_of_a_shipped_provider_is_in_the_readers_language(
    language: str, words: str
) -> None:
    licence = load("securitas-2022-05").house.licence
    assert words in Letterhead("Securitas", licence=licence).company_lines(language)[-1]
    own = Letterhead("Securitas", licence="17.1234.56").company_lines(language)[-1]
    assert own.endswith("17.1234.56")
