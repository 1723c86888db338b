"""Texts that leave over SMPP, against the SMS centre of npm `smpp`."""

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from meldkamer.notify.carrier import CarrierFault, InDoubt, ReceiptState, Rejected
from tests.notify.sms.centres import (
    PASSWORD,
    Heard,
    NodeCentre,
    a_carrier,
    node_centre,
    text_of,
    unopened,
)
from tests.peers import free_port, until

USUAL = {
    "delay_ms": 0, "status": {}, "throttle": 0, "every": 0, "mute": False, "close": False,
    "receipt": "", "receipt_times": 1, "receipt_hex": False, "password": PASSWORD,
}  # fmt: skip


@pytest.fixture(scope="module")
def one_centre() -> Iterator[NodeCentre]:
    with node_centre() as centre:
        yield centre


@pytest.fixture
def centre(one_centre: NodeCentre) -> NodeCentre:
    one_centre.behave(**USUAL)
    one_centre.forget()
    return one_centre


def test_a_text_arrives_as_it_was_written_and_has_the_centres_number(centre: NodeCentre) -> None:
    with a_carrier(centre.port, valid_s=600) as carrier:
        ref = carrier.send(text_of("Stroompanne: café €5 [Aé@_§]"))
    assert ref.isdecimal()
    sent = centre.submitted()[0]
    assert sent["text"] == "Stroompanne: café €5 [Aé@_§]"
    assert sent["to"] == "32470000001"
    assert (sent["dest_ton"], sent["dest_npi"]) == (1, 1)
    assert (sent["from"], sent["ton"], sent["npi"]) == ("32460001122", 1, 1)
    assert (sent["coding"], sent["receipt"], sent["valid"]) == (0, 1, True)


@pytest.mark.parametrize(
    "body",
    ["Διακοπή ρεύματος στο σπίτι", "Stroompanne 🔥 bij Café Zoë", "Coupure près du chêne", "停電"],
)
def test_other_alphabets_and_emoji_arrive_as_they_were_written(
    centre: NodeCentre, body: str
) -> None:
    with a_carrier(centre.port) as carrier:
        carrier.send(text_of(body))
    sent = centre.submitted()[0]
    assert (sent["text"], sent["coding"]) == (body, 8)


@pytest.mark.parametrize("letter", ["a", "€", "ê", "🔥"])
def test_a_long_text_goes_in_parts_that_a_phone_puts_together(
    centre: NodeCentre, letter: str
) -> None:
    body = (letter + "23456789 ") * 30
    with a_carrier(centre.port) as carrier:
        ref = carrier.send(text_of(body, id_=0x1FF))
    parts = centre.submitted(2)
    parts = centre.submitted(int(parts[0]["udh"][0][6:8], 16))
    assert "".join(part["text"] for part in parts) == body
    of = f"{len(parts):02x}"
    assert [part["udh"] for part in parts] == [
        [f"0003ff{of}{number:02x}"] for number in range(1, len(parts) + 1)
    ]
    assert all(part["esm"] & 0x40 for part in parts)
    assert ref.isdecimal()


def test_a_long_text_goes_as_one_where_the_centre_takes_it_so(centre: NodeCentre) -> None:
    body = "Stroompanne in de Kerkstraat " * 20
    with a_carrier(centre.port, long_text="payload") as carrier:
        carrier.send(text_of(body))
    sent = centre.submitted()
    assert [one["payload"] for one in sent] == [body]
    assert sent[0]["text"] == ""


def test_a_long_text_is_cut_by_the_centres_own_parameters_where_it_wants_that(
    centre: NodeCentre,
) -> None:
    with a_carrier(centre.port, long_text="sar") as carrier:
        carrier.send(text_of("x" * 310, id_=0x12345))
    sent = centre.submitted(3)
    assert [one["sar"] for one in sent] == [[0x2345, 3, 1], [0x2345, 3, 2], [0x2345, 3, 3]]
    assert [len(one["text"]) for one in sent] == [153, 153, 4]


def test_a_text_of_more_parts_than_allowed_is_turned_down_whole(centre: NodeCentre) -> None:
    with (
        a_carrier(centre.port, parts_most=3) as carrier,
        pytest.raises(Rejected, match=r"needs 4 parts.*3 at most"),
    ):
        carrier.send(text_of("a" * 460))
    assert centre.all("submitted") == []


