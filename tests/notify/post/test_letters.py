"""The queue of letters: made once, printed, posted, come back; each step says who and when."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader

from meldkamer.agenda.models import AgendaRow
from meldkamer.engine import cycle
from meldkamer.engine.sending import House
from meldkamer.incidents.models import Incident, Notice
from meldkamer.journal.models import Entry
from meldkamer.notify import commands as notify
from meldkamer.notify import outbox, trying_out, way_commands, ways
from meldkamer.notify.carrier import Carrier, CarrierFault, Rejected
from meldkamer.notify.ears import StoringEars
from meldkamer.notify.kinds import build
from meldkamer.notify.mail.enclosures import EnclosureFault, enclose
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.notify.post import commands, queries
from meldkamer.notify.post.commands import LetterRefused
from meldkamer.notify.post.models import Letter
from meldkamer.notify.post.registered import NumberFault, read_number
from tests.incidents.town import Town, at, told

ADDRESS = "Kerkstraat 12, 2800 Mechelen"


@pytest.fixture
def post(town: Town) -> WayOut:
    """The town's messages may leave, and its letters have a queue."""
    town.provider.practice = False
    town.provider.save()
    whose = town.provider.pk
    row = way_commands.add("print_queue", "the office's printer", at(0), provider_id=whose)
    WayOut.objects.filter(pk=row.pk).update(state="up")
    row.refresh_from_db()
    return row


def write(town: Town, incident: Incident | None = None, address: str = ADDRESS) -> OutboxMessage:
    return notify.send(
        "letter",
        "interrupted",
        address=address,
        recipient="An Peeters",
        language="nl",
        clause="D908.1",
        now=at(0),
        facts={"provider": "Securitas", "site": "Bakkerij Peeters"},
        provider_id=town.provider.pk,
        site_id=town.site.pk,
        incident_id=incident.pk if incident else None,
    )


def carrier(row: WayOut) -> Carrier:
    return build(row.kind, row.settings, {}, StoringEars(row.pk))


def hand_over(row: WayOut, when_s: float = 1) -> list[Letter]:
    """What its line does: claim, send, note."""
    way = ways.facts(row, at(1))
    mine = {(row.provider_id or 0, False)}
    for claimed in outbox.claim(way, mine, 10, at(when_s)):
        try:
            House().taken([(claimed, carrier(row).send(claimed.parcel))], at(when_s))
        except CarrierFault as fault:
            House().refused(claimed, fault, at(when_s))
    return list(Letter.objects.order_by("pk"))


@pytest.fixture
def mine(town: Town) -> list[int]:
    return [town.provider.pk]


@pytest.mark.clause("D908.1", "S24.5")
def test_a_letter_is_made_once_and_lies_in_the_queue(
    town: Town, post: WayOut, mine: list[int]
) -> None:
    message = write(town)
    (letter,) = hand_over(post)
    message.refresh_from_db()
    assert (message.state, message.carrier_ref) == ("handed_over", f"letter-{letter.pk}")
    assert (letter.state, letter.pages, letter.recipient) == ("to_print", 1, "An Peeters")
    text = PdfReader(BytesIO(bytes(letter.content))).pages[0].extract_text()
    assert "onderbreekt de bewaking van Bakkerij Peeters" in text
    # handed over again after a crash: the same letter
    outbox_row = outbox._parcel(message)
    assert carrier(post).send(outbox_row) == message.carrier_ref
    assert Letter.objects.count() == 1
    assert queries.to_post(mine) == [letter]
    assert queries.to_post([town.other.pk]) == []


