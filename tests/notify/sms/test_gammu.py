"""A GSM modem through gammu-smsd: the real daemon with its dummy phone on a real database."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from meldkamer.notify import kinds
from meldkamer.notify.carrier import Carrier, CarrierFault, InDoubt, ReceiptState, Rejected
from meldkamer.project.scratch import scratch_database
from tests.notify.sms.gammu_peer import Gammu, make_tables
from tests.notify.sms.gateway import parcel
from tests.peers import until

PHONE = "+32470000001"


@dataclass
class Heard:
    """Ears that keep what they hear; `deaf`: nothing can be stored now."""

    carrier_id: int = 1
    deaf: bool = False
    replies: list[tuple[str, str]] = field(default_factory=list)
    refs: list[str] = field(default_factory=list)
    receipts: list[tuple[str, ReceiptState]] = field(default_factory=list)

    def reply(self, sender: str, text: str, *, to: str = "", ref: str = "") -> None:
        self.refs.append(ref)
        if self.deaf:
            raise RuntimeError("not stored")
        assert to == "modem1"
        self.replies.append((sender, text))

    def receipt(self, ref: str, state: ReceiptState, *, detail: str = "") -> None:
        self.receipts.append((ref, state))


@pytest.fixture(scope="module")
def gammu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gammu]:
    with scratch_database("gammu", template=None) as dsn:
        make_tables(dsn)
        one = Gammu(tmp_path_factory.mktemp("gammu"), dsn)
        try:
            one.start()
            yield one
        finally:
            one.stop()


Connect = Callable[..., tuple[Carrier, Heard]]


@pytest.fixture
def connect(gammu: Gammu) -> Iterator[Connect]:
    """A carrier on these tables, opened; closed at the end."""
    opened: list[Carrier] = []

    def connected(**settings: object) -> tuple[Carrier, Heard]:
        heard = Heard()
        given = gammu.settings | {"poll_s": 0.2, "limit_s": 10} | settings
        one = kinds.build("gammu", given, {}, heard)
        one.open()
        opened.append(one)
        return one, heard

    yield connected
    for one in opened:
        one.close()
    gammu.rows("DELETE FROM inbox")


def test_texts_are_taken_when_the_modem_has_sent_them(gammu: Gammu, connect: Connect) -> None:
    one, _ = connect()
    bodies = [
        "Panne de courant, Boulangerie Peeters é à [€]",
        "Сбой питания: пекарня „Петерс“",
        "Stroomuitval [A]. " * 30,
        "Сбой питания. " * 12,
    ]
    texts = [parcel(body, f"+3247000050{n}", 500 + n) for n, body in enumerate(bodies)]
    with ThreadPoolExecutor(one.at_once) as threads:
        refs = list(threads.map(one.send, texts))
    assert refs == [f"meldkamer:{500 + n}:1795168800" for n in range(4)]
    assert [gammu.got(text.address) for text in texts] == bodies
    assert gammu.rows("SELECT * FROM outbox") == []


@pytest.mark.clause("S7.4")
def test_what_phones_say_is_heard_once(gammu: Gammu, connect: Connect) -> None:
    one, heard = connect()
    said = ["ok", "", "Да, ок", "oui, j'arrive [€]"]
    for number, text in enumerate(said, 1):
        gammu.says(f"047000000{number}", text)
    until(lambda: len(heard.replies) == 4, "the replies were heard")
    marked = [(True,)] * 4
    until(lambda: gammu.rows('SELECT "Processed" FROM inbox') == marked, "they are marked")
    one.check()
    assert sorted(heard.replies) == [(f"+3247000000{n}", text) for n, text in enumerate(said, 1)]
    assert len(set(heard.refs)) == 4


def test_a_long_reply_comes_in_whole(gammu: Gammu, connect: Connect) -> None:
    _, heard = connect()
    gammu.says(PHONE, "I am on my way, ", udh="050003A70201")
    gammu.says(PHONE, "wait for me", udh="050003A70202")
    until(lambda: heard.replies, "the reply was heard")
    assert heard.replies == [(PHONE, "I am on my way, wait for me")]


@pytest.mark.clause("M12.1")
def test_a_reply_that_was_not_stored_is_brought_again_with_the_same_number(
    gammu: Gammu, connect: Connect
) -> None:
    _, heard = connect()
    heard.deaf = True
    gammu.says(PHONE, "ok")
    until(lambda: len(heard.refs) > 1, "it was brought twice")
    assert gammu.rows('SELECT "Processed" FROM inbox') == [(False,)]
    heard.deaf = False
    until(lambda: heard.replies, "the reply was heard")
    assert len(set(heard.refs)) == 1


def test_delivery_reports_find_their_messages(gammu: Gammu, connect: Connect) -> None:
    one, heard = connect()
    told = []
    for phone, said, state in (
        ("+32470000601", "Delivered", ReceiptState.DELIVERED),
        ("+32470000602", "Failed", ReceiptState.FAILED),
    ):
        told.append((one.send(parcel(address=phone, id_=int(phone[-3:]))), state))
        [(reference,)] = gammu.rows(
            'SELECT "TPMR" FROM sentitems WHERE "DestinationNumber" = %s', phone
        )
        gammu.reports(phone, reference, said)
    until(lambda: len(heard.receipts) == 2, "the reports came")
    assert sorted(heard.receipts) == sorted(told)


@pytest.mark.clause("M12.1")
def test_a_text_of_an_earlier_try_is_not_sent_twice(gammu: Gammu, connect: Connect) -> None:
    one, _ = connect()
    mine = parcel("once", "+32470000701", 701)
    assert one.send(mine) == one.send(mine)
    assert gammu.got("+32470000701") == "once"


def test_what_the_modem_does_not_begin_with_is_taken_back(gammu: Gammu, connect: Connect) -> None:
    one, _ = connect(limit_s=2)
    gammu.stop()
    try:
        with pytest.raises(CarrierFault, match="the modem did not send it within 2 s") as fault:
            one.send(parcel("late", "+32470000801", 801))
        assert type(fault.value) is CarrierFault
        assert gammu.rows("SELECT * FROM outbox") == []
    finally:
        gammu.start()
    assert one.send(parcel("late", "+32470000801", 801))
    assert gammu.got("+32470000801") == "late"


def test_a_text_that_was_left_by_a_process_that_died_is_found_again(
    gammu: Gammu, connect: Connect
) -> None:
    one, _ = connect()
    mine = parcel("x", "+32470000802", 802)
    gammu.stop()
    try:
        Sending(one, mine.address)
        until(lambda: gammu.rows("SELECT 1 FROM outbox"), "it lies in the outbox")
        again, _ = connect()
    finally:
        gammu.start()
    assert again.send(mine)
    assert gammu.got("+32470000802") == "x"


@dataclass
class Sending:
    """A text that is being sent while the daemon is off; `fault` is what came of it."""

    one: Carrier
    phone: str
    fault: list[CarrierFault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._send, daemon=True)
        self.thread.start()

    def _send(self) -> None:
        try:
            self.one.send(parcel("x", self.phone, int(self.phone[-4:])))
        except CarrierFault as fault:
            self.fault.append(fault)

    def ended(self) -> type[CarrierFault]:
        self.thread.join(10)
        [fault] = self.fault
        return type(fault)


@pytest.fixture
def switched_off(gammu: Gammu) -> Iterator[Gammu]:
    """The daemon is off, and its tables are written as it would."""
    gammu.stop()
    yield gammu
    gammu.rows("DELETE FROM outbox")
    gammu.start()


@pytest.mark.clause("S7.2")
def test_what_the_modem_could_not_send_moves_on(switched_off: Gammu, connect: Connect) -> None:
    # the dummy phone sends everything: this is what the daemon writes when a modem does not
    one, _ = connect()
    found = []
    for number, state, code in (
        (1, "SendingError", 1), (2, "SendingError", 38), (3, "Error", -1),
    ):  # fmt: skip
        sending = Sending(one, f"+3247000090{number}")
        until(lambda: switched_off.rows("SELECT 1 FROM outbox"), "it lies in the outbox")
        switched_off.rows(
            "WITH gone AS (DELETE FROM outbox RETURNING *) INSERT INTO sentitems"
            ' ("ID", "Text", "UDH", "SenderID", "CreatorID", "DestinationNumber", "Status",'
            ' "StatusCode") SELECT "ID", "Text", \'\', \'modem1\', "CreatorID",'
            ' "DestinationNumber", %s, %s FROM gone',
            state, code,
        )  # fmt: skip
        found.append(sending.ended())
    assert found == [Rejected, CarrierFault, CarrierFault]


def test_a_text_that_the_modem_would_try_again_in_minutes_moves_on_at_once(
    switched_off: Gammu, connect: Connect
) -> None:
    one, _ = connect(limit_s=60)
    sending = Sending(one, "+32470000940")
    until(lambda: switched_off.rows("SELECT 1 FROM outbox"), "it lies in the outbox")
    switched_off.rows(
        'UPDATE outbox SET "Retries" = 1, "SendingTimeOut" = LOCALTIMESTAMP + interval \'600 s\''
    )
    assert sending.ended() is CarrierFault
    assert switched_off.rows("SELECT 1 FROM outbox") == []


def test_a_text_in_the_modems_hands_leaves_doubt(switched_off: Gammu, connect: Connect) -> None:
    one, _ = connect(limit_s=2)
    sending = Sending(one, "+32470000950")
    until(lambda: switched_off.rows("SELECT 1 FROM outbox"), "it lies in the outbox")
    switched_off.rows("UPDATE outbox SET \"SendingTimeOut\" = LOCALTIMESTAMP + interval '60 s'")
    assert sending.ended() is InDoubt


def test_a_modem_without_signs_of_life_or_network_is_down(gammu: Gammu, connect: Connect) -> None:
    one, _ = connect(stale_s=10)
    gammu.stop()
    try:
        one.check()
        with pytest.MonkeyPatch.context() as patch:
            later_s = time.monotonic() + 11
            patch.setattr(time, "monotonic", lambda: later_s)
            with pytest.raises(CarrierFault, match="no sign of life for 10 s"):
                one.check()
        gammu.rows('UPDATE phones SET "Signal" = 0, "TimeOut" = "TimeOut" + interval \'1 s\'')
        with pytest.raises(CarrierFault, match="the modem has no network"):
            one.check()
    finally:
        gammu.start()
    one.check()


def test_what_is_missing_is_named(gammu: Gammu) -> None:
    def fault(**settings: object) -> str:
        one = kinds.build("gammu", gammu.settings | settings, {"password": "s3cret"}, Heard())
        with pytest.raises(CarrierFault) as found:
            one.open()
        one.close()
        assert "s3cret" not in str(found.value)
        return str(found.value)

    assert "no gammu-smsd with PhoneID 'another' has ever run" in fault(phone_id="another")
    assert "gammu's database:" in fault(database="not-there")
    with scratch_database("nothing", template=None) as dsn:
        name = dsn.split("dbname=")[1]
        assert fault(database=name) == "found no tables of gammu-smsd; expected its schema 17"
    with pytest.raises(kinds.SettingsFault, match="limit_s: expected 2 to 90"):
        kinds.build("gammu", {"limit_s": 1}, {}, Heard())
