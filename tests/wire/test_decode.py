"""The desk's decoder: how a line may be written, and what is said about a wrong one."""

import json

import pytest

from meldkamer.wire import DecodeInputError, decode_lines, decode_text, format_human, parse_key

FRAME = '\n68AF0025"SIA-DCS"0001L0#1234[#1234|Nri1/BA12]\r'
REPLY = '\n1BC10012"ACK"0001L0#1234[]\r'
HEX_KEY = "hex:0123456789ABCDEF0123456789ABCDEF"
ENCRYPTED = (
    '\nD9760084"*SIA-DCS"9876R579BDFL789ABC#12345A[209c9d400b655df7a26aecb6a887e7ee'
    "6ed8103217079aae7cbd9dd7551e96823263460f7ef0514864897ae9789534f1\r"
)


@pytest.mark.parametrize(
    "line",
    [
        json.dumps(FRAME),
        json.dumps({"frame": FRAME}),
        json.dumps({"frame": FRAME, "key": None, "expect": {}}),
        FRAME.strip(),
        r'\n68AF0025"SIA-DCS"0001L0#1234[#1234|Nri1/BA12]\r',
        r'\x0A68AF0025"SIA-DCS"0001L0#1234[#1234|Nri1/BA12]\x0D',
        r'\u000a68AF0025"SIA-DCS"0001L0#1234[#1234|Nri1/BA12]',
    ],
)
def test_a_frame_may_be_written_in_three_ways(line: str) -> None:
    decoded = decode_text(line)
    assert (decoded["verdict"], decoded["reply"]) == ("accept", REPLY)
    (event,) = decoded["events"]
    assert {key: event[key] for key in ("code", "type", "zone", "area", "user", "text")} == {
        "code": "BA",
        "type": "intrusion",
        "zone": "12",
        "area": "1",
        "user": None,
        "text": None,
    }


def test_every_decoded_frame_has_the_promised_keys() -> None:
    promised = {
        "verdict", "reasons", "id", "encrypted", "seq", "receiver", "line", "account", "data",
        "xdata", "timestamp", "events", "reply",
    }  # fmt: skip
    for line in (FRAME, ENCRYPTED, "nonsense", '\n00000000"X"\r'):
        assert promised <= set(decode_text(json.dumps(line)))


def test_bare_text_in_utf_8_is_understood_by_its_crc() -> None:
    line = '9D74003B"SIA-DCS"0105L1A#1234[#1234|OBA3][I2nd Floor West PIR éè]'
    assert decode_text(line)["xdata"] == [["I", "2nd Floor West PIR éè"]]


def test_a_binary_crc_can_be_typed_with_escapes() -> None:
    line = r'\xc5[002A"NULL"0000R8L0#41213[]_21:00:10,02-20-2024'
    decoded = decode_text(line)
    assert decoded["verdict"] == "accept-lenient"
    assert decoded["reasons"] == ["binary CRC"]


def test_the_key_of_the_line_goes_before_the_key_of_the_call() -> None:
    other = bytes(16)
    with_key = json.dumps({"frame": ENCRYPTED, "key": HEX_KEY})
    assert decode_text(with_key, other)["events"][0]["code"] == "FA"
    assert decode_text(json.dumps(ENCRYPTED), parse_key(HEX_KEY))["events"][0]["code"] == "FA"
    assert decode_text(json.dumps(ENCRYPTED), other)["verdict"] == "reject"
    assert decode_text(json.dumps(ENCRYPTED))["verdict"] == "envelope-only"


def test_the_same_encrypted_line_prints_the_same_reply() -> None:
    line = json.dumps({"frame": ENCRYPTED, "key": HEX_KEY})
    first, second = decode_text(line), decode_text(line)
    assert first == second
    assert first["reply"].startswith("\n")
    assert '"*ACK"9876R579BDFL789ABC#12345A[' in first["reply"]


