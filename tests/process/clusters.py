"""A migrated cluster, made once for each set of migrations and copied by every house of the tests.

The copy is what `initdb` and `meldkamer migrate` make: the same files, cleanly shut down.
"""

import fcntl
import shutil
import subprocess
import sys
import tempfile
from os import environ
from pathlib import Path

from meldkamer.project import paths
from meldkamer.project.postgres import Server
from meldkamer.project.postgres_binaries import find_binaries
from meldkamer.project.postgres_place import Place, service_user
from meldkamer.project.scratch import migrations_digest

_NAME = "cluster-"


def copy_to(place: Place) -> None:
    """Put a migrated cluster where this place has none."""
    paths.made(place.home, 0o711)
    cache = paths.made(paths.cache_dir(), 0o755)
    version = find_binaries(service_user(place)).version
    made = cache / f"{_NAME}{version}-{migrations_digest()}"
    with (cache / f"{_NAME}making").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.is_dir():
            _make(made)
        # while the lock is held: another set of migrations may put this one away
        _copy(made, place.data)


def _make(made: Path) -> None:
    for old in made.parent.glob(f"{_NAME}*-*"):
        shutil.rmtree(old)
    with tempfile.TemporaryDirectory(prefix="meldkamer-cluster-") as name:
        home = Path(name)
        home.chmod(0o711)
        place = Place(home / "postgres")
        with Server(place):
            subprocess.run(
                [sys.executable, "-m", "meldkamer.project.cli", "migrate"],
                env={key: value for key, value in environ.items() if key != "MELDKAMER_DB_ROLE"}
                | {"DATABASE_URL": place.dsn(), "MELDKAMER_VAR": str(home / "var")},
                capture_output=True,
                check=True,
            )
        half = made.with_name(f"{_NAME}half")
        shutil.rmtree(half, ignore_errors=True)
        _copy(place.data, half)
        half.rename(made)


def _copy(source: Path, target: Path) -> None:
    """Owners and modes too; blocks are shared where the file system can."""
    subprocess.run(["cp", "-a", source, target], check=True)
