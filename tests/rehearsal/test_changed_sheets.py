"""A `sheet` event of a story: the scripted people begin and end with it, also after a crash."""

from pathlib import Path
from typing import Any

import pytest

from meldkamer.rehearsal.cli import play
from meldkamer.rehearsal.faults import StoryFault
from meldkamer.rehearsal.reading import read

ROOT = Path(__file__).resolve().parents[2]
HOLIDAYS = ROOT / "rehearsals/sheet-a-neighbour-during-the-holidays-then-the-old-list-again.toml"
STORY = """
title = "Two changes, one over the other"
terms = "securitas-2022-05"
start = 2026-03-02T22:00:00+01:00

[[site]]
name = "Shop"
plan = "proguard"
{site}
contact = [{{ name = "An", phone = "+32475123456", code = "402913", answers = "yes" }}]
{events}
"""


def played(tmp_path: Path, events: str, site: str = "") -> list[dict[str, Any]]:
    """The timeline of a story with these events."""
    file = tmp_path / "story.toml"
    file.write_text(STORY.format(site=site, events=events))
    return play(read(str(file)))


def event(at: str, said: str) -> str:
    return f'\n[[event]]\nat = "{at}"\n{said}\n'


def told(lines: list[dict[str, Any]], what: str, key: str) -> list[str]:
    return [line[key] for line in lines if line["what"] == what]


@pytest.mark.clause("S22.1")
def test_a_process_that_dies_at_any_commit_changes_the_sheet_once(db: None, tmp_path: Path) -> None:
    text = HOLIDAYS.read_text("utf-8")
    wanted = play(read(str(HOLIDAYS)))
    assert told(wanted, "sheet.changed", "clause") == ["S22.1", "S22.1"]
    file = tmp_path / "story.toml"
    for commit in range(1, 6):
        file.write_text(f"crash_at_commits = [{commit}]\n{text}", "utf-8")
        assert play(read(str(file))) == wanted, commit


@pytest.mark.clause("S22.1")
def test_the_script_of_a_contact_who_stays_ends_with_the_change(db: None, tmp_path: Path) -> None:
    changed = '{ contact = [{ name = "An", phone = "+32475123456", answers = "%s" }] }'
    lines = played(
        tmp_path,
        event("+0s", f'sheet = {changed % "no"}\nto = "+2h"')
        + event("+1h", f'sheet = {changed % "voicemail"}\nto = "+4h"')
        + "".join(event(at, 'signal = "BA"') for at in ("+30m", "+3h", "+5h")),
    )
    results = told(lines, "call.result", "result")
    # twice each: once more after ten minutes (R14)
    assert results == ["no_answer"] * 2 + ["voicemail"] * 2 + ["reached"]


@pytest.mark.clause("S22.1")
def test_a_contact_who_stays_keeps_the_code_he_had(db: None, tmp_path: Path) -> None:
    test = 'phone_from = "An"\nsays = "start_test"\nduration = "1h"\ncode = "%s"'
    lines = played(
        tmp_path,
        event("+0s", 'sheet = { contact = [{ name = "An", phone = "+32475999999" }] }')
        + event("+1m", test % "402913")
        + event("+2h", test % "402914"),
    )
    assert told(lines, "test.started", "to") == ["An"]
    assert told(lines, "identification.failed", "to") == ["An"]
    assert "402913" not in str(lines)


@pytest.mark.clause("S22.1")
@pytest.mark.clause("S11.1")
def test_a_site_without_hours_is_closed_when_it_gets_some(db: None, tmp_path: Path) -> None:
    hours = 'sheet = { open_close = [{ days = "mon-sun", open = "08:00", close = "23:00" }] }'
    lines = played(tmp_path, event("+10m", hours) + event("+13h", "crash = 'worker'"))
    # closed at 23:15 as it must be (R22); at 08:15 it should have been opened
    assert told(lines, "schedule.missed", "expected") == ["open"]


@pytest.mark.clause("S22.1")
def test_the_people_at_the_premises_follow_the_sheet(db: None, tmp_path: Path) -> None:
    person = '{ phone = "+3232345678", name = "Cis", answers = "yes", says = "false_alarm" }'
    lines = played(
        tmp_path,
        event("+0s", f'sheet = {{ premises = {person} }}\nto = "+1h"')
        + event("+30m", 'signal = "BA"')
        + event("+2h", 'signal = "BA"'),
        site='premises = { phone = "+3232345678", answers = "no" }',
    )
    assert told(lines, "identified", "to") == ["Cis", "An"]


@pytest.mark.clause("S22.1")
def test_a_kind_of_zone_that_is_none_is_a_fault_of_the_story(db: None, tmp_path: Path) -> None:
    zones = 'sheet = { zone = [{ number = 1, kind = "cat" }] }'
    with pytest.raises(StoryFault, match=r"zones\.1\.kind.*'cat'; expected contact, pir"):
        played(tmp_path, event("+0s", zones))


@pytest.mark.clause("S22.1")
def test_who_was_texted_and_left_the_list_is_named_when_he_answers(
    db: None, tmp_path: Path
) -> None:
    lines = played(
        tmp_path,
        event("+0s", 'signal = "YT"')
        + event("+30s", 'sheet = { contact = [{ name = "Cis", phone = "+32475999999" }] }')
        + event("+60s", 'sms_from = "An"\ntext = "ok"'),
        site='formula = "mix"',
    )
    assert told(lines, "sms.received", "to") == ["An"]
    assert told(lines, "incident.closed", "outcome") == ["confirmed_by_sms"]