def test_the_window_is_used_and_never_exceeded(centre: NodeCentre) -> None:
    centre.behave(delay_ms=150)
    with a_carrier(centre.port, window=7) as carrier, ThreadPoolExecutor(carrier.at_once) as pool:
        started = time.monotonic()
        refs = list(pool.map(lambda n: carrier.send(text_of(f"no {n}", id_=n)), range(28)))
        took_s = time.monotonic() - started
    assert len(set(refs)) == 28
    centre.tell(most=True)
    assert until(lambda: centre.all("most"), "the most in flight") == [7]
    # one after the other would take 4.2 s
    assert took_s < 2.5


def test_answers_out_of_order_reach_the_text_they_are_for(centre: NodeCentre) -> None:
    """The slow one is asked first and answered last."""
    with a_carrier(centre.port) as carrier, ThreadPoolExecutor(2) as pool:
        centre.behave(delay_ms=400)
        slow = pool.submit(carrier.send, text_of("slow"))
        until(lambda: len(centre.all("submitted")) == 1, "the slow one is there")
        centre.behave(delay_ms=0, status={"32470000002": 0x0B})
        with pytest.raises(Rejected):
            carrier.send(text_of("quick", "+32470000002"))
        assert not slow.done()
        assert slow.result(3).isdecimal()


def test_a_number_that_the_centre_does_not_know_is_turned_down_for_good(
    centre: NodeCentre,
) -> None:
    centre.behave(status={"32470000009": 0x0B, "32470000008": 0x404})
    with a_carrier(centre.port, barred_codes=(0x404,)) as carrier:
        with pytest.raises(Rejected, match="ESME_RINVDSTADR"):
            carrier.send(text_of("no such phone", "+32470000009"))
        with pytest.raises(Rejected, match="0x00000404"):
            carrier.send(text_of("barred by this operator's own code", "+32470000008"))
        assert carrier.send(text_of("others go on", "+32470000007"))


@pytest.mark.parametrize(
    "address", ["", "An", "+32 470", "8850", "0470/12", "+" + "1" * 21, "+३२४७०"]
)
def test_what_is_no_number_never_reaches_the_centre(centre: NodeCentre, address: str) -> None:
    with a_carrier(centre.port) as carrier, pytest.raises(Rejected, match="no number"):
        carrier.send(text_of("x", address))
    assert centre.all("submitted") == []


@pytest.mark.parametrize("address", ["0470000001", "0032470000001", "+32470000001"])
def test_a_number_is_sent_with_its_country_however_it_was_typed(
    centre: NodeCentre, address: str
) -> None:
    with a_carrier(centre.port) as carrier:
        carrier.send(text_of("x", address))
    assert [one["to"] for one in centre.submitted()] == ["32470000001"]


def test_too_much_at_once_is_said_with_how_long_to_wait(centre: NodeCentre) -> None:
    with a_carrier(centre.port, throttled_s=2.5) as carrier:
        centre.behave(throttle=1)
        with pytest.raises(CarrierFault, match="ESME_RTHROTTLED") as throttled:
            carrier.send(text_of("x"))
        assert throttled.value.after_s == 2.5
        centre.behave(every=0x14)
        with pytest.raises(CarrierFault, match="ESME_RMSGQFUL") as full:
            carrier.send(text_of("x"))
        assert full.value.after_s
        assert not isinstance(full.value, Rejected | InDoubt)


def test_a_long_text_that_is_throttled_half_way_waits_and_goes_whole(centre: NodeCentre) -> None:
    with a_carrier(centre.port, throttled_s=0.3) as carrier, ThreadPoolExecutor(1) as pool:
        centre.behave(delay_ms=200)
        going = pool.submit(carrier.send, text_of("a" * 400))
        until(lambda: len(centre.all("submitted")) == 2, "the second part is there")
        centre.behave(throttle=2, delay_ms=0)
        assert going.result(5).isdecimal()
    given = [(one["udh"][0][-2:], len(one["text"])) for one in centre.submitted(5)]
    # each part arrived; one that was throttled was given more than once
    assert list(dict.fromkeys(given)) == [("01", 153), ("02", 153), ("03", 94)]
    assert len(given) == 5


def test_an_inner_fault_of_the_centre_is_a_fault_and_no_refusal_of_the_number(
    centre: NodeCentre,
) -> None:
    with a_carrier(centre.port) as carrier:
        centre.behave(every=0x08)
        with pytest.raises(CarrierFault, match="ESME_RSYSERR") as fault:
            carrier.send(text_of("x"))
    assert type(fault.value) is CarrierFault
    assert fault.value.after_s is None


