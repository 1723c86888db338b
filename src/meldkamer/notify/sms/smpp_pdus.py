"""SMPP 3.4 on the wire: what we send is put together by smpplib, what comes in is read here.

smpplib's reader is not used on purpose: it raises on a parameter that its tables do not give to a
message, cuts the last character of a text that no zero ends, and loses its place in the stream at
a time-out. A deliver_sm that cannot be read is an answer of a person that is lost. Its `Client`
is not used either: it blocks, is not made for threads, and writes the password to its log.

Never: a password in a text of a fault. Bad octets raise BadPdu and nothing else.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smpplib import consts, smpp

HEADER = struct.Struct(">LLLL")
#: a length above this is no SMPP: the largest PDU holds a payload of 64 KiB and some
LENGTH_MOST = 80_000
RESPONSE = 0x8000_0000
GENERIC_NACK, UNBIND, ENQUIRE_LINK, DELIVER_SM = 0x8000_0000, 0x6, 0x15, 0x5
ALERT_NOTIFICATION, OUTBIND = 0x102, 0xB
OK, QUEUE_FULL, THROTTLED = 0x0, 0x14, 0x58
UNKNOWN_COMMAND, NOT_BOUND, BAD_LENGTH, NOT_NOW, NEVER = 0x3, 0x4, 0x1, 0x64, 0x66
UNKNOWN_ERROR = 0xFF
#: the login itself was refused: trying it again at once may block the account
LOGIN_REFUSED = frozenset({0xD, 0xE, 0xF, 0x53})
#: the recipient, and no other carrier can do anything about it (S7.2)
RECIPIENT_REFUSED = frozenset({0xB, 0x50, 0x51})

TLV_PAYLOAD, TLV_RECEIPTED_ID, TLV_STATE = 0x424, 0x1E, 0x427
TLV_SAR_REF, TLV_SAR_OF, TLV_SAR_NUMBER = 0x20C, 0x20E, 0x20F
_NAMES = {
    code: name.removeprefix("SMPP_")
    for name, code in vars(consts).items()
    if name.startswith("SMPP_ESME_") and isinstance(code, int)
}


class BadPdu(ValueError):
    """Octets that are no PDU of SMPP 3.4; says where."""


def status_text(status: int) -> str:
    """A command_status for people: its name and words, or its number."""
    name = _NAMES.get(status)
    if name is None:
        return f"command_status 0x{status:08X}"
    return f"{name}: {consts.DESCRIPTIONS[status]}"


class Numbers:
    """Sequence numbers of one connection; smpplib asks it for the next one."""

    def __init__(self) -> None:
        self.sequence = 0
        self._lock = threading.Lock()

    def next_sequence(self) -> int:
        """1 to 0x7FFFFFFF, then from 1 again."""
        with self._lock:
            self.sequence = 1 if self.sequence >= 0x7FFF_FFFF else self.sequence + 1
            return self.sequence


def request(command: str, numbers: Numbers, fields: Mapping[str, Any]) -> tuple[int, bytes]:
    """Sequence number and octets of a request."""
    pdu = smpp.make_pdu(command, client=numbers, **fields)
    return int(pdu.sequence), bytes(pdu.generate())


def response(command: str, sequence: int, status: int = OK) -> bytes:
    """Octets of an answer to the request of that sequence number."""
    pdu = smpp.make_pdu(command, client=Numbers(), status=status)
    pdu.sequence = sequence
    return bytes(pdu.generate())


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU as it came in."""

    command: int
    status: int
    sequence: int
    body: bytes

    @property
    def message_id(self) -> str:
        """The centre's number of a message, of a submit_sm_resp."""
        return _ascii(self.body.split(b"\0", 1)[0])


def read(octets: bytes) -> Pdu:
    """A whole PDU. BadPdu when it is shorter than its header."""
    if len(octets) < HEADER.size:
        raise BadPdu(f"a PDU of {len(octets)} octets; a header alone has {HEADER.size}")
    _, command, status, sequence = HEADER.unpack_from(octets)
    return Pdu(command, status, sequence, octets[HEADER.size :])


@dataclass(frozen=True, slots=True)
class Delivered:
    """A deliver_sm: a person's text or a receipt. tlvs: optional parameters as they came."""

    source_ton: int
    source: str
    destination_ton: int
    destination: str
    esm_class: int
    data_coding: int
    octets: bytes
    tlvs: Mapping[int, bytes] = field(default_factory=dict)

    def number(self, tag: int) -> int | None:
        """An optional parameter as a number; None when it is not there."""
        value = self.tlvs.get(tag)
        return int.from_bytes(value, "big") if value else None

    def text(self, tag: int) -> str:
        """An optional parameter as text, with or without the zero that should end it."""
        return _ascii(self.tlvs.get(tag, b"").split(b"\0", 1)[0]).strip()


def read_delivered(body: bytes) -> Delivered:
    """The body of a deliver_sm. BadPdu names the field that is not there."""
    at = _Reader(body)
    at.string("service_type")
    source_ton, _ = at.octet("source_addr_ton"), at.octet("source_addr_npi")
    source = at.string("source_addr")
    destination_ton, _ = at.octet("dest_addr_ton"), at.octet("dest_addr_npi")
    destination = at.string("destination_addr")
    esm_class, _, _ = at.octet("esm_class"), at.octet("protocol_id"), at.octet("priority_flag")
    at.string("schedule_delivery_time")
    at.string("validity_period")
    at.octet("registered_delivery")
    at.octet("replace_if_present_flag")
    data_coding, _ = at.octet("data_coding"), at.octet("sm_default_msg_id")
    octets = at.octets("short_message", at.octet("sm_length"))
    tlvs = at.tlvs()
    # a text is in one of the two; an empty one is a text as well (S7.4)
    return Delivered(
        source_ton,
        source,
        destination_ton,
        destination,
        esm_class,
        data_coding,
        octets or tlvs.get(TLV_PAYLOAD, b""),
        tlvs,
    )


class _Reader:
    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0

    def octet(self, name: str) -> int:
        return self.octets(name, 1)[0]

    def octets(self, name: str, count: int) -> bytes:
        found = self._body[self._at : self._at + count]
        if len(found) < count:
            raise BadPdu(f"{name}: expected {count} octets, {len(found)} are left")
        self._at += count
        return found

    def string(self, name: str) -> str:
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise BadPdu(f"{name}: expected a zero after the text, the PDU ends")
        found = self._body[self._at : end]
        self._at = end + 1
        return _ascii(found)

    def tlvs(self) -> dict[int, bytes]:
        """Whatever optional parameters there are; what is left of a broken one is no reason to
        refuse a person's text."""
        found: dict[int, bytes] = {}
        while self._at + 4 <= len(self._body):
            tag, size = struct.unpack_from(">HH", self._body, self._at)
            found[tag] = self._body[self._at + 4 : self._at + 4 + size]
            self._at += 4 + size
        return found


def _ascii(octets: bytes) -> str:
    return octets.decode("latin-1")
