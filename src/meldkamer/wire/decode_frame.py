"""One frame as a dict: verdict, reasons, what it says, what the receiver would answer.

Why: the words and keys are those of the published test vectors, so that any frame of the field
can be compared with what others make of it.
Never: show the value of a `K` block or bytes decrypted around one.

Verdicts: `accept`, `accept-lenient` (departs from the standard, acknowledged all the same),
`reject` (a strict reader refuses it; when its CRC is right the receiver still stores and
acknowledges it, as `reply` shows, because it may be an alarm), `duh`, `policy` (the site
decides), `envelope-only` (encrypted, no key).
"""

from datetime import datetime
from typing import Any, Final

from .contact_id import ContactId
from .dc09 import Message, cipher_leniencies, open_envelope, plaintext_of
from .envelope import Envelope, crc_form_of, read_frame, read_frame_unverified
from .faults import Downgrade, KeyMissing, LineNoise, Tampered, WireFault
from .identity import within_window
from .replies import ack, duh, nak
from .sia import SiaData
from .text import to_text

Decoded = dict[str, Any]

_SHOWN_PAD: Final = b"p" * 26
"""A reply is shown with a fixed pad, so that the same line prints the same bytes. With the 22
bytes of an ACK's text it fills three blocks."""


def decode_frame(frame: bytes, key: bytes | None = None, now: datetime | None = None) -> Decoded:
    """What one frame says, as a dict for JSON; never raises for any bytes."""
    try:
        envelope = read_frame(frame)
    except WireFault as fault:
        return _refused(frame, fault, key)
    return _of_envelope(envelope, key, now)


def _refused(frame: bytes, fault: WireFault, key: bytes | None) -> Decoded:
    decoded: Decoded = {"verdict": "reject", "reasons": [fault.reason]}
    decoded |= dict.fromkeys(_UNKNOWN)
    form = crc_form_of(frame)
    if form is not None:
        decoded["crc_form"] = form
    if isinstance(fault, LineNoise) and "mismatch" in fault.reason:
        inside = _if_header_were_right(frame, key)
        if inside is not None:
            decoded["body_if_header_were_right"] = inside
    decoded |= {"xdata": [], "events": [], "reply": None}
    return decoded


_UNKNOWN: Final = (
    "id",
    "encrypted",
    "seq",
    "receiver",
    "line",
    "account",
    "data",
    "timestamp",
)


def _if_header_were_right(frame: bytes, key: bytes | None) -> Decoded | None:
    """For a person who looks for the fault of a line: the content despite a wrong CRC."""
    try:
        envelope = read_frame_unverified(frame)
        message = open_envelope(envelope, key if envelope.encrypted else None)
    except WireFault:
        return None
    if message.faults or envelope.kind in ("unsupported", "unknown"):
        return None
    inside = _facts(envelope) | content_facts(message, key)
    for outer in ("verdict", "reasons", "crc_form", "events"):
        del inside[outer]
    # What is wrong with the CRC is the verdict's matter, not the content's.
    about_crc = ("binary CRC", "lowercase hex", "trailing NUL")
    inside["leniencies"] = [note for note in message.leniencies if note not in about_crc]
    return inside


def _of_envelope(envelope: Envelope, key: bytes | None, now: datetime | None) -> Decoded:
    facts = _facts(envelope) | _UNOPENED
    if envelope.kind in ("unsupported", "unknown"):
        return facts | _duh(envelope)
    try:
        message = open_envelope(envelope, key)
    except WireFault as fault:
        return facts | _unopened(envelope, fault)
    verdict, reasons = _verdict(message)
    decoded = facts | {"verdict": verdict, "reasons": reasons} | content_facts(message, key)
    decoded["reply"] = _reply(message, key, now)
    return decoded


def _facts(envelope: Envelope) -> Decoded:
    """What is known without opening the frame."""
    return {
        "verdict": "",
        "reasons": [],
        "crc_form": envelope.crc_form,
        "id": envelope.id,
        "encrypted": envelope.encrypted,
        "seq": envelope.seq,
        "receiver": envelope.receiver,
        "line": envelope.line,
        "account": envelope.account,
    }


_UNOPENED: Final[Decoded] = {"data": None, "xdata": [], "timestamp": None}