@pytest.mark.clause("D908.1", "M12.3")
def test_a_posted_letter_of_an_incident_is_in_its_course_with_the_clause(
    town: Town, post: WayOut, mine: list[int]
) -> None:
    incident = town.incident("intrusion")
    message = write(town, incident)
    (letter,) = hand_over(post)
    commands.mark_printed([letter.pk], mine, at(60), "staff:1")
    commands.mark_posted(
        [letter.pk], mine, at(90), "staff:2", numbers={letter.pk: "rr 1234 5678 5 be"}
    )
    cycle.consume_all(at(91))
    letter.refresh_from_db()
    message.refresh_from_db()
    assert (letter.state, letter.posted_by) == ("posted", "staff:2")
    assert letter.registered_number == "RR123456785BE"
    assert message.state == "delivered"
    for word in ("letter.printed", "letter.posted", "message.delivered"):
        (entry,) = told(word, incident)
        assert (entry.clause, entry.recipient) == ("D908.1", "An Peeters"), word
    assert told("letter.posted")[0].data["registered"] == "RR123456785BE"
    assert told("message.delivered")[0].reason == "posted, registered RR123456785BE"
    assert queries.to_post(mine) == []
    for text in ("peeters", "123456785", "mechelen"):
        assert queries.gone(mine, text) == [letter]
    assert queries.gone(mine, "nobody") == []


def test_the_test_of_a_queue_is_marked_on_its_page_and_over_when_it_is_printed(
    town: Town, post: WayOut, mine: list[int]
) -> None:
    to = trying_out.reached(post, [town.provider], f"An Peeters, {ADDRESS}")
    message = trying_out.send(post, to, "nl", at(0))
    (letter,) = hand_over(post)
    text = PdfReader(BytesIO(bytes(letter.content))).pages[0].extract_text()
    assert "TEST: niet posten" in text.replace("\N{SOFT HYPHEN}", "")
    commands.mark_printed([letter.pk], mine, at(60), "staff:1")
    cycle.consume_all(at(61))
    message.refresh_from_db()
    letter.refresh_from_db()
    assert (letter.state, message.state) == ("tested", "delivered")
    assert queries.to_post(mine) == queries.gone(mine) == []
    assert not AgendaRow.objects.filter(kind=commands.LATE, done_at=None).exists()
    with pytest.raises(commands.LetterRefused):
        commands.mark_posted([letter.pk], mine, at(90), "staff:1")


def test_a_letter_whose_printing_failed_is_printed_again(
    town: Town, post: WayOut, mine: list[int]
) -> None:
    write(town)
    (letter,) = hand_over(post)
    with pytest.raises(LetterRefused, match="not printed"):
        commands.mark_posted([letter.pk], mine, at(9), "staff:1")
    with pytest.raises(LetterRefused, match="not printed"):
        commands.back_to_queue([letter.pk], mine, "jam", at(9), "staff:1")
    commands.mark_printed([letter.pk], mine, at(10), "staff:1")
    with pytest.raises(LetterRefused, match="no reason"):
        commands.back_to_queue([letter.pk], mine, "  ", at(11), "staff:1")
    commands.back_to_queue([letter.pk], mine, "paper jam", at(11), "staff:1")
    letter.refresh_from_db()
    assert (letter.state, letter.queue_reason) == ("to_print", "paper jam")
    assert Entry.objects.get(what="letter.requeued").reason == "paper jam"
    commands.mark_printed([letter.pk], mine, at(12), "staff:1")
    commands.mark_printed([letter.pk], mine, at(13), "staff:1")  # a second copy
    commands.mark_posted([letter.pk], mine, at(14), "staff:1")
    with pytest.raises(LetterRefused, match="posted already"):
        commands.mark_printed([letter.pk], mine, at(15), "staff:1")


def test_a_letter_that_came_back_is_told_with_its_reason(
    town: Town, post: WayOut, mine: list[int]
) -> None:
    incident = town.incident("intrusion")
    write(town, incident)
    (letter,) = hand_over(post)
    with pytest.raises(LetterRefused, match="not posted"):
        commands.came_back(letter.pk, mine, "moved", at(5), "staff:1")
    commands.mark_printed([letter.pk], mine, at(10), "staff:1")
    commands.mark_posted([letter.pk], mine, at(11), "staff:1")
    commands.came_back(letter.pk, mine, "moved", at(9000), "staff:1")
    cycle.consume_all(at(9001))
    letter.refresh_from_db()
    assert (letter.state, letter.return_reason) == ("returned", "moved")
    (entry,) = told("message.undelivered", incident)
    assert (entry.clause, entry.reason) == ("D908.1", "came back: moved")


