"""What every test may use: a private database each, made in a tenth of a second.

The tests run against the scratch cluster (no network port, nothing of the installation) with
keys and state of their own. Each xdist worker gets its own copy of the migrated template, so no
migration runs during the tests. They connect as the owner; `as_application` takes the
application's role, which is how the running centre connects.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# before Django's settings are imported: nothing of an installation may be touched
_VAR = tempfile.TemporaryDirectory(prefix="meldkamer-test-")
os.environ["MELDKAMER_VAR"] = _VAR.name
os.environ["MELDKAMER_DB_ROLE"] = "owner"
os.environ["MELDKAMER_DEMO"] = "on"
# named here and not in pyproject.toml, where pytest-django would import them before this runs
os.environ["DJANGO_SETTINGS_MODULE"] = "meldkamer.project.settings"
for _name in ("MELDKAMER_KEYS", "DATABASE_URL", "MELDKAMER_DB_POOL"):
    os.environ.pop(_name, None)

# Playwright's synchronous interface keeps a loop in the thread that uses the tables as well
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

import django  # noqa: E402
from django.utils import translation  # noqa: E402

django.setup()
# not for xdist's workers to inherit: they would read the settings before they come here
del os.environ["DJANGO_SETTINGS_MODULE"]


#: whoever still writes is waited for; then what holds rows is emptied, the rest left alone
_EMPTY = """
DO $$
DECLARE
    kept CONSTANT text[] := '{django_migrations,django_content_type,auth_permission}';
    tables regclass[];
    tested regclass;
    holds boolean;
BEGIN
    SELECT array_agg(oid) INTO tables FROM pg_class
        WHERE relkind IN ('r', 'p') AND NOT relispartition AND relname <> ALL (kept)
        AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)';
    EXECUTE 'LOCK TABLE ' || array_to_string(tables, ', ') || ' IN SHARE ROW EXCLUSIVE MODE';
    SET LOCAL session_replication_role = replica;
    FOREACH tested IN ARRAY tables LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', tested) INTO holds;
        IF holds THEN
            EXECUTE format('DELETE FROM %s', tested);
        END IF;
    END LOOP;
END $$
"""


def _empty_quickly() -> None:
    """Tests that commit leave nothing: a tenth of what truncating every table takes.

    A peer may still call a hook when its test is over: the tables are emptied after it.
    """
    from django.db import OperationalError, connection
    from django.test.testcases import TransactionTestCase

    def emptied(case: TransactionTestCase) -> None:
        for left in (3, 2, 1, 0):
            try:
                with connection.cursor() as cursor:
                    cursor.execute(_EMPTY)
                return
            except OperationalError as fault:
                if not left or "deadlock detected" not in str(fault):
                    raise

    TransactionTestCase._fixture_teardown = emptied


_empty_quickly()


#: marks of tests that take seconds
_LONG = ("chaos", "slow", "browser")


def pytest_sessionstart(session: pytest.Session) -> None:
    """The screens of the tests speak every language: compile what is stale."""
    from meldkamer.project.i18n import compile_stale

    compile_stale()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with long tests first: the suite ends when its last worker does."""
    long = {item.path for item in items if any(map(item.get_closest_marker, _LONG))}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def test_dsn(worker_id_or_main: str) -> Iterator[str]:
    """The connection string (owner) of this worker's database, the one Django uses too."""
    from meldkamer.project.scratch import scratch_database

    with scratch_database(f"test_{worker_id_or_main}") as dsn:
        yield dsn


@pytest.fixture(scope="session")
def worker_id_or_main() -> str:
    """gw0, gw1, … under xdist, else main."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="session")
def django_db_setup(test_dsn: str, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """Instead of pytest-django's own: point Django at this worker's copy of the template."""
    from django.db import connections

    from meldkamer.project.database import django_database

    settings = django_database({"DATABASE_URL": test_dsn, "MELDKAMER_DB_ROLE": "owner"})
    connection = connections["default"]
    connection.close()
    connection.settings_dict.update(
        {key: settings[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")}
    )
    yield
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        connections.close_all()


@pytest.fixture
def own_dsn() -> Iterator[str]:
    """A database of the test's own, with all tables: for processes and for breaking things."""
    from meldkamer.project.scratch import scratch_database

    with scratch_database("own") as dsn:
        yield dsn


@pytest.fixture
def as_application(db: None) -> Iterator[None]:
    """The test's connection carries the application's role: what it may not do fails."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET ROLE meldkamer_app")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


_WHOLE_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(autouse=True)
def no_language_is_left() -> Iterator[None]:
    """What the last request of a test spoke is not what the next test speaks."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium for the browser tests; `make test` installs one on Debian.

    The one without windows of its own draws a page in two thirds of the time.
    """
    return _browser("chromium-headless-shell", *_WHOLE_BROWSERS)


@pytest.fixture(scope="session")
def whole_chromium() -> str:
    """One that lets a page ask for messages to be pushed, too."""
    return _browser(*_WHOLE_BROWSERS)


def _browser(*names: str) -> str:
    named = os.environ.get("MELDKAMER_CHROMIUM")
    looked_for = [named] if named else names
    found = next(filter(None, map(shutil.which, looked_for)), None)
    if found is None:
        pytest.fail(
            f"no browser found (looked for {', '.join(looked_for)}); see scripts/debian-needs"
        )
    return found


@pytest.fixture
def rehearsals() -> Path:
    """The folder of the shipped stories."""
    return Path(__file__).resolve().parent.parent / "rehearsals"