def test_a_connection_that_breaks_before_the_answer_leaves_it_in_doubt(
    centre: NodeCentre,
) -> None:
    with a_carrier(centre.port) as carrier:
        centre.behave(close=True)
        with pytest.raises(InDoubt, match=r"closed the connection|broke"):
            carrier.send(text_of("x"))
        with pytest.raises(CarrierFault, match=r"closed the connection|broke"):
            carrier.check()
        # and nothing more is given to it: that is no doubt
        with pytest.raises(CarrierFault) as fault:
            carrier.send(text_of("y"))
        assert not isinstance(fault.value, InDoubt)


def test_a_centre_that_never_answers_leaves_it_in_doubt_within_the_limit(
    centre: NodeCentre,
) -> None:
    with a_carrier(centre.port, answer_s=0.4) as carrier:
        centre.behave(mute=True)
        started = time.monotonic()
        with pytest.raises(InDoubt, match=r"no answer within 0\.4 s"):
            carrier.send(text_of("x"))
        assert time.monotonic() - started < 2
        carrier.check()  # it is there, only slow


def test_a_long_text_that_breaks_off_half_way_is_not_in_doubt_for_no_phone_shows_it(
    centre: NodeCentre,
) -> None:
    with a_carrier(centre.port) as carrier:
        centre.behave(close=True)
        with pytest.raises(CarrierFault) as fault:
            carrier.send(text_of("a" * 400))
    assert not isinstance(fault.value, InDoubt)


def test_it_connects_again_after_the_centre_died(centre: NodeCentre) -> None:
    port = free_port()
    with node_centre(port) as first, a_carrier(port) as carrier:
        carrier.send(text_of("before"))
        first.stop()
        until(lambda: _fault_of(carrier.check), "it notices")
        carrier.close()
        with pytest.raises(CarrierFault, match="cannot be reached"):
            carrier.open()
        with node_centre(port) as second:
            carrier.open()
            carrier.check()
            assert carrier.send(text_of("after"))
            assert [one["text"] for one in second.submitted()] == ["after"]


def test_open_again_without_closing_does_the_same(centre: NodeCentre) -> None:
    with a_carrier(centre.port) as carrier:
        centre.tell(drop=True)
        until(lambda: _fault_of(carrier.check), "it notices")
        carrier.open()
        assert carrier.send(text_of("after"))


def test_a_centre_that_ends_the_session_politely_is_away(centre: NodeCentre) -> None:
    with a_carrier(centre.port) as carrier:
        centre.tell(unbind=True)
        assert "unbind" in until(lambda: _fault_of(carrier.check), "it notices")


def test_a_silent_centre_is_asked_whether_it_is_there(centre: NodeCentre) -> None:
    with a_carrier(centre.port, alive_s=0.2) as carrier:
        until(lambda: len(centre.all("enquired")) >= 2, "it is asked")
        carrier.check()


def test_a_connection_that_is_dead_without_a_sign_is_noticed() -> None:
    """As behind a router that forgot it: everything goes out and nothing comes back."""
    from socket import create_server

    with create_server(("127.0.0.1", 0)) as listening:
        answer = bytes.fromhex("00000011 80000009 00000000 00000001 00".replace(" ", ""))

        def attend() -> None:
            line, _ = listening.accept()
            line.recv(4096)
            line.sendall(answer)
            while line.recv(4096):
                continue

        threading.Thread(target=attend, daemon=True).start()
        port = listening.getsockname()[1]
        with a_carrier(port, alive_s=0.2, answer_s=0.5) as carrier:
            assert "silent" in until(lambda: _fault_of(carrier.check), "it notices")


