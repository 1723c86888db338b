"""Opening frames: SIA and Contact ID in all spellings of the field, duplicates, the window."""

from datetime import UTC, datetime, timedelta

import pytest

from meldkamer.wire import (
    Downgrade,
    HeaderFault,
    KeyMissing,
    LineNoise,
    Message,
    Tampered,
    WrongKey,
    account_key,
    duplicate_key,
    encode,
    mask_keys,
    open_envelope,
    read_frame,
    within_window,
)
from meldkamer.wire.contact_id import checksum

NOW = datetime(2026, 3, 2, 21, 0, 0, tzinfo=UTC)
KEY = bytes(range(16))


def opened(data: str | bytes, token: str = "SIA-DCS", **more: object) -> Message:
    frame = encode(token, 1, "1234", data=data, **more)  # type: ignore[arg-type]
    return open_envelope(read_frame(frame), more.get("key"))  # type: ignore[arg-type]


def told(data: str | bytes) -> list[tuple[str, str | None, str | None, str | None, str | None]]:
    return [(e.code, e.zone, e.area, e.user, e.text) for e in opened(data).events]


@pytest.mark.parametrize(
    ("data", "events"),
    [
        ("#1234|NBA12", [("BA", "12", None, None, None)]),
        ("#1234|Nri1/BA1/BA2", [("BA", "1", "1", None, None), ("BA", "2", "1", None, None)]),
        (
            "#1234|Nti10:23/BA1/ri2/BA7",
            [("BA", "1", None, None, None), ("BA", "7", "2", None, None)],
        ),
        ("|Nri1/CL501", [("CL", None, "1", "501", None)]),
        ("Nri1/WA000", [("WA", None, "1", None, None)]),
        ("1234|NBA0004", [("BA", "4", None, None, None)]),
        ("#1234|Nri2/id15/OP", [("OP", None, "2", "15", None)]),
        ("#1234|Npi0/AT", [("AT", None, None, None, None)]),
        ("#1234|Nri1CL0001^user^", [("CL", None, "1", "1", "user")]),
        ("#1234|Nti20:50:26RP99", [("RP", "99", None, None, None)]),
        ("#1234|Nri2BA3", [("BA", "3", "2", None, None)]),
        ("#1234|Nri04/OP001NM", [("OP", None, "4", "1", None)]),
        ("#1234|Nri01/CL003*'Jan'NM", [("CL", None, "1", "3", "Jan")]),
        ("#1234|NRR|Atest", [("RR", None, None, None, "test")]),
        ("#1234|NBA1^a/b|c^/BA2", [("BA", "1", None, None, "a/b|c"), ("BA", "2", *[None] * 3)]),
        ("#1234|NBA12BA13", [("BA", "12", None, None, None), ("BA", "13", None, None, None)]),
        ("#1234|NBA1FA", [("BA", "1FA", None, None, None)]),
        ("#1234|OBA3", [("BA", "3", None, None, None)]),
        ("#1234|NBA1|NFA2", [("BA", "1", *[None] * 3), ("FA", "2", *[None] * 3)]),
        ("#1234|NLT1", [("LT", None, None, None, None)]),
        ("#1234|NCA2", [("CA", None, "2", None, None)]),
        ("#1234|NBA5^Caf\xe9^".encode("cp1252"), [("BA", "5", None, None, "Café")]),
        ("#1234|NBA5^Café^", [("BA", "5", None, None, "Café")]),
        ("#1234|NBA5^open", [("BA", "5", None, None, "open")]),
        ("#1234|NBA5*23C/BA6", [("BA", "5", *[None] * 3), ("BA", "6", *[None] * 3)]),
    ],
)
def test_sia_text_is_read_in_every_spelling_of_the_field(
    data: str | bytes, events: list[tuple[str | None, ...]]
) -> None:
    assert told(data) == events


def test_a_modifier_does_not_reach_into_the_next_block() -> None:
    assert told("#1234|Nri3/BA1|NBA2") == [
        ("BA", "1", "3", None, None),
        ("BA", "2", None, None, None),
    ]


def test_the_block_letter_o_marks_an_old_event() -> None:
    assert [event.old for event in opened("#1234|OBA1|NBA2").events] == [True, False]


