"""A customer who is written to gets the paper that it rests on; no message fails because of it."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import SMTP
from io import BytesIO

import msgspec
import pytest
from django.db import transaction
from pypdf import PdfReader, PdfWriter

from meldkamer.contracts import documents
from meldkamer.contracts.models import Document
from meldkamer.incidents.deciding.facts import terms_of
from meldkamer.incidents.messages import receipts, sent
from meldkamer.incidents.service import interrupting, testing
from meldkamer.notify.carrier import ReceiptState
from meldkamer.notify.mail.addresses import read_address
from meldkamer.notify.mail.composing import Sender, compose
from meldkamer.notify.mail.enclosures import papers_of
from meldkamer.notify.models import OutboxMessage
from meldkamer.notify.outbox import _parcel
from meldkamer.notify.post.paper import Window, make_letter
from meldkamer.terms.model import Mailing
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
    monkeypatch.setattr("meldkamer.incidents.deciding.facts.load", lambda name: terms)
    paper = documents.keep(town.site, "aanvraag.pdf", _pdf(), NOW, "staff:1")
    test = testing.start_in_writing(
        town.site.pk, at(3600), "works", paper, NOW, by="customer", actor="staff:1"
    )
    testing.end_test(test, at(40), by="customer")
    [enclosed] = OutboxMessage.objects.get(template="test_summary").attachments.all()
    assert (enclosed.name, enclosed.sha256) == ("aanvraag.pdf", paper.sha256)
    [entry] = told("mail.sent")
    assert (entry.clause, entry.data["papers"]) == ("S20.1", ["aanvraag.pdf"])


@pytest.fixture
def by_post(town: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    """A town outside of practice whose terms have mail that came back written by post."""
    town.provider.practice = False
    town.provider.save()
    town.site.street, town.site.town = "Kerkstraat 12", "Antwerpen"
    town.site.save()
    terms = msgspec.structs.replace(terms_of(town.site), mailing=Mailing(instead="letter"))
    monkeypatch.setattr("meldkamer.incidents.deciding.facts.load", lambda name: terms)
    return town


def _came_back(message: OutboxMessage, why: str) -> None:
    OutboxMessage.objects.filter(pk=message.pk).update(state="handed_over", handed_over_at=NOW)
    message.refresh_from_db()
    with transaction.atomic():
        sent.lock_for(message.site_id, message.incident_id)
        receipts.take(message, ReceiptState.FAILED, why, at(60))


@pytest.mark.clause("D908.1", "M12.1", "M12.4")
def test_a_notice_that_came_back_goes_by_post_once_with_its_words_and_papers(
    by_post: Town,
) -> None:
    _interrupted(by_post, _pdf(), "aanmaning.pdf")
    mail = OutboxMessage.objects.get(channel="mail")
    _came_back(mail, "5.1.1 no such user")
    # a second report of the same mail
    with transaction.atomic():
        sent.lock_for(mail.site_id, mail.incident_id)
        receipts.take(mail, ReceiptState.FAILED, "told again", at(90))
    letter = OutboxMessage.objects.get(channel="letter")
    assert (letter.subject, letter.body, letter.language) == (
        mail.subject, mail.body, mail.language,
    )  # fmt: skip
    assert letter.address == "Kerkstraat 12, 2000 Antwerpen"
    assert [paper.name for paper in letter.attachments.all()] == ["aanmaning.pdf"]
    [entry] = told("letter.sent")
    assert (entry.clause, entry.data["instead_of"]) == ("D908.1", mail.pk)
    assert entry.data["papers"] == ["aanmaning.pdf"]


@pytest.mark.clause("D908.1")
def test_a_letter_that_is_turned_down_goes_no_further_way(by_post: Town) -> None:
    by_post.site.customer.email = ""
    by_post.site.customer.save()
    _interrupted(by_post, _pdf(), "aanmaning.pdf")
    _came_back(OutboxMessage.objects.get(channel="letter"), "no address")
    assert OutboxMessage.objects.filter(template="interrupted").count() == 1
    assert [entry.clause for entry in told("letter.rejected")] == ["D908.1"]


@pytest.mark.clause("D908.1")
def test_without_the_terms_word_mail_that_came_back_is_told_and_nothing_is_posted(
    town: Town,
) -> None:
    _interrupted(town, _pdf(), "aanmaning.pdf")
    _came_back(OutboxMessage.objects.get(channel="mail"), "5.1.1 no such user")
    assert not OutboxMessage.objects.filter(channel="letter").exists()
    assert [entry.clause for entry in told("mail.rejected")] == ["D908.1"]
