"""The DC-09 envelope: CRC, length, token and header of one frame.

Why: everything that can be known of a frame without a key, in one pass, with the reason when
it is refused. The fast path is one CRC, one comparison and one regular expression; the field's
quirks (binary CRC, ELDES, empty L, no account...) are told apart only when that path fails.
Never: search a frame by its first CR or LF (payloads contain both), and never rebuild what is
echoed: `Envelope.echo` is the very slice that came in.
Invariant: an Envelope exists only for a frame whose CRC and length are right.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from .crc import crc16_arc
from .faults import HeaderFault, LineNoise, NotDC09
from .scanners import scanner_of

CrcForm = Literal["ascii", "binary"]
Kind = Literal["event", "link", "reply", "unsupported", "unknown"]

MAX_BODY: Final = 0x0FFF
MAX_FRAME: Final = MAX_BODY + 16
"""Longest frame with its envelope and a little filler behind the CR, bytes."""

HEX_SEQUENCE: Final = "hex sequence (dc09_spt 0.0.4 writes these); decide lenient or refuse"

_UNSUPPORTED: Final = (
    "SIA-PUL ACR-SF ADM-41E ADM-42E ADM-HS DSC-43 FBI-SF ITI-I SCN-S8 SCN-S16 SCN-S24 SCT "
    "SES-SS SIA-S2K SK-FSK1 SK-FSK2"
)
_KINDS: Final[dict[str, Kind]] = {
    **dict.fromkeys(_UNSUPPORTED.split(), "unsupported"),
    "SIA-DCS": "event",
    "ADM-CID": "event",
    "VIS-BBA": "event",
    "NULL": "link",
    "XNM": "link",
    "ACK": "reply",
    "NAK": "reply",
    "DUH": "reply",
    "RSP": "reply",
}


@dataclass(slots=True, eq=False, repr=False)
class Envelope:
    """One frame up to its "[".

    `receiver`, `line`, `account` are the digits as received ("" = letter without digits, None =
    not there). `echo` is the slice from the sequence to the account that a reply repeats.
    `content` is what follows "[": data and xdata, or hex ciphertext. `covers_cr` is the ELDES
    way (CRC and length count the CR too). `leniencies` name departures from the standard that
    are accepted, `policy` those that a site may want to refuse.
    """

    frame: bytes
    id: str
    kind: Kind
    encrypted: bool
    seq: str
    receiver: str | None
    line: str | None
    account: str | None
    echo: bytes
    content: bytes
    crc_form: CrcForm = "ascii"
    covers_cr: bool = False
    leniencies: tuple[str, ...] = ()
    policy: tuple[str, ...] = ()

    def __repr__(self) -> str:
        star = "*" if self.encrypted else ""
        return f"<Envelope {star}{self.id} {self.echo!r}, {len(self.content)} bytes>"


_HEADER: Final = re.compile(
    r'"(\*?)([A-Z0-9-]{1,16})"(([0-9]{4})(?:R([0-9A-Fa-f]{1,6}))?L([0-9A-Fa-f]{1,6})'
    r"#([0-9A-Fa-f]{3,16}))\["
)


def read_frame(frame: bytes) -> Envelope:
    """Read one frame, LF to CR (filler such as NUL or LF behind the CR is tolerated).

    Raises NotDC09, LineNoise or HeaderFault with the reason; none of them gets a reply.
    """
    # Fast path: ASCII CRC in capitals, nothing behind the CR, a header by the book.
    if len(frame) <= MAX_FRAME and frame[9:10] == b'"' and frame[-1:] == b"\r":
        body = frame[9:-1]
        if frame[:9] == b"\n%04X%04X" % (crc16_arc(body), len(body)):
            return read_body(frame, body)
    return _read_slowly(frame, verify=True)


def read_frame_unverified(frame: bytes) -> Envelope:
    """As `read_frame`, but a wrong CRC or length is overlooked: for showing, never for acting."""
    return _read_slowly(frame, verify=False)


def crc_form_of(frame: bytes) -> CrcForm | None:
    """Which CRC form the frame seems to use; None when it is no frame at all."""
    if frame[:1] != b"\n":
        return None
    if frame[9:10] == b'"':
        return "ascii"
    return "binary" if frame[7:8] == b'"' else None


_HEX8: Final = re.compile(rb"[0-9A-Fa-f]{8}")
_HEX4: Final = re.compile(rb"[0-9A-Fa-f]{4}")
_FILLER: Final = b"\r\n\0"


def _read_slowly(frame: bytes, *, verify: bool) -> Envelope:
    if len(frame) > MAX_FRAME:
        raise LineNoise("over size cap; drop and resync, do not buffer")
    if frame[:1] != b"\n":
        raise _without_lf(frame)
    core = frame.rstrip(_FILLER)
    filler = frame[len(core) :]
    if not core:
        raise NotDC09("empty")
    crc_form = crc_form_of(core)
    if crc_form is None:
        bare = _HEX8.fullmatch(core[1:])
        raise NotDC09("no ID token" if bare else "not a DC-09 frame")
    leniencies = ["trailing NUL"] if b"\0" in filler else []
    quote = 9 if crc_form == "ascii" else 7
    crc, length = _stated(core, crc_form)
    if b"\r" not in filler:
        raise LineNoise("incomplete: wait, then drop on timeout")
    body = core[quote:]
    covers_cr = length == len(body) + 1 and crc == crc16_arc(body + b"\r")
    if verify and not covers_cr:
        _check(body, crc, length)
    if covers_cr:
        leniencies.append("CRC covers CR (ELDES)")
    elif crc_form == "binary":
        leniencies.append("binary CRC")
    elif core[1:9] != core[1:9].upper():
        leniencies.append("lowercase hex")
    return read_body(frame, body, crc_form, covers_cr, leniencies)


def _without_lf(frame: bytes) -> NotDC09:
    name = scanner_of(frame)
    if name is not None:
        return NotDC09(f"not DC-09: {name}")
    if not frame.strip(_FILLER):
        return NotDC09("empty")
    begins_like_one = _HEX8.match(frame) is not None and frame[8:9] == b'"'
    return NotDC09("no LF (resync at next LF)" if begins_like_one else "no LF")


def _stated(core: bytes, crc_form: CrcForm) -> tuple[int, int]:
    """CRC and length as the frame states them."""
    if crc_form == "ascii":
        if not _HEX4.fullmatch(core[1:5]):
            raise LineNoise("CRC not hex")
        crc, digits = int(core[1:5], 16), core[5:9]
    else:
        crc, digits = int.from_bytes(core[1:3]), core[3:7]
    if not _HEX4.fullmatch(digits):
        raise LineNoise("length not hex")
    length = int(digits, 16)
    if length > MAX_BODY:
        raise LineNoise("length above cap")
    return crc, length


def _check(body: bytes, crc: int, length: int) -> None:
    computed = crc16_arc(body)
    if crc != computed:
        raise LineNoise(f"CRC mismatch (computed {computed:04X})")
    if length != len(body):
        raise LineNoise(f"length mismatch (computed {len(body):04X})")


def read_body(
    frame: bytes,
    body: bytes,
    crc_form: CrcForm = "ascii",
    covers_cr: bool = False,
    leniencies: list[str] | None = None,
) -> Envelope:
    """Read the header of a body (first quote to last byte before CR). Raises HeaderFault."""
    # Latin-1 keeps one character a byte, so positions are the same in both.
    match = _HEADER.match(body.decode("latin-1"))
    if match is None:
        return _read_odd_header(frame, body, crc_form, covers_cr, leniencies or [])
    star, token, _, seq, receiver, line, account = match.groups()
    start, end = match.span(3)
    return Envelope(
        frame,
        token,
        _KINDS.get(token, "unknown"),
        star == "*",
        seq,
        receiver,
        line,
        account,
        body[start:end],
        body[end + 1 :],
        crc_form,
        covers_cr,
        tuple(leniencies) if leniencies else (),
    )


_TOKEN: Final = re.compile(r'"(\*?)([A-Z0-9-]{1,16})"')
_ADDRESS: Final = re.compile(r"(?:R([0-9A-Fa-f]*))?(?:L([0-9A-Fa-f]*))?(?:#(.*))?", re.DOTALL)
# NAK prints its account with an A, which is also a hex digit of the line.
_NAK_ADDRESS: Final = re.compile(r"(?:R([0-9A-Fa-f]*))?(?:L([0-9A-Fa-f]*?))?[A#]([0-9A-Za-z]*)")
_ACCOUNT: Final = re.compile(r"[0-9A-Za-z]+")
_HEX_ACCOUNT: Final = re.compile(r"[0-9A-Fa-f]{3,16}")


def _read_odd_header(
    frame: bytes, body: bytes, crc_form: CrcForm, covers_cr: bool, leniencies: list[str]
) -> Envelope:
    """A header that departs from the standard: accepted with a leniency, or refused exactly."""
    text = body.decode("latin-1")
    token = _TOKEN.match(text)
    bracket = text.find("[", token.end()) if token else -1
    if token is None or bracket < 0:
        raise HeaderFault("malformed header")
    echo = text[token.end() : bracket]
    seq, policy = _odd_sequence(echo[:4])
    pattern = _NAK_ADDRESS if token[2] == "NAK" else _ADDRESS
    address = pattern.fullmatch(echo, 4)
    if address is None:
        raise HeaderFault("malformed header")
    receiver, line, account = address.groups()
    _note_odd_numbers(receiver, line, leniencies)
    if token[2] != "NAK":
        _note_odd_account(account, leniencies)
    return Envelope(
        frame,
        token[2],
        _KINDS.get(token[2], "unknown"),
        token[1] == "*",
        seq,
        receiver,
        line,
        account,
        body[token.end() : bracket],
        body[bracket + 1 :],
        crc_form,
        covers_cr,
        tuple(leniencies),
        policy,
    )


def _odd_sequence(seq: str) -> tuple[str, tuple[str, ...]]:
    if len(seq) == 4 and seq.isascii() and seq.isdigit():
        return seq, ()
    if re.fullmatch(r"[0-9A-Fa-f]{4}", seq):
        return seq, (HEX_SEQUENCE,)
    raise HeaderFault("malformed sequence")


def _note_odd_numbers(receiver: str | None, line: str | None, leniencies: list[str]) -> None:
    if receiver is not None and len(receiver) > 6:
        raise HeaderFault("receiver longer than 6")
    if line is not None and len(line) > 6:
        raise HeaderFault("line longer than 6")
    if receiver == "":
        leniencies.append("empty R")
    if line is None:
        leniencies.append("no L field")
    elif line == "":
        leniencies.append("empty L")


def _note_odd_account(account: str | None, leniencies: list[str]) -> None:
    if account is None:
        leniencies.append("no #account in header")
        return
    if not _ACCOUNT.fullmatch(account):
        raise HeaderFault("malformed account")
    if len(account) > 16:
        raise HeaderFault("account longer than 16")
    if not _HEX_ACCOUNT.fullmatch(account):
        leniencies.append("account not 3-16 hex")
