"""Where a PostgreSQL of ours lives and which user it runs as.

PostgreSQL refuses to run as root. Root therefore hands it to an unprivileged user (the child
alone; no user is added, no mode of a directory that is not ours is changed). Such a user must be
able to reach the directory: a checkout under root's own home is closed to it. Then, and only
then, the database lies under /var/lib/meldkamer/<id of the installation>, and `var/postgres` is
a link to it. An ordinary user's database always lies in his own var/.
"""

import os
import pwd
import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypedDict

from meldkamer.project import paths
from meldkamer.project.faults import OperatingFault

#: longest path of a socket's directory that leaves room for the socket's name
SOCKET_DIR_MAX = 90
SYSTEM_HOME = Path("/var/lib/meldkamer")


class PostgresFault(OperatingFault):
    """PostgreSQL cannot be found, made, started or reached; the message says what to do."""


@dataclass(frozen=True)
class ServiceUser:
    """Who the server's processes are."""

    name: str
    uid: int
    gid: int

    def become(self) -> "Become":
        """The arguments of a child process that make it this user, groups included."""
        if os.geteuid() != 0:
            return {"user": None, "group": None, "extra_groups": None}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


class Become(TypedDict):
    """For subprocess: whom the child becomes; None leaves it as it is."""

    user: int | None
    group: int | None
    extra_groups: list[int] | None


@dataclass(frozen=True)
class Place:
    """The directory of one cluster (data/, lock) and where its socket is."""

    home: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's own directory."""
        return self.home / "data"

    @property
    def socket_dir(self) -> Path:
        """A directory with a path short enough for a socket, open to nobody else."""
        inside = self.home / "socket"
        if len(os.fsencode(inside)) <= SOCKET_DIR_MAX:
            return inside
        name = sha256(os.fsencode(self.home)).hexdigest()[:12]
        return Path("/tmp") / f".meldkamer-{name}"  # noqa: S108 - owner and mode are checked

    def dsn(self, database: str = "meldkamer") -> str:
        """The owner's connection string; it carries no secret (the socket knows its peer)."""
        host = str(self.socket_dir).replace("\\", "\\\\").replace("'", "\\'")
        return f"host='{host}' port=5432 user=meldkamer dbname={database}"


def service_user(place: Place) -> ServiceUser:
    """Root's choice of an unprivileged user; anybody else is himself.

    An existing cluster keeps its owner. MELDKAMER_POSTGRES_USER names another one.
    """
    uid = os.geteuid()
    if uid != 0:
        try:
            return _user(pwd.getpwuid(uid))
        except KeyError:
            raise PostgresFault(
                f"user {uid} has no name on this machine and PostgreSQL wants one; "
                "add it to the user table, or set DATABASE_URL to a database that runs elsewhere"
            ) from None
    if place.data.exists() and place.data.stat().st_uid != 0:
        return _user(pwd.getpwuid(place.data.stat().st_uid))
    named = os.environ.get("MELDKAMER_POSTGRES_USER")
    for name in (named,) if named else ("postgres", "nobody"):
        try:
            found = _user(pwd.getpwnam(name))
        except KeyError:
            continue
        if found.uid != 0:
            return found
    raise PostgresFault(
        f"PostgreSQL must not run as root and there is no unprivileged user "
        f"{named or 'postgres or nobody'!r}; name one with MELDKAMER_POSTGRES_USER"
    )


def _user(entry: pwd.struct_passwd) -> ServiceUser:
    return ServiceUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def reachable(directory: Path, user: ServiceUser) -> bool:
    """Whether the user may pass through every directory down to this one (itself included)."""
    if user.uid == os.geteuid():
        return True
    for step in (directory, *directory.parents):
        if not step.exists():
            continue
        held = step.stat()
        bit = 0o100 if held.st_uid == user.uid else 0o010 if held.st_gid == user.gid else 0o001
        if not held.st_mode & bit:
            return False
    return True


def production_place(var: Path) -> Place:
    """Where the cluster of the installation in `var` is, or will be; creates no cluster."""
    link = var / "postgres"
    if link.is_symlink() or link.exists() or os.geteuid() != 0:
        return Place(link.resolve() if link.is_symlink() else link)
    paths.made(var, 0o755)
    if reachable(var, service_user(Place(link))):
        return Place(link)
    home = SYSTEM_HOME / secrets.token_hex(6)
    try:
        link.symlink_to(home)
    except FileExistsError:  # another process was first
        return production_place(var)
    return Place(home)