def test_nobody_touches_letters_of_another_provider(town: Town, post: WayOut) -> None:
    write(town)
    (letter,) = hand_over(post)
    other = [town.other.pk]
    with pytest.raises(LetterRefused, match="no such letter"):
        commands.mark_printed([letter.pk], other, at(5), "staff:1")
    with pytest.raises(LetterRefused, match="no letter was chosen"):
        commands.mark_printed([], other, at(5), "staff:1")
    assert queries.letter_of(letter.pk, other) is None


@pytest.mark.clause("M12.2")
def test_a_letter_that_nobody_posts_is_told_again_and_again_until_somebody_does(
    town: Town, post: WayOut, mine: list[int]
) -> None:
    write(town)
    (letter,) = hand_over(post)
    for hours in (24, 48):
        row = AgendaRow.objects.get(kind=commands.LATE, done_at=None)
        assert row.due == letter.made_at + timedelta(hours=hours)
        cycle.act_on_due(row.due - timedelta(seconds=1))
        assert Notice.objects.filter(kind="letter").count() == hours // 24 - 1
        cycle.act_on_due(row.due)
        notice = Notice.objects.filter(kind="letter").latest("pk")
        assert (notice.clause, notice.provider_id) == ("D908.1", town.provider.pk)
        assert notice.text.startswith("An Peeters: ")
    commands.mark_printed([letter.pk], mine, at(10), "staff:1")
    commands.mark_posted([letter.pk], mine, at(11), "staff:1")
    assert not AgendaRow.objects.filter(kind=commands.LATE, done_at=None).exists()


@pytest.mark.parametrize("address", ["", "Kerkstraat 12"])
def test_a_letter_without_a_whole_address_is_turned_down(
    town: Town, post: WayOut, address: str
) -> None:
    message = write(town, address=address)
    assert hand_over(post) == []
    message.refresh_from_db()
    assert message.state == "failed"
    assert told("letter.rejected")[0].clause == "D908.1"


def test_a_paper_goes_with_a_letter_when_it_can_be_printed(town: Town, post: WayOut) -> None:
    first = write(town)
    (letter,) = hand_over(post)
    second, third = write(town), write(town)
    enclose(second, r"C:\x\report.pdf", "application/pdf", bytes(letter.content))
    enclose(third, "photo.png", "image/png", b"\x89PNG\r\n\x1a\n")
    _, double = hand_over(post)
    assert (double.message_id, double.pages) == (second.pk, 2)
    third.refresh_from_db()
    assert third.state == "failed"
    assert "photo.png" in third.last_fault
    assert first.attachments.count() == 0
    assert second.attachments.get().name == "report.pdf"


def test_what_should_not_go_with_a_message_is_refused(town: Town) -> None:
    message = write(town)
    for name, kind, content, words in (
        ("a.exe", "application/x-msdownload", b"MZ", "application/x-msdownload"),
        ("a.pdf", "application/pdf", b"", "empty"),
        ("a.pdf", "application/pdf", b"x" * 7_000_001, "7000000 at most"),
    ):
        with pytest.raises(EnclosureFault, match=words):
            enclose(message, name, kind, content)
    for _ in range(10):
        enclose(message, "a.txt", "text/plain", b"x")
    with pytest.raises(EnclosureFault, match="10 papers"):
        enclose(message, "a.txt", "text/plain", b"x")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("RR123456785BE", "RR123456785BE"), ("rr 123 456 785 be", "RR123456785BE"),
        ("0105 4128 8500 1234 5678 9012", "010541288500123456789012"),
    ],
)  # fmt: skip
def test_a_number_of_a_registered_letter_is_read(text: str, number: str) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize(
    "text", ["", "12345", "RR123456784BE", "ABCDEFGHIJKLM", "1" * 31, "é" * 12]
)
def test_what_can_be_no_number_is_refused(text: str) -> None:
    with pytest.raises(NumberFault):
        read_number(text)


def test_the_queue_opens_where_letters_can_be_made(town: Town, post: WayOut) -> None:
    one = carrier(post)
    one.open()
    one.check()
    one.close()
    with pytest.raises(Rejected):
        one.send(outbox._parcel(write(town, address="x")))
