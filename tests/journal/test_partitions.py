"""A partition for each month, made ahead; nothing is lost when one is late."""

from datetime import UTC, datetime

import psycopg
import pytest

from meldkamer.journal import partitions
from meldkamer.journal.store import store
from tests.journal.conftest import Connection
from tests.journal.samples import frame

LATER = datetime(2031, 11, 30, 23, 59, 59, tzinfo=UTC)


def test_months_are_made_ahead_and_only_once(owner: Connection) -> None:
    made = partitions.ensure(owner, LATER)
    assert [name for name in made if name.startswith("journal_frame")] == [
        "journal_frame_2031_11",
        "journal_frame_2031_12",
        "journal_frame_2032_01",
        "journal_frame_2032_02",
    ]
    assert len(made) == 12
    assert partitions.ensure(owner, LATER) == []


def test_rows_that_came_before_their_month_was_made_are_moved_to_it(
    app: Connection, owner: Connection
) -> None:
    with app.transaction(), app.cursor() as cursor:
        [done] = store(cursor, [frame(received_at=LATER)])
    where = "SELECT tableoid::regclass::text, id, account FROM journal_frame"
    assert owner.execute(where).fetchall() == [("journal_frame_rest", done.frame_id, "1234")]
    partitions.ensure(owner, LATER)
    assert owner.execute(where).fetchall() == [("journal_frame_2031_11", done.frame_id, "1234")]
    assert app.execute("SELECT count(*) FROM journal_signal").fetchone() == (1,)


def test_the_application_writes_into_new_months_and_cannot_change_them(
    app: Connection, owner: Connection
) -> None:
    partitions.ensure(owner, LATER)
    with app.transaction(), app.cursor() as cursor:
        store(cursor, [frame(received_at=LATER)])
    assert app.execute("SELECT tableoid::regclass::text FROM journal_frame").fetchone() == (
        "journal_frame_2031_11",
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("DELETE FROM journal_frame_2031_11")


def test_migrate_has_made_the_months_of_today(owner: Connection) -> None:
    name = f"journal_frame_{datetime.now(UTC):%Y_%m}"
    assert owner.execute("SELECT to_regclass(%s) IS NOT NULL", [name]).fetchone() == (True,)