@pytest.mark.parametrize(
    ("data", "code", "zone", "area", "user"),
    [
        ("#1234|1130 01 003", "1130", "3", "1", None),
        ("|1130 00 000", "1130", None, None, None),
        ("1130 01 003", "1130", "3", "1", None),
        ("1234|3401 02 005", "3401", None, "2", "5"),
        ("#1234|6130 01 015", "6130", "15", "1", None),
        ("#1234|1130 0A 00F", "1130", "F", "A", None),
        ("#6827|18160201000D", "1602", None, "1", None),
        ("#1234|1121 01 002", "1121", None, "1", "2"),
    ],
)
def test_contact_id_is_read_in_every_spelling_of_the_field(
    data: str, code: str, zone: str | None, area: str | None, user: str | None
) -> None:
    (event,) = opened(data, "ADM-CID").events
    assert (event.code, event.zone, event.area, event.user) == (code, zone, area, user)


def test_the_check_digit_of_contact_id_counts_zero_as_ten() -> None:
    assert checksum("6827" + "18160201000") == "D"
    for digits in ("1", "5", "0", "F", "E", "12345"):
        total = sum(int(digit, 16) or 10 for digit in digits + checksum(digits))
        assert total % 15 == 0


def test_a_raw_string_with_a_wrong_check_digit_is_accepted_and_said() -> None:
    frame = encode("ADM-CID", 1, "6827", data="#6827|18160201000C")
    message = open_envelope(read_frame(frame))
    assert message.leniencies == ("raw DC-05 string, checksum wrong",)
    assert message.events[0].code == "1602"


@pytest.mark.clause("S10.5")
@pytest.mark.parametrize(
    ("token", "data", "fault"),
    [
        ("SIA-DCS", "#1234|N", "no event code"),
        ("SIA-DCS", "#1234|Nri1", "no event code"),
        ("SIA-DCS", "hello", "no event code"),
        ("ADM-CID", "#1234|1XYZ 00 129", "malformed Contact ID block"),
        ("ADM-CID", "#1234", "malformed Contact ID block"),
        ("SIA-DCS", "", None),
        ("ADM-CID", "", None),
        ("VIS-BBA", b"\r\xb0\x03]\x18\r\n", None),
        ("ADM-41E", "#1234|12341", None),
        ("FOO-BAR", "x", None),
    ],
)
def test_what_cannot_be_read_becomes_an_event_that_an_operator_sees(
    token: str, data: str | bytes, fault: str | None
) -> None:
    message = opened(data, token)
    (event,) = message.events
    assert (event.role, event.type, event.known) == ("unparsed", "undefined", False)
    assert event.info.opens
    assert message.faults == ((fault,) if fault else ())


@pytest.mark.parametrize("token", ["NULL", "XNM"])
def test_a_link_test_carries_no_event(token: str) -> None:
    message = opened("", token)
    assert message.events == ()
    assert message.envelope.kind == "link"


def test_text_never_contains_a_nul_character() -> None:
    message = opened(b"#1234|NBA1^a\0b^")
    assert message.events[0].text == "a␀b"


def test_the_block_i_is_the_text_of_an_event_without_one() -> None:
    xdata = [("R", "Hall"), ("I", "PIR hall")]
    assert opened("#1234|NBA1", xdata=xdata).events[0].text == "PIR hall"
    assert opened("#1234|NBA1^own^", xdata=xdata).events[0].text == "own"


@pytest.mark.parametrize(
    ("data", "xdata", "time"),
    [
        ("NBA1", [], "2026-03-02T21:00:00"),
        ("NBA1", [("H", "13:59:58,12-31-2012")], "2012-12-31T13:59:58"),
        ("NBA1", [("H", "nonsense")], "2026-03-02T21:00:00"),
        ("Nda02-15-26/ti10:23:45/BA1", [], "2026-02-15T10:23:45"),
        ("Nti20:50/BA1", [], "2026-03-02T20:50:00"),
        ("Nti23:59/BA1", [], "2026-03-02T23:59:00"),
        ("Nti99:99/BA1", [], "2026-03-02T21:00:00"),
        ("Nti08:00/BA1", [], "2026-03-03T08:00:00"),
    ],
)
def test_the_time_of_an_event_is_the_panels_best_word(
    data: str, xdata: list[tuple[str, str]], time: str
) -> None:
    message = opened(f"#1234|{data}", xdata=xdata, now=NOW)
    at = message.time_of(message.events[0])
    assert at is not None
    assert at.isoformat() == f"{time}+00:00"


def test_a_plain_frame_of_an_account_with_a_key_is_a_downgrade() -> None:
    envelope = read_frame(encode("SIA-DCS", 1, "1234", data="#1234|NBA1"))
    with pytest.raises(Downgrade):
        open_envelope(envelope, KEY)


