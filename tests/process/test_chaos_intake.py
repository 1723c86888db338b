"""Nothing acknowledged is ever lost (M12.1), whatever is killed while panels dial in."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from meldkamer.receivers.panel import Panel
from tests.process.chaos_intake import House, Traffic, doubled, lost, run_chaos, unjudgeable

pytestmark = [pytest.mark.slow, pytest.mark.chaos]
#: `make chaos` sets it higher
ROUNDS = int(os.environ.get("MELDKAMER_CHAOS_ROUNDS") or 2)
SEED = int(os.environ.get("MELDKAMER_CHAOS_SEED") or 11)


@pytest.fixture
def house() -> Iterator[House]:
    with House() as house:
        yield house


@pytest.mark.clause("M12.1")
def test_killing_receivers_and_postgres_loses_nothing_acknowledged(house: House) -> None:
    traffic = Traffic(house)
    house.enter(traffic.accounts())
    chance = random.Random(SEED)
    kills = [
        lambda: house.kill_receiver(chance),
        lambda: house.kill_postgres(),
        lambda: house.kill_receiver(chance),
    ] * ROUNDS
    run_chaos(house, traffic, kills)
    assert len(traffic.acknowledged) > 100
    heard = {tag.partition("-")[0] for tag in traffic.acknowledged}
    assert heard == {account.account for account in traffic.accounts()}, house.log()
    assert "Traceback" not in house.log()
    assert lost(traffic) == set()
    assert doubled(traffic) == []
    assert unjudgeable(house) == 0


@pytest.mark.clause("M12.1")
def test_the_checker_catches_a_receiver_that_acknowledges_first() -> None:
    """Red twin: with the database away such a receiver goes on acknowledging, then dies."""
    with House(receivers=1, kind="hasty") as house:
        traffic = Traffic(house)
        house.enter(traffic.accounts())

        def kill_both() -> None:
            assert house.receivers[0].poll() is None
            process = house.server.process
            assert process is not None
            assert process.poll() is None
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
            time.sleep(0.3)  # it acknowledges into the void
            house.receivers[0].kill()
            house.receivers.pop().wait(10)
            house.server.launch()
            house.start_receiver()

        run_chaos(house, traffic, [kill_both])
        assert lost(traffic)


@pytest.mark.clause("M12.1")
def test_the_checker_catches_a_database_that_forgets_what_it_committed() -> None:
    """Red twin: synchronous_commit is off and the guard is left out."""
    with House(receivers=1, kind="careless", durable=False) as house:
        with psycopg.connect(house.dsn, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
            connection.execute("ALTER SYSTEM SET wal_writer_flush_after = '2GB'")
            connection.execute("SELECT pg_reload_conf()")
        traffic = Traffic(house)
        house.enter(traffic.accounts())
        run_chaos(house, traffic, [house.kill_postgres], pause_s=1.0)
        assert lost(traffic)


@pytest.mark.clause("M12.1")
@pytest.mark.parametrize(("kind", "twice"), [("", False), ("forgetful", True)])
def test_the_checker_catches_a_receiver_that_handles_a_retry_twice(kind: str, twice: bool) -> None:
    with House(receivers=1, kind=kind) as house:
        traffic = Traffic(house, panels=1)
        [account] = traffic.accounts()
        house.enter([account])
        panel = Panel("127.0.0.1", house.port, account, retry_s=(0.1,) * 20, answer_s=0.5)
        outcome = asyncio.run(panel.sia("Nri1/BA5", I="tag"))
        assert outcome.answer == "ack"
        with socket.create_connection(("127.0.0.1", house.port), timeout=5) as line:
            line.sendall(outcome.frames[-1])
            assert b"ACK" in line.recv(1000)
        assert bool(doubled(traffic)) is twice


@pytest.mark.clause("M12.1")
@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
def test_the_receiver_refuses_a_database_that_may_forget(own_dsn: str, setting: str) -> None:
    """The scratch database has all three off; the receiver says which and what to do."""
    done = subprocess.run(
        [sys.executable, "-m", "meldkamer.project.cli", "receive", "--dc09-port", "1"],
        env=os.environ | {"DATABASE_URL": own_dsn, "MELDKAMER_DB_ROLE": "app"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert f"{setting} is off, set {setting} = on" in done.stderr


@pytest.mark.clause("M12.1")
def test_without_storage_nobody_is_answered_and_afterwards_everybody_is(house: House) -> None:
    traffic = Traffic(house, panels=4)
    house.enter(traffic.accounts())
    answered_meanwhile: list[int] = []

    def take_away() -> None:
        process = house.server.process
        assert process is not None
        assert process.poll() is None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        time.sleep(0.1)
        before = len(traffic.acknowledged)
        time.sleep(1.5)
        answered_meanwhile.append(len(traffic.acknowledged) - before)
        house.server.launch()

    run_chaos(house, traffic, [take_away])
    assert answered_meanwhile == [0]
    assert lost(traffic) == set()
    assert "storage is away, nothing is acknowledged" in house.log()
    assert "storage is back" in house.log()


def test_sigterm_ends_a_receiver_quickly_and_with_its_answers_given(house: House) -> None:
    traffic = Traffic(house)
    house.enter(traffic.accounts())
    took_s: list[float] = []

    def stop_one() -> None:
        process = house.receivers.pop()
        assert process.poll() is None
        began_s = time.monotonic()
        process.terminate()
        assert process.wait(10) == 0
        took_s.append(time.monotonic() - began_s)

    run_chaos(house, traffic, [stop_one])
    assert took_s[0] < 3
    assert lost(traffic) == set()
    assert "frames stored in" in house.log()


def test_the_harness_leaves_nothing_behind() -> None:
    with House(receivers=1) as house:
        home, port = house.home, house.port
        pids = [process.pid for process in house.receivers]
    assert not home.exists()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert port
