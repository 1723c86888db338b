"""The installation's keys: made once, kept closed, never made anew over a loss."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from meldkamer.project import keys


@pytest.fixture(autouse=True)
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MELDKAMER_KEYS", str(tmp_path / "var" / "keys"))
    return tmp_path / "var" / "keys"


def test_keys_are_made_at_first_use_and_stay_the_same(own_keys: Path) -> None:
    first = {name: keys.key(name) for name in keys.KEYS}
    assert {name: keys.key(name) for name in keys.KEYS} == first
    assert len(set(first.values())) == len(keys.KEYS)
    assert all(len(value) == 32 for value in first.values())


def test_nobody_else_can_read_a_key(own_keys: Path) -> None:
    keys.key("secret")
    assert stat.S_IMODE(own_keys.stat().st_mode) == 0o700
    for name in keys.KEYS:
        assert stat.S_IMODE((own_keys / name).stat().st_mode) == 0o600


def test_a_key_that_others_can_read_is_refused(own_keys: Path) -> None:
    keys.key("sealing")
    (own_keys / "sealing").chmod(0o644)
    with pytest.raises(keys.KeyFault, match=r"expected mode 0600"):
        keys.key("sealing")


def test_a_lost_key_is_not_replaced_by_a_new_one(own_keys: Path) -> None:
    keys.key("pepper")
    (own_keys / "pepper").unlink()
    with pytest.raises(keys.KeyFault, match="put the lost file back"):
        keys.key("pepper")
    assert not (own_keys / "pepper").exists()


def test_a_damaged_key_is_refused(own_keys: Path) -> None:
    keys.key("secret")
    (own_keys / "secret").write_text("abc\n")
    with pytest.raises(keys.KeyFault, match="expected 64 hexadecimal digits"):
        keys.key("secret")


def test_processes_that_start_together_get_the_same_keys(own_keys: Path) -> None:
    code = "from meldkamer.project import keys; print(keys.key('sealing').hex())"
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert len({process.communicate()[0] for process in started}) == 1
    assert [child.name for child in own_keys.parent.iterdir()] == ["keys"]
