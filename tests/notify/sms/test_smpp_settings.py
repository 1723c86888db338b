"""What is said of an SMS centre is refused when it cannot be, with what was expected."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from meldkamer.notify import way_commands
from meldkamer.notify.kinds import KINDS, SettingsFault, build, read_settings
from meldkamer.notify.sms.smpp_settings import SmppSettings
from tests.notify.sms.centres import Heard

LEAST = {"host": "smsc.example", "system_id": "arc", "sender": "+32460001122"}


def _read(**changed: Any) -> SmppSettings:
    found = read_settings(KINDS["smpp"], LEAST | changed)
    assert isinstance(found, SmppSettings)
    return found


@pytest.mark.parametrize(
    ("sender", "source"),
    [
        ("+32460001122", (1, 1, "32460001122")),
        ("32460001122", (1, 1, "32460001122")),
        ("8850", (3, 0, "8850")),
    ],
)
def test_a_number_of_ours_says_itself_of_what_kind_it_is(
    sender: str, source: tuple[int, int, str]
) -> None:
    assert _read(sender=sender).source == source


def test_a_name_as_sender_is_a_name() -> None:
    settings = _read(sender="Securitas", bind="transmitter")
    assert settings.source == (5, 0, "Securitas")
    assert _read(sender="8850", sender_ton=0, sender_npi=1).source == (0, 1, "8850")


@pytest.mark.clause("S7.3")
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"sender": "Securitas"}, "smpp: sender: nobody can answer to the name 'Securitas'"),
        ({"sender_ton": 5}, "smpp: sender: nobody can answer"),
        ({"bind": "transmitter"}, "smpp: bind: "),
    ],
)
def test_nobody_can_answer_to_a_name_so_it_is_refused_where_answers_come_back(
    wrong: dict[str, Any], told: str
) -> None:
    now = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)
    with pytest.raises(SettingsFault, match=r"S7\.3") as fault:
        way_commands.add("smpp", "answered", now, settings_given=LEAST | wrong)
    assert told in str(fault.value)
    assert "S7.3" in str(fault.value)
    row = way_commands.add("smpp", "one way", now, settings_given=LEAST | wrong, two_way=False)
    with pytest.raises(SettingsFault, match=r"S7\.3"):
        way_commands.change(row.pk, now, values={"two_way": True})
    assert way_commands.add("smpp", "number", now, settings_given=LEAST).two_way


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"host": " "}, "host: expected a name"),
        ({"host": "smsc .example"}, "host: expected a name or an address alone"),
        ({"host": "smsc.example:2775"}, "host: expected a name or an address alone"),
        ({"port": 0}, "port: expected 1 to 65535, not 0"),
        ({"system_id": ""}, "system_id: expected 1 to 15 characters"),
        ({"system_id": "a" * 16}, "system_id: expected 1 to 15 characters"),
        ({"system_type": "a" * 13}, "system_type: expected at most 12"),
        ({"sender": "Twelve chars"}, "sender: expected 1 to 11"),
        ({"sender": "Café"}, "sender: expected 1 to 11"),
        ({"region": "be"}, "region: expected two capitals"),
        ({"region": "XX"}, "region: expected two capitals of a country"),
        ({"window": 0}, "window: expected 1 to 500, not 0"),
        ({"parts_most": 256}, "parts_most: expected 1 to 255"),
        ({"answer_s": 31}, "answer_s: expected 0.1 to 30"),
        ({"valid_s": -1}, "valid_s: expected 0 to"),
        ({"tls_fingerprint": "ab:cd"}, "tls_fingerprint: expected the SHA-256"),
        ({"long_text": "cut"}, "long_text"),
        ({"windo": 5}, "windo"),
        ({"password": "x"}, "password"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsFault) as fault:
        _read(**wrong)
    assert told in str(fault.value)


@pytest.mark.parametrize("password", ["ninechars", "wachtwö", "a\0b"])
def test_a_password_that_smpp_cannot_carry_is_refused_and_not_shown(password: str) -> None:
    with pytest.raises(SettingsFault, match="at most 8") as fault:
        build("smpp", LEAST, {"password": password}, Heard())
    assert password not in str(fault.value)


@pytest.mark.parametrize(
    ("valid_s", "text"),
    [
        (0, ""),
        (90, "000000000130000R"),
        (86_399, "000000235959000R"),
        (180_000, "000002020000000R"),
    ],
)
def test_how_long_the_centre_is_to_try_is_written_as_smpp_wants_it(valid_s: int, text: str) -> None:
    assert _read(valid_s=valid_s).validity == text


def test_every_setting_stands_in_the_manual_with_its_default() -> None:
    manual = (Path(__file__).parents[3] / "docs/reference/sms-over-smpp.md").read_text("utf-8")
    rows = [line for line in manual.splitlines() if line.startswith("| `")]
    for found in msgspec.structs.fields(SmppSettings):
        [row] = [row for row in rows if f"`{found.name}`" in row.split("|")[1]]
        default = found.default
        if isinstance(default, str) and default:
            assert f"`{default}`" in row.split("|")[2] or found.name == "region", row
        elif isinstance(default, int | float) and not isinstance(default, bool):
            assert f"{default:g}" in row.split("|")[2], row