def test_ciphertext_is_refused_without_the_key_with_another_and_when_altered() -> None:
    data = "#1234|Nri1/BA12^A text over several blocks^"
    frame = encode("SIA-DCS", 1, "1234", data=data, key=KEY, now=NOW)
    envelope = read_frame(frame)
    with pytest.raises(KeyMissing):
        open_envelope(envelope)
    with pytest.raises(WrongKey):
        open_envelope(envelope, bytes(16))
    blocks = envelope.content
    envelope.content = blocks[32:64] + blocks[:32] + blocks[64:]
    with pytest.raises(Tampered):
        open_envelope(envelope, KEY)
    assert open_envelope(read_frame(frame), KEY).events[0].code == "BA"


def test_no_exception_and_no_repr_shows_a_key() -> None:
    secret = "DEADBEEFDEADBEEF"
    frame = encode("SIA-DCS", 1, "1234", data="#1234|NBA1", xdata=[("K", secret)])
    envelope = read_frame(frame)
    message = open_envelope(envelope)
    assert message.xdata[0].value == secret
    for shown in (repr(message), repr(envelope), repr(message.xdata), str(message)):
        assert secret not in shown
    assert secret.encode() not in mask_keys(frame)
    assert len(mask_keys(frame)) == len(frame)
    with pytest.raises(Downgrade) as caught:
        open_envelope(envelope, secret.encode())
    assert secret not in str(caught.value)


@pytest.mark.parametrize(
    ("seconds", "inside"), [(-41, False), (-40, True), (0, True), (20, True), (21, False)]
)
def test_the_window_is_40_s_back_and_20_s_ahead(seconds: int, inside: bool) -> None:
    assert within_window(NOW + timedelta(seconds=seconds), NOW) is inside


def test_a_missing_timestamp_is_outside_the_window() -> None:
    assert not within_window(None, NOW)


def _key_of(seq: int = 7, account: str = "1234", **more: object) -> bytes:
    more = {"data": "#1234|NBA1", **more}
    frame = encode("SIA-DCS", seq, account, **more)  # type: ignore[arg-type]
    return duplicate_key(open_envelope(read_frame(frame), more.get("key")))  # type: ignore[arg-type]


def test_a_retry_with_a_new_time_is_the_same_message() -> None:
    later = NOW + timedelta(seconds=11)
    assert _key_of(now=NOW) == _key_of(now=later) == _key_of()
    assert _key_of(now=NOW, key=KEY) == _key_of(now=later, key=KEY)
    assert _key_of(account="001234", line="000", receiver="0") == _key_of()


def test_a_different_message_has_a_different_duplicate_key() -> None:
    different = {
        _key_of(),
        _key_of(seq=8),
        _key_of(account="1235"),
        _key_of(line="1"),
        _key_of(receiver="1"),
        _key_of(data="#1234|NBA2"),
        _key_of(xdata=[("X", "1")]),
        _key_of(xdata=[("X", "12")]),
        _key_of(xdata=[("X", "1"), ("X", "1")]),
    }
    assert len(different) == 9
    assert all(len(key) == 16 for key in different)


def test_accounts_are_compared_as_numbers() -> None:
    assert account_key("0001", "000", "00abc") == account_key("1", "0", "ABC")
    assert account_key(None, "", None) == ("0", "0", "0")
    assert account_key(None, None, "foc7688") == ("0", "0", "FOC7688")


def test_an_account_missing_in_the_header_is_taken_from_the_data() -> None:
    frame = encode("SIA-DCS", 1, None, line="", data="#9999|NBA2")
    assert open_envelope(read_frame(frame)).account == "9999"
    frame = encode("SIA-DCS", 1, None, line="", data="#../../etc|NBA2")
    assert open_envelope(read_frame(frame)).account is None


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (b'\n00000025"SIA-DCS"0001L0#1234[#1234|Nri1/BA12]\r', LineNoise),
        (b'\n68AF0026"SIA-DCS"0001L0#1234[#1234|Nri1/BA12]\r', LineNoise),
        (b'\n10C00028"SIA-DCS"0001R1234567L0#1234[#1234|NBA1]\r', HeaderFault),
        (b'\n24CC0016"ACK"0000NoneL0#1409[]\r', HeaderFault),
    ],
)
def test_a_refused_frame_says_to_which_kind_it_belongs(frame: bytes, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        read_frame(frame)