def test_with_a_clock_an_old_encrypted_frame_is_answered_nak() -> None:
    from datetime import UTC, datetime

    now = datetime(2026, 3, 2, tzinfo=UTC)
    decoded = decode_text(json.dumps({"frame": ENCRYPTED, "key": HEX_KEY}), now=now)
    assert '"NAK"0000R0L0A0[]_00:00:00,03-02-2026' in decoded["reply"]


def test_a_frame_that_a_strict_reader_refuses_is_acknowledged_when_its_crc_is_right() -> None:
    decoded = decode_text('F4BD001D"SIA-DCS"0001L0#1234[#1234|N]')
    assert (decoded["verdict"], decoded["reasons"]) == ("reject", ["no event code"])
    assert decoded["reply"] is not None
    assert decoded["events"][0]["role"] == "unparsed"


def test_a_frame_with_a_wrong_crc_gets_no_reply() -> None:
    decoded = decode_text("0000" + FRAME.strip()[4:])
    assert (decoded["verdict"], decoded["reply"]) == ("reject", None)
    assert decoded["body_if_header_were_right"]["data"] == "#1234|Nri1/BA12"


@pytest.mark.parametrize(
    ("line", "wrong", "expected"),
    [
        ("{", "malformed JSON", "a JSON string"),
        ('"half', "malformed JSON", "a JSON string"),
        ('{"key": null}', "object without frame", "frame: a string"),
        ('{"frame": 7}', "object without frame", "frame: a string"),
        ('{"frame": "x", "key": 7}', "key is no string", "hex:"),
        ('{"frame": "x", "key": "0123"}', "key", "hex:… or text:…"),
        ('{"frame": "x", "key": "hex:0123"}', "key of 4 hex digits", "32, 48 or 64"),
        ('{"frame": "x", "key": "hex:zz"}', "key", "only hex digits"),
        ('{"frame": "x", "key": "text:short"}', "key of 5 bytes", "16, 24 or 32"),
        ('{"frame": "\\u20ac"}', "character U+20AC at position 0", "U+0000 to U+00FF"),
        ('{"frame_repeat": {"count": -1}}', "malformed frame_repeat", "prefix"),
        ("[", "malformed", ""),
    ],
)
def test_a_line_that_is_no_frame_is_answered_with_what_was_expected(
    line: str, wrong: str, expected: str
) -> None:
    if line == "[":
        assert decode_text(line)["verdict"] == "reject"
        return
    with pytest.raises(DecodeInputError) as caught:
        decode_text(line)
    assert wrong in caught.value.wrong
    assert expected in caught.value.expected


def test_a_key_is_never_repeated_in_an_error() -> None:
    with pytest.raises(DecodeInputError) as caught:
        decode_text('{"frame": "x", "key": "text:geheim"}')
    assert "geheim" not in str(caught.value)
    with pytest.raises(ValueError, match="expected hex") as other:
        parse_key("geheim")
    assert "geheim" not in str(other.value)


def test_lines_are_counted_and_blank_ones_skipped() -> None:
    lines = [json.dumps(FRAME) + "\n", "\n", "{\n"]
    results = decode_lines(lines)
    assert next(results)["verdict"] == "accept"
    with pytest.raises(DecodeInputError, match=r"^line 3: malformed JSON") as caught:
        next(results)
    assert caught.value.as_dict()["line"] == 3


def test_several_frames_in_one_line_are_all_decoded() -> None:
    decoded = decode_text(json.dumps("junk" + FRAME + FRAME))
    assert (decoded["verdict"], decoded["frames"], decoded["discarded"]) == ("stream", 2, 4)
    assert [frame["verdict"] for frame in decoded["decoded"]] == ["accept", "accept"]


def test_the_human_form_says_what_the_json_says() -> None:
    text = format_human(decode_text(json.dumps(FRAME)))
    for word in ("accept", "SIA-DCS", "1234", "BA intrusion: Burglary Alarm", "zone 12", "ACK"):
        assert word in text
    assert "\r" not in text
