"""Texts of people over SMPP are stored once, two equal ones twice, and long ones whole."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from meldkamer.agenda.models import AgendaRow
from meldkamer.notify.models import InboundMessage, SmsArrival, WayOut
from meldkamer.notify.sms import arrivals
from meldkamer.notify.sms.arriving import Arrival, Connection, Past, is_again
from meldkamer.notify.sms.coding import PieceOf

NOW = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)
OVER = Connection("first", NOW - timedelta(hours=3))


def s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


# --- what is the same one (pure)


@pytest.mark.parametrize(
    ("later_s", "again"), [(0.1, True), (2.9, True), (3.1, False), (60, False)]
)
def test_over_the_same_connection_only_an_echo_is_the_same(later_s: float, again: bool) -> None:
    past = Past("first", NOW, NOW + s(0.01))
    assert is_again(past, OVER, NOW + s(0.01 + later_s)) is again


@pytest.mark.parametrize(("later_s", "again"), [(20, True), (59, True), (61, False)])
def test_when_we_answered_late_the_centre_may_have_asked_again_meanwhile(
    later_s: float, again: bool
) -> None:
    past = Past("first", NOW, NOW + s(8))
    assert is_again(past, OVER, NOW + s(8 + later_s)) is again


def test_what_had_no_answer_yet_is_the_same_for_an_hour() -> None:
    past = Past("first", NOW, None)
    assert is_again(past, OVER, NOW + s(3000))
    assert not is_again(past, OVER, NOW + s(3700))


@pytest.mark.parametrize(
    ("answered_s", "lost_s", "later_s", "again"),
    [
        (None, 1, 5, True),  # never answered, brought again after the new login
        (None, 1, 599, True),
        (None, 1, 700, False),  # long after the new login it is a person
        (0.1, 3, 1, True),  # answered just before the line was lost
        (0.1, 60, 1, False),  # answered a minute before: the centre had that
    ],
)
def test_over_a_new_connection_only_what_the_centre_may_not_know_is_the_same(
    answered_s: float | None, lost_s: float, later_s: float, again: bool
) -> None:
    answered = None if answered_s is None else NOW + s(answered_s)
    over = Connection("second", NOW + s(lost_s))
    assert is_again(Past("first", NOW, answered), over, over.since + s(later_s)) is again


# --- stored


@pytest.fixture
def carrier(db: None) -> WayOut:
    return WayOut.objects.create(channel="sms", kind="smpp", name="one", state="up")


def _arrival(text: str = "ok", digest: str = "a", piece: PieceOf | None = None) -> Arrival:
    return Arrival(digest, "+32470000001", "3280", text, piece)


def _store(carrier: WayOut, arrival: Arrival, at: float = 0, over: Connection = OVER) -> int:
    """Stored, and answered at once."""
    found = arrivals.store(carrier.pk, arrival, over, NOW + s(at), 120)
    SmsArrival.objects.filter(pk=found).update(answered_at=NOW + s(at))
    return found


def _inbox() -> list[str]:
    return list(InboundMessage.objects.order_by("id").values_list("text", flat=True))


def test_a_text_is_stored_with_its_number_and_its_carrier(carrier: WayOut) -> None:
    _store(carrier, _arrival("nee\0 ja"))
    message = InboundMessage.objects.get()
    assert (message.sender, message.to, message.text) == ("+32470000001", "3280", "nee ja")
    assert (message.channel, message.carrier_id, message.received_at) == ("sms", carrier.pk, NOW)


def test_a_centre_that_repeats_itself_leaves_one_text(carrier: WayOut) -> None:
    first = _store(carrier, _arrival())
    assert _store(carrier, _arrival(), 1) == first
    assert _store(carrier, _arrival(), 3.5) == first
    assert _inbox() == ["ok"]


def test_two_equal_answers_of_a_person_are_two(carrier: WayOut) -> None:
    """The second "ok" is for another incident."""
    _store(carrier, _arrival())
    _store(carrier, _arrival(), 4)
    _store(carrier, _arrival(), 600, Connection("second", NOW + s(300)))
    assert _inbox() == ["ok", "ok", "ok"]


def test_what_was_stored_and_not_answered_is_stored_once_over_the_next_connection(
    carrier: WayOut,
) -> None:
    """As after kill -9 between COMMIT and our answer."""
    first = arrivals.store(carrier.pk, _arrival(), OVER, NOW, 120)
    second = Connection("second", NOW + s(5))
    assert _store(carrier, _arrival(), 7, second) == first
    assert _inbox() == ["ok"]
    # the same person again, later, is a second answer
    _store(carrier, _arrival(), 60, second)
    assert _inbox() == ["ok", "ok"]


def test_the_same_text_over_another_carrier_is_another(carrier: WayOut) -> None:
    other = WayOut.objects.create(channel="sms", kind="smpp", name="two", state="up")
    _store(carrier, _arrival())
    _store(other, _arrival())
    assert _inbox() == ["ok", "ok"]


# --- in pieces


def _piece(number: int, text: str, of: int = 3, ref: int = 7) -> Arrival:
    return _arrival(text, f"{ref}/{of}/{number}/{text}", PieceOf(ref, of, number))


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1)])
def test_pieces_are_put_together_in_whatever_order_they_come(
    carrier: WayOut, order: tuple[int, ...]
) -> None:
    texts = {1: "there is ", 2: "smoke ", 3: "in the hall"}
    for at, number in enumerate(order):
        assert _inbox() == []
        _store(carrier, _piece(number, texts[number]), at)
    assert _inbox() == ["there is smoke in the hall"]
    assert not AgendaRow.objects.filter(kind=arrivals.PIECES, done_at=None).exists()


def test_a_piece_that_comes_twice_is_there_once(carrier: WayOut) -> None:
    first = _store(carrier, _piece(1, "a", of=2))
    assert _store(carrier, _piece(1, "a", of=2), 1) == first
    assert _store(carrier, _piece(1, "a", of=2), 50) == first
    _store(carrier, _piece(2, "b", of=2), 51)
    assert _store(carrier, _piece(2, "b", of=2), 52)
    assert _inbox() == ["ab"]


def test_pieces_whose_rest_never_comes_are_given_as_they_are(carrier: WayOut) -> None:
    _store(carrier, _piece(1, "there is smoke in "))
    _store(carrier, _piece(3, " call me"), 5)
    row = AgendaRow.objects.get(kind=arrivals.PIECES)
    assert row.due == NOW + s(120)
    arrivals.pieces_due(row, NOW + s(120))
    assert _inbox() == ["there is smoke in  […]  call me"]
    # what comes after all is not lost either, and acting twice gives nothing twice
    arrivals.pieces_due(row, NOW + s(121))
    _store(carrier, _piece(2, "the hall,"), 200)
    arrivals.pieces_due(
        AgendaRow.objects.exclude(pk=row.pk).get(kind=arrivals.PIECES), NOW + s(400)
    )
    assert _inbox() == ["there is smoke in  […]  call me", "[…] the hall, […]"]


def test_a_phone_whose_count_came_round_begins_another_text(carrier: WayOut) -> None:
    _store(carrier, _piece(1, "old ", of=2))
    _store(carrier, _piece(1, "new ", of=2), 60)
    assert _inbox() == ["old  […]"]
    _store(carrier, _piece(2, "text", of=2), 61)
    assert _inbox() == ["old  […]", "new text"]


def test_pieces_of_two_people_are_not_mixed(carrier: WayOut) -> None:
    _store(carrier, _piece(1, "a", of=2))
    _store(carrier, replace(_piece(2, "x", of=2), sender="+32470000002"), 1)
    _store(carrier, _piece(2, "b", of=2), 2)
    _store(carrier, replace(_piece(1, "w", of=2), sender="+32470000002"), 3)
    assert _inbox() == ["ab", "wx"]


def test_what_is_known_goes_away_after_days_and_a_waiting_piece_does_not(
    carrier: WayOut,
) -> None:
    _store(carrier, _arrival())
    _store(carrier, _piece(1, "a", of=2))
    _store(carrier, _arrival(digest="b"), 4 * 86_400)
    assert set(SmsArrival.objects.values_list("digest", flat=True)) == {"7/2/1/a", "b"}
    assert _inbox() == ["ok", "ok"]
