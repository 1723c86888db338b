"""The command line: every command explains itself; edges without Django stay without it."""

import logging
import subprocess
import sys

import pytest

from meldkamer.project.cli import COMMANDS, main
from meldkamer.project.logs import OneLine


def test_the_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in COMMANDS)


def test_an_unknown_command_is_named_and_the_known_ones_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["recieve"]) == 2
    assert "no command 'recieve'; expected one of run, receive" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "meldkamer.project.cli", name, "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout) > 100


@pytest.mark.parametrize("module", ["meldkamer.receivers.main", "meldkamer.wire.decode"])
def test_receivers_and_the_decoder_never_load_django(module: str) -> None:
    code = (
        "import sys, meldkamer.project.cli, meldkamer.project.commands.receive, "
        f"meldkamer.project.commands.decode, meldkamer.project.database, {module}\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'django'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_log_record_is_one_line_whatever_it_holds() -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        record = logging.LogRecord(
            "meldkamer", logging.ERROR, "", 0, "a\r\nb %s", ("c\nd",), sys.exc_info()
        )
    line = OneLine().format(record)
    assert "\n" not in line
    assert "\r" not in line
    assert "a\\r\\nb c\\nd" in line
    assert "ValueError: first\\nsecond" in line
