"""The scratch databases that every other test stands on."""

import psycopg
import pytest
from django.db import connection

from meldkamer.project import scratch


@pytest.mark.django_db
def test_django_and_the_test_see_the_same_database_with_all_tables(test_dsn: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), to_regclass('django_session')::text")
        assert cursor.fetchone() == (
            psycopg.conninfo.conninfo_to_dict(test_dsn)["dbname"],
            "django_session",
        )


def test_a_database_is_private_and_gone_afterwards() -> None:
    with scratch.scratch_database("one") as one, scratch.scratch_database("two") as two:
        with psycopg.connect(one) as connected:
            connected.execute("CREATE TABLE only_here (x int)")
        with psycopg.connect(two) as connected:
            assert connected.execute("SELECT to_regclass('only_here')").fetchone() == (None,)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(one)
