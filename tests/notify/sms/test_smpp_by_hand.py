"""What no library sends: an SMS centre made by hand, octet by octet."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from socket import SO_RCVBUF, SOL_SOCKET, create_server, socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meldkamer.notify.carrier import CarrierFault, InDoubt
from meldkamer.notify.sms import smpp_receipts
from meldkamer.notify.sms.smpp import SmppCarrier
from meldkamer.notify.sms.smpp_listening import read_text
from meldkamer.notify.sms.smpp_pdus import HEADER, BadPdu, read_delivered
from meldkamer.notify.sms.smpp_settings import SmppSettings
from tests.notify.sms.centres import Heard, a_carrier, text_of
from tests.peers import until

BOUND = bytes.fromhex("00000011 80000009 00000000 00000001 00")
DELIVER_SM, SUBMIT_SM_RESP, GENERIC_NACK = 0x5, 0x80000004, 0x80000000
TEXT = bytes([0, 1, 1]) + b"32470000001\0" + bytes([0, 0]) + b"3280\0" + bytes(9) + b"\x02ok"

SETTINGS = SmppSettings(host="smsc.example", system_id="arc", sender="+32460001122")


def pdu(command: int, body: bytes = b"", sequence: int = 5, status: int = 0) -> bytes:
    return HEADER.pack(HEADER.size + len(body), command, status, sequence) + body


@contextmanager
def by_hand(heard: Heard | None = None, **settings: object) -> Iterator[tuple[SmppCarrier, socket]]:
    """A carrier that is logged in, and the centre's end of its connection."""
    lines: list[socket] = []
    with create_server(("127.0.0.1", 0)) as listening:
        # so that a centre which does not read is felt soon
        listening.setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)

        def attend() -> None:
            line, _ = listening.accept()
            line.settimeout(5)
            line.recv(4096)
            line.sendall(BOUND)
            lines.append(line)

        threading.Thread(target=attend, daemon=True).start()
        try:
            with a_carrier(listening.getsockname()[1], heard, **settings) as carrier:
                yield carrier, until(lambda: lines, "a connection")[0]
                lines[0].close()
        finally:
            for line in lines:
                line.close()


def test_what_is_unknown_is_answered_and_the_line_goes_on() -> None:
    heard = Heard()
    with by_hand(heard) as (_carrier, line):
        line.sendall(pdu(0x103, b"data_sm?"))
        assert line.recv(100) == pdu(GENERIC_NACK, status=3)
        line.sendall(pdu(DELIVER_SM, TEXT[:9], 6))
        assert line.recv(100)[:16] == HEADER.pack(17, 0x80000005, 1, 6)
        line.sendall(pdu(DELIVER_SM, TEXT, 7))
        assert line.recv(100)[:16] == HEADER.pack(17, 0x80000005, 0, 7)
    assert [one.text for one in heard.replies] == ["ok"]


def test_a_text_in_two_segments_with_a_makers_and_a_broken_parameter_is_read() -> None:
    octets = pdu(DELIVER_SM, TEXT + bytes.fromhex("1401 0003 616263 03fd ffff 01"), 7)
    heard = Heard()
    with by_hand(heard) as (_carrier, line):
        line.sendall(octets[:30])
        time.sleep(0.05)
        line.sendall(octets[30:] + pdu(0x15, sequence=8))
        answers = b""
        while len(answers) < 33:
            answers += line.recv(100)
        assert pdu(0x80000015, sequence=8) in answers
        assert HEADER.pack(17, 0x80000005, 0, 7) in answers
    assert [one.text for one in heard.replies] == ["ok"]


@pytest.mark.parametrize("length", [0, 15, 80_001, 0xFFFFFFFF])
def test_what_is_no_smpp_ends_the_connection(length: int) -> None:
    with by_hand() as (carrier, line):
        line.sendall(length.to_bytes(4, "big") + b"HTTP/1.1 400")
        until(lambda: _fault(carrier), "it ends")
        assert "no SMPP" in _fault(carrier)


@pytest.mark.parametrize("status", [0, 3])
def test_a_text_that_is_not_understood_is_not_taken(status: int) -> None:
    with by_hand() as (carrier, line), ThreadPoolExecutor(1) as pool:
        going = pool.submit(carrier.send, text_of("x"))
        sequence = HEADER.unpack(line.recv(4096)[:16])[3]
        line.sendall(pdu(GENERIC_NACK, sequence=sequence, status=status))
        with pytest.raises(CarrierFault, match="did not take it") as fault:
            going.result(3)
        assert not isinstance(fault.value, InDoubt)


def test_an_answer_without_its_closing_zero_gives_the_whole_number() -> None:
    with by_hand() as (carrier, line), ThreadPoolExecutor(1) as pool:
        going = pool.submit(carrier.send, text_of("x"))
        sequence = HEADER.unpack(line.recv(4096)[:16])[3]
        line.sendall(pdu(SUBMIT_SM_RESP, b"4711", sequence))
        assert going.result(3) == "4711"


def test_what_could_not_leave_yet_may_still_leave_and_is_in_doubt() -> None:
    """The centre stops reading; later it reads all of it."""
    settings = {"answer_s": 0.6, "window": 120, "parts_most": 255, "long_text": "payload"}
    with by_hand(**settings) as (carrier, line), ThreadPoolExecutor(120) as pool:
        body = "a" * 35_000
        going = [pool.submit(carrier.send, text_of(body)) for _ in range(120)]
        faults = [one.exception(20) for one in going]
        assert {type(fault) for fault in faults} == {InDoubt}
        read, line_ends = 0, time.monotonic() + 10
        while read < 120 * 35_000 and time.monotonic() < line_ends:
            read += len(line.recv(1 << 20))
        assert read > 120 * 35_000


@pytest.mark.parametrize(
    ("form", "given_id", "told_id"),
    [
        ("same", "7F0000A1-x", "7F0000A1-x"),
        ("same", "0012", "0012"),
        ("decimal", "3F0", "1008"),
        ("decimal", "3f0", "0000001008"),
        ("hex", "1008", "3f0"),
        ("hex", "1008", "000003F0"),
        # what is no number in that base is taken as it is
        ("hex", "abc-1", "abc-1"),
        ("decimal", "msg-1", "msg-1"),
    ],
)
def test_a_receipt_finds_its_text_however_its_number_is_written(
    form: smpp_receipts.IdForm, given_id: str, told_id: str
) -> None:
    given_ref = smpp_receipts.given_ref(given_id, form)
    assert given_ref
    assert smpp_receipts.told_ref(told_id, form) == given_ref


def test_every_broken_text_is_told_with_the_field_that_is_not_there() -> None:
    for end in range(len(TEXT) - 2):
        with pytest.raises(BadPdu, match="expected"):
            read_delivered(TEXT[:end])


@given(st.binary(max_size=120), st.integers(0, len(TEXT)))
def test_no_octets_make_reading_fail_otherwise(octets: bytes, kept: int) -> None:
    try:
        delivered = read_delivered(TEXT[:kept] + octets)
    except BadPdu:
        return
    arrival = read_text(delivered, SETTINGS)
    (arrival.text + arrival.sender + arrival.to).encode()
    receipt = smpp_receipts.read(delivered)
    assert receipt is None or receipt.message_id


def _fault(carrier: SmppCarrier) -> str:
    try:
        carrier.check()
    except CarrierFault as fault:
        return str(fault)
    return ""
