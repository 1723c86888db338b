"""What a receiver hands to the journal: a frame as it came, and the signals in it.

Why: receivers, the demo's button, rehearsals and `watch` fill the journal through the same two
shapes. They hold values alone: no database, no wire, no rules. Invariant: `raw` is what came in,
byte for byte; everything else is what was made of it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

#: words of `disposition`: what became of a frame (decision table of the receiver)
ACCEPTED = "accepted"
DUPLICATE = "duplicate"
UNKNOWN_ACCOUNT = "unknown_account"
DOWNGRADE = "downgrade"
WRONG_KEY = "wrong_key"
CLOCK = "clock"
NOISE = "noise"
UNSUPPORTED = "unsupported"

DISPOSITIONS = (
    ACCEPTED, DUPLICATE, UNKNOWN_ACCOUNT, DOWNGRADE, WRONG_KEY, CLOCK, NOISE, UNSUPPORTED,
)  # fmt: skip

#: the keys of `SignalRecord.detail`, all of them always there
DETAIL_KEYS = (
    "label", "duress", "verifies", "entry_exit", "restores_type", "inner_account", "disposition",
)  # fmt: skip


class Detail(dict[str, object]):
    """A `detail` that many signals share: read-only, and its JSON is made once."""

    json: str | None = None

    def __setitem__(self, key: str, value: object) -> None:
        raise TypeError("this detail is shared by signals; make a dict of it first")


@lru_cache(maxsize=8192)
def detail(
    label: str = "",
    *,
    duress: bool = False,
    verifies: bool = False,
    entry_exit: bool = False,
    restores_type: str | None = None,
    inner_account: str | None = None,
    disposition: str | None = None,
) -> Detail:
    """The `detail` of a signal: what a judge needs of the code tables, so that it needs no wire."""
    return Detail(
        label=label,
        duress=duress,
        verifies=verifies,
        entry_exit=entry_exit,
        restores_type=restores_type,
        inner_account=inner_account,
        disposition=disposition,
    )


class SignalRecord(NamedTuple):
    """One decoded message; exactly one verdict will be given on it (M12.1).

    `origin`: "frame", "watch", "hand" or "webhook". `role` and `type` as in the code tables
    (`wire.codes`). `panel_time` aware, UTC; None when the transmitter told none.
    """

    code: str
    role: str
    type: str
    origin: str = "frame"
    protocol: str = ""
    klass: str = ""
    zone: str | None = None
    area: str | None = None
    user: str | None = None
    text: str | None = None
    panel_time: datetime | None = None
    detail: Mapping[str, object] = {}
    site_id: int | None = None
    transmitter_id: int | None = None
    account: str = ""


class FrameRecord(NamedTuple):
    """One frame as it came in, with what the receiver made of it and the signals in it.

    `transport`: "tcp", "udp", "tls" or "hand". `source`: the sender's address. `reply`: "ack",
    "nak", "duh" or "none". `dedup_key`: equal for a frame and its retries (protocols, sequence
    and duplicates); None when every copy counts by itself (link tests, noise). `clock_skew_s`:
    frame time minus receipt.
    """

    received_at: datetime
    transport: str
    source: str
    raw: bytes
    disposition: str
    protocol: str = "dc09"
    token: str = ""
    account: str = ""
    receiver: str | None = None
    line: str | None = None
    seq: str = ""
    encrypted: bool = False
    reasons: Sequence[str] = ()
    panel_time: datetime | None = None
    clock_skew_s: int | None = None
    content: str = ""
    xdata: Sequence[Sequence[str]] = ()
    reply: str = "none"
    transmitter_id: int | None = None
    site_id: int | None = None
    dedup_key: bytes | None = None
    signals: Sequence[SignalRecord] = ()


class Stored(NamedTuple):
    """What the journal made of one frame. A duplicate has no signals of its own (M12.1)."""

    frame_id: int
    duplicate_of: int | None
    signal_ids: tuple[int, ...]
