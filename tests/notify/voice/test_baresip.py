"""A baresip lives no longer than who started it, and its password no longer than its start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from meldkamer.notify.voice import baresip
from meldkamer.notify.voice.baresip import Account, Baresip, BaresipFault, Gone

_ALONE = """
import sys, time
from pathlib import Path
from meldkamer.notify.voice.baresip import Account, Baresip
phone = Baresip(Path(sys.argv[1]), Account("sip:arc@127.0.0.1"), local="127.0.0.1")
phone.start()
print(phone.pid, flush=True)
time.sleep(60)
"""


def alive(number: int) -> bool:
    """Whether a process runs (and is not only waited for)."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_it_dies_with_a_worker_that_is_killed_and_what_it_left_is_swept(tmp_path: Path) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", _ALONE, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout is not None
    number = int(worker.stdout.readline())
    assert alive(number)
    worker.kill()
    worker.wait()
    worker.stdout.close()
    until_s = time.monotonic() + 10
    while alive(number) and time.monotonic() < until_s:
        time.sleep(0.02)
    assert not alive(number)
    assert len(list(tmp_path.iterdir())) == 1
    baresip.sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_belongs_to_a_living_program_is_not_swept(tmp_path: Path) -> None:
    phone = Baresip(tmp_path, Account("sip:arc@127.0.0.1"), local="127.0.0.1")
    baresip.sweep(tmp_path)
    assert phone.home.exists()
    phone.stop()
    assert not phone.home.exists()


def test_the_password_is_away_from_the_disk_once_it_was_read(tmp_path: Path) -> None:
    account = Account("sip:arc@127.0.0.1:9", "arc", "geheim-77", every_s=60)
    phone = Baresip(tmp_path, account, local="127.0.0.1")
    phone.start()
    try:
        for path in phone.home.iterdir():
            assert b"geheim-77" not in path.read_bytes()
        assert "geheim-77" not in phone.said()
        words = Path(f"/proc/{phone.pid}/cmdline").read_bytes()
        assert b"geheim-77" not in words
    finally:
        phone.stop()


def test_one_that_is_gone_says_so_and_what_it_refuses_is_named(tmp_path: Path) -> None:
    phone = Baresip(tmp_path, Account("sip:arc@127.0.0.1"), local="127.0.0.1")
    with pytest.raises(Gone, match="does not run"):
        phone.tell("dial", "sip:1@127.0.0.1")
    phone.start()
    try:
        with pytest.raises(BaresipFault, match="refused nonsense"):
            phone.tell("nonsense")
        assert phone.pid is not None
        os.kill(phone.pid, signal.SIGKILL)
        with pytest.raises(Gone):
            phone.next(time.monotonic() + 10)
    finally:
        phone.stop()


def test_an_account_that_baresip_does_not_take_is_a_fault(tmp_path: Path) -> None:
    phone = Baresip(tmp_path, Account("no address"), local="127.0.0.1")
    with pytest.raises(BaresipFault, match="no account"):
        phone.start()
    assert list(tmp_path.iterdir()) == []
