"""What people send us over SMPP, from npm `smpp` as SMS centre; stored before it is answered."""

import time
from collections.abc import Iterator

import pytest

from meldkamer.notify.sms import gsm
from meldkamer.notify.sms.coding import PieceOf
from tests.notify.sms.centres import Heard, NodeCentre, a_carrier, node_centre
from tests.peers import until

NOT_NOW = 0x64


@pytest.fixture(scope="module")
def one_centre() -> Iterator[NodeCentre]:
    with node_centre() as centre:
        yield centre


@pytest.fixture
def centre(one_centre: NodeCentre) -> NodeCentre:
    one_centre.behave(again_ms=300)
    one_centre.forget()
    return one_centre


def _heard(heard: Heard, count: int = 1) -> list[str]:
    until(lambda: len(heard.replies) >= count, f"{count} texts")
    return [one.text for one in heard.replies]


@pytest.mark.parametrize(
    ("text", "coding"),
    [
        ("ok", 0),
        (" OK ", 0),
        ("Ça va? à 5€ [nee]", 0),
        ("nee, brand é", 3),
        ("όχι 🔥", 8),
        ("停", 8),
    ],
)
def test_what_a_person_writes_is_read_as_it_was_written(
    centre: NodeCentre, text: str, coding: int
) -> None:
    octets = {0: gsm.encode, 3: lambda t: t.encode("latin-1"), 8: lambda t: t.encode("utf-16-be")}
    if coding == 0:
        text = text.replace("Ça", "Ca")
    heard = Heard()
    with a_carrier(centre.port, heard):
        centre.mo(octets[coding](text), coding=coding)
        assert _heard(heard) == [text]
        until(lambda: centre.answers("mo") == [0], "it is answered")
    assert heard.replies[0].sender == "+32470000001"
    assert heard.replies[0].to == "3280"
    assert heard.answered_ids == [1]


@pytest.mark.parametrize("coding", [0, 8])
def test_the_empty_answer_is_an_answer(centre: NodeCentre, coding: int) -> None:
    heard = Heard()
    with a_carrier(centre.port, heard):
        centre.mo(b"", coding=coding)
        assert _heard(heard) == [""]


def test_a_text_in_the_other_place_is_read_as_well(centre: NodeCentre) -> None:
    heard = Heard()
    with a_carrier(centre.port, heard):
        centre.mo(payload=("nee " * 100).encode().hex())
        assert _heard(heard) == ["nee " * 100]


@pytest.mark.parametrize(
    ("sender", "ton", "read"),
    [
        ("32470000001", 1, "+32470000001"),
        ("+32470000001", 1, "+32470000001"),
        ("32470000001", 0, "+32470000001"),
        ("0032470000001", 0, "+32470000001"),
        ("0470000001", 2, "+32470000001"),
        ("31612345678", 1, "+31612345678"),
        ("8080", 3, "8080"),
        ("Proximus", 5, "Proximus"),
    ],
)
def test_a_sender_is_known_by_the_number_that_was_texted(
    centre: NodeCentre, sender: str, ton: int, read: str
) -> None:
    heard = Heard()
    with a_carrier(centre.port, heard):
        centre.mo("ok", **{"from": sender, "ton": ton})
        _heard(heard)
    assert heard.replies[0].sender == read


def test_the_centre_hears_taken_only_when_it_is_stored_and_brings_it_again_until_then(
    centre: NodeCentre,
) -> None:
    heard = Heard(away=True)
    with a_carrier(centre.port, heard):
        centre.mo("ok")
        until(lambda: len(centre.answers("mo")) >= 2, "it is refused twice")
        assert set(centre.answers("mo")) == {NOT_NOW}
        assert heard.replies == []
        heard.away = False
        assert _heard(heard) == ["ok"]
        until(lambda: centre.answers("mo")[-1] == 0, "it is answered")
    assert heard.answered_ids == [1]


def test_a_slow_store_holds_back_the_answer_and_no_text_that_leaves(centre: NodeCentre) -> None:
    heard = Heard()
    kept, heard.store = heard.store, lambda *one: (time.sleep(0.5), kept(*one))[1]  # type: ignore[method-assign]
    from tests.notify.sms.centres import text_of

    with a_carrier(centre.port, heard) as carrier:
        centre.mo("ok")
        time.sleep(0.1)
        started = time.monotonic()
        assert carrier.send(text_of("x"))
        assert time.monotonic() - started < 0.3
        assert centre.answers("mo") == []
        until(lambda: centre.answers("mo") == [0], "it is answered")


def test_pieces_of_a_long_answer_say_of_what_they_are(centre: NodeCentre) -> None:
    heard = Heard()
    with a_carrier(centre.port, heard):
        centre.mo(bytes([5, 0, 3, 7, 2, 1]) + b"there is ", esm=0x40)
        centre.mo(bytes([6, 8, 4, 1, 2, 2, 2]) + "öl".encode("utf-16-be"), esm=0x40, coding=8)
        centre.mo("fire", sar=[9, 2, 2])
        centre.mo(bytes([5, 0, 3, 7, 1, 1]) + b"alone", esm=0x40)
        _heard(heard, 4)
    assert [(one.text, one.piece) for one in heard.replies] == [
        ("there is ", PieceOf(7, 2, 1)),
        ("öl", PieceOf(0x102, 2, 2)),
        ("fire", PieceOf(9, 2, 2)),
        ("alone", None),
    ]


def test_the_same_text_has_the_same_digest_and_another_has_another(centre: NodeCentre) -> None:
    heard = Heard()
    with a_carrier(centre.port, heard):
        centre.mo("ok", times=2)
        _heard(heard, 2)
        centre.mo("ok", **{"from": "32470000002"})
        centre.mo("ok", sar=[1, 2, 1])
        centre.mo("ok", sar=[2, 2, 1])
        _heard(heard, 5)
    digests = [one.digest for one in heard.replies]
    assert digests[0] == digests[1]
    assert len(set(digests[1:])) == 4


def test_a_receipt_that_says_so_only_in_its_text_is_one_where_that_is_set(
    centre: NodeCentre,
) -> None:
    receipt = "id:77 sub:001 dlvrd:001 submit date:2611220605 done date:2611220606 stat:DELIVRD"
    heard = Heard()
    with a_carrier(centre.port, heard):
        centre.mo(receipt)
        assert _heard(heard) == [receipt]
    with a_carrier(centre.port, heard, receipts_unmarked=True):
        centre.mo(receipt)
        until(lambda: heard.receipts, "the receipt")
        centre.mo("id: ok stat: nee")
        assert _heard(heard, 2)[1] == "id: ok stat: nee"
    assert heard.receipts[0][0] == "77"


def test_a_receipt_of_nothing_is_refused_for_good_and_others_go_on(centre: NodeCentre) -> None:
    heard = Heard()
    with a_carrier(centre.port, heard):
        centre.mo("what is this?", esm=4)
        until(lambda: centre.answers("mo") == [0x66], "it is refused")
        centre.mo("ok")
        assert _heard(heard) == ["ok"]
