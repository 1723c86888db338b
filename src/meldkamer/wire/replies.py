"""What a receiver answers: ACK, NAK, DUH; and reading an answer on the sending side.

Why: a panel believes an answer only when sequence, receiver, line and account come back byte
for byte, in the CRC form it used itself, encrypted when it wrote encrypted.
Never: answer before the signal is committed (the caller's duty), answer a frame whose CRC is
wrong, or send RSP: the standard lets a receiver command a panel with it, and we do not.
"""

from datetime import datetime
from typing import Final, NamedTuple

from .cipher import encrypt
from .content import write_timestamp
from .crc import crc16_arc
from .dc09 import open_envelope
from .envelope import CrcForm, Envelope, read_frame
from .faults import HeaderFault

_REPLY_KINDS: Final = frozenset({"ACK", "NAK", "DUH", "RSP"})


def wrap(body: bytes, crc_form: CrcForm = "ascii", *, covers_cr: bool = False) -> bytes:
    """Put LF, CRC, length and CR around a body."""
    if covers_cr:
        body += b"\r"
    crc = crc16_arc(body)
    end = b"" if covers_cr else b"\r"
    if crc_form == "ascii":
        return b"\n%04X%04X%b%b" % (crc, len(body), body, end)
    return b"\n%b%04X%b%b" % (crc.to_bytes(2), len(body), body, end)


def ack(
    envelope: Envelope,
    key: bytes | None = None,
    now: datetime | None = None,
    pad: bytes | None = None,
) -> bytes:
    """The acknowledgement of a frame, encrypted like the frame.

    For an encrypted frame `key` (the one that opened it) and `now` are needed; ValueError
    without them. `pad` replaces the random pad, for showing a reply without chance in it.
    """
    if not envelope.encrypted:
        return wrap(b'"ACK"%b[]' % envelope.echo, envelope.crc_form, covers_cr=envelope.covers_cr)
    if key is None or now is None:
        raise ValueError("an encrypted ACK needs the account's key and the time")
    hexed = encrypt(b"|]" + write_timestamp(now), key, pad)
    return wrap(
        b'"*ACK"%b[%b' % (envelope.echo, hexed), envelope.crc_form, covers_cr=envelope.covers_cr
    )


def nak(now: datetime, crc_form: CrcForm = "ascii") -> bytes:
    """ "Your clock is wrong, this is the time": never encrypted, names no account."""
    return wrap(b'"NAK"0000R0L0A0[]' + write_timestamp(now), crc_form)


def duh(envelope: Envelope) -> bytes:
    """ "I cannot read this": the panel gives the message up, so never for a possible alarm."""
    return wrap(b'"DUH"%b[]' % envelope.echo, envelope.crc_form, covers_cr=envelope.covers_cr)


class Reply(NamedTuple):
    """An answer as a panel reads it. `kind` is ACK, NAK, DUH or RSP; digits as received."""

    kind: str
    seq: str
    receiver: str | None
    line: str | None
    account: str | None
    encrypted: bool
    timestamp: datetime | None
    echo: bytes


def read_reply(frame: bytes, key: bytes | None = None) -> Reply:
    """Read an answer; `key` is needed only for an encrypted one. Raises WireFault.

    Lenient as the field demands: NAK with `A0`, `#0`, other numbers, with or without time.
    """
    envelope = read_frame(frame)
    if envelope.id not in _REPLY_KINDS:
        raise HeaderFault(f"{envelope.id} is no reply")
    message = open_envelope(envelope, key if envelope.encrypted else None)
    return Reply(
        envelope.id,
        envelope.seq,
        envelope.receiver,
        envelope.line,
        envelope.account,
        envelope.encrypted,
        message.timestamp,
        envelope.echo,
    )
