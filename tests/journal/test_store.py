"""What is stored, what is linked, what waits for its verdict."""

import threading
from datetime import timedelta

import psycopg
import pytest
from django.db import connection as django_connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meldkamer.journal.records import DISPOSITIONS, FrameRecord, SignalRecord, detail
from meldkamer.journal.store import DUPLICATE_LIFETIME, store, store_signals, urgency
from tests.journal.conftest import Connection
from tests.journal.samples import NOW, frame, signal


def rows(connection: Connection, query: str) -> list[tuple[object, ...]]:
    return connection.execute(query).fetchall()  # type: ignore[call-overload]


def put(connection: Connection, *frames: FrameRecord) -> list[tuple[int, int | None, int]]:
    """Store in a transaction of its own: (frame id, duplicate of, number of signals) of each."""
    with connection.transaction(), connection.cursor() as cursor:
        stored = store(cursor, frames)
    return [(done.frame_id, done.duplicate_of, len(done.signal_ids)) for done in stored]


@pytest.mark.clause("M12.1")
def test_a_frame_is_stored_with_its_signals_and_they_wait_for_a_verdict(app: Connection) -> None:
    [(frame_id, linked, count)] = put(app, frame(signals=(signal(), signal("FA", "fire"))))
    assert linked is None
    assert count == 2
    assert rows(app, "SELECT id, disposition, raw FROM journal_frame") == [
        (frame_id, "accepted", frame().raw)
    ]
    assert rows(
        app,
        "SELECT s.frame_id, s.ordinal, s.code, s.type, p.urgency, s.detail"
        " FROM journal_signal s JOIN journal_pending p ON p.signal_id = s.id ORDER BY s.id",
    ) == [
        (frame_id, 0, "BA", "intrusion", 1, detail("Burglary")),
        (frame_id, 1, "FA", "fire", 2, detail("Burglary")),
    ]


@pytest.mark.clause("M12.1")
def test_a_retry_is_linked_to_the_first_and_brings_no_signal(app: Connection) -> None:
    [(first, _, _)] = put(app, frame())
    [(again, linked, count)] = put(app, frame(after_s=11))
    assert (linked, count) == (first, 0)
    assert rows(app, f"SELECT disposition FROM journal_frame WHERE id = {again}") == [
        ("duplicate",)
    ]
    assert rows(app, "SELECT count(*) FROM journal_signal") == [(1,)]
    assert rows(app, "SELECT count(*) FROM journal_pending") == [(1,)]


def test_retries_in_one_batch_are_linked_too(app: Connection) -> None:
    stored = put(app, frame(), frame(b"k2"), frame(after_s=1), frame(after_s=2))
    assert [linked for _, linked, _ in stored] == [None, None, stored[0][0], stored[0][0]]
    later = put(app, frame(after_s=5), frame(after_s=6))
    assert [linked for _, linked, _ in later] == [stored[0][0]] * 2


def test_after_the_lifetime_the_same_message_is_a_new_one(app: Connection) -> None:
    life_s = DUPLICATE_LIFETIME.total_seconds()
    put(app, frame())
    assert put(app, frame(after_s=life_s))[0][1] is not None
    [(new, linked, count)] = put(app, frame(after_s=life_s + 1))
    assert (linked, count) == (None, 1)
    assert put(app, frame(after_s=life_s + 9))[0][1] == new


def test_frames_without_a_key_each_count(app: Connection) -> None:
    assert [linked for _, linked, _ in put(app, frame(None), frame(None))] == [None, None]


@pytest.mark.clause("M12.1")
def test_two_receivers_with_the_same_frame_store_one_signal(
    app: Connection, another_app: Connection
) -> None:
    """The second waits for the first's commit instead of deciding without it."""
    result: list[tuple[int, int | None, int]] = []
    second = threading.Thread(target=lambda: result.extend(put(another_app, frame(after_s=1))))
    with app.transaction(), app.cursor() as cursor:
        [first] = store(cursor, [frame()])
        second.start()
        second.join(0.3)
        assert second.is_alive(), "the second did not wait"
    second.join(5)
    assert [linked for _, linked, _ in result] == [first.frame_id]
    assert rows(app, "SELECT count(*) FROM journal_pending") == [(1,)]


def test_what_was_rolled_back_is_no_first_frame(app: Connection) -> None:
    with app.transaction(force_rollback=True), app.cursor() as cursor:
        store(cursor, [frame()])
    assert put(app, frame(after_s=1))[0][1] is None


