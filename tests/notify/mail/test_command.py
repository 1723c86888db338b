"""`meldkamer run` takes back mail only where that is set, and says at once when it cannot."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from meldkamer.project.cli import main
from meldkamer.project.supervisor import Plan, Supervisor


@pytest.mark.parametrize("listen", ["", "127.0.0.1:2525"])
def test_the_intake_of_mail_is_started_where_it_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listen: str
) -> None:
    monkeypatch.setenv("MELDKAMER_MAIL_LISTEN", listen)
    names = [name for name, _ in Supervisor(Plan(8000, 12000), tmp_path)._commands()]
    assert ("mail" in names) == bool(listen)


@pytest.mark.parametrize("command", ["run", "mail"])
def test_a_place_that_is_none_is_told_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.setenv("MELDKAMER_MAIL_LISTEN", "somewhere")
    assert main([command]) == 1
    assert "'somewhere'; expected host:port" in capsys.readouterr().err


def test_a_port_that_is_taken_and_a_certificate_that_is_none_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "no.pem"
    wrong.write_text("nothing")
    assert main(["mail", "--listen", "127.0.0.1:2525", "--tls-cert", str(wrong)]) == 1
    assert "no.pem" in capsys.readouterr().err
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["mail", "--listen", f"127.0.0.1:{port}"]) == 1
    assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err
