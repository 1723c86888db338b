"""The receiver's decision table: one frame in, what to store and what to answer out.

Why: every row of the table (protocols, "receiver decision table") is decided here and nowhere
else, as a pure function, so that each can be tested without a socket. Never: a clock, a socket,
a database; never an answer to noise, a wrong key or a downgrade. Invariant: a reply exists only
beside a record, and is sent only after that record is committed (`receivers.writer`).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from meldkamer.journal.records import (
    ACCEPTED,
    CLOCK,
    DOWNGRADE,
    NOISE,
    UNKNOWN_ACCOUNT,
    UNSUPPORTED,
    WRONG_KEY,
    FrameRecord,
    SignalRecord,
    detail,
)
from meldkamer.receivers.directory import Directory, Transmitter
from meldkamer.receivers.policy import Policy
from meldkamer.wire.content import mask_keys
from meldkamer.wire.dc09 import Message, account_key, duplicate_key, open_envelope, within_window
from meldkamer.wire.envelope import Envelope, read_frame
from meldkamer.wire.faults import CipherFault, HeaderFault, LineNoise, NotDC09
from meldkamer.wire.replies import ack, duh, nak
from meldkamer.wire.signals import Signal, unparsed
from meldkamer.wire.text import to_text


class Origin:
    """Where a frame came from: "tcp", "udp" or "tls", IP address and port.

    `text` is address:port as it is stored.
    """

    __slots__ = ("address", "text", "transport")

    def __init__(self, transport: str, address: str, port: int = 0) -> None:
        self.transport = transport
        self.address = address
        self.text = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


class Received(NamedTuple):
    """What to store, and the answer to give once it is committed (None: stay silent)."""

    record: FrameRecord
    reply: bytes | None = None


_DEFAULT = Policy()
#: a skew beyond this says nothing more, and fits the column
_LARGEST_SKEW_S = 2_000_000_000


def receive(
    raw: bytes, origin: Origin, directory: Directory, now: datetime, policy: Policy = _DEFAULT
) -> Received | None:
    """Decide about one frame. None: it is no DC-09 at all, to be counted and not stored."""
    try:
        envelope = read_frame(raw)
    except NotDC09:
        return None
    except (LineNoise, HeaderFault) as fault:
        return Received(_record(raw, origin, now, NOISE, [fault.reason]))
    if envelope.kind == "reply":
        reason = f"{envelope.id} is an answer, not a message"
        return Received(_frame(envelope, origin, now, NOISE, [reason]))
    opened = None if envelope.encrypted else open_envelope(envelope)
    account = envelope.account or (opened.data_account if opened else None)
    transmitter = directory.find(account_key(envelope.receiver, envelope.line, account))
    if transmitter is None:
        return _unknown(envelope, opened, origin, now, policy, "unknown account")
    if not policy.allows(origin.address):
        return _unknown(envelope, opened, origin, now, policy, "source not allowed", transmitter)
    if transmitter.key is not None and opened is not None:
        return _downgrade(opened, origin, now, transmitter)
    if opened is None:
        try:
            opened = open_envelope(envelope, transmitter.key)
        except CipherFault as fault:
            record = _frame(envelope, origin, now, WRONG_KEY, [fault.reason], transmitter)
            return Received(record)
        if not within_window(_panel_time(opened.timestamp, transmitter), now):
            record = _message(opened, origin, now, CLOCK, ["time outside window"], transmitter)
            return Received(record._replace(reply="nak"), nak(now, envelope.crc_form))
    if envelope.kind in ("unsupported", "unknown"):
        return _unsupported(opened, origin, now, policy, transmitter)
    return _accepted(opened, origin, now, transmitter)


# --- rows of the table


def _accepted(
    message: Message, origin: Origin, now: datetime, transmitter: Transmitter
) -> Received:
    """A good frame, also a link test, an unknown code or odd data: stored, then acknowledged."""
    envelope = message.envelope
    reasons = [*message.faults, *message.policy]
    time = _panel_time(message.timestamp, transmitter)
    if time is not None and not within_window(time, now):
        reasons.append("clock skew")
    inner = _inner_account(message)
    if envelope.kind == "link":
        signals: tuple[SignalRecord, ...] = (_link_signal(message, transmitter, inner),)
        key = None  # every link test counts by itself, whatever sequence it carries
    else:
        signals = tuple(_signal(event, message, transmitter, inner) for event in message.events)
        key = duplicate_key(message)
        if envelope.seq == "0000" and message.timestamp is not None:
            # this panel does not count, so only its clock tells a retry from a second alarm
            key += message.timestamp.isoformat().encode()
    record = _message(message, origin, now, ACCEPTED, reasons, transmitter, "ack", key, signals)
    return Received(record, ack(envelope, transmitter.key, now))


def _unknown(
    envelope: Envelope,
    message: Message | None,
    origin: Origin,
    now: datetime,
    policy: Policy,
    reason: str,
    transmitter: Transmitter | None = None,
) -> Received:
    """For the supervisor's list (S10.7); a known account from a wrong place keeps its site."""
    if message is not None:
        record = _message(message, origin, now, UNKNOWN_ACCOUNT, [reason], transmitter)
        key = duplicate_key(message)
    else:
        record = _frame(envelope, origin, now, UNKNOWN_ACCOUNT, [reason], transmitter)
        key = envelope.echo[:64]
    event = message.events[0] if message is not None and message.events else None
    signal = _told(event, record, UNKNOWN_ACCOUNT, message)
    # its own key space: were it linked, the same frame could never be accepted after the
    # account has been entered
    record = record._replace(dedup_key=b"unknown:" + key, signals=(signal,))
    if policy.unknown_account == "ack" and not envelope.encrypted and transmitter is None:
        return Received(record._replace(reply="ack"), ack(envelope))
    return Received(record)