def test_a_wrong_password_is_said_clearly_shown_never_and_not_hammered(
    centre: NodeCentre, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    carrier = unopened(centre.port, password="hushhush")
    with pytest.raises(CarrierFault, match="refused the login as 'meldkamer'") as fault:
        carrier.open()
    assert "ESME_RINVPASWD" in str(fault.value)
    with pytest.raises(CarrierFault, match="tried again in") as again:
        carrier.open()
    assert again.value.after_s is not None
    assert again.value.after_s > 30
    told = str(fault.value) + str(again.value) + caplog.text + repr(carrier)
    assert "hushhush" not in told
    assert b"hushhush".hex() not in told


def test_nothing_of_a_text_or_a_password_is_logged(
    centre: NodeCentre, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    heard = Heard(away=True)
    with a_carrier(centre.port, heard) as carrier:
        carrier.send(text_of("geheimzinnig"))
        centre.mo("mijn geheim")
        until(lambda: centre.answers("mo"), "it is answered")
        centre.tell(drop=True)
        until(lambda: _fault_of(carrier.check), "it notices")
    assert "not stored" in caplog.text
    for secret in (PASSWORD, "geheim", b"geheim".hex(), "ok ok ok"):
        assert secret not in caplog.text


@pytest.mark.parametrize(
    ("bind", "modes"),
    [("transceiver", ["transceiver"]), ("pair", ["transmitter", "receiver"])],
)
def test_it_logs_in_as_the_account_wants_it(
    centre: NodeCentre, bind: str, modes: list[str]
) -> None:
    heard = Heard()
    with a_carrier(centre.port, heard, bind=bind, system_type="ARC") as carrier:
        assert carrier.send(text_of("x"))
        centre.mo("ok")
        until(lambda: heard.replies, "the answer")
        bound = until(lambda: centre.all("bound")[len(modes) - 1 :] and centre.all("bound"), "")
        assert [one["mode"] for one in bound] == modes
        assert {(one["system_id"], one["system_type"]) for one in bound} == {("meldkamer", "ARC")}
    until(lambda: len(centre.all("gone")) == len(modes), "it logged out")


def test_receipts_come_back_with_the_number_that_send_returned(centre: NodeCentre) -> None:
    heard = Heard()
    with a_carrier(centre.port, heard) as carrier:
        centre.behave(receipt="DELIVRD")
        there = carrier.send(text_of("x"))
        until(lambda: heard.receipts, "the receipt")
        centre.behave(receipt="UNDELIV", receipt_times=2)
        not_there = carrier.send(text_of("y"))
        until(lambda: len(heard.receipts) == 3, "both receipts")
        centre.behave(receipt="ENROUTE", receipt_times=1)
        on_its_way = carrier.send(text_of("z"))
        until(lambda: centre.answers(f"receipt {on_its_way}") == [0], "it is answered")
    assert heard.receipts == [
        (there, ReceiptState.DELIVERED, "DELIVRD err 000"),
        (not_there, ReceiptState.FAILED, "UNDELIV err 000"),
        (not_there, ReceiptState.FAILED, "UNDELIV err 000"),
    ]


def test_a_receipt_that_is_not_stored_is_brought_again(centre: NodeCentre) -> None:
    heard = Heard(away=True)
    with a_carrier(centre.port, heard) as carrier:
        centre.behave(receipt="DELIVRD")
        ref = carrier.send(text_of("x"))
        until(lambda: centre.answers(f"receipt {ref}"), "the first answer")
        heard.away = False
        until(lambda: heard.receipts, "it comes again")
        until(lambda: len(centre.answers(f"receipt {ref}")) > 1, "the second answer")
        assert centre.answers(f"receipt {ref}") == [0x64, 0]
    assert heard.receipts == [(ref, ReceiptState.DELIVERED, "DELIVRD err 000")]


def test_a_centre_that_counts_in_hex_and_reports_in_decimal_is_understood(
    centre: NodeCentre,
) -> None:
    heard = Heard()
    with a_carrier(centre.port, heard, receipt_ids="decimal") as carrier:
        centre.behave(receipt="DELIVRD", receipt_hex=True)
        ref = carrier.send(text_of("x"))
        until(lambda: heard.receipts, "the receipt")
    assert heard.receipts[0][0] == ref


def test_a_long_text_is_delivered_when_all_its_parts_are(centre: NodeCentre) -> None:
    heard = Heard()
    with a_carrier(centre.port, heard) as carrier:
        centre.behave(receipt="DELIVRD")
        ref = carrier.send(text_of("a" * 400))
        until(lambda: heard.receipts, "the receipt")
        until(lambda: len(centre.all("answered")) == 3, "all three are answered")
        time.sleep(0.05)
    assert heard.receipts[0][:2] == (ref, ReceiptState.DELIVERED)
    assert len(heard.receipts) == 1


def test_a_long_text_failed_with_the_first_part_that_failed(centre: NodeCentre) -> None:
    heard = Heard()
    with a_carrier(centre.port, heard) as carrier:
        centre.behave(receipt="UNDELIV")
        ref = carrier.send(text_of("a" * 300))
        until(lambda: len(heard.receipts) == 2, "the receipts")
    assert {one[:2] for one in heard.receipts} == {(ref, ReceiptState.FAILED)}


def _fault_of(check: object) -> str:
    try:
        check()  # type: ignore[operator]
    except CarrierFault as fault:
        return str(fault)
    return ""
