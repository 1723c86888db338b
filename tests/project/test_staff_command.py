"""The first provider and the first login of an installation, by command."""

import io
from pathlib import Path

import pytest

from meldkamer.project.cli import main


def _add(monkeypatch: pytest.MonkeyPatch, password: str, *arguments: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    return main(["staff", "add", *arguments, "--password-stdin"])


@pytest.mark.clause("D0")
def test_a_third_provider_is_a_terms_file_and_a_name(
    db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    from meldkamer.sites.models import Provider

    assert main(["staff", "provider", "ours", "--name", "Our house", "--terms", "dtral"]) == 0
    assert Provider.objects.get(slug="ours").terms == "dtral"
    assert main(["staff", "provider", "ours", "--name", "Again", "--terms", "dtral"]) == 1
    assert "slug" in capsys.readouterr().err
    assert main(["staff", "provider", "other", "--name", "Other", "--terms", "nowhere"]) == 1
    assert "securitas-2022-05" in capsys.readouterr().err


def test_a_member_of_staff_sees_the_providers_named_and_no_others(
    db: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from meldkamer.people.models import Staff

    for slug in ("ours", "theirs"):
        assert main(["staff", "provider", slug, "--name", slug, "--terms", "dtral"]) == 0
    password = "lamp-cable-window-41"
    assert _add(monkeypatch, password, "an", "--role", "supervisor", "--provider", "ours") == 0
    staff = Staff.objects.get(username="an")
    assert staff.check_password(password)
    assert [provider.slug for provider in staff.providers.all()] == ["ours"]
    assert password not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("password", "arguments", "named"),
    [
        ("weak-1", ("an", "--role", "operator", "--provider", "ours"), "12"),
        ("lamp-cable-window-41", ("an", "--role", "operator"), "no --provider given"),
        ("lamp-cable-window-41", ("an", "--role", "operator", "--provider", "x"), "no provider x"),
    ],
)
def test_a_wrong_line_names_what_was_wrong_and_enters_nobody(
    db: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    password: str,
    arguments: tuple[str, ...],
    named: str,
) -> None:
    from meldkamer.people.models import Staff

    main(["staff", "provider", "ours", "--name", "Ours", "--terms", "dtral"])
    capsys.readouterr()
    assert _add(monkeypatch, password, *arguments) == 1
    printed = capsys.readouterr()
    assert named in printed.err
    assert password not in printed.err
    assert not Staff.objects.exists()


def test_the_password_is_no_argument_of_the_command() -> None:
    text = Path(__file__).parents[2].joinpath("src/meldkamer/project/commands/staff.py").read_text()
    assert '"--password"' not in text


@pytest.mark.clause("M12.3")
def test_a_supervisor_has_a_telephone_and_the_change_is_written_down_without_it(
    db: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from meldkamer.journal.models import Entry
    from meldkamer.people.models import Staff

    assert main(["staff", "provider", "ours", "--name", "ours", "--terms", "dtral"]) == 0
    password = "lamp-cable-window-41"
    assert _add(monkeypatch, password, "an", "--role", "supervisor", "--provider", "ours") == 0
    assert main(["staff", "phone", "an", "0475 12 34 56"]) == 0
    assert Staff.objects.get(username="an").phone == "+32475123456"
    (entry,) = Entry.objects.filter(what="staff.phone_changed")
    assert (entry.recipient, entry.clause, entry.data) == ("an", "M12.3", {})
    assert main(["staff", "phone", "an", "soon"]) == 1
    assert main(["staff", "phone", "nobody", "+32475123456"]) == 1
    assert "no member of staff nobody" in capsys.readouterr().err
    assert main(["staff", "phone", "an", ""]) == 0
    assert Staff.objects.get(username="an").phone == ""
