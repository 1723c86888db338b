"""Bytes to signals and back, per protocol, with the code tables as data.

Why: what came over the line is understood here and nowhere else; receivers, the desk's decoder,
the demo city and rehearsals all use these functions.
Never: sockets, a database, a clock, Django. Time is passed in.

DC-09 in three steps: `Framer` cuts a stream into frames, `read_frame` checks CRC, length and
header, `open_envelope` decrypts and reads the events. `ack`, `nak`, `duh` make the answers,
`encode` and `read_reply` are the sending side.
"""

from .codes import CodeInfo, lookup, lookup_contact_id, lookup_sia
from .content import Xdata, mask_keys
from .dc09 import Message, account_key, duplicate_key, open_envelope, within_window
from .decode import DecodeInputError, decode_lines, decode_text, format_human, parse_key
from .encoder import encode
from .envelope import Envelope, read_frame
from .faults import (
    CipherFault,
    Downgrade,
    HeaderFault,
    KeyMissing,
    LineNoise,
    NotDC09,
    Tampered,
    WireFault,
    WrongKey,
)
from .framing import Frame, Framer, Noise, split_datagram
from .replies import Reply, ack, duh, nak, read_reply
from .signals import Signal

__all__ = [
    "CipherFault",
    "CodeInfo",
    "DecodeInputError",
    "Downgrade",
    "Envelope",
    "Frame",
    "Framer",
    "HeaderFault",
    "KeyMissing",
    "LineNoise",
    "Message",
    "Noise",
    "NotDC09",
    "Reply",
    "Signal",
    "Tampered",
    "WireFault",
    "WrongKey",
    "Xdata",
    "account_key",
    "ack",
    "decode_lines",
    "decode_text",
    "duh",
    "duplicate_key",
    "encode",
    "format_human",
    "lookup",
    "lookup_contact_id",
    "lookup_sia",
    "mask_keys",
    "nak",
    "open_envelope",
    "parse_key",
    "read_frame",
    "read_reply",
    "split_datagram",
    "within_window",
]
