"""A customer who is written to gets the paper that it rests on; no message fails because of it."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import SMTP
from io import BytesIO

import msgspec
import pytest
from pypdf import PdfReader, PdfWriter

from meldkamer.contracts import documents
from meldkamer.contracts.models import Document
from meldkamer.incidents import interrupting, testing
from meldkamer.incidents.facts import terms_of
from meldkamer.notify.mail.addresses import read_address
from meldkamer.notify.mail.composing import Sender, compose
from meldkamer.notify.mail.enclosures import papers_of
from meldkamer.notify.models import OutboxMessage
from meldkamer.notify.outbox import _parcel
from meldkamer.notify.post.paper import Window, make_letter
from tests.incidents.town import NOW, Town, at, told


def _pdf() -> bytes:
    writer, out = PdfWriter(), BytesIO()
    writer.add_blank_page(width=595, height=842)
    writer.write(out)
    return out.getvalue()


def _interrupted(town: Town, content: bytes, name: str) -> Document:
    paper = documents.keep(town.site, name, content, NOW, "staff:1")
    interrupting.interrupt(
        town.site.pk, "broken", "cable cut", NOW, actor="staff:1", document=paper
    )
    return paper


@pytest.mark.clause("D908.1", "M12.3")
def test_the_notice_of_an_interruption_goes_with_its_mail_as_it_was_kept(town: Town) -> None:
    content = _pdf()
    _interrupted(town, content, "aanmaning.pdf")
    message = OutboxMessage.objects.get(template="interrupted")
    parcel = _parcel(message)
    letterhead, papers = papers_of(parcel)
    sender = Sender(read_address("ops@securitas.example"))
    mail = compose(parcel, read_address(parcel.address), sender, letterhead, papers)
    read = message_from_bytes(mail.as_bytes(policy=SMTP), policy=SMTP)
    [part] = list(read.iter_attachments())
    assert (part.get_filename(), part.get_content()) == ("aanmaning.pdf", content)
    [entry] = told("mail.sent")
    assert (entry.clause, entry.data["papers"]) == ("D908.1", ["aanmaning.pdf"])


@pytest.mark.clause("D908.1")
def test_who_has_no_address_for_mail_gets_the_notice_behind_the_letter(town: Town) -> None:
    town.site.customer.email = ""
    town.site.customer.save()
    _interrupted(town, _pdf(), "aanmaning.pdf")
    parcel = _parcel(OutboxMessage.objects.get(template="interrupted"))
    assert parcel.channel == "letter"
    letterhead, papers = papers_of(parcel)
    alone = make_letter(parcel, letterhead, Window())
    whole = make_letter(parcel, letterhead, Window(), [one.content for one in papers])
    assert len(PdfReader(BytesIO(whole.pdf)).pages) == alone.pages + 1
    [entry] = told("letter.sent")
    assert (entry.clause, entry.data["papers"]) == ("D908.1", ["aanmaning.pdf"])


@pytest.mark.clause("D908.1")
@pytest.mark.parametrize("content", [b"\xff\xd8\xff\xe0 a photo", b"%PDF-1.7\n% broken"])
def test_what_cannot_be_printed_stays_behind_and_the_letter_goes(
    town: Town, content: bytes
) -> None:
    town.site.customer.email = ""
    town.site.customer.save()
    _interrupted(town, content, "notice")
    message = OutboxMessage.objects.get(template="interrupted")
    assert not message.attachments.exists()
    [entry] = told("letter.sent")
    assert (entry.clause, entry.data["left_out"]) == ("D908.1", ["notice"])
    assert "papers" not in entry.data


@pytest.mark.clause("D908.1")
def test_a_paper_too_large_for_a_mail_stays_behind_and_the_mail_goes(town: Town) -> None:
    _interrupted(town, b"%PDF-" + b"x" * 7_500_000, "scan.pdf")
    assert not OutboxMessage.objects.get(template="interrupted").attachments.exists()
    [entry] = told("mail.sent")
    assert (entry.clause, entry.data["left_out"]) == ("D908.1", ["scan.pdf"])


@pytest.mark.clause("S20.1")
def test_the_summary_of_a_written_test_carries_what_was_asked(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = terms_of(town.site)
    mode = msgspec.structs.replace(own.test_mode, summary_mail=True)
    terms = msgspec.structs.replace(own, test_mode=mode)
    monkeypatch.setattr("meldkamer.incidents.facts.load", lambda name: terms)
    paper = documents.keep(town.site, "aanvraag.pdf", _pdf(), NOW, "staff:1")
    test = testing.start_in_writing(
        town.site.pk, at(3600), "works", paper, NOW, by="customer", actor="staff:1"
    )
    testing.end_test(test, at(40), by="customer")
    [enclosed] = OutboxMessage.objects.get(template="test_summary").attachments.all()
    assert (enclosed.name, enclosed.sha256) == ("aanvraag.pdf", paper.sha256)
    [entry] = told("mail.sent")
    assert (entry.clause, entry.data["papers"]) == ("S20.1", ["aanvraag.pdf"])
