"""The whole demo in a database of its own: filled once, copied for each test that needs it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FILL = "from meldkamer.project.cli import main; raise SystemExit(main(['demo']))"


def fill(dsn: str) -> None:
    """Run `meldkamer demo` against a database, as a newcomer's first start does."""
    environment = os.environ | {"DATABASE_URL": dsn, "MELDKAMER_DEMO": "on"}
    subprocess.run([sys.executable, "-c", FILL], env=environment, check=True, timeout=120)


@pytest.fixture(scope="session")
def demo_dsn() -> Iterator[str]:
    """A filled demo, shared by the tests that only read."""
    from meldkamer.project.scratch import scratch_database

    with scratch_database("demo") as dsn:
        fill(dsn)
        yield dsn


@pytest.fixture
def demo(demo_dsn: str, django_db_blocker: Any, settings: Any) -> Iterator[str]:
    """Django looks at the filled demo for this test, in a transaction that is rolled back."""
    from django.db import connection, transaction

    from meldkamer.project import keys as key_files
    from meldkamer.project.database import django_database

    # the keys of the process that filled it
    settings.MELDKAMER_SEALING_KEY = key_files.key("sealing")
    settings.MELDKAMER_CODE_PEPPER = key_files.key("pepper")

    other = django_database({"DATABASE_URL": demo_dsn, "MELDKAMER_DB_ROLE": "owner"})
    keys = ("NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")
    before = {key: connection.settings_dict[key] for key in keys}
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict.update({key: other[key] for key in keys})
        with transaction.atomic():
            yield demo_dsn
            transaction.set_rollback(True)
        connection.close()
        connection.settings_dict.update(before)


@pytest.fixture
def logins() -> Path:
    """Where the demo wrote its passwords."""
    return Path(os.environ["MELDKAMER_VAR"]) / "demo-logins.json"
