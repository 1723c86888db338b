"""Both ways over SMPP against a second SMS centre that no one here wrote: `smpp34.Server`."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import smpp34

from meldkamer.notify.carrier import CarrierFault, ReceiptState, Rejected
from meldkamer.notify.sms import gsm
from tests.notify.sms.centres import Heard, a_carrier, text_of
from tests.peers import free_port, until


class Centre:
    """The server in a loop of its own. `decide` says what becomes of a text."""

    def __init__(self) -> None:
        self.port = free_port()
        self.took: list[smpp34.SubmitSmEvent] = []
        self.held: list[smpp34.SubmitSmEvent] = []
        self.refuse: dict[str, int] = {}
        self.hold = False
        self.esme: smpp34.Esme | None = None
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._started = threading.Event()
        self.do(self._start())

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def do(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(10)

    async def _start(self) -> None:
        self._server = smpp34.Server("127.0.0.1", self.port)
        await self._server.start()
        self._serving = asyncio.ensure_future(self._serve())

    async def _serve(self) -> None:
        while True:
            one = await self._server.next()
            if isinstance(one, smpp34.Esme):
                self.esme = one
            elif isinstance(one, smpp34.SubmitSmEvent):
                self.took.append(one)
                if self.hold:
                    self.held.append(one)
                elif one.destination_addr in self.refuse:
                    one.reject(self.refuse[one.destination_addr])
                else:
                    one.accept(f"m{len(self.took)}")

    def bring(self, octets: bytes, **fields: Any) -> int:
        """Bring a text and wait for our answer: its command_status."""
        fields = {"source_addr": "32470000001", "source_addr_ton": 1, **fields}

        async def deliver() -> int:
            assert self.esme is not None
            return int((await self.esme.deliver_sm("3280", octets, **fields)).command_status)

        return int(self.do(deliver()))

    def let_go(self) -> None:
        async def accept() -> None:
            for number, one in enumerate(self.held):
                one.accept(f"h{number}")

        self.do(accept())

    def stop(self) -> None:
        async def end() -> None:
            self._serving.cancel()
            await self._server.stop()

        self.do(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()


@pytest.fixture
def centre() -> Iterator[Centre]:
    centre = Centre()
    yield centre
    centre.stop()


def test_texts_arrive_whole_in_every_alphabet(centre: Centre) -> None:
    with a_carrier(centre.port) as carrier:
        assert carrier.send(text_of("Stroompanne: café €5")) == "m1"
        carrier.send(text_of("Διακοπή 🔥"))
        carrier.send(text_of("b" * 300))
    first, second, *parts = centre.took
    assert gsm.decode(first.short_message) == "Stroompanne: café €5"
    assert (first.source_addr, first.destination_addr) == ("32460001122", "32470000001")
    assert (first.source_addr_ton, first.dest_addr_ton, first.registered_delivery) == (1, 1, 1)
    assert second.short_message.decode("utf-16-be") == "Διακοπή 🔥"
    assert [part.short_message[:6].hex() for part in parts] == ["0500034d0201", "0500034d0202"]
    assert b"".join(part.short_message[6:] for part in parts) == b"b" * 300


def test_a_payload_and_the_parameters_of_parts_are_read_by_it(centre: Centre) -> None:
    with a_carrier(centre.port, long_text="payload") as carrier:
        carrier.send(text_of("c" * 500))
    with a_carrier(centre.port, long_text="sar") as carrier:
        carrier.send(text_of("d" * 200))
    payload = {tlv.tag: tlv.value for tlv in centre.took[0].tlvs}
    assert payload == {smpp34.TLV_MESSAGE_PAYLOAD: b"c" * 500}
    sar = {tlv.tag: tlv.as_int() for tlv in centre.took[2].tlvs}
    assert sar == {
        smpp34.TLV_SAR_MSG_REF_NUM: 77,
        smpp34.TLV_SAR_TOTAL_SEGMENTS: 2,
        smpp34.TLV_SAR_SEGMENT_SEQNUM: 2,
    }


def test_the_whole_window_is_in_flight_at_once(centre: Centre) -> None:
    centre.hold = True
    with a_carrier(centre.port, window=20) as carrier, ThreadPoolExecutor(20) as pool:
        going = [pool.submit(carrier.send, text_of(f"no {n}")) for n in range(20)]
        until(lambda: len(centre.held) == 20, "all are there and none is answered")
        assert not any(one.done() for one in going)
        centre.let_go()
        assert {one.result(5) for one in going} == {f"h{n}" for n in range(20)}


def test_its_refusals_are_read(centre: Centre) -> None:
    centre.refuse = {
        "32470000002": smpp34.ESME_RINVDSTADR,
        "32470000003": smpp34.ESME_RTHROTTLED,
        "32470000004": smpp34.ESME_RSYSERR,
    }
    with a_carrier(centre.port) as carrier:
        with pytest.raises(Rejected):
            carrier.send(text_of("x", "+32470000002"))
        for number in ("+32470000003", "+32470000004"):
            with pytest.raises(CarrierFault) as fault:
                carrier.send(text_of("x", number))
            assert type(fault.value) is CarrierFault
            assert (fault.value.after_s is not None) == number.endswith("3")


def test_answers_are_heard_the_empty_one_too_and_answered_when_stored(centre: Centre) -> None:
    heard = Heard()
    with a_carrier(centre.port, heard):
        until(lambda: centre.esme, "it is bound")
        assert centre.bring(b"OK") == 0
        assert centre.bring(b"") == 0
        heard.away = True
        assert centre.bring(b"help") == 0x64
        heard.away = False
        assert centre.bring(b"help") == 0
        assert centre.bring("смокинг".encode("utf-16-be"), data_coding=8) == 0
    assert [one.text for one in heard.replies] == ["OK", "", "help", "смокинг"]


def test_receipts_in_parameters_are_read_with_and_without_a_text(centre: Centre) -> None:
    heard = Heard()
    states = [(2, "DELIVRD"), (3, "EXPIRED"), (5, "UNDELIV"), (8, "REJECTD"), (1, "ENROUTE")]
    with a_carrier(centre.port, heard):
        until(lambda: centre.esme, "it is bound")
        for number, word in states:
            tlvs = [
                smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, f"m{number}".encode() + b"\0"),
                smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, bytes([number])),
            ]
            text = f"id:other stat:{word} err:017".encode() if number == 8 else b""
            assert centre.bring(text, esm_class=4, tlvs=tlvs) == 0
        # its number without the zero that should end it, in a message that says not what it is
        tlvs[0] = smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, b"m99")
        tlvs[1] = smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, bytes([2]))
        assert centre.bring(b"", tlvs=tlvs) == 0
    assert heard.receipts == [
        ("m2", ReceiptState.DELIVERED, "DELIVRD"),
        ("m3", ReceiptState.EXPIRED, "EXPIRED"),
        ("m5", ReceiptState.FAILED, "UNDELIV"),
        ("m8", ReceiptState.FAILED, "REJECTD err 017"),
        ("m99", ReceiptState.DELIVERED, "DELIVRD"),
    ]
    assert heard.replies == []


def test_a_parameter_that_belongs_elsewhere_does_not_lose_the_text(centre: Centre) -> None:
    """A reader by the book's tables raises on these; the text is a person's."""
    tlvs = [
        smpp34.Tlv(smpp34.TLV_QOS_TIME_TO_LIVE, bytes(4)),
        smpp34.Tlv(smpp34.TLV_MS_VALIDITY, b"\1"),
        smpp34.Tlv(0x1403, b"operator's own"),
    ]
    heard = Heard()
    with a_carrier(centre.port, heard):
        until(lambda: centre.esme, "it is bound")
        assert centre.bring(b"ok", tlvs=tlvs) == 0
    assert [one.text for one in heard.replies] == ["ok"]
