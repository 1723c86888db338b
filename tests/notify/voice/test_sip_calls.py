"""Announced calls over SIP: baresip calls a telephone that is sipp, and only a key acknowledges."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from meldkamer.notify.carrier import CarrierFault, InDoubt, Parcel, ReceiptState, Rejected
from meldkamer.notify.voice.sip import SipCarrier, SipSettings
from meldkamer.notify.voice.speech import Voice
from tests.notify.voice import telephone
from tests.notify.voice.telephone import Telephone

_NUMBER = "+32 470 12 34 56"


class Heard:
    """Ears that keep what they are told; `fails` so many times first."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ReceiptState, str]] = []
        self.fails = 0
        self._changed = threading.Condition()

    def reply(self, sender: str, text: str, *, to: str = "", ref: str = "") -> None:
        raise AssertionError("a call brings no replies")

    def receipt(self, ref: str, state: ReceiptState, *, detail: str = "") -> None:
        with self._changed:
            if self.fails:
                self.fails -= 1
                raise ConnectionError("the database is away")
            self.told.append((ref, state, detail))
            self._changed.notify_all()

    def one(self) -> tuple[str, ReceiptState, str]:
        """The receipt, as soon as it is there."""
        with self._changed:
            assert self._changed.wait_for(lambda: bool(self.told), 30), "no receipt"
        assert len(self.told) == 1
        return self.told[0]


def parcel(
    number: str = _NUMBER, language: str = "nl", body: str = "Stroompanne bij Bakkerij Peeters."
) -> Parcel:
    """A message as a line gives it."""
    return Parcel(
        id=17, channel="voice", template="announced", address=number, recipient="An Peeters",
        language=language, subject="", body=body, provider_id=1,
        site_id=1, incident_id=1, contact_id=1, created_at=datetime(2026, 3, 2, tzinfo=UTC),
        attempt=1,
    )  # fmt: skip


class Tone:
    """Speaks quickly: 0.2 s of a tone for any text. One test hears the real voice."""

    def say(self, text: str, language: str) -> array[int]:
        assert text
        return array("h", (round(9000 * math.sin(at * 0.4)) for at in range(1600)))

    def forget_old(self) -> None:
        pass


class Desk:
    """A carrier towards one telephone."""

    def __init__(self, place: Path) -> None:
        self.ears = Heard()
        self.place = place
        self.carrier: SipCarrier | None = None

    def towards(
        self,
        phone: Telephone,
        password: str = "",
        voice: Tone | None = Tone(),  # noqa: B008 - it has no state
        **settings: object,
    ) -> SipCarrier:
        """Opened, with short times."""
        quick = {
            "ring_s": 20,
            "repeat": 1,
            "pause_s": 0.5,
            "local_address": "127.0.0.1",
            "ask": False,
        }
        self.carrier = SipCarrier(
            SipSettings(target=phone.exchange, **{**quick, **settings}),  # type: ignore[arg-type]
            {"password": password} if password else {},
            self.ears,
            self.place / "voice",
            voice,
        )
        self.carrier.open()
        return self.carrier

    def calls(self) -> list[Path]:
        """The directories of calls that are going on."""
        return list((self.place / "voice" / "calls").glob("*"))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    if desk.carrier is not None:
        desk.carrier.close()
    # no baresip is left behind
    assert baresips(tmp_path) == []
    assert desk.calls() == []


