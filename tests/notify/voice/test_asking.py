"""An exchange is asked whether it is there; any answer will do."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from meldkamer.notify.carrier import CarrierFault, ReceiptState
from meldkamer.notify.voice import asking
from meldkamer.notify.voice.asking import Exchange, exchange
from meldkamer.notify.voice.sip import SipCarrier, SipSettings
from tests.notify.voice import telephone
from tests.notify.voice.telephone import Telephone

_HERE = "127.0.0.1"


class _Deaf:
    def reply(self, sender: str, text: str, *, to: str = "", ref: str = "") -> None: ...

    def receipt(self, ref: str, state: ReceiptState, *, detail: str = "") -> None: ...


def says(line: str) -> str:
    """What an exchange answers."""
    return telephone.received("OPTIONS") + telephone.answered(line)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("line", ["200 OK", "403 Forbidden"])
def test_an_exchange_that_answers_is_there(tmp_path: Path, transport: str, line: str) -> None:
    with Telephone(says(line), tmp_path, transport=transport) as phone:
        assert asking.fault_of(Exchange(_HERE, phone.port, transport, _HERE)) == ""
        phone.satisfied()


def test_one_that_is_not_there_is_found_at_once_and_a_silent_one_within_its_time(
    tmp_path: Path,
) -> None:
    with Telephone(telephone.LISTENS, tmp_path) as phone:
        port = phone.port
        began_s = time.monotonic()
        silent = asking.fault_of(Exchange(_HERE, phone.ear.port, "udp"))
        assert silent == "the exchange does not answer (3 s)"
        assert 2.5 < time.monotonic() - began_s < 6
    for transport in ("udp", "tcp"):
        gone = asking.fault_of(Exchange(_HERE, port, transport))
        assert gone.startswith("the exchange is not there: ")


def test_a_carrier_whose_exchange_is_gone_says_so(tmp_path: Path) -> None:
    with Telephone(says("200 OK"), tmp_path) as phone:
        settings = SipSettings(phone.exchange, local_address=_HERE)
        carrier = SipCarrier(settings, {}, _Deaf(), tmp_path / "voice")
        carrier.open()
        carrier.check()
        phone.satisfied()
    carrier.close()
    again = SipCarrier(settings, {}, _Deaf(), tmp_path / "voice")
    with pytest.raises(CarrierFault, match="the exchange is not there"):
        again.open()
    again.close()


@pytest.mark.parametrize(
    ("text", "transport", "found"),
    [
        ("192.0.2.7", "udp", Exchange("192.0.2.7", 5060, "udp")),
        ("192.0.2.7:5080", "tcp", Exchange("192.0.2.7", 5080, "tcp")),
        ("pbx.example:5061", "tls", Exchange("pbx.example", 5061, "tls")),
        ("[2001:db8::7]:5060", "udp", Exchange("2001:db8::7", 5060, "udp")),
        ("[2001:db8::7]", "tls", Exchange("2001:db8::7", 5061, "tls")),
        ("trunk.example", "udp", None),  # its port is DNS's to say
    ],
)
def test_only_an_exchange_whose_place_is_known_is_asked(
    text: str, transport: str, found: Exchange | None
) -> None:
    assert exchange(text, transport) == found
