"""A connection of the application's role to a database of the test's own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import psycopg
import pytest

Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def owner(own_dsn: str) -> Iterator[Connection]:
    """The owner of the tables, in autocommit."""
    with psycopg.connect(own_dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def app(own_dsn: str) -> Iterator[Connection]:
    """The application, in autocommit."""
    with psycopg.connect(own_dsn, autocommit=True) as connection:
        connection.execute("SET ROLE meldkamer_app")
        yield connection


@pytest.fixture
def another_app(own_dsn: str) -> Iterator[Connection]:
    """A second process of the application."""
    with psycopg.connect(own_dsn, autocommit=True) as connection:
        connection.execute("SET ROLE meldkamer_app")
        yield connection


@pytest.fixture
def run_meldkamer(own_dsn: str) -> Callable[..., tuple[int, str]]:
    """Run a command on the test's own database: (exit code, standard output)."""

    def run(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "meldkamer.project.cli", *arguments],
            env=os.environ | {"DATABASE_URL": own_dsn, "MELDKAMER_DB_ROLE": "app"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout

    return run
