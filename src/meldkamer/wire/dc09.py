"""DC-09 messages: opening an envelope, the duplicate key, the time window.

Why: the one door between bytes on the line and signals. A `Message` is what a receiver stores
and what is judged later.
Never: a clock (the caller passes `now`), a socket, a database; never the bytes of a key in a
`repr`.
Invariant: every message that could be an alarm has at least one event: what cannot be read
becomes an `unparsed` one, so that an operator sees it (S10.5).
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final

from .cipher import ALTERED, ciphertext_of, cut_pad, decrypt
from .contact_id import contact_id_event, read_blank_form, read_contact_id
from .content import Content, Xdata, read_timestamp, split_content
from .envelope import Envelope
from .faults import Downgrade, KeyMissing, Tampered
from .identity import account_key, within_window
from .sia import SiaData, is_account, read_sia, split_account, split_blocks
from .signals import Signal, unparsed
from .text import to_text

DOWNGRADE: Final = "downgrade: refuse by account policy (no ACK)"


@dataclass(slots=True, eq=False, repr=False)
class Message:
    """One frame, opened.

    `data` are the bytes before the first "]"; `data_account` the account inside them, as
    written. `leniencies` are departures that are accepted, `faults` those that a strict reader
    refuses: such a frame is stored and acknowledged all the same, because its CRC is right and
    it may be an alarm. `policy` names what a site may want to refuse. `parsed` is the SIA or
    Contact ID reading behind `events`.
    """

    envelope: Envelope
    data: bytes
    xdata: tuple[Xdata, ...]
    timestamp: datetime | None
    data_account: str | None
    events: tuple[Signal, ...]
    leniencies: tuple[str, ...]
    faults: tuple[str, ...] = ()
    policy: tuple[str, ...] = ()
    junk: bytes = b""
    pad_len: int | None = None
    parsed: object = field(default=None)

    @property
    def account(self) -> str | None:
        """The account that decides routing and key: the header's, else the one in the data.

        One in the data counts only when it is 1-16 letters and digits, as in a header.
        """
        if self.envelope.account or not self.data_account:
            return self.envelope.account or None
        return self.data_account if is_account(self.data_account) else None

    @property
    def key(self) -> tuple[str, str, str]:
        """(receiver, line, account) for comparing, see `account_key`."""
        return account_key(self.envelope.receiver, self.envelope.line, self.account)

    def time_of(self, event: Signal) -> datetime | None:
        """When it happened by the panel's clock, read as UTC; None when it did not say.

        The block H, else the modifiers ti and da of the event, else the frame's time.
        """
        for block in self.xdata:
            if block.id == "H":
                stated = read_timestamp(b"_" + block.value.encode("latin-1", "replace"))[0]
                if stated is not None:
                    return stated
        return _modifier_time(event, self.timestamp) or self.timestamp

    def __repr__(self) -> str:
        codes = ",".join(event.code for event in self.events)
        return f"<Message {self.envelope!r} codes {codes or '-'} xdata {self.xdata!r}>"


def open_envelope(envelope: Envelope, key: bytes | None = None) -> Message:
    """Read the content of a frame. `key` is the account's: 16, 24 or 32 bytes, None for plain.

    Raises KeyMissing, WrongKey, Tampered or CipherFault for ciphertext that does not open, and
    Downgrade for a plain frame of an account that has a key; none of them gets a reply.
    """
    if envelope.encrypted:
        return _open_encrypted(envelope, key)
    if key is not None:
        raise Downgrade(DOWNGRADE)
    content = split_content(envelope.content, binary=envelope.id == "VIS-BBA")
    return _message(envelope, content, envelope.leniencies)


def plaintext_of(envelope: Envelope, key: bytes) -> bytes:
    """Decrypted bytes, pad included: for the desk, never for a log."""
    return decrypt(ciphertext_of(envelope.content), key)


def cipher_leniencies(envelope: Envelope) -> tuple[str, ...]:
    """What can be said of ciphertext without opening it."""
    lower = envelope.content != envelope.content.upper()
    return ("lowercase ciphertext",) if lower else ()


def _open_encrypted(envelope: Envelope, key: bytes | None) -> Message:
    ciphertext = ciphertext_of(envelope.content)
    if key is None:
        raise KeyMissing("key not published")
    plain = decrypt(ciphertext, key)
    return _open_plaintext(envelope, plain, envelope.leniencies + cipher_leniencies(envelope))


def _open_plaintext(envelope: Envelope, plain: bytes, leniencies: tuple[str, ...]) -> Message:
    pad_len, rest = cut_pad(plain)
    if pad_len < 16:
        leniencies = (*leniencies, f"pad {pad_len} bytes (<16)")
    content = split_content(rest, binary=envelope.id == "VIS-BBA")
    if content.junk and not content.faults[0].startswith("timestamp"):
        # The frame ends in a timestamp, so whatever lies between was not put there by a panel.
        raise Tampered(ALTERED)
    message = _message(envelope, content, leniencies)
    message.pad_len = pad_len
    return message


def read_plaintext(plain: bytes) -> Message:
    """Read the decrypted text of a frame on its own: `pad|data]..._time`, as logs show it."""
    envelope = Envelope(b"", "SIA-DCS", "event", True, "", None, None, None, b"", b"")
    return _open_plaintext(envelope, plain, ())


def _message(envelope: Envelope, content: Content, leniencies: tuple[str, ...]) -> Message:
    message = Message(
        envelope,
        content.data,
        content.xdata,
        content.timestamp,
        None,
        (),
        leniencies,
        content.faults,
        envelope.policy + content.policy if envelope.policy else content.policy,
        content.junk,
    )
    if envelope.kind == "event":
        _READERS[envelope.id](message)
    elif envelope.kind == "link":
        _read_link(message)
    elif envelope.kind != "reply":
        message.events = (unparsed(to_text(content.data)),)
    return message


def _read_sia(message: Message) -> None:
    if not message.data:
        return _read_nothing(message)
    sia = read_sia(message.data, message.envelope.account)
    message.parsed = sia
    if sia.account is not None:
        _note_account(message, sia.account, sia.marked)
    if sia.blocks.items:
        message.events = _with_text(sia.blocks.events, message)
        return None
    message.faults = message.faults or ("no event code",)
    message.events = (unparsed(to_text(message.data)),)
    return None


def _read_contact_id(message: Message) -> None:
    data = message.data
    if not data:
        return _read_nothing(message)
    usual = None
    if data[0] == 0x23:  # "#"
        inside, _, payload = data.partition(b"|")
        usual = read_blank_form(payload) if len(payload) < 16 else None
    if usual is None:
        return _read_odd_contact_id(message)
    _note_account(message, to_text(inside[1:]), True)
    message.parsed, event = usual
    message.events = _with_text((event,), message)
    return None


def _read_odd_contact_id(message: Message) -> None:
    text = to_text(message.data)
    blocks = text.split("|")
    account, marked = split_account(blocks, message.envelope.account)
    if account is not None:
        _note_account(message, account, marked)
    block, leniency, fault = read_contact_id(
        blocks[0] if blocks else "", message.envelope.account or account or ""
    )
    if leniency:
        message.leniencies = (*message.leniencies, leniency)
    if block is None:
        message.faults = (*message.faults, fault)
        message.events = (unparsed(text),)
        return
    message.parsed = block
    message.events = _with_text((contact_id_event(block),), message)


def _read_binary(message: Message) -> None:
    message.events = (unparsed(to_text(message.data)),)


def _read_nothing(message: Message) -> None:
    message.leniencies = (*message.leniencies, "event frame with empty data")
    message.events = (unparsed(""),)


_READERS: Final = {
    "SIA-DCS": _read_sia,
    "ADM-CID": _read_contact_id,
    "VIS-BBA": _read_binary,
}


def _read_link(message: Message) -> None:
    """NULL and XNM carry no event; some panels put an account and filler there."""
    if not message.data:
        return
    account, marked = split_account(split_blocks(to_text(message.data)), message.envelope.account)
    if account is not None:
        _note_account(message, account, marked)
    message.leniencies = (*message.leniencies, f"{message.envelope.id} with data")


def _note_account(message: Message, account: str, marked: bool) -> None:
    message.data_account = account
    if not marked:
        message.leniencies = (*message.leniencies, "account in data without '#'")
    header = message.envelope.account
    if header and account != header and account.upper() != header.upper():
        message.leniencies = (*message.leniencies, "account in data differs from header")


def _with_text(events: tuple[Signal, ...], message: Message) -> tuple[Signal, ...]:
    """The block `I` is the text of events that carry none themselves."""
    for block in message.xdata:
        if block.id == "I" and block.value.strip():
            note = block.value.strip()
            return tuple(event if event.text else event._replace(text=note) for event in events)
    return events


def _modifier_time(event: Signal, frame_time: datetime | None) -> datetime | None:
    """`ti` and `da`; without a date the day that lies nearest to the frame's time."""
    if not event.modifiers:
        return None
    modifiers = dict(event.modifiers)
    try:
        hour, minute, second = (int(part) for part in f"{modifiers['ti']}:0".split(":")[:3])
        if "da" in modifiers:
            month, day, year = (int(part) for part in modifiers["da"].split("-"))
            year += 2000 if year < 100 else 0
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        if frame_time is None:
            return None
        time = frame_time.replace(hour=hour, minute=minute, second=second)
        offsets = (timedelta(days=-1), timedelta(0), timedelta(days=1))
        return min((time + offset for offset in offsets), key=lambda at: abs(at - frame_time))
    except (KeyError, ValueError, OverflowError):
        # No usable time in the modifiers: the frame's own time stands.
        return None


def duplicate_key(message: Message) -> bytes:
    """16 bytes that are equal for a message and its retries.

    Made of receiver, line, account (compared as numbers), sequence, id, data and xdata, without
    the time: a retry carries a new one. Not the sequence alone: panels reuse it. For link tests
    (NULL, XNM) it says nothing: they are all alike.
    """
    envelope = message.envelope
    data = message.data
    receiver, line, account = message.key
    # Header fields cannot contain a blank, so blanks keep them apart; data is told its length.
    head = f"{receiver} {line} {account} {envelope.seq} {envelope.id} {len(data)} ".encode()
    tail = repr(tuple(map(tuple, message.xdata))).encode() if message.xdata else b""
    return blake2b(head + data + tail, digest_size=16).digest()


__all__ = [
    "Message",
    "SiaData",
    "account_key",
    "cipher_leniencies",
    "duplicate_key",
    "open_envelope",
    "plaintext_of",
    "read_plaintext",
    "within_window",
]
