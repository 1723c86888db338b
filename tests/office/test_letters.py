"""The office's letters: printed, fetched, posted with a number, put back, come back."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from meldkamer.journal.models import Entry
from meldkamer.notify import commands as notify
from meldkamer.notify import outbox, way_commands, ways
from meldkamer.notify.ears import StoringEars
from meldkamer.notify.kinds import build
from meldkamer.notify.models import OutboxMessage, Receipt
from meldkamer.notify.post.models import Letter
from meldkamer.people.models import Staff
from meldkamer.sites.models import Provider, Site
from tests.office.conftest import NOW, person

QUEUE = reverse("office:letters")


def write(site: Site, recipient: str = "An Peeters") -> Letter:
    """A letter that the carrier has made."""
    provider = site.provider
    way = ways.enabled()[0] if ways.enabled() else way_commands.add("print_queue", "printer", NOW)
    message = notify.send(
        "letter", "interrupted", address="Kerkstraat 12, 2800 Mechelen", recipient=recipient,
        language="nl", clause="D908.1", now=NOW,
        facts={"provider": provider.name, "site": site.name},
        provider_id=provider.pk, site_id=site.pk,
    )  # fmt: skip
    carrier = build(way.kind, way.settings, {}, StoringEars(way.pk))
    ref = carrier.send(outbox._parcel(message))
    OutboxMessage.objects.filter(pk=message.pk).update(
        carrier=way, carrier_ref=ref, state="handed_over"
    )
    return Letter.objects.get(message=message)


@pytest.fixture
def two(bakery: Site) -> tuple[Letter, Letter]:
    return write(bakery), write(bakery, "Tom <Maes>")


def chosen(*letters: Letter) -> dict[str, list[str]]:
    return {"letter": [str(one.pk) for one in letters]}


def test_the_queue_shows_to_whom_why_and_since_when(
    office: Client, two: tuple[Letter, Letter]
) -> None:
    page = office.get(QUEUE).content.decode()
    for words in ("An Peeters", "Tom &lt;Maes&gt;", "2800 Mechelen", "D908.1", "Print what is"):
        assert words in page
    assert "Nothing is printed and not posted." in page


def test_several_letters_are_marked_and_fetched_as_one_pdf(
    office: Client, two: tuple[Letter, Letter]
) -> None:
    answer = office.post(reverse("office:letters_print"), chosen(*two) | {"both": "on"})
    page = office.get(answer.headers["Location"]).content.decode()
    assert "2 letters are marked as printed." in page
    query = f"id={two[0].pk}&id={two[1].pk}&both=on"
    assert f"{reverse('office:letters_pdf')}?{query.replace('&', '&amp;')}" in page
    pdf = office.get(f"{reverse('office:letters_pdf')}?{query}")
    assert pdf.headers["Content-Type"] == "application/pdf"
    assert pdf.headers["Content-Disposition"].startswith("attachment; filename=")
    assert "sandbox" in pdf.headers["Content-Security-Policy"]
    assert len(PdfReader(BytesIO(pdf.content)).pages) == 4
    one = office.get(f"{reverse('office:letters_pdf')}?id={two[0].pk}")
    assert one.content == bytes(Letter.objects.get(pk=two[0].pk).content)
    assert set(Letter.objects.values_list("state", flat=True)) == {"printed"}


@pytest.mark.clause("D908.1", "M12.3")
def test_a_letter_is_posted_with_its_number_and_by_whom(
    office: Client, two: tuple[Letter, Letter], clerk: Staff
) -> None:
    office.post(reverse("office:letters_print"), chosen(*two))
    sent = chosen(*two) | {f"number-{two[0].pk}": "RR 123 456 785 BE"}
    assert office.post(reverse("office:letters_post"), sent).status_code == 302
    first, second = Letter.objects.order_by("pk")
    assert (first.state, first.registered_number) == ("posted", "RR123456785BE")
    assert (second.state, second.registered_number) == ("posted", "")
    assert Receipt.objects.filter(state="delivered").count() == 2
    entries = Entry.objects.filter(what="letter.posted").order_by("id")
    assert {(entry.clause, entry.actor) for entry in entries} == {("D908.1", f"staff:{clerk.pk}")}
    page = office.get(reverse("office:letters_gone"), {"find": "123456785"}).content.decode()
    assert "An Peeters" in page
    assert "Maes" not in page
    assert "karel" in page


def test_a_mistyped_number_posts_nothing_and_stays_on_the_page(
    office: Client, two: tuple[Letter, Letter]
) -> None:
    office.post(reverse("office:letters_print"), chosen(*two))
    sent = chosen(*two) | {f"number-{two[0].pk}": "RR123456780BE"}
    answer = office.post(reverse("office:letters_post"), sent)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "This is no number of a registered letter." in page
    assert 'value="RR123456780BE"' in page
    assert set(Letter.objects.values_list("state", flat=True)) == {"printed"}
    assert not Receipt.objects.exists()


def test_a_failed_print_goes_back_with_its_reason(
    office: Client, two: tuple[Letter, Letter]
) -> None:
    office.post(reverse("office:letters_print"), chosen(*two))
    answer = office.post(reverse("office:letters_requeue"), chosen(two[0]))
    assert "Say why." in answer.content.decode()
    sent = chosen(two[0]) | {"reason": "paper jam"}
    assert office.post(reverse("office:letters_requeue"), sent).status_code == 302
    assert "paper jam" in office.get(QUEUE).content.decode()


def test_a_letter_that_came_back_is_noted(office: Client, two: tuple[Letter, Letter]) -> None:
    office.post(reverse("office:letters_print"), chosen(*two))
    office.post(reverse("office:letters_post"), chosen(*two))
    address = reverse("office:letter_returned", args=[two[0].pk])
    office.post(address, {"reason": "moved"})
    assert "moved" in office.get(reverse("office:letters_gone")).content.decode()
    assert Receipt.objects.filter(state="failed").count() == 1


def test_nothing_chosen_is_said(office: Client, two: tuple[Letter, Letter]) -> None:
    for name in ("letters_print", "letters_post", "letters_requeue"):
        answer = office.post(reverse(f"office:{name}"), {"letter": ["x", "-1", "9" * 40]})
        assert answer.status_code == 422
        assert "No letter was chosen." in answer.content.decode()


def test_letters_of_another_provider_are_not_there(
    two: tuple[Letter, Letter], dtral: Provider, enter: Callable[[Staff], Client]
) -> None:
    other = enter(person("els", Staff.Role.OFFICE, dtral))
    assert "Peeters" not in other.get(QUEUE).content.decode()
    assert other.get(f"{reverse('office:letters_pdf')}?id={two[0].pk}").status_code == 404
    assert other.get(reverse("office:letters_pdf")).status_code == 404
    answer = other.post(reverse("office:letters_print"), chosen(two[0]))
    assert answer.status_code == 422
    address = reverse("office:letter_returned", args=[two[0].pk])
    assert other.post(address, {"reason": "x"}).status_code == 404
    assert Letter.objects.get(pk=two[0].pk).state == "to_print"


def test_a_letter_that_lies_too_long_is_marked(office: Client, two: tuple[Letter, Letter]) -> None:
    Letter.objects.filter(pk=two[0].pk).update(late_at=NOW)
    assert office.get(QUEUE).content.decode().count("tag critical") == 1
