"""The hash chain: what was sealed cannot be changed, removed or slipped in unnoticed (M12.3)."""

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta

import psycopg
import pytest

from meldkamer.journal import chain, partitions
from meldkamer.journal.seal import purge_first, seal_all, seal_within
from meldkamer.journal.store import store
from meldkamer.journal.verify import Verified, verify, verify_all
from tests.journal.conftest import Connection
from tests.journal.samples import NOW, frame
from tests.process.chaos_intake import House


@pytest.fixture(scope="module")
def cluster() -> Iterator[House]:
    """A PostgreSQL of these tests' own: only what no running transaction of the whole cluster can
    precede is sealed, and on the shared one other tests run theirs."""
    with House(receivers=0, durable=False) as house:
        yield house


@pytest.fixture
def own_dsn(cluster: House) -> Iterator[str]:
    """A fresh copy of its migrated database."""
    name = f"seal_{secrets.token_hex(4)}"
    with psycopg.connect(cluster.server.place.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE meldkamer")
        yield cluster.server.place.dsn(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def fill(connection: Connection, count: int, since: int = 0) -> list[int]:
    """One transaction each, so that every row has its own place in the chain."""
    ids = []
    for number in range(since, since + count):
        with connection.transaction(), connection.cursor() as cursor:
            [done] = store(cursor, [frame(b"%d" % number, after_s=number)])
            cursor.execute(
                "INSERT INTO journal_entry (at, what, clause) VALUES (%s, 'incident.opened', 'M1')",
                [NOW],
            )
        ids.append(done.frame_id)
    return ids


def found(connection: Connection) -> dict[str, Verified]:
    return {table.table: table for table in verify_all(connection)}


@pytest.mark.clause("M12.3")
def test_an_untouched_journal_is_whole(app: Connection) -> None:
    fill(app, 5)
    assert seal_all(app, NOW) == 15
    fill(app, 3, since=5)
    tables = found(app)
    assert {(name, t.sealed, t.unsealed, t.broken) for name, t in tables.items()} == {
        (name, 5, 3, None) for name in chain.COLUMNS
    }
    assert seal_all(app, NOW) == 9
    assert seal_all(app, NOW) == 0
    assert {(t.sealed, t.broken) for t in found(app).values()} == {(8, None)}


@pytest.mark.clause("M12.3")
def test_a_long_journal_is_sealed_in_slices_until_all_of_it_is(
    app: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker seals between alarms: one seal a slice where the time is over at once."""
    monkeypatch.setattr(chain, "SEAL_ROWS", 2)
    fill(app, 5)
    slices = 1
    while not seal_within(app, NOW, -1):
        slices += 1
    assert slices == 3 * 2 + 1  # two full seals of each of three tables, then what is left
    assert {(t.sealed, t.unsealed, t.broken) for t in found(app).values()} == {(5, 0, None)}


@pytest.mark.clause("M12.3")
@pytest.mark.parametrize(
    ("tamper", "table", "what"),
    [
        ("UPDATE journal_frame SET raw = 'x' WHERE id = {}", "journal_frame", "changed"),
        ("UPDATE journal_frame SET reasons = '{{}}', reply = 'none' WHERE id = {}",
         "journal_frame", "changed"),
        ("DELETE FROM journal_frame WHERE id = {}", "journal_frame", "removed"),
        ("UPDATE journal_signal SET type = 'info' WHERE frame_id = {}", "journal_signal",
         "changed"),
        ("DELETE FROM journal_signal WHERE frame_id = {}", "journal_signal", "removed"),
        ("UPDATE journal_entry SET clause = 'S15.3' WHERE id = 3", "journal_entry", "changed"),
        ("DELETE FROM journal_entry WHERE id = 3", "journal_entry", "removed"),
    ],
)  # fmt: skip
def test_what_the_owner_does_to_a_row_is_found_and_named(
    app: Connection, owner: Connection, tamper: str, table: str, what: str
) -> None:
    ids = fill(app, 6)
    seal_all(app, NOW)
    assert owner.execute(tamper.format(ids[2])).rowcount == 1
    broken = found(app)[table].broken
    assert broken is not None
    assert broken.what == what
    assert (
        broken.row_id == {"journal_frame": ids[2], "journal_signal": 3, "journal_entry": 3}[table]
    )
    others = [t for name, t in found(app).items() if name != table]
    assert all(other.broken is None for other in others)


@pytest.mark.clause("M12.3")
def test_a_row_slipped_in_among_sealed_ones_is_found(app: Connection, owner: Connection) -> None:
    fill(app, 4)
    seal_all(app, NOW)
    [(forged,)] = owner.execute(
        "INSERT INTO journal_entry (at, what, xact)"
        " SELECT at, 'call.answered', xact FROM journal_entry WHERE id = 2 RETURNING id"
    ).fetchall()
    broken = verify(app, "journal_entry").broken
    assert broken is not None
    assert (broken.row_id, broken.what) == (forged, "added")


@pytest.mark.clause("M12.3")
def test_two_rows_exchanged_are_found(app: Connection, owner: Connection) -> None:
    fill(app, 4)
    seal_all(app, NOW)
    owner.execute(
        "UPDATE journal_entry e SET xact = o.xact FROM journal_entry o"
        " WHERE (e.id, o.id) IN ((2, 3), (3, 2))"
    )
    assert verify(app, "journal_entry").broken is not None


@pytest.mark.clause("M12.3")
@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE journal_seal SET hash = sha256('x') WHERE id = (SELECT min(id) FROM journal_seal)",
        "DELETE FROM journal_seal WHERE id = (SELECT min(id) FROM journal_seal)",
        "UPDATE journal_seal SET marks = substring(marks for 16), rows = 1"
        " WHERE id = (SELECT min(id) FROM journal_seal)",
    ],
)
def test_a_seal_that_was_tampered_with_is_found(
    app: Connection, owner: Connection, tamper: str
) -> None:
    fill(app, 3)
    seal_all(app, NOW)
    fill(app, 3, since=3)
    seal_all(app, NOW)
    assert owner.execute(tamper).rowcount == 1
    assert any(table.broken for table in verify_all(app))


def test_a_row_of_a_running_transaction_is_not_passed_over(
    app: Connection, another_app: Connection
) -> None:
    """It commits after later ones were sealed: nothing behind it may be sealed before."""
    with another_app.transaction(), another_app.cursor() as cursor:
        store(cursor, [frame(b"slow")])
        fill(app, 2)
        assert seal_all(app, NOW) == 0
    assert seal_all(app, NOW) == 2 * 3 + 2
    assert all(table.broken is None for table in verify_all(app))


def test_only_one_process_seals_at_a_time(app: Connection, another_app: Connection) -> None:
    fill(app, 2)
    with another_app.transaction():
        another_app.execute("SELECT pg_advisory_xact_lock(7305002)")
        assert seal_all(app, NOW) == 0
    assert seal_all(app, NOW) == 6


def test_a_long_journal_is_sealed_in_pieces(
    app: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "SEAL_ROWS", 2)
    fill(app, 5)
    assert seal_all(app, NOW) == 15
    assert app.execute("SELECT count(*) FROM journal_seal").fetchone() == (9,)
    assert all(table.broken is None for table in verify_all(app))


def test_rows_of_one_transaction_may_lie_in_two_seals(
    app: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "SEAL_ROWS", 2)
    with app.transaction(), app.cursor() as cursor:
        store(cursor, [frame(b"%d" % number) for number in range(5)])
    assert seal_all(app, NOW) == 10
    assert all((t.sealed, t.broken) == (5, None) for t in verify_all(app) if t.sealed)


def test_the_seal_does_not_depend_on_the_session(app: Connection, own_dsn: str) -> None:
    fill(app, 2)
    seal_all(app, NOW)
    app.execute("SET timezone = 'Europe/Brussels'")
    app.execute("SET datestyle = 'German'")
    app.execute("SET bytea_output = 'escape'")
    assert all(table.broken is None for table in verify_all(app))


@pytest.mark.clause("M12.3")
def test_moving_rows_to_their_month_keeps_the_seal(app: Connection, owner: Connection) -> None:
    owner.execute("DROP TABLE IF EXISTS journal_entry_2026_03")
    fill(app, 3)
    seal_all(app, NOW)
    assert "journal_frame_2026_03" in partitions.ensure(owner, NOW)
    assert all((t.sealed, t.broken) == (3, None) for t in verify_all(app))


def test_old_duplicate_keys_are_forgotten(app: Connection) -> None:
    fill(app, 2)
    assert purge_first(app, NOW + timedelta(minutes=29)) == 0
    assert purge_first(app, NOW + timedelta(minutes=31)) == 2


def test_the_command_names_the_row_and_exits_with_1(
    app: Connection, owner: Connection, run_meldkamer: Callable[..., tuple[int, str]]
) -> None:
    [first, *_] = fill(app, 2)
    seal_all(app, NOW)
    code, said = run_meldkamer("journal", "verify")
    assert (code, said.count("whole")) == (0, 3)
    owner.execute(f"UPDATE journal_frame SET seq = '9' WHERE id = {first}")
    code, said = run_meldkamer("journal", "verify")
    assert code == 1
    assert f"BROKEN  journal_frame row {first} was changed" in said