def _duh(envelope: Envelope) -> Decoded:
    unknown = envelope.kind == "unknown"
    reason = (
        "unknown ID token: answer DUH" if unknown else "answer DUH unless the format is implemented"
    )
    return {
        "verdict": "duh",
        "reasons": [*envelope.leniencies, reason],
        "events": [],
        "reply": duh(envelope).decode("latin-1"),
    }


def _unopened(envelope: Envelope, fault: WireFault) -> Decoded:
    """Ciphertext that stayed shut, or a plain frame that should have been ciphertext."""
    decoded: Decoded = {"verdict": "reject", "reasons": [fault.reason], "events": []}
    if isinstance(fault, KeyMissing):
        decoded["verdict"] = "envelope-only"
        decoded["reasons"] = [
            *envelope.leniencies,
            *cipher_leniencies(envelope),
            fault.reason,
        ]
    elif isinstance(fault, Tampered | Downgrade):
        decoded["verdict"] = "policy"
    if envelope.encrypted:
        decoded["cipher_bytes"] = len(envelope.content) // 2
    decoded["reply"] = None
    return decoded


def _verdict(message: Message) -> tuple[str, list[str]]:
    if message.faults:
        return "reject", list(message.faults)
    if message.policy:
        return "policy", list(message.policy)
    if message.leniencies:
        return "accept-lenient", list(message.leniencies)
    return "accept", []


def content_facts(message: Message, key: bytes | None) -> Decoded:
    envelope = message.envelope
    decoded: Decoded = {"data": to_text(message.data)}
    if message.data_account is not None:
        decoded["data_account"] = message.data_account
    if message.xdata:
        decoded["xdata"] = [[block.id, block.shown] for block in message.xdata]
    if message.timestamp is not None:
        decoded["timestamp"] = message.timestamp.strftime("%Y-%m-%dT%H:%M:%SZ")
    if envelope.encrypted and key is not None:
        decoded["cipher_bytes"] = len(envelope.content) // 2
        decoded["pad_len"] = message.pad_len
        if all(block.id != "K" for block in message.xdata):
            decoded["plaintext_hex"] = plaintext_of(envelope, key).hex()
    if message.junk:
        decoded["junk"] = to_text(message.junk)
    if isinstance(message.parsed, SiaData) and message.parsed.blocks.items:
        decoded["sia"] = _sia(message.parsed)
    elif isinstance(message.parsed, ContactId):
        decoded["cid"] = _contact_id(message.parsed)
    decoded["events"] = [
        {
            "code": event.code,
            "type": event.type,
            "role": event.role,
            "meaning": event.label,
            "known": event.known,
            "zone": event.zone,
            "area": event.area,
            "user": event.user,
            "text": event.text,
        }
        for event in message.events
    ]
    return decoded


def _sia(parsed: SiaData) -> Decoded:
    """The first event as the transmitter wrote it."""
    item = parsed.blocks.items[0]
    decoded: Decoded = {"code": item.code}
    if item.address:
        decoded["address"] = item.address
    if item.units is not None:
        decoded["units"] = item.units
    if item.text is not None:
        decoded["text"] = item.text
    if item.trailing:
        decoded["trailing"] = item.trailing
    if item.modifiers:
        decoded["modifiers"] = dict(item.modifiers)
    if parsed.blocks.more:
        decoded["more_blocks"] = list(parsed.blocks.more)
    return decoded


def _contact_id(block: ContactId) -> Decoded:
    decoded: Decoded = {
        "q": block.qualifier,
        "code": block.code,
        "group": block.group,
        "zone": block.zone,
    }
    if block.checksum is not None:
        decoded["checksum"] = block.checksum
    return decoded


def _reply(message: Message, key: bytes | None, now: datetime | None) -> str | None:
    """What the receiver answers once the signal is stored; None for a reply of another."""
    envelope = message.envelope
    if envelope.kind == "reply":
        return None
    if not envelope.encrypted:
        return ack(envelope).decode("latin-1")
    at = now or message.timestamp
    if at is None:
        return None
    if not within_window(message.timestamp, at):
        return nak(at, envelope.crc_form).decode("latin-1")
    return ack(envelope, key, at, _SHOWN_PAD).decode("latin-1")
