"""The sending side: frames as a real panel writes them.

Why: the demo city, rehearsals, benchmarks and tests dial in through the same bytes as panels.
Never: correct what it is told to send. Odd headers are how a quirk is put to the test; only
what cannot be framed at all is refused.
"""

from collections.abc import Iterable
from datetime import datetime

from .cipher import encrypt
from .content import write_timestamp
from .envelope import MAX_BODY, CrcForm
from .replies import wrap


def encode(
    id: str,
    seq: int | str,
    account: str | None,
    receiver: str | None = None,
    line: str | None = "0",
    data: str | bytes = "",
    key: bytes | None = None,
    now: datetime | None = None,
    xdata: Iterable[tuple[str, str]] = (),
    crc_form: CrcForm = "ascii",
    *,
    covers_cr: bool = False,
    pad: bytes | None = None,
) -> bytes:
    """One frame, LF to CR.

    `data` is what stands between "[" and "]" (text becomes UTF-8); `xdata` pairs of letter and
    value. `receiver`, `line`, `account` None leaves the field out. With `key` the frame is
    encrypted and `now` (aware) is required; a plain frame carries a time only with `now`.
    Raises ValueError for a missing time, a bad key, a sequence outside 0-9999 or a body that
    is longer than 4095 bytes.
    """
    if isinstance(seq, int):
        if not 0 <= seq <= 9999:
            raise ValueError(f"sequence {seq}: expected 0 to 9999")
        seq = f"{seq:04d}"
    if key is not None and now is None:
        raise ValueError("an encrypted frame needs the time")
    content = data.encode() if isinstance(data, str) else data
    content += b"]" + b"".join(f"[{letter}{value}]".encode() for letter, value in xdata)
    if now is not None:
        content += write_timestamp(now)
    if key is not None:
        content = encrypt(b"|" + content, key, pad)
    body = b"%b[%b" % (_header(id, seq, account, receiver, line, key is not None), content)
    if len(body) + covers_cr > MAX_BODY:
        raise ValueError(f"body of {len(body)} bytes: at most {MAX_BODY} fit a frame")
    return wrap(body, crc_form, covers_cr=covers_cr)


def _header(
    token: str,
    seq: str,
    account: str | None,
    receiver: str | None,
    line: str | None,
    encrypted: bool,
) -> bytes:
    header = f'"{"*" if encrypted else ""}{token}"{seq}'
    if receiver is not None:
        header += f"R{receiver}"
    if line is not None:
        header += f"L{line}"
    if account is not None:
        header += f"#{account}"
    return header.encode("ascii")
