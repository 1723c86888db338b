"""Papers are kept by what they are (S22.1), and what rests on them needs them (S20.1, S12.2)."""

from __future__ import annotations

from hashlib import sha256

import pytest

from meldkamer.contracts import documents
from meldkamer.contracts.models import Document
from meldkamer.incidents.service import testing
from meldkamer.sites.faults import Refused
from tests.incidents.town import NOW, Town, at, told

PDF = b"%PDF-1.7\n% a letter"


def keep(town: Town, content: bytes = PDF, name: str = "letter.pdf") -> Document:
    return documents.keep(town.site, name, content, NOW, "staff:1")


@pytest.mark.clause("S22.1")
def test_a_paper_is_kept_byte_for_byte_and_its_digest_is_in_the_journal(town: Town) -> None:
    kept = Document.objects.get(pk=keep(town).pk)
    assert bytes(kept.content) == PDF
    assert (kept.content_type, kept.size) == ("application/pdf", len(PDF))
    [entry] = told("document.kept")
    assert entry.data["sha256"] == sha256(PDF).hexdigest() == kept.sha256
    assert entry.clause == "S22.1"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"\xff\xd8\xff\xe0...", "image/jpeg"),
        (b"II*\0...", "image/tiff"),
        ("Bonjour, à partir de lundi\n".encode(), "text/plain"),
    ],
)
def test_the_kind_of_a_paper_is_found_in_it(town: Town, content: bytes, kind: str) -> None:
    assert keep(town, content, "whatever.exe").content_type == kind


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "document_missing"),
        (b"MZ\x90\x00program", "document_kind"),
        (b"PK\x03\x04zip", "document_kind"),
        (b"text with \x00 in it", "document_kind"),
        (b"%PDF-" + b"x" * documents.MOST_BYTES, "document_large"),
    ],
)
def test_what_is_no_paper_is_refused(town: Town, content: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        keep(town, content)
    assert [fault.code for fault in refused.value.faults] == [code]
    assert not Document.objects.exists()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\an\\brief.pdf", "brief.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie: x.pdf"),
        ("", "document"),
        ("x" * 500, "x" * 120),
    ],
)
def test_a_name_is_a_name_and_no_path(town: Town, name: str, shown: str) -> None:
    assert keep(town, name=name).name == shown


@pytest.mark.clause("S20.1")
def test_a_test_in_writing_needs_its_paper_and_may_be_longer_than_a_day(town: Town) -> None:
    def ask(document: Document | None) -> None:
        testing.start_in_writing(
            town.site.pk, at(5 * 86_400), "works", document, NOW, by="customer", actor="staff:1"
        )

    with pytest.raises(Refused) as refused:
        ask(None)
    assert [fault.code for fault in refused.value.faults] == ["document_missing"]
    ask(keep(town))
    test = town.site.tests.get()
    assert (test.until, test.in_writing) == (at(5 * 86_400), True)
    [started] = told("test.started")
    assert (started.clause, started.reason) == ("S20.1", "works")


@pytest.mark.clause("S20.1")
def test_a_test_of_zones_or_areas_names_those_of_the_sheet(town: Town) -> None:
    with pytest.raises(Refused) as refused:
        testing.start_in_writing(
            town.site.pk, at(60), "works", keep(town), NOW,
            by="customer", actor="staff:1", zones=("1", "77"), areas=("4",),
        )  # fmt: skip
    assert [(f.field, f.numbers["found"]) for f in refused.value.faults] == [
        ("zones", "77"),
        ("areas", "4"),
    ]
