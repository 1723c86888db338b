"""A real Kannel: what it takes, what the phones get, what comes back to our hooks.

The hooks are those of a real web server; the gateway, its SMS centre and the phones are Kannel's.
"""

from collections.abc import Iterator

import pytest
from pytest_django.live_server_helper import LiveServer

from meldkamer.notify import inbox
from meldkamer.notify.carrier import CarrierFault, Rejected
from meldkamer.notify.models import InboundMessage, Receipt, WayOut
from meldkamer.notify.sms.http import SmsHttpCarrier, SmsHttpSettings, build
from tests.notify.sms.gateway import parcel
from tests.notify.sms.kannel import PASSWORD, USER, Kannel, ucs2
from tests.notify.sms.test_http_carrier import NoEars
from tests.peers import until

TOKEN, PHONE = "token-of-kannels-hooks", "+32470000001"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def hooks(live_server: LiveServer) -> str:
    return f"{live_server.url.replace('localhost', '127.0.0.1')}/hooks/{TOKEN}/"


@pytest.fixture(scope="module")
def kannel(hooks: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kannel]:
    one = Kannel(tmp_path_factory.mktemp("kannel"), hooks)
    try:
        one.start()
        yield one
    finally:
        one.stop()


@pytest.fixture
def row() -> WayOut:
    return WayOut.objects.create(
        channel="sms", kind="sms_http", name="Kannel", hook_mac=inbox.hook_mac(TOKEN)
    )


def connected(kannel: Kannel, hooks: str, password: str = PASSWORD) -> SmsHttpCarrier:
    settings = SmsHttpSettings(
        url=kannel.url, username=USER, sender="3200", status_url=kannel.status_url, limit_s=5
    )
    return build(settings, {"password": password, "hook_url": hooks}, NoEars())


@pytest.fixture
def carrier(kannel: Kannel, hooks: str, row: WayOut) -> Iterator[SmsHttpCarrier]:
    one = connected(kannel, hooks)
    one.open()
    yield one
    one.close()


def replies() -> list[tuple[str, str, str]]:
    rows = InboundMessage.objects.order_by("id").values_list("sender", "to", "text")
    return [(sender, to, text) for sender, to, text in rows]


@pytest.mark.parametrize(
    ("id_", "body"),
    [
        (101, "Panne de courant, Boulangerie Peeters é à [€]"),
        (102, "Сбой питания: пекарня „Петерс“ 🔋"),
        (103, "Stroomuitval. " * 30),
        (104, "Сбой питания. " * 12),
    ],
)
def test_the_phone_gets_the_text_and_its_receipt_finds_the_message(
    kannel: Kannel, carrier: SmsHttpCarrier, row: WayOut, id_: int, body: str
) -> None:
    phone = f"+3247000{id_:04}"
    assert carrier.send(parcel(body, phone, id_)) == str(id_)
    until(lambda: "".join(kannel.got(phone)) == body, f"the phone got {body!r}")
    until(Receipt.objects.exists, "the receipt came")
    receipt = Receipt.objects.get()
    assert (receipt.carrier_id, receipt.ref, receipt.state) == (row.pk, str(id_), "delivered")


@pytest.mark.clause("S7.4")
@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("ok", "text", "ok"),
        ("", "text", ""),
        ("oui, j'arrive & je rappelle 100%", "text", "oui, j'arrive & je rappelle 100%"),
        (ucs2("Да, ок"), "ucs2", "Да, ок"),
        ("%00%ffx", "data", "\xffx"),
    ],
)
@pytest.mark.usefixtures("row")
def test_what_a_phone_says_comes_in_at_the_hook(
    kannel: Kannel, said: str, kind: str, words: str
) -> None:
    kannel.says(PHONE, said, kind)
    until(InboundMessage.objects.exists, "the reply came")
    assert replies() == [(PHONE, "3200", words)]


@pytest.mark.clause("M12.1")
def test_a_reply_that_was_not_taken_is_brought_again_and_stored_once(
    kannel: Kannel, row: WayOut
) -> None:
    WayOut.objects.filter(pk=row.pk).update(enabled=False)
    before = kannel.retries()
    kannel.says(PHONE, "ok")
    until(lambda: kannel.retries() > before, "Kannel was turned away once")
    assert replies() == []
    WayOut.objects.filter(pk=row.pk).update(enabled=True)
    until(InboundMessage.objects.exists, "the reply came")
    assert replies() == [(PHONE, "3200", "ok")]


@pytest.mark.clause("S7.2")
@pytest.mark.usefixtures("row")
def test_a_number_that_kannel_does_not_allow_is_turned_down_for_good(
    carrier: SmsHttpCarrier,
) -> None:
    with pytest.raises(Rejected, match="denied by white- and/or black-lists"):
        carrier.send(parcel(address="+33612345678"))


@pytest.mark.usefixtures("row")
def test_a_wrong_password_is_a_fault_of_the_carrier_and_not_of_the_number(
    kannel: Kannel, hooks: str
) -> None:
    one = connected(kannel, hooks, "wrong-password")
    one.open()
    with pytest.raises(CarrierFault, match="does not know us: Authorization failed") as fault:
        one.send(parcel())
    assert type(fault.value) is CarrierFault
    assert "wrong-password" not in str(fault.value)
    one.close()


def test_while_the_sms_centre_is_away_the_gateway_is_down_and_loses_nothing(
    kannel: Kannel, carrier: SmsHttpCarrier
) -> None:
    phone = "+32470000201"
    kannel.stop("centre")
    until(lambda: "(online" not in kannel.status().partition("SMSC conn")[2], "it hung up")
    with pytest.raises(CarrierFault, match="no SMS centre of the gateway is on line"):
        carrier.check()
    # who asks all the same is told that it waits, and it does
    assert carrier.send(parcel("waits", phone, 201)) == "201"
    kannel.start_centre()
    carrier.check()
    until(lambda: kannel.got(phone) == ["waits"], "the phone got it")
    until(Receipt.objects.exists, "the receipt came")


def test_a_kannel_that_is_down_has_nothing_and_takes_texts_when_it_is_back(
    kannel: Kannel, carrier: SmsHttpCarrier
) -> None:
    kannel.stop("smsbox")
    with pytest.raises(CarrierFault) as fault:
        carrier.send(parcel(id_=301))
    assert type(fault.value) is CarrierFault
    with pytest.raises(CarrierFault, match="cannot be reached"):
        carrier.check()
    kannel.start_smsbox()
    carrier.check()
    assert carrier.send(parcel(id_=301)) == "301"
