"""A database in which the simulator may commit and truncate: one of its own."""

from collections.abc import Iterator

import pytest
from django.db import connections

from meldkamer.project.database import django_database
from meldkamer.project.scratch import scratch_database

_KEYS = ("NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")


@pytest.fixture(scope="session")
def simulator_dsn() -> Iterator[str]:
    """One database for all stories: each is rolled back, or empties the tables behind it."""
    with scratch_database("simulator") as dsn:
        yield dsn


@pytest.fixture
def own_database(
    simulator_dsn: str, django_db_setup: None, django_db_blocker: pytest.FixtureRequest
) -> Iterator[None]:
    """Django's connection points there while the test runs."""
    wrapper = connections["default"]
    found = django_database({"DATABASE_URL": simulator_dsn, "MELDKAMER_DB_ROLE": "owner"})
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        before = {key: wrapper.settings_dict[key] for key in _KEYS}
        wrapper.close()
        wrapper.settings_dict.update({key: found[key] for key in _KEYS})
        try:
            yield
        finally:
            wrapper.close()
            wrapper.settings_dict.update(before)
