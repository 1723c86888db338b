"""Supervises a PostgreSQL of our own: makes the cluster, starts, restarts and stops the server.

It must never listen on the network, never run with a weaker promise than "committed is on the
disk" (unless the cluster is a scratch one), and never start a second server on one directory:
the lock on `home/lock` is held as long as this process supervises it. The server dies with its
supervisor (PDEATHSIG). Whoever connects is known by the socket (peer), so there is no password.
"""

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psycopg
from psycopg import pq, sql

from meldkamer.project import paths
from meldkamer.project.childhood import die_with_parent
from meldkamer.project.postgres_binaries import Binaries, find_binaries
from meldkamer.project.postgres_leftovers import clear_leftovers
from meldkamer.project.postgres_place import (
    Place,
    PostgresFault,
    ServiceUser,
    production_place,
    service_user,
)

DATABASE = "meldkamer"
START_LIMIT_S = 60.0
STOP_LIMIT_S = 10.0
#: what "acknowledged after commit" rests on; given on the command line, so no file weakens it
DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
#: for tests and rehearsals, whose tables may be lost at any time
SCRATCH = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
COMMON = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_min_messages": "warning",
    "logging_collector": "off",
    "jit": "off",
}
#: a character order every version has: builtin from 17 on, the C library's, the plain one
LOCALES = (
    ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
    ("--locale=C.UTF-8",),
    ("--locale=C",),
)


def production(var: Path) -> Place:
    """The place of the installation's database in the state directory `var`."""
    return production_place(var)