def _downgrade(
    message: Message, origin: Origin, now: datetime, transmitter: Transmitter
) -> Received:
    """A plain frame for an account with a key: somebody else, or a panel set back. Silence."""
    reason = "plain frame, but the account has a key"
    record = _message(message, origin, now, DOWNGRADE, [reason], transmitter)
    event = message.events[0] if message.events else None
    signal = _told(event, record, DOWNGRADE, message)
    key = b"downgrade:" + duplicate_key(message)
    return Received(record._replace(dedup_key=key, signals=(signal,)))


def _unsupported(
    message: Message, origin: Origin, now: datetime, policy: Policy, transmitter: Transmitter
) -> Received:
    """Well-formed, of a kind we cannot read. It may be an alarm, so an operator sees it (S10.5)."""
    envelope = message.envelope
    reason = f"{envelope.id} is not supported"
    record = _message(message, origin, now, UNSUPPORTED, [reason], transmitter)
    told = message.events[0] if message.events else unparsed(to_text(message.data))
    signal = _signal(told, message, transmitter, _inner_account(message), UNSUPPORTED)
    record = record._replace(
        reply=policy.unsupported, dedup_key=duplicate_key(message), signals=(signal,)
    )
    if policy.unsupported == "ack":
        return Received(record, ack(envelope, transmitter.key, now))
    return Received(record, duh(envelope))


# --- records


def _record(
    raw: bytes, origin: Origin, now: datetime, disposition: str, reasons: Sequence[str]
) -> FrameRecord:
    return FrameRecord(now, origin.transport, origin.text, mask_keys(raw), disposition,
                       reasons=reasons)  # fmt: skip


def _frame(
    envelope: Envelope,
    origin: Origin,
    now: datetime,
    disposition: str,
    reasons: Sequence[str],
    transmitter: Transmitter | None = None,
) -> FrameRecord:
    """A record of what can be known without opening the frame."""
    return FrameRecord(
        now,
        origin.transport,
        origin.text,
        mask_keys(envelope.frame),
        disposition,
        "dc09",
        envelope.id,
        envelope.account or "",
        envelope.receiver,
        envelope.line,
        envelope.seq,
        envelope.encrypted,
        reasons,
        transmitter_id=transmitter.id if transmitter else None,
        site_id=transmitter.site_id if transmitter else None,
    )


