"""The receiver's decision table, row by row, and what is stored of each frame."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meldkamer.journal.records import DETAIL_KEYS
from meldkamer.receivers.directory import Directory, Transmitter, triple
from meldkamer.receivers.intake import Origin, Received, receive
from meldkamer.receivers.policy import Policy
from meldkamer.wire.encoder import encode
from meldkamer.wire.envelope import read_frame
from meldkamer.wire.replies import read_reply, wrap

NOW = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)
HERE = Origin("tcp", "192.0.2.7", 4711)
KEY = b"0123456789abcdef"
PLAIN = Transmitter(1, 11)
KEYED = Transmitter(2, 12, KEY)
LOCAL = Transmitter(3, 13, b"k" * 32, clock_offset_s=3600)
DIRECTORY = Directory(
    [
        (triple("", "", "1234"), PLAIN),
        (triple("", "", "5678"), KEYED),
        (triple("", "", "ABCD"), LOCAL),
    ]
)


def sia(
    data: str = "Nri1/BA5",
    account: str = "1234",
    key: bytes | None = None,
    now: datetime | None = NOW,
    seq: int = 7,
    **more: object,
) -> bytes:
    return encode("SIA-DCS", seq, account, None, "0", f"#{account}|{data}", key, now, **more)  # type: ignore[arg-type]


def take(raw: bytes, now: datetime = NOW, policy: Policy | None = None) -> Received:
    received = receive(raw, HERE, DIRECTORY, now, policy or Policy())
    assert received is not None
    return received


def nothing_said(received: Received, disposition: str) -> bool:
    record = received.record
    return (record.disposition, record.reply, received.reply) == (disposition, "none", None)


# --- the rows of the table


@pytest.mark.parametrize(
    "raw",
    [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"SSH-2.0-x\r\n", b"", b"\n", b"\r"],
)
def test_what_is_no_dc09_is_neither_stored_nor_answered(raw: bytes) -> None:
    assert receive(raw, HERE, DIRECTORY, NOW) is None


@pytest.mark.parametrize("at", [1, 5, 12, 30, -3])
def test_a_wrong_crc_or_length_is_kept_as_noise_and_not_answered(at: int) -> None:
    raw = bytearray(sia())
    raw[at] ^= 1
    received = receive(bytes(raw), HERE, DIRECTORY, NOW)
    assert received is not None
    assert nothing_said(received, "noise")
    assert received.record.raw == raw
    assert received.record.reasons
    assert received.record.signals == ()
    assert received.record.dedup_key is None


@pytest.mark.clause("S10.7")
def test_an_unknown_account_is_kept_for_the_supervisor_and_not_answered() -> None:
    received = take(sia(account="9999"))
    assert nothing_said(received, "unknown_account")
    [signal] = received.record.signals
    assert (signal.code, signal.site_id, signal.account) == ("BA", None, "9999")
    assert (signal.role, signal.type) == ("unparsed", "undefined")
    assert signal.detail["disposition"] == "unknown_account"


@pytest.mark.clause("S10.7")
def test_an_encrypted_frame_of_an_unknown_account_is_kept_without_its_code() -> None:
    received = take(sia(account="9999", key=KEY))
    assert nothing_said(received, "unknown_account")
    assert [signal.code for signal in received.record.signals] == [""]
    assert received.record.encrypted


def test_by_policy_an_unknown_account_is_acknowledged_but_never_an_encrypted_one() -> None:
    polite = Policy(unknown_account="ack")
    assert take(sia(account="9999"), policy=polite).record.reply == "ack"
    assert nothing_said(take(sia(account="9999", key=KEY), policy=polite), "unknown_account")


@pytest.mark.clause("S10.7")
def test_a_source_that_is_not_allowed_is_kept_with_its_site_and_not_answered() -> None:
    elsewhere = Policy(unknown_account="ack", allowed_sources=(ip_network("198.51.100.0/24"),))
    received = take(sia(), policy=elsewhere)
    assert nothing_said(received, "unknown_account")
    assert received.record.reasons == ["source not allowed"]
    assert received.record.signals[0].site_id == 11
    here = Policy(allowed_sources=(ip_network("192.0.2.0/24"),))
    assert take(sia(), policy=here).record.disposition == "accepted"


def test_a_plain_frame_of_an_account_with_a_key_is_a_downgrade_and_not_answered() -> None:
    received = take(sia(account="5678"))
    assert nothing_said(received, "downgrade")
    [signal] = received.record.signals
    assert (signal.code, signal.site_id) == ("BA", 12)
    assert (signal.role, signal.type) == ("unparsed", "undefined")
    assert signal.detail["disposition"] == "downgrade"


@pytest.mark.parametrize("key", [b"another key 1234", b"x" * 32])
def test_a_wrong_key_is_kept_and_not_answered(key: bytes) -> None:
    received = take(sia(account="5678", key=key))
    assert nothing_said(received, "wrong_key")
    assert received.record.site_id == 12
    assert received.record.signals == ()


def test_an_encrypted_frame_of_an_account_without_a_key_is_kept_and_not_answered() -> None:
    assert nothing_said(take(sia(key=KEY)), "wrong_key")


@pytest.mark.parametrize(("off_s", "fits"), [(20, True), (-40, True), (21, False), (-41, False)])
def test_an_encrypted_frame_outside_the_window_is_told_the_time(off_s: int, fits: bool) -> None:
    raw = sia(account="5678", key=KEY, now=NOW + timedelta(seconds=off_s))
    received = take(raw)
    assert received.reply is not None
    if fits:
        assert received.record.disposition == "accepted"
        return
    assert (received.record.disposition, received.record.reply) == ("clock", "nak")
    assert received.reply.endswith(b'"NAK"0000R0L0A0[]_21:00:00,03-02-2026\r')
    assert received.record.signals == ()
    assert received.record.dedup_key is None
    assert received.record.clock_skew_s == off_s


def test_a_transmitter_that_sends_local_time_is_judged_by_its_offset() -> None:
    raw = sia(account="ABCD", key=b"k" * 32, now=NOW + timedelta(hours=1))
    record = take(raw).record
    assert record.disposition == "accepted"
    assert record.panel_time == NOW
    assert record.clock_skew_s == 0
    assert record.signals[0].panel_time == NOW
    late = sia(account="ABCD", key=b"k" * 32, now=NOW)
    assert take(late).record.disposition == "clock"


@pytest.mark.clause("M12.1")
@pytest.mark.parametrize(("account", "key"), [("1234", None), ("5678", KEY)])
def test_a_good_frame_is_stored_with_its_signals_and_acknowledged_in_kind(
    account: str, key: bytes | None
) -> None:
    received = take(sia(account=account, key=key))
    assert received.record.disposition == "accepted"
    assert received.reply is not None
    reply = read_reply(received.reply, key)
    assert (reply.kind, reply.seq, reply.account, reply.encrypted) == (
        "ACK", "0007", account, key is not None,
    )  # fmt: skip
    [signal] = received.record.signals
    assert (signal.code, signal.role, signal.type, signal.zone, signal.area) == (
        "BA", "event", "intrusion", "5", "1",
    )  # fmt: skip
    assert (signal.site_id, signal.transmitter_id) == ({"1234": 11, "5678": 12}[account],
                                                       {"1234": 1, "5678": 2}[account])  # fmt: skip
    assert tuple(signal.detail) == DETAIL_KEYS


def test_several_events_of_a_frame_are_several_signals_and_one_answer() -> None:
    record = take(sia("Nri1/BA1/BA2/ri2/FA7")).record
    assert [(s.code, s.zone, s.area) for s in record.signals] == [
        ("BA", "1", "1"), ("BA", "2", "1"), ("FA", "7", "2"),
    ]  # fmt: skip


def test_a_retry_with_a_new_time_has_the_same_key_and_the_same_answer() -> None:
    first, again = take(sia()), take(sia(now=NOW + timedelta(seconds=11)))
    assert first.record.dedup_key == again.record.dedup_key is not None
    assert first.reply == again.reply


@pytest.mark.parametrize("other", [{"seq": 8}, {"data": "Nri1/BA6"}, {"xdata": (("I", "x"),)}])
def test_another_sequence_or_content_has_another_key(other: dict[str, object]) -> None:
    assert take(sia(**other)).record.dedup_key != take(sia()).record.dedup_key  # type: ignore[arg-type]


def test_a_panel_that_does_not_count_is_told_apart_by_its_clock() -> None:
    first = take(sia(seq=0))
    assert first.record.dedup_key == take(sia(seq=0)).record.dedup_key
    later = take(sia(seq=0, now=NOW + timedelta(seconds=9)))
    assert first.record.dedup_key != later.record.dedup_key


def test_a_frame_that_was_not_believed_never_makes_the_believed_one_a_retry() -> None:
    raw = sia(account="9999")
    unknown = receive(raw, HERE, DIRECTORY, NOW)
    entered = Directory([(triple("", "", "9999"), Transmitter(9, 19))])
    known = receive(raw, HERE, entered, NOW)
    assert unknown is not None
    assert known is not None
    assert known.record.disposition == "accepted"
    assert unknown.record.dedup_key != known.record.dedup_key
    plain, keyed = take(sia(account="5678")), take(sia(account="5678", key=KEY))
    assert plain.record.dedup_key != keyed.record.dedup_key


@pytest.mark.clause("S10.5")
@pytest.mark.parametrize("data", ["Nri1/QQ5", "Nxx", "", "N\x80\x00]["])
def test_an_unknown_code_or_odd_data_is_acknowledged_and_seen_by_an_operator(data: str) -> None:
    received = take(sia(data))
    assert (received.record.disposition, received.record.reply) == ("accepted", "ack")
    assert received.record.signals
    assert {signal.type for signal in received.record.signals} == {"undefined"}


@pytest.mark.clause("S10.5")
def test_an_unsupported_token_is_answered_duh_by_default_and_seen_all_the_same() -> None:
    raw = encode("ADM-41E", 7, "1234", None, "0", "#1234|whatever")
    received = take(raw)
    assert (received.record.disposition, received.record.reply) == ("unsupported", "duh")
    assert received.reply is not None
    assert read_reply(received.reply).kind == "DUH"
    assert [(s.role, s.type, s.site_id) for s in received.record.signals] == [
        ("unparsed", "undefined", 11)
    ]
    assert take(raw, policy=Policy(unsupported="ack")).record.reply == "ack"


@pytest.mark.parametrize("token", ["NULL", "XNM"])
def test_a_link_test_is_one_signal_and_never_a_retry(token: str) -> None:
    received = take(encode(token, 0, "1234", None, "0"))
    assert (received.record.disposition, received.record.reply) == ("accepted", "ack")
    [signal] = received.record.signals
    assert (signal.code, signal.role, signal.type, signal.site_id) == ("NULL", "info", "info", 11)
    assert received.record.dedup_key is None


@pytest.mark.parametrize("token", ["ACK", "NAK", "DUH", "RSP"])
def test_an_answer_is_no_message_and_is_not_answered(token: str) -> None:
    assert nothing_said(take(wrap(b'"%b"0000L0#1234[]' % token.encode())), "noise")


def test_a_plain_clock_that_is_off_is_noted_and_acknowledged() -> None:
    received = take(sia(now=NOW.replace(year=2014)))
    assert (received.record.disposition, received.record.reply) == ("accepted", "ack")
    assert "clock skew" in received.record.reasons
    assert received.record.clock_skew_s is not None
    assert received.record.clock_skew_s < -300_000_000


# --- headers and quirks


@pytest.mark.parametrize("header", ["R000001L010000", "L000", "R0L0", "L", "R1"])
def test_accounts_are_compared_as_numbers_and_echoed_as_they_came(header: str) -> None:
    body = f'"SIA-DCS"0003{header}#001234[#1234|Nri1/BA5]'.encode()
    received = take(wrap(body))
    assert received.record.site_id == 11
    assert received.reply is not None
    assert f'"ACK"0003{header}#001234[]\r'.encode() in received.reply


def test_the_most_exact_transmitter_wins() -> None:
    directory = Directory(
        [
            (triple("", "", "1"), Transmitter(1, 1)),
            (triple("2", "", "1"), Transmitter(2, 2)),
            (triple("", "3", "1"), Transmitter(3, 3)),
            (triple("2", "3", "1"), Transmitter(4, 4)),
        ]
    )

    def found(receiver: str, line: str) -> int:
        transmitter = directory.find((receiver, line, "1"))
        assert transmitter is not None
        return transmitter.id

    assert [found("9", "9"), found("2", "9"), found("9", "3"), found("2", "3")] == [1, 2, 3, 4]
    assert directory.find(("0", "0", "2")) is None


def test_an_account_inside_the_data_routes_when_the_header_has_none() -> None:
    received = take(wrap(b'"SIA-DCS"0003L0[#1234|Nri1/BA5]'))
    assert received.record.site_id == 11
    assert received.record.account == "1234"


def test_another_account_inside_the_data_is_kept_beside() -> None:
    [signal] = take(wrap(b'"SIA-DCS"0003L0#1234[#77|Nri1/BA5]')).record.signals
    assert signal.site_id == 11
    assert signal.detail["inner_account"] == "77"


def test_a_panels_key_in_a_frame_is_neither_stored_nor_shown() -> None:
    record = take(sia(xdata=(("K", "5EC2E7"), ("I", "hall")))).record
    assert b"5EC2E7" not in record.raw
    assert "5EC2E7" not in repr(record)
    assert [tuple(block) for block in record.xdata] == [("K", "[redacted]"), ("I", "hall")]


def test_repr_of_a_transmitter_does_not_show_its_key() -> None:
    assert "128 bit key" in repr(KEYED)
    assert "012345" not in repr(KEYED)


def test_the_answer_has_the_crc_form_of_the_frame() -> None:
    received = take(sia(crc_form="binary"))
    assert received.reply is not None
    assert received.reply[7:8] == b'"'


HEADS = [
    b'"SIA-DCS"0001L0#1234[',
    b'"*SIA-DCS"0001L0#5678[',
    b'"ADM-CID"0001L0#1234[',
    b'"NULL"0000L0#1234[',
    b'"ADM-CID"0001L0[',
    b'"VIS-BBA"0001L#1234[',
    b'"',
]


@settings(max_examples=400, deadline=None)
@given(body=st.binary(max_size=60), head=st.sampled_from(HEADS))
def test_any_body_with_a_right_crc_is_decided_on(body: bytes, head: bytes) -> None:
    """No frame that reaches us may raise: it would be asked for again and again and never seen."""
    received = receive(wrap(head + body), HERE, DIRECTORY, NOW)
    assert received is None or (received.reply is None) == (received.record.reply == "none")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=120))
def test_any_bytes_are_decided_on(raw: bytes) -> None:
    received = receive(raw, HERE, DIRECTORY, NOW)
    assert received is None or received.reply is None


def test_every_answer_repeats_the_frames_own_header() -> None:
    raw = wrap(b'"SIA-DCS"0042R01L02#01234[#1234|Nri1/OP3]')
    received = take(raw)
    assert received.reply is not None
    assert read_frame(received.reply).echo == read_frame(raw).echo
