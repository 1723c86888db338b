"""Settings of a SIP carrier that cannot be used say which, and what was expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meldkamer.notify.carrier import CarrierFault, ReceiptState
from meldkamer.notify.kinds import SettingsFault, build
from meldkamer.notify.voice.sip import SipCarrier, SipSettings


class _Deaf:
    def reply(self, sender: str, text: str, *, to: str = "", ref: str = "") -> None: ...

    def receipt(self, ref: str, state: ReceiptState, *, detail: str = "") -> None: ...


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"target": "sip:32470@pbx"}, "target: expected sip:{number}@exchange"),
        ({"target": "sip:{number}@pbx>;x"}, "target: expected"),
        ({"caller": "a b"}, "caller, login: expected letters"),
        ({"plus": "zero"}, "plus: expected"),
        ({"domain": "a;b"}, "domain: expected a host"),
        ({"proxy": "pbx"}, "proxy: expected sip:host:port"),
        ({"local_address": "lo\nmodule evil.so"}, "local_address: expected an address"),
        ({"rtp_ports": [5, 6]}, "rtp_ports: expected two ports"),
        ({"lines": 0}, "lines: expected 1 to 50"),
        ({"ring_s": 600}, "ring_s: expected 5 to 120 seconds"),
        ({"repeat": 99}, "repeat: expected 1 to 9"),
        ({"pause_s": 0}, "pause_s: expected 0.5 to 15"),
        ({"key": "x"}, "key"),
        ({"volume": 3}, "volume"),
    ],
)
def test_settings_that_cannot_be_used_are_named(settings: dict[str, Any], expected: str) -> None:
    given = {"target": "sip:{number}@pbx.example", **settings}
    with pytest.raises(SettingsFault) as found:
        build("sip", given, {}, _Deaf())
    assert expected in str(found.value)


def test_a_password_that_would_break_the_account_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsFault, match="password: expected one without") as found:
        build("sip", {"target": "sip:{number}@pbx"}, {"password": 'geheim";regint=1'}, _Deaf())
    assert "geheim" not in str(found.value)


def test_without_baresip_or_a_voice_the_carrier_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier = SipCarrier(SipSettings("sip:{number}@pbx"), {}, _Deaf(), tmp_path)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CarrierFault, match="apt-get install baresip-core"):
        carrier.open()
    with pytest.raises(CarrierFault, match="apt-get install baresip-core"):
        carrier.check()
    carrier.close()