def _message(
    message: Message,
    origin: Origin,
    now: datetime,
    disposition: str,
    reasons: Sequence[str],
    transmitter: Transmitter | None,
    reply: str = "none",
    key: bytes | None = None,
    signals: Sequence[SignalRecord] = (),
) -> FrameRecord:
    """A record of an opened frame."""
    envelope = message.envelope
    time = _panel_time(message.timestamp, transmitter)
    skew_s = None
    if time is not None:
        skew_s = max(-_LARGEST_SKEW_S, min(_LARGEST_SKEW_S, int((time - now).total_seconds())))
    return FrameRecord(
        now,
        origin.transport,
        origin.text,
        mask_keys(envelope.frame),
        disposition,
        "dc09",
        envelope.id,
        message.account or "",
        envelope.receiver,
        envelope.line,
        envelope.seq,
        envelope.encrypted,
        reasons,
        time,
        skew_s,
        to_text(message.data),
        [(block.id, block.shown) for block in message.xdata] if message.xdata else (),
        reply,
        transmitter.id if transmitter else None,
        transmitter.site_id if transmitter else None,
        key,
        signals,
    )


# --- signals


def _signal(
    event: Signal,
    message: Message,
    transmitter: Transmitter,
    inner: str | None,
    disposition: str | None = None,
) -> SignalRecord:
    info = event.info
    return SignalRecord(
        event.code,
        info.role,
        info.type,
        "frame",
        event.protocol,
        info.klass,
        event.zone,
        event.area,
        event.user,
        event.text,
        _panel_time(message.time_of(event), transmitter),
        detail(
            info.meaning,
            duress=info.duress,
            verifies=info.verifies,
            entry_exit=info.entry_exit,
            restores_type=info.restores_types[0] if info.restores_types else None,
            inner_account=inner,
            disposition=disposition,
        ),
        transmitter.site_id,
        transmitter.id,
        message.account or "",
    )


def _link_signal(message: Message, transmitter: Transmitter, inner: str | None) -> SignalRecord:
    """A link test: any message restarts the supervision, this one says nothing else."""
    return SignalRecord(
        "NULL",
        "info",
        "info",
        protocol="dc09",
        panel_time=_panel_time(message.timestamp, transmitter),
        detail=detail("Link test", inner_account=inner),
        site_id=transmitter.site_id,
        transmitter_id=transmitter.id,
        account=message.account or "",
    )


def _told(
    event: Signal | None, record: FrameRecord, disposition: str, message: Message | None
) -> SignalRecord:
    """What cannot be believed but must be seen (S10.7): type undefined, never handled as alarm."""
    return SignalRecord(
        event.code if event else "",
        "unparsed",
        "undefined",
        protocol=event.protocol if event else "",
        klass=event.info.klass if event else "",
        zone=event.zone if event else None,
        area=event.area if event else None,
        user=event.user if event else None,
        text=event.text if event else None,
        panel_time=message.time_of(event) if event and message else None,
        detail=detail(
            event.label if event else "",
            inner_account=_inner_account(message) if message else None,
            disposition=disposition,
        ),
        site_id=record.site_id,
        transmitter_id=record.transmitter_id,
        account=record.account,
    )


def _inner_account(message: Message) -> str | None:
    """The account inside the data when it is another than the header's (cloud relays)."""
    inner, header = message.data_account, message.envelope.account
    if inner is None or header is None or inner.upper() == header.upper():
        return None
    return inner


def _panel_time(time: datetime | None, transmitter: Transmitter | None) -> datetime | None:
    """UTC of what the panel said, by the offset of its clock; None when that is no date."""
    if time is None or transmitter is None or not transmitter.clock_offset_s:
        return time
    try:
        return time - timedelta(seconds=transmitter.clock_offset_s)
    except OverflowError:
        return None