def baresips(place: Path) -> list[int]:
    """The processes of calls below this directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words[0].endswith(b"baresip") and any(str(place).encode() in word for word in words):
            found.append(int(process.name))
    return found


@pytest.mark.parametrize("scenario", [telephone.LISTENS, telephone.EARLY])
def test_a_key_acknowledges_and_is_thanked_for(desk: Desk, tmp_path: Path, scenario: str) -> None:
    with Telephone(scenario, tmp_path) as phone:
        ref = desk.towards(phone).send(parcel())
        phone.ear.listen(0.5)
        phone.ear.press("1")
        assert desk.ears.one() == (ref, ReceiptState.ACKNOWLEDGED, "the key was pressed")
        at_key = len(phone.ear.heard())
        phone.satisfied()
        thanks = phone.ear.heard()[at_key:]
    assert _energy(thanks) > 0  # spoken after the receipt was stored


def test_the_whole_text_is_heard_in_the_voice_of_its_language(desk: Desk, tmp_path: Path) -> None:
    """Nothing of it is lost to the sound of before the answer."""
    with Telephone(telephone.EARLY, tmp_path) as phone:
        desk.towards(phone, voice=None).send(parcel(body="Test."))
        assert desk.ears.one()[1] == ReceiptState.UNANSWERED
        phone.satisfied()
        heard = phone.ear.heard()
    voice = Voice(tmp_path / "again")
    once = [
        voice.say("Test.", "nl"),
        voice.say("Druk op 1 om te bevestigen dat u dit hoorde.", "nl"),
    ]
    spoken = sum(map(_energy, once))
    assert _energy(heard) == pytest.approx(spoken, rel=0.1)


def _energy(samples: array[int]) -> float:
    return float(sum(one * one for one in samples))


def test_a_call_that_is_answered_without_a_key_is_unanswered(desk: Desk, tmp_path: Path) -> None:
    """Voicemail is not an answer."""
    with Telephone(telephone.LISTENS, tmp_path) as phone:
        ref = desk.towards(phone).send(parcel(language="fr"))
        told = desk.ears.one()
        phone.satisfied()
    why = "answered, no key was pressed"
    assert told == (ref, ReceiptState.UNANSWERED, why)


def test_a_call_over_tcp(desk: Desk, tmp_path: Path) -> None:
    with Telephone(telephone.LISTENS, tmp_path, transport="tcp") as phone:
        desk.towards(phone, transport="tcp").send(parcel())
        phone.ear.listen(0.1)
        phone.ear.press("1")
        assert desk.ears.one()[1] == ReceiptState.ACKNOWLEDGED
        phone.satisfied()


def test_another_key_acknowledges_nothing(desk: Desk, tmp_path: Path) -> None:
    with Telephone(telephone.LISTENS, tmp_path) as phone:
        desk.towards(phone).send(parcel(language="de"))
        phone.ear.listen(0.3)
        phone.ear.press("3")
        _, state, detail = desk.ears.one()
        phone.satisfied()
    assert (state, detail) == (
        ReceiptState.UNANSWERED,
        "answered, another key was pressed",
    )


def test_a_key_by_sip_info_acknowledges(desk: Desk, tmp_path: Path) -> None:
    with Telephone(telephone.SENDS_INFO, tmp_path) as phone:
        desk.towards(phone).send(parcel(language="en"))
        assert desk.ears.one()[1:] == (ReceiptState.ACKNOWLEDGED, "the key was pressed")
        phone.satisfied()


def test_who_hangs_up_without_a_key_has_not_acknowledged(desk: Desk, tmp_path: Path) -> None:
    with Telephone(telephone.HANGS_UP, tmp_path) as phone:
        desk.towards(phone).send(parcel())
        _, state, detail = desk.ears.one()
        phone.satisfied()
    assert state == ReceiptState.UNANSWERED
    assert detail == "answered, hung up without a key"


@pytest.mark.parametrize(
    ("scenario", "state", "detail"),
    [
        (telephone.refuses("486 Busy Here"), ReceiptState.UNANSWERED, "busy"),
        (telephone.rings_then("603 Decline"), ReceiptState.UNANSWERED, "turned away"),
        (telephone.rings_then("480 Temporarily Unavailable"), ReceiptState.UNANSWERED,
         "not available"),
        (telephone.rings_then("500 Server Error"), ReceiptState.FAILED,
         "the exchange ended the call: 500 Server Error"),
        (telephone.RINGS, ReceiptState.UNANSWERED, "no answer"),
    ],
)  # fmt: skip
def test_a_telephone_that_nobody_takes_up_is_unanswered(
    desk: Desk, tmp_path: Path, scenario: str, state: ReceiptState, detail: str
) -> None:
    with Telephone(scenario, tmp_path) as phone:
        ref = desk.towards(phone, ring_s=5).send(parcel())
        assert desk.ears.one() == (ref, state, detail)
        phone.satisfied()


def test_a_number_that_does_not_exist_is_rejected(desk: Desk, tmp_path: Path) -> None:
    with Telephone(telephone.refuses("404 Not Found"), tmp_path) as phone:
        carrier = desk.towards(phone)
        with pytest.raises(Rejected, match="no such number: 404"):
            carrier.send(parcel())
        with pytest.raises(Rejected, match=r"no number that can be called: 'an@example\.be'"):
            carrier.send(parcel("an@example.be"))
    assert desk.ears.told == []


def test_an_exchange_that_refuses_is_the_carriers_fault(desk: Desk, tmp_path: Path) -> None:
    with Telephone(telephone.refuses("503 Service Unavailable"), tmp_path) as phone:
        carrier = desk.towards(phone)
        with pytest.raises(CarrierFault, match="refused the call: 503") as found:
            carrier.send(parcel())
    assert not isinstance(found.value, (Rejected, InDoubt))


def test_a_baresip_that_dies_while_it_speaks_is_told(desk: Desk, tmp_path: Path) -> None:
    with Telephone(telephone.LISTENS, tmp_path) as phone:
        ref = desk.towards(phone).send(parcel())
        phone.ear.listen(0.2)
        (number,) = baresips(tmp_path)
        os.kill(number, signal.SIGKILL)
        told = desk.ears.one()
    assert told[:2] == (ref, ReceiptState.FAILED)
    assert told[2].startswith("the call broke off: baresip")


def test_a_receipt_that_is_not_stored_at_once_is_stored_again(desk: Desk, tmp_path: Path) -> None:
    desk.ears.fails = 2
    with Telephone(telephone.LISTENS, tmp_path) as phone:
        desk.towards(phone).send(parcel())
        phone.ear.listen(0.3)
        phone.ear.press("1")
        assert desk.ears.one()[1] == ReceiptState.ACKNOWLEDGED
        phone.satisfied()


def test_a_stop_hangs_up_and_says_so(desk: Desk, tmp_path: Path) -> None:
    with Telephone(telephone.LISTENS, tmp_path) as phone:
        carrier = desk.towards(phone)
        carrier.send(parcel())
        phone.ear.listen(0.2)
        began_s = time.monotonic()
        carrier.close()
        assert time.monotonic() - began_s < 1.5
        assert desk.ears.one()[1:] == (
            ReceiptState.UNANSWERED,
            "cut off: this centre was stopping",
        )
        phone.satisfied()
        with pytest.raises(CarrierFault, match="closed"):
            carrier.send(parcel())


def test_a_second_message_waits_for_the_line(desk: Desk, tmp_path: Path) -> None:
    with Telephone(telephone.LISTENS, tmp_path, calls=2) as phone:
        carrier = desk.towards(phone)
        first = carrier.send(parcel())
        assert len(desk.calls()) == 1
        second = threading.Thread(target=carrier.send, args=(parcel(),))
        second.start()
        assert desk.ears.one()[0] == first
        second.join(20)
        assert not second.is_alive()


_WANTS_A_PASSWORD = (
    telephone.received("REGISTER")
    + telephone.answered(
        '401 Unauthorized\nWWW-Authenticate: Digest realm="exchange", nonce="47ebe028cda119c35"'
    )
    + '<recv request="REGISTER"><action><verifyauth assign_to="right" username="arc" '
    'password="geheim-7:/?"/></action></recv>'
    '<nop next="right" test="right"/>'
    + telephone.answered("403 Wrong Password")
    + '<nop next="end"/><label id="right"/>'
    + telephone.answered("200 OK")
    + '<label id="end"/>'
)


def test_a_carrier_that_must_be_registered_is(desk: Desk, tmp_path: Path) -> None:
    with Telephone(_WANTS_A_PASSWORD, tmp_path) as phone:
        carrier = desk.towards(phone, "geheim-7:/?", register=True, login="arc")
        carrier.check()
        (number,) = baresips(tmp_path)
        (home,) = desk.calls()
        files = {path.name: path for path in home.iterdir()}
        assert "accounts" not in files  # the password was on the disk no longer than needed
        assert home.stat().st_mode & 0o077 == 0
        assert all(path.stat().st_mode & 0o077 == 0 for path in files.values()), files
        os.kill(number, signal.SIGKILL)
        assert "baresip" in fault_of(carrier)


def fault_of(carrier: SipCarrier) -> str:
    """What its check says, as soon as it says something."""
    until_s = time.monotonic() + 10
    while time.monotonic() < until_s:
        try:
            carrier.check()
        except CarrierFault as fault:
            return str(fault)
        time.sleep(0.05)
    raise AssertionError("the carrier is well")


@pytest.mark.parametrize(
    ("scenario", "password", "said"),
    [
        (telephone.received("REGISTER") + telephone.answered("403 Forbidden"), "geheim", "403"),
        (_WANTS_A_PASSWORD, "wrong-geheim", "403 Wrong Password"),
    ],
)
def test_a_registration_that_is_refused_is_a_fault_without_the_password(
    desk: Desk, tmp_path: Path, scenario: str, password: str, said: str
) -> None:
    with (
        Telephone(scenario, tmp_path) as phone,
        pytest.raises(CarrierFault, match=f"refused the registration: {said}") as found,
    ):
        desk.towards(phone, password, register=True, login="arc")
    assert password not in str(found.value)
