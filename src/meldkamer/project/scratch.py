"""Scratch databases: a private database in about a tenth of a second, for a test or a rehearsal.

One scratch cluster per user of this machine is shared by every process that asks; a keeper
process runs it and stops it a minute after the last one has left. Databases are copies of a
template that is made once per set of migrations. Nothing here may ever touch the installation's
own database: the scratch cluster has its own directory and runs with fsync off.

Who uses the cluster holds a shared lock on `users`; the keeper stops only under the exclusive
one. The operating system lets go of a dead process's lock, so a crash leaves nothing behind.
"""

import fcntl
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import IO

import psycopg
from psycopg import pq, sql

from meldkamer.project import paths
from meldkamer.project.postgres_binaries import find_binaries
from meldkamer.project.postgres_place import Place, PostgresFault, service_user

START_LIMIT_S = 60.0
#: templates of other migrations that are kept, the latest used first
TEMPLATES_KEPT = 6
#: packages that bring tables of their own
TABLE_MAKERS = ("django", "django-allauth", "django-axes", "django-pghistory")

Fill = Callable[[str], None]


@contextmanager
def scratch_database(
    purpose: str, *, template: str | None = "migrated", fill: Fill | None = None
) -> Iterator[str]:
    """A database of one's own; yields its connection string (as the owner), drops it at the end.

    `purpose` is a word for its name. `template`: "migrated" has all tables, None is empty, any
    other name is a copy of "migrated" that `fill(dsn)` has filled once and that is kept; the
    name must change when what `fill` does changes. Safe for many processes at once.
    Raises PostgresFault when no PostgreSQL can be started.
    """
    with cluster() as place:
        source = _template(place, template, fill) if template else "template0"
        name = f"scratch_{_word(purpose)}_{os.getpid()}_{secrets.token_hex(4)}"
        _create(place, name, source)
        try:
            yield place.dsn(name)
        finally:
            _drop(place, name)


@contextmanager
def cluster() -> Iterator[Place]:
    """The running scratch cluster; it stays up as long as somebody is inside."""
    place = _place()
    with _locked(paths.made(place.home, 0o711) / "users", fcntl.LOCK_SH):
        with _locked(place.home / "starting", fcntl.LOCK_EX):
            if not _answers(place):
                _start_keeper(place)
        yield place


def migrations_digest() -> str:
    """Changes whenever a migration, an SQL file or a package with tables changes."""
    digest = hashlib.sha256()
    for maker in TABLE_MAKERS:
        digest.update(f"{maker} {version(maker)}\n".encode())
    found = [*paths.PACKAGE.glob("*/migrations/*.py"), *paths.PACKAGE.glob("**/*.sql")]
    for file in sorted(found):
        digest.update(str(file.relative_to(paths.PACKAGE)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


# --- the cluster


def _place() -> Place:
    """Its directory, by version: a cluster can be run only by the version that made it."""
    home = paths.made(paths.cache_dir(), 0o755)
    user = service_user(Place(home / "scratch"))
    return Place(home / f"scratch-{find_binaries(user).version}")


def _answers(place: Place) -> bool:
    return pq.PGconn.ping(place.dsn("postgres").encode()) == pq.Ping.OK


def _start_keeper(place: Place) -> None:
    """Start the process that runs the cluster. A cluster that does not start is made anew."""
    for last in (False, True):
        log = place.home / "keeper.log"
        with log.open("wb") as out:
            keeper = subprocess.Popen(
                [sys.executable, "-P", "-m", "meldkamer.project.scratch_keeper", str(place.home)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd="/",
                start_new_session=True,
            )
        until_s = time.monotonic() + START_LIMIT_S
        while time.monotonic() < until_s and keeper.poll() is None:
            if _answers(place):
                return
            time.sleep(0.01)
        if keeper.poll() is None:
            keeper.kill()
            keeper.wait()
        if last:
            words = log.read_text("utf-8", "replace").strip().splitlines()
            raise PostgresFault(
                f"the scratch database in {place.home} does not start: "
                f"{words[-1] if words else 'no reason given'}"
            )
        # fsync is off there: after a power cut its files may be torn, and nobody misses them
        shutil.rmtree(place.data, ignore_errors=True)


# --- databases


def _template(place: Place, name: str, fill: Fill | None) -> str:
    """The template's database, made first when this machine has none for these migrations."""
    key = f"template_{_word(name)}_{migrations_digest()}"
    mark = place.home / key
    with _locked(place.home / "making", fcntl.LOCK_EX):
        if not _exists(place, key):
            source = "template0" if name == "migrated" else None
            making = f"making_{key}"
            _drop(place, making)
            _create(place, making, source or _migrated(place))
            (_migrate if source else fill or _nothing)(place.dsn(making))
            _maintain(place, sql.SQL("ALTER DATABASE {} RENAME TO {}"), making, key)
        mark.touch()
        _forget_old_templates(place)
    return key


def _migrated(place: Place) -> str:
    """The template with all tables, while the lock for making templates is held."""
    key = f"template_migrated_{migrations_digest()}"
    if not _exists(place, key):
        making = f"making_{key}"
        _drop(place, making)
        _create(place, making, "template0")
        _migrate(place.dsn(making))
        _maintain(place, sql.SQL("ALTER DATABASE {} RENAME TO {}"), making, key)
    (place.home / key).touch()
    return key


def _migrate(dsn: str) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "meldkamer.project.cli", "migrate"],
        env=os.environ | {"DATABASE_URL": dsn, "MELDKAMER_DB_ROLE": "owner"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise PostgresFault("the migrations fail on an empty database: " + " / ".join(words[-6:]))


def _nothing(dsn: str) -> None:
    """For a template that is only a name for the migrated one."""


def _forget_old_templates(place: Place) -> None:
    marks = sorted(place.home.glob("template_*"), key=lambda mark: -mark.stat().st_mtime)
    for mark in marks[TEMPLATES_KEPT:]:
        _drop(place, mark.name)
        mark.unlink()


def _create(place: Place, name: str, source: str) -> None:
    _maintain(place, sql.SQL("CREATE DATABASE {} TEMPLATE {}"), name, source)


def _drop(place: Place, name: str) -> None:
    _maintain(place, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)"), name)


def _exists(place: Place, name: str) -> bool:
    with psycopg.connect(place.dsn("postgres"), autocommit=True) as connection:
        query = "SELECT 1 FROM pg_database WHERE datname = %s"
        return connection.execute(query, [name]).fetchone() is not None


def _maintain(place: Place, command: sql.SQL, *names: str) -> None:
    with psycopg.connect(place.dsn("postgres"), autocommit=True) as connection:
        connection.execute(command.format(*map(sql.Identifier, names)))


@contextmanager
def _locked(file: Path, kind: int) -> Iterator[IO[str]]:
    with file.open("a") as lock:
        fcntl.flock(lock, kind)
        yield lock


def _word(text: str) -> str:
    """A word that fits in a database's name."""
    return "".join(c if c.isalnum() and c.isascii() else "_" for c in text.lower())[:20]