def test_two_batches_with_the_same_keys_in_another_order_do_not_deadlock(
    app: Connection, another_app: Connection
) -> None:
    keys = [b"%04d" % number for number in range(200)]
    faults: list[Exception] = []

    def run(connection: Connection, order: list[bytes]) -> None:
        try:
            for _ in range(5):
                put(connection, *(frame(key) for key in order))
        except psycopg.Error as fault:
            faults.append(fault)

    tasks = [
        threading.Thread(target=run, args=(app, keys)),
        threading.Thread(target=run, args=(another_app, keys[::-1])),
    ]
    for task in tasks:
        task.start()
    for task in tasks:
        task.join(30)
    assert not faults
    assert rows(app, "SELECT count(*) FROM journal_pending") == [(200,)]


def test_workers_are_told_of_new_signals_at_commit(app: Connection, owner: Connection) -> None:
    owner.execute("LISTEN meldkamer_signal")
    put(app, frame(signals=()))
    assert list(owner.notifies(timeout=0.1)) == []
    put(app, frame(b"k2"), frame(b"k3"))
    assert len(list(owner.notifies(timeout=0.5, stop_after=1))) == 1


def test_signals_without_a_frame_come_in_the_same_way(app: Connection) -> None:
    with app.transaction(), app.cursor() as cursor:
        missed = signal("RX", "line_test", origin="watch")
        ids = store_signals(cursor, NOW, [missed, missed])
    assert rows(
        app,
        "SELECT s.id, s.frame_id, s.origin, p.urgency FROM journal_signal s"
        " JOIN journal_pending p ON p.signal_id = s.id ORDER BY 1",
    ) == [(ids[0], None, "watch", 3), (ids[1], None, "watch", 3)]


@pytest.mark.django_db
def test_djangos_cursor_stores_as_well() -> None:
    with django_connection.cursor() as cursor:
        [done] = store(cursor, [frame(b"django")])
        cursor.execute("SELECT frame_id FROM journal_signal WHERE id = %s", done.signal_ids)
        assert cursor.fetchone() == (done.frame_id,)


@pytest.mark.clause("S15.1")
def test_security_is_judged_before_safety_before_technical_before_the_rest() -> None:
    types = ("holdup", "fire", "power", "undefined", "restore")
    assert [urgency(signal(type=kind)) for kind in types] == [1, 2, 3, 4, 5]
    assert urgency(signal(type="line_test", role="test_message")) == 5


@pytest.mark.parametrize("disposition", DISPOSITIONS)
def test_every_disposition_fits_the_table(app: Connection, disposition: str) -> None:
    put(app, frame(None, disposition=disposition))
    assert rows(app, "SELECT disposition FROM journal_frame") == [(disposition,)]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    texts=st.lists(st.text(st.characters(codec=None), max_size=12), min_size=4, max_size=4),
    raw=st.binary(max_size=40),
    moment=st.datetimes(timezones=st.just(NOW.tzinfo)),
)
def test_any_text_a_frame_can_carry_is_stored(
    app: Connection, texts: list[str], raw: bytes, moment: object
) -> None:
    one, two, three, four = texts
    odd = frame(
        None,
        raw=raw,
        content=one,
        account=two,
        reasons=[three, four, "\\", '"', "\0"],
        xdata=[(one, two), (three, four)],
        panel_time=moment,
        signals=(
            SignalRecord(one, "event", "undefined", text=two, zone=three,
                         detail=detail(four, inner_account=one)),
        ),
    )  # fmt: skip
    [(frame_id, _, count)] = put(app, odd, frame(None))[:1]
    assert count == 1
    [(stored_raw, content, reasons, xdata, at)] = rows(
        app,
        f"SELECT raw, content, reasons, xdata, panel_time FROM journal_frame WHERE id = {frame_id}",
    )

    def shown(text: str) -> str:
        return text.replace("\0", "\u2400").encode("utf-8", "replace").decode()

    assert stored_raw == raw
    assert content == shown(one)
    assert reasons == [shown(text) for text in [three, four, "\\", '"', "\0"]]
    assert xdata == [[shown(one), shown(two)], [shown(three), shown(four)]]
    assert at == moment


def test_a_naive_moment_is_refused(app: Connection) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        put(app, frame(received_at=NOW.replace(tzinfo=None)))


def test_an_empty_batch_is_refused(app: Connection) -> None:
    with pytest.raises(ValueError, match="at least one frame"), app.cursor() as cursor:
        store(cursor, [])


def test_the_lifetime_can_be_chosen(app: Connection) -> None:
    with app.transaction(), app.cursor() as cursor:
        store(cursor, [frame()])
        [done] = store(cursor, [frame(after_s=2)], lifetime=timedelta(seconds=1))
    assert done.duplicate_of is None
