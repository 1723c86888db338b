"""The one place with the SQL that puts frames and signals into the journal.

Why: "acknowledged when, and only when, committed" must rest on one piece of code, used by the
receivers, the demo's button and the rehearsal alike. `plan` is a generator that yields what must
be sent to PostgreSQL and gets the rows back; who drives it (a cursor here, the receivers' group
commit in `receivers.writer`) does the waiting. Never: commit, judge, or look at a signal's
meaning beyond its urgency. Invariants: all of a batch is stored or nothing; a frame whose
duplicate key was first seen within the lifetime is linked to that first frame and brings no
signals, over any number of receiver processes; every signal stored is in `journal_pending`.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from meldkamer.journal import copying
from meldkamer.journal.records import DUPLICATE, FrameRecord, SignalRecord, Stored

#: notified once per batch that holds signals; carries nothing, the table tells
CHANNEL = "meldkamer_signal"
#: how long a retry is known as one. Longer, and a transmitter that counts from 0001 again after a
#: power cut would be taken for a retry; shorter, and a slow retry would be handled twice.
DUPLICATE_LIFETIME = timedelta(minutes=15)

#: in which order unjudged signals are taken: the class of the type (S15.1), the lowest first
URGENCY = {
    "intrusion": 1, "sabotage": 1, "holdup": 1,
    "fire": 2, "medical": 2,
    "battery": 3, "power": 3, "line_test": 3, "external_technical": 3, "open_close": 3,
    "undefined": 4,
}  # fmt: skip
TECHNICAL, LEAST_URGENT = 3, 5

_IDS = (
    "SELECT ARRAY(SELECT nextval('journal_frame_id_seq') FROM generate_series(1, %s)),"
    " ARRAY(SELECT nextval('journal_signal_id_seq') FROM generate_series(1, %s))"
)
# A row that conflicts is locked even when it is not updated, so nobody purges it before we commit.
_FIRST = (
    "INSERT INTO journal_first AS held (dedup_key, frame_id, seen_at)"
    " SELECT * FROM unnest(%s::bytea[], %s::bigint[], %s::timestamptz[])"
    " ON CONFLICT (dedup_key) DO UPDATE"
    " SET frame_id = excluded.frame_id, seen_at = excluded.seen_at"
    " WHERE held.seen_at < excluded.seen_at - %s::interval"
    " RETURNING frame_id"
)
_COPY_FIRST = "COPY journal_first (dedup_key, frame_id, seen_at) FROM STDIN"
_FIRST_OF = (
    "SELECT asked.frame_id, held.frame_id"
    " FROM unnest(%s::bytea[], %s::bigint[]) AS asked (dedup_key, frame_id)"
    " JOIN journal_first AS held USING (dedup_key)"
)
_FRAME_COLUMNS = (
    "id, received_at, transport, source, raw, protocol, token, account, receiver, line, seq,"
    " encrypted, disposition, reasons, duplicate_of, panel_time, clock_skew_s, content, xdata,"
    " reply, transmitter_id, site_id"
)
_SIGNAL_COLUMNS = (
    "id, received_at, frame_id, ordinal, site_id, transmitter_id, account, origin, code, protocol,"
    " role, type, klass, zone, area, user_no, text, panel_time, detail"
)
_COPY_FRAMES = f"COPY journal_frame ({_FRAME_COLUMNS}) FROM STDIN"
_COPY_SIGNALS = f"COPY journal_signal ({_SIGNAL_COLUMNS}) FROM STDIN"
_COPY_PENDING = "COPY journal_pending (signal_id, received_at, urgency) FROM STDIN"
_NOTIFY = f"NOTIFY {CHANNEL}"


class Query(NamedTuple):
    """A statement; send back its rows (an empty list when it has none)."""

    text: str
    values: Sequence[Any] = ()
    has_rows: bool = True


class Copy(NamedTuple):
    """A COPY … FROM STDIN with all that it is to be fed; send back an empty list."""

    text: str
    body: bytes


Step = Query | Copy
Plan = Generator[Step, Sequence[Sequence[Any]], list[Stored]]


def store(
    cursor: Any, frames: Sequence[FrameRecord], lifetime: timedelta = DUPLICATE_LIFETIME
) -> list[Stored]:
    """Store a batch in the transaction that `cursor` is in; the caller commits.

    `cursor` is psycopg's or Django's. One Stored per frame, in the order given. Raises psycopg's
    errors; then nothing of the batch may be committed.
    """
    return _drive(cursor, plan(frames, lifetime))


def store_signals(cursor: Any, received_at: datetime, signals: Sequence[SignalRecord]) -> list[int]:
    """Store signals that no frame brought (missed tests, by hand); their ids, in order."""
    stored = _drive(cursor, _signals_plan(received_at, signals))
    return list(stored[0].signal_ids)


def _drive(cursor: Any, steps: Plan) -> list[Stored]:
    rows: Sequence[Sequence[Any]] = ()
    step = next(steps)
    while True:
        if isinstance(step, Copy):
            with cursor.copy(step.text) as copy:
                copy.write(step.body)
            rows = ()
        else:
            cursor.execute(step.text, step.values or None)
            rows = cursor.fetchall() if step.has_rows else ()
        try:
            step = steps.send(rows)
        except StopIteration as done:
            stored: list[Stored] = done.value
            return stored


def plan(frames: Sequence[FrameRecord], lifetime: timedelta = DUPLICATE_LIFETIME) -> Plan:
    """The steps that store a batch. Raises ValueError for an empty batch."""
    if not frames:
        raise ValueError("nothing to store: expected at least one frame")
    ids = yield Query(_IDS, (len(frames), sum(len(frame.signals) for frame in frames)))
    frame_ids, spare_ids = ids[0]
    duplicate_of = yield from _link(frames, frame_ids, lifetime)
    stored = _numbered(frames, frame_ids, spare_ids, duplicate_of)
    pairs = list(zip(frames, stored, strict=True))
    yield Copy(_COPY_FRAMES, copying.lines(_frame_row(*pair) for pair in pairs))
    yield from _add_signals(
        (signal, signal_id, ordinal, frame, done)
        for frame, done in pairs
        for ordinal, (signal, signal_id) in enumerate(
            zip(frame.signals, done.signal_ids, strict=False)
        )
    )
    return stored


class Burst(NamedTuple):
    """A batch in one message to the server, which is one transaction: COPYs and their bodies."""

    text: str
    bodies: list[bytes]
    stored: list[Stored]


def reserve(frames: Sequence[FrameRecord]) -> str:
    """The statement that reserves the ids of a burst: one row, two arrays."""
    return _IDS % (len(frames), sum(len(frame.signals) for frame in frames))


def burst(
    frames: Sequence[FrameRecord], frame_ids: Sequence[int], signal_ids: Sequence[int]
) -> Burst:
    """A batch in which no frame is a retry of another one; the cheapest way to store it.

    When one is a retry after all, PostgreSQL refuses the whole batch with UniqueViolation and
    it must be stored by `plan`, which links.
    """
    pairs = list(zip(frames, _numbered(frames, frame_ids, signal_ids, {}), strict=True))
    keys = sorted(
        (frame.dedup_key, done.frame_id, frame.received_at)
        for frame, done in pairs
        if frame.dedup_key is not None
    )
    signals = [
        (signal, signal_id, ordinal, frame, done)
        for frame, done in pairs
        for ordinal, (signal, signal_id) in enumerate(
            zip(frame.signals, done.signal_ids, strict=True)
        )
    ]
    texts = [_COPY_FIRST, _COPY_FRAMES]
    bodies = [
        copying.lines(_first_row(*key) for key in keys),
        copying.lines(_frame_row(*pair) for pair in pairs),
    ]
    if signals:
        texts += [_COPY_SIGNALS, _COPY_PENDING, _NOTIFY]
        bodies += [
            copying.lines(_signal_row(*signal) for signal in signals),
            copying.lines(_pending_row(*signal[:2], signal[3]) for signal in signals),
        ]
    return Burst("; ".join(texts), bodies, [done for _, done in pairs])


def _numbered(
    frames: Sequence[FrameRecord],
    frame_ids: Sequence[int],
    signal_ids: Sequence[int],
    duplicate_of: Mapping[int, int],
) -> list[Stored]:
    numbers = iter(signal_ids)
    return [
        Stored(frame_id, None, tuple([next(numbers) for _ in frame.signals]))
        if frame_id not in duplicate_of
        else Stored(frame_id, duplicate_of[frame_id], ())
        for frame, frame_id in zip(frames, frame_ids, strict=True)
    ]


def _link(
    frames: Sequence[FrameRecord], frame_ids: Sequence[int], lifetime: timedelta
) -> Generator[Step, Sequence[Sequence[Any]], dict[int, int]]:
    """Which frames are retries: {frame id: id of the first}. Keys in order: no deadlock."""
    again: dict[int, int] = {}
    first: dict[bytes, tuple[int, datetime]] = {}
    for frame, frame_id in zip(frames, frame_ids, strict=True):
        if frame.dedup_key is None:
            continue
        held = first.setdefault(frame.dedup_key, (frame_id, frame.received_at))
        if held[0] != frame_id:
            again[frame_id] = held[0]
    if not first:
        return again
    keys = sorted(first)
    asked = [first[key][0] for key in keys]
    new = yield Query(_FIRST, (keys, asked, [first[key][1] for key in keys], lifetime))
    if len(new) == len(keys):
        return again
    won = {row[0] for row in new}
    lost = [key for key in keys if first[key][0] not in won]
    links = yield Query(_FIRST_OF, (lost, [first[key][0] for key in lost]))
    earlier = {row[0]: row[1] for row in links}
    again = {frame_id: earlier.get(held, held) for frame_id, held in again.items()}
    return again | earlier


def _signals_plan(received_at: datetime, signals: Sequence[SignalRecord]) -> Plan:
    if not signals:
        raise ValueError("nothing to store: expected at least one signal")
    ids = yield Query(_IDS, (0, len(signals)))
    done = Stored(0, None, tuple(ids[0][1]))
    by_hand = FrameRecord(received_at, "", "", b"", "")
    yield from _add_signals(
        (signal, signal_id, ordinal, by_hand, done)
        for ordinal, (signal, signal_id) in enumerate(zip(signals, done.signal_ids, strict=True))
    )
    return [done]


def _add_signals(
    rows: Iterable[tuple[SignalRecord, int, int, FrameRecord, Stored]],
) -> Generator[Step, Sequence[Sequence[Any]], None]:
    found = list(rows)
    if not found:
        return
    yield Copy(_COPY_SIGNALS, copying.lines(_signal_row(*row) for row in found))
    yield Copy(
        _COPY_PENDING,
        copying.lines(_pending_row(signal, number, frame) for signal, number, _, frame, _ in found),
    )
    yield Query(_NOTIFY, has_rows=False)


def urgency(signal: SignalRecord) -> int:
    """1 (security) … 5 (nothing to handle): the order in which signals are judged (S15.1).

    What ends a technical incident is judged in one order with what opens it: a restore that
    overtakes or is overtaken by the next failure would close what is still broken.
    """
    if signal.role == "test_message":
        return LEAST_URGENT
    restored = URGENCY.get(str(signal.detail.get("restores_type") or ""))
    if signal.role == "restore" and restored == TECHNICAL:
        return TECHNICAL
    return URGENCY.get(signal.type, LEAST_URGENT)


def _pending_row(signal: SignalRecord, signal_id: int, frame: FrameRecord) -> str:
    return f"{signal_id}\t{copying.moment(frame.received_at)}\t{urgency(signal)}"


def _first_row(key: bytes, frame_id: int, seen_at: datetime) -> str:
    return f"{copying.octets(key)}\t{frame_id}\t{copying.moment(seen_at)}"


def _frame_row(frame: FrameRecord, done: Stored) -> str:
    word, number, moment = copying.word, copying.number, copying.moment
    linked = done.duplicate_of
    return "\t".join(
        (
            str(done.frame_id),
            moment(frame.received_at),
            word(frame.transport),
            copying.text(frame.source),
            copying.octets(frame.raw),
            word(frame.protocol),
            word(frame.token),
            word(frame.account),
            word(frame.receiver),
            word(frame.line),
            word(frame.seq),
            "t" if frame.encrypted else "f",
            word(frame.disposition) if linked is None else DUPLICATE,
            copying.texts(frame.reasons),
            number(linked),
            moment(frame.panel_time),
            number(frame.clock_skew_s),
            copying.text(frame.content),
            copying.json(frame.xdata) if frame.xdata else "[]",
            word(frame.reply),
            number(frame.transmitter_id),
            number(frame.site_id),
        )
    )


def _signal_row(
    signal: SignalRecord, signal_id: int, ordinal: int, frame: FrameRecord, done: Stored
) -> str:
    word, number, moment = copying.word, copying.number, copying.moment
    return "\t".join(
        (
            str(signal_id),
            moment(frame.received_at),
            number(done.frame_id or None),
            str(ordinal),
            number(signal.site_id),
            number(signal.transmitter_id),
            word(signal.account),
            word(signal.origin),
            word(signal.code),
            word(signal.protocol),
            word(signal.role),
            word(signal.type),
            word(signal.klass),
            word(signal.zone),
            word(signal.area),
            word(signal.user),
            copying.text(signal.text),
            moment(signal.panel_time),
            copying.json(signal.detail),
        )
    )