class Server:
    """One cluster and its server process. `start` makes what is missing; safe to call again."""

    def __init__(self, place: Place, *, durable: bool = True, log: Path | None = None) -> None:
        self.place = place
        self.durable = durable
        self.log = log or place.home / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- life

    def start(self) -> None:
        """Make the cluster when there is none, start the server, return when it answers.

        Raises PostgresFault: held by another process, no programs, no start within 60 s.
        """
        self._take_lock()
        user = service_user(self.place)
        binaries = find_binaries(user, self._cluster_major())
        if self._cluster_major() is None:
            self._initialise(binaries, user)
        _own(self.place.data, user)
        _own(self.place.socket_dir, user)
        self._write_access_rules(user)
        clear_leftovers(self.place)
        self.launch(binaries, user)
        self._make_database()

    def launch(self, binaries: Binaries | None = None, user: ServiceUser | None = None) -> None:
        """(Re)start the server process on an existing cluster and wait until it answers."""
        user = user or service_user(self.place)
        binaries = binaries or find_binaries(user, self._cluster_major())
        deadline_s = time.monotonic() + START_LIMIT_S
        while True:
            self.process = self._spawn(binaries, user)
            if self._answers(deadline_s):
                return
            if time.monotonic() > deadline_s:
                self.stop()
                raise PostgresFault(
                    f"PostgreSQL did not start within {START_LIMIT_S:.0f} s: {self.last_words()}"
                )
            if not self._worth_another_try():
                raise PostgresFault(f"PostgreSQL did not start: {self.last_words()}")
            time.sleep(0.1)

    def poll(self) -> int | None:
        """The server's exit code; None while it runs."""
        return self.process.poll() if self.process else None

    def stop(self, limit_s: float = STOP_LIMIT_S) -> None:
        """Fast stop: roll back what is open, checkpoint, end. After `limit_s` at once."""
        if self.process is None or self.process.poll() is not None:
            return
        for order in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            self.process.send_signal(order)
            try:
                self.process.wait(limit_s)
            except subprocess.TimeoutExpired:
                limit_s = 2.0
            else:
                return

    def close(self) -> None:
        """Stop the server and let go of the cluster."""
        self.stop()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def last_words(self) -> str:
        """The end of the server's log, on one line."""
        try:
            lines = self.log.read_text("utf-8", "replace").splitlines()
        except OSError:
            return f"nothing in {self.log}"
        return " / ".join(line.strip() for line in lines[-5:]) or f"nothing in {self.log}"

    # --- steps of the start

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        home = paths.made(self.place.home, 0o711)
        lock = (home / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise PostgresFault(
                f"the database in {home} is already run by process {holder}; stop that one first, "
                "or set MELDKAMER_VAR to another directory"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def _cluster_major(self) -> int | None:
        """The major version the cluster was made by; None when there is no cluster."""
        try:
            return int((self.place.data / "PG_VERSION").read_text().strip())
        except FileNotFoundError:
            return None

    def _initialise(self, binaries: Binaries, user: ServiceUser) -> None:
        """initdb with checksums beside the final place, then moved there: whole or not at all."""
        new = self.place.home / "data.new"
        sync = () if self.durable else ("--no-sync",)
        for locale in LOCALES:
            shutil.rmtree(new, ignore_errors=True)
            _own(new, user)
            made = subprocess.run(
                [
                    binaries.directory / "initdb",
                    "-D",
                    new,
                    "-U",
                    "meldkamer",
                    "--encoding=UTF8",
                    "--data-checksums",
                    "--auth=peer",
                    "--no-instructions",
                    *sync,
                    *locale,
                ],
                capture_output=True,
                text=True,
                cwd="/",
                env=_environment(),
                check=False,
                **user.become(),
            )
            if made.returncode == 0:
                new.rename(self.place.data)
                return
        words = " / ".join((made.stderr or made.stdout).strip().splitlines()[-4:])
        raise PostgresFault(f"initdb failed in {new}: {words}")

    def _write_access_rules(self, user: ServiceUser) -> None:
        """Who may connect: the user who runs meldkamer, known by the socket. Nobody else."""
        names = {user.name, pwd.getpwuid(os.geteuid()).pw_name}
        self._write(user, "pg_hba.conf", "local all all peer map=meldkamer\n")
        rows = "".join(f'meldkamer "{name}" meldkamer\n' for name in sorted(names))
        self._write(user, "pg_ident.conf", rows)

    def _write(self, user: ServiceUser, name: str, text: str) -> None:
        file = self.place.data / name
        file.write_text(text)
        if os.geteuid() == 0:
            os.chown(file, user.uid, user.gid)

    def _spawn(self, binaries: Binaries, user: ServiceUser) -> "subprocess.Popen[bytes]":
        settings = COMMON | (DURABLE if self.durable else SCRATCH)
        settings |= {"unix_socket_directories": _quoted(self.place.socket_dir)}
        flags = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        paths.made(self.log.parent)
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [binaries.directory / "postgres", "-D", self.place.data, *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_environment(),
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGINT),
                **user.become(),
            )

    def _answers(self, deadline_s: float) -> bool:
        """Wait for the server; False when its process ended or time is up."""
        assert self.process is not None
        target = self.place.dsn("postgres").encode()
        while time.monotonic() < deadline_s:
            if pq.PGconn.ping(target) == pq.Ping.OK:
                return True
            if self.process.poll() is not None:
                return False
            time.sleep(0.01)
        return False

    def _worth_another_try(self) -> bool:
        """After a kill -9 the old server's children need a moment to let go of its memory."""
        words = self.last_words()
        return "shared memory block" in words or "postmaster.pid" in words

    def _make_database(self) -> None:
        with psycopg.connect(self.place.dsn("postgres"), autocommit=True) as connection:
            there = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone()
            if not there:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _own(directory: Path, user: ServiceUser) -> None:
    """The directory, the user's and closed to all else; PostgresFault when another's."""
    directory.mkdir(mode=0o700, exist_ok=True)
    held = directory.lstat()
    if held.st_uid == 0 and os.geteuid() == 0:
        os.chown(directory, user.uid, user.gid)
    elif held.st_uid != user.uid:
        raise PostgresFault(
            f"{directory} belongs to user {held.st_uid}; expected {user.name} ({user.uid})"
        )
    directory.chmod(0o700)


def _quoted(directory: Path) -> str:
    """A directory as one element of a list setting."""
    return '"' + str(directory).replace('"', '""') + '"'


def _environment() -> dict[str, str]:
    """Nothing of ours reaches the server: no keys, no PG* variables."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
