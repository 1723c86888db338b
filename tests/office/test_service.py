"""The service of a site in the office: interrupt, resume, test in writing, papers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from meldkamer.contracts import documents, interruptions, needless, tasks
from meldkamer.contracts.models import Document, Interruption, Task, TestMode
from meldkamer.incidents.deciding.facts import terms_of
from meldkamer.journal.models import Entry
from meldkamer.people.models import Staff
from meldkamer.sites.models import Customer, Provider, Site
from meldkamer.watch.models import UndefinedCode
from tests.office.conftest import person

PDF = b"%PDF-1.7\n% a letter"
NOW = datetime.now(UTC)


def letter(content: bytes = PDF, name: str = "brief.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "text/html")


def at(name: str, site: Site, *more: object) -> str:
    return reverse(f"office:{name}", args=[site.pk, *more])


def suspended(site: Site) -> Interruption:
    told = {"phone": {"to": "An Peeters"}, "writing": {"way": "mail"}}
    return interruptions.suspend(
        site, ["intrusion"], told, terms_of(site), NOW, reason="5 needless alarms", actor="staff:1"
    )


@pytest.mark.parametrize("name", ["service", "interrupt", "written_test"])
def test_the_pages_of_the_service_are_shown(office: Client, bakery: Site, name: str) -> None:
    answer = office.get(at(name, bakery))
    assert answer.status_code == 200
    assert "Bakkerij Peeters" in answer.content.decode()


@pytest.mark.clause("D908.1", "D908.2")
def test_an_interruption_is_seen_by_its_cause_and_ends_with_a_reason(
    office: Client, bakery: Site
) -> None:
    sent = {"cause": "out_of_service", "reason": "shop is rebuilt"}
    assert office.post(at("interrupt", bakery), sent).status_code == 302
    row = Interruption.objects.get()
    for address in (at("service", bakery), reverse("office:home")):
        assert "out of service" in office.get(address).content.decode()
    assert office.post(at("resume", bakery, row.pk), {"reason": "open"}).status_code == 302
    row.refresh_from_db()
    assert (row.end_reason, row.ended_at is not None) == ("open", True)
    assert "nothing is refunded" in office.get(at("service", bakery)).content.decode()
    assert Entry.objects.get(what="interruption.not_refunded").clause == "D908.2"


@pytest.mark.clause("D908.1")
def test_non_payment_without_a_notice_that_has_run_is_refused_with_the_days(
    office: Client, bakery: Site
) -> None:
    today = (NOW - timedelta(days=1)).date().isoformat()
    sent = {"cause": "unpaid", "reason": "invoice 12", "notice_at": today}
    answer = office.post(at("interrupt", bakery), sent | {"notice_way": "registered"})
    assert answer.status_code == 422
    assert "8 days ago or more. (D908.1)" in answer.content.decode()
    assert not Interruption.objects.exists()


@pytest.mark.clause("S12.2")
def test_a_suspension_is_resumed_with_words_and_a_paper_alone(office: Client, bakery: Site) -> None:
    row = suspended(bakery)
    page = office.get(at("service", bakery)).content.decode()
    assert "looked at again on" in page
    answer = office.post(at("resume", bakery, row.pk), {"reason": "detector replaced"})
    assert answer.status_code == 422
    assert "Nothing resumes without evidence: attach the document. (S12.2)" in (
        answer.content.decode()
    )
    sent = {"reason": "detector replaced", "document": letter()}
    assert office.post(at("resume", bakery, row.pk), sent).status_code == 302
    row.refresh_from_db()
    assert row.end_document is not None
    assert bytes(row.end_document.content) == PDF


@pytest.mark.clause("S20.1")
def test_a_test_in_writing_keeps_its_paper_and_may_last_long(office: Client, bakery: Site) -> None:
    until = (NOW + timedelta(days=9)).strftime("%Y-%m-%dT%H:%M")
    sent = {"asked_by": "An Peeters", "until": until, "reason": "works", "zones": ["1"]}
    answer = office.post(at("written_test", bakery), sent)
    assert answer.status_code == 422
    assert "Attach the document. (S20.1)" in answer.content.decode()
    assert office.post(at("written_test", bakery), sent | {"document": letter()}).status_code == 302
    test = TestMode.objects.get()
    assert (test.zones, test.asked_by, test.in_writing) == (["1"], "An Peeters", True)
    assert test.document is not None
    assert office.post(at("end_test", bakery, test.pk)).status_code == 302
    test.refresh_from_db()
    assert test.ended_at is not None
    assert test.summary["signals"] == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html><script>alert(1)</script>\x00", "Not a document that can be kept"),
        (b"MZ\x90\x00" * 4, "Not a document that can be kept"),
        (b"%PDF-" + b"x" * (documents.MOST_BYTES + 70_000), "larger than 10 MB"),
        (b"", "Attach the document"),
    ],
)
def test_what_is_no_paper_is_refused_and_nothing_is_kept(
    office: Client, bakery: Site, content: bytes, words: str
) -> None:
    sent = {
        "asked_by": "An", "reason": "works", "document": letter(content),
        "until": (NOW + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M"),
    }  # fmt: skip
    answer = office.post(at("written_test", bakery), sent)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Document.objects.exists()
    assert not TestMode.objects.exists()


def test_a_hundred_files_in_one_form_are_not_taken(office: Client, bakery: Site) -> None:
    """Not even read to the end: a stranger without any rights could fill the disk."""
    many = {f"document{number}": letter() for number in range(3)}
    assert office.post(at("interrupt", bakery), many).status_code == 400
    assert not Document.objects.exists()


def test_a_paper_of_a_refused_act_is_not_kept(office: Client, bakery: Site) -> None:
    sent = {"cause": "unpaid", "reason": "invoice 12", "document": letter()}
    assert office.post(at("interrupt", bakery), sent).status_code == 422
    assert not Document.objects.exists()


@pytest.mark.clause("S22.1")
def test_a_paper_is_a_download_and_never_a_page(office: Client, bakery: Site) -> None:
    html = b"<script>alert(document.cookie)</script>"
    row = documents.keep(bakery, 'a"\r\nb.html', html, NOW, "staff:1")
    answer = office.get(at("paper", bakery, row.pk))
    assert answer.content == html
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert "\n" not in answer["Content-Disposition"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


def test_the_papers_of_another_site_or_provider_do_not_exist(
    office: Client, bakery: Site, dtral: Provider
) -> None:
    customer = Customer.objects.create(provider=dtral, name="Bart", kind="consumer", language="nl")
    other = Site.objects.create(
        provider=dtral, customer=customer, name="Elders", plan="dtral", created_at=NOW
    )
    row = documents.keep(other, "x.pdf", PDF, NOW, "staff:1")
    assert office.get(at("paper", bakery, row.pk)).status_code == 404
    assert office.get(at("paper", other, row.pk)).status_code == 404
    assert office.get(at("service", other)).status_code == 404


@pytest.mark.clause("S12.2")
def test_the_office_has_the_customer_called_or_decides_against_it(
    office: Client, clerk: Staff, bakery: Site
) -> None:
    terms = terms_of(bakery)
    answer = office.post(at("suspension", bakery, "call"), follow=True)
    assert "Too few needless alarms" in answer.content.decode()
    for number in range(terms.needless.suspend_at):
        needless.count(bakery, number + 1, "intrusion", terms, NOW)
    tasks.open_task(bakery, tasks.SUSPENSION_CALL, "S12.2", tasks.OFFICE, 3600, {}, NOW)
    assert "Suspend or not" in office.get(reverse("office:home")).content.decode()
    assert office.post(at("suspension", bakery, "call")).status_code == 302
    assert Task.objects.get().owner == tasks.OPERATORS
    answer = office.post(at("suspension", bakery, "withdraw"), {"reason": " "}, follow=True)
    assert "Give a reason." in answer.content.decode()
    office.post(at("suspension", bakery, "withdraw"), {"reason": "installer comes"})
    task = Task.objects.get()
    assert (task.outcome, task.closed_by, task.due) == ("withdrawn", clerk, None)
    assert Entry.objects.get(what="task.closed").reason == "installer comes"


def test_an_operator_reads_no_paper(bakery: Site, securitas: Provider, enter: object) -> None:
    row = documents.keep(bakery, "x.pdf", PDF, NOW, "staff:1")
    emma = enter(person("emma", Staff.Role.OPERATOR, securitas))  # type: ignore[operator]
    assert emma.get(at("paper", bakery, row.pk)).status_code == 403


@pytest.mark.clause("S10.5")
def test_an_instruction_about_an_unknown_code_keeps_its_paper(office: Client, bakery: Site) -> None:
    code = UndefinedCode.objects.create(site=bakery, code="XQ", told_at=NOW)
    address = at("code_instructed", bakery, code.pk)
    answer = office.post(
        address, {"note": "letter", "document": letter(b"PK\x03\x04zip")}, follow=True
    )
    assert "Not a document that can be kept" in answer.content.decode()
    code.refresh_from_db()
    assert not code.handle
    office.post(address, {"note": "letter of the customer", "document": letter()})
    code.refresh_from_db()
    assert code.handle
    assert bytes(Document.objects.get().content) == PDF
    assert Entry.objects.get(what="undefined.instructed").clause == "S10.5"
