"""The application can add to the journal and read it, and nothing else (M12.3)."""

import psycopg
import pytest

from meldkamer.journal import store
from tests.journal.conftest import Connection
from tests.journal.samples import NOW, frame

TABLES = ("journal_frame", "journal_signal", "journal_entry", "journal_seal")
FORBIDDEN = ("UPDATE {} SET xact = xact", "DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}")


def column(table: str) -> str:
    """One that the table has."""
    return "hash" if table == "journal_seal" else "xact"


@pytest.mark.clause("M12.3")
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_application_cannot_change_the_journal(
    app: Connection, table: str, statement: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(statement.format(table).replace("xact", column(table)))


@pytest.mark.clause("M12.3")
@pytest.mark.parametrize("statement", FORBIDDEN)
def test_nor_any_of_its_partitions(app: Connection, owner: Connection, statement: str) -> None:
    partitions = owner.execute(
        "SELECT relid::regclass::text FROM pg_partition_tree('journal_frame') WHERE isleaf"
    ).fetchall()
    assert len(partitions) > 1
    for (partition,) in partitions:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(statement.format(partition))


@pytest.mark.clause("M12.3")
def test_the_application_cannot_switch_anything_off(app: Connection) -> None:
    for statement in (
        "ALTER TABLE journal_frame DISABLE TRIGGER ALL",
        "ALTER TABLE journal_frame ADD COLUMN x int",
        "CREATE RULE r AS ON INSERT TO journal_frame DO INSTEAD NOTHING",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(statement)
    app.execute("GRANT UPDATE ON journal_frame TO meldkamer_app")  # a warning: nothing granted
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("UPDATE journal_frame SET account = '9'")


def test_the_owner_could_which_is_why_there_is_a_seal(app: Connection, owner: Connection) -> None:
    """The red twin: the statements above are right, it is the role that is refused."""
    with app.transaction(), app.cursor() as cursor:
        store.store(cursor, [frame(received_at=NOW)])
    assert owner.execute("UPDATE journal_frame SET account = '9'").rowcount == 1
