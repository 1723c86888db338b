"""Encrypted sound, between two baresips: sipp knows no SRTP."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from meldkamer.notify.carrier import CarrierFault, ReceiptState
from meldkamer.notify.voice import sound
from meldkamer.notify.voice.baresip import Account, Baresip
from meldkamer.notify.voice.sip import SipCarrier, SipSettings
from tests.notify.voice.test_sip_calls import Heard, Tone, parcel

_HERE = "127.0.0.1"


class _Answering(Account):
    """Takes every call up, encrypted or not at all."""

    def line(self) -> str:
        return f"<{self.uri}>;regint=0;answermode=auto;mediaenc=srtp-mand\n"


class _Called(Baresip):
    """A baresip that is called, at a port that is known."""

    def __init__(self, place: Path) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((_HERE, 0))
            self.port = int(probe.getsockname()[1])
        super().__init__(place, _Answering(f"sip:+32470123456@{_HERE}"), local=_HERE)

    def _config(self, where: str, port: int) -> str:
        listens = f"sip_listen {_HERE}:{self.port}"
        return super()._config(where, port).replace(f"sip_listen {_HERE}:0", listens)

    def until(self, kind: str) -> None:
        """Until it tells that."""
        until_s = time.monotonic() + 20
        while (event := self.next(until_s)) is not None:
            if event.kind == kind:
                return
        raise AssertionError(f"no {kind}: {self.said()}")


@pytest.fixture
def called(tmp_path: Path) -> Iterator[_Called]:
    phone = _Called(tmp_path / "called")
    phone.start()
    yield phone
    phone.stop()


def carrier(called: _Called, ears: Heard, place: Path, *, encrypted: bool) -> SipCarrier:
    target = f"sip:{{number}}@{_HERE}:{called.port}"
    settings = SipSettings(
        target, encrypted=encrypted, ask=False, repeat=2, pause_s=2, local_address=_HERE
    )
    return SipCarrier(settings, {}, ears, place / "voice", Tone())


def test_encrypted_sound_carries_the_key_press(called: _Called, tmp_path: Path) -> None:
    ears = Heard()
    calling = carrier(called, ears, tmp_path, encrypted=True)
    calling.open()
    calling.send(parcel())
    called.until("CALL_ESTABLISHED")
    called.until("CALL_RTPESTAB")
    # keys leave with sound alone: the called side is quiet, but it speaks
    called.write("quiet.wav", sound.write_wav(sound.silence(20)))
    called.tell("ausrc", "aufile,quiet.wav")
    called.tell("sndcode", "1")
    said = next((tmp_path / "voice" / "calls").glob("*/log")).read_text()
    assert "SRTP is Enabled (cryptosuite=AES_CM_128_HMAC_SHA1_80)" in said
    assert ears.one()[1] == ReceiptState.ACKNOWLEDGED
    calling.close()


def test_who_wants_it_encrypted_is_not_called_in_the_clear(called: _Called, tmp_path: Path) -> None:
    ears = Heard()
    calling = carrier(called, ears, tmp_path, encrypted=False)
    calling.open()
    with pytest.raises(CarrierFault, match="488"):
        calling.send(parcel())
    calling.close()
    assert ears.told == []
