"""Carriers that misbehave, deaths at numbered commits, and terms with other values in a story."""

from pathlib import Path
from typing import Any

import pytest

from meldkamer.rehearsal.cli import play
from meldkamer.rehearsal.faults import StoryFault
from meldkamer.rehearsal.reading import read
from meldkamer.terms.loader import load, varied

STORY = """
title = "A battery"
terms = "securitas-2022-05"
start = 2026-03-02T22:00:00+01:00
{top}

[[site]]
name = "Shop"
plan = "proguard"
formula = "mix"
account = "B100"
contact = [
    {{ name = "An", phone = "+32475123456", sms = {{ after = "30s", text = "ok" }} }},
    {{ name = "Bo", phone = "+32475123457" }},
]

[[event]]
at = "+1m"
signal = "YT"
{rest}
"""


def played(tmp_path: Path, top: str = "", rest: str = "") -> list[dict[str, Any]]:
    """The timeline of the story with these keys."""
    file = tmp_path / "story.toml"
    file.write_text(STORY.format(top=top, rest=rest))
    return play(read(str(file)))


def moments(lines: list[dict[str, Any]], what: str) -> list[str]:
    return [line["at"][11:19] for line in lines if line["what"] == what]


def carrier(does: str, to: str, by: str = "60s") -> str:
    return (
        f'\n[[carrier]]\nchannel = "sms"\nfrom = "+0s"\nto = "{to}"\ndoes = "{does}"\nby = "{by}"'
    )


@pytest.mark.clause("S7.2")
def test_the_wait_begins_when_the_carrier_takes_the_text(db: None, tmp_path: Path) -> None:
    lines = played(tmp_path, rest=carrier("refuses", "+2m"))
    assert moments(lines, "sms.sent") == ["22:01:00"]
    assert moments(lines, "sms.received") == ["22:02:30"]


@pytest.mark.clause("S7.2")
def test_a_rejected_text_moves_on_at_once(db: None, tmp_path: Path) -> None:
    lines = played(tmp_path, rest=carrier("rejects", "+90s"))
    sent = [(line["at"][11:19], line["to"], line["clause"]) for line in lines
            if line["what"] == "sms.sent"]  # fmt: skip
    # both are turned down at once, in both rounds: an operator at the same instant
    assert sent == [
        ("22:01:00", "An", "S7.1"),
        ("22:01:00", "Bo", "S7.2"),
        ("22:01:00", "An", "S7.5"),
        ("22:01:00", "Bo", "S7.2"),
        # nobody answered the calls either (R15)
        ("22:01:40", "An", "S16.1"),
        ("22:01:40", "Bo", "S16.1"),
    ]
    assert moments(lines, "incident.queued") == ["22:01:00"]


def test_a_lost_text_is_answered_by_nobody(db: None, tmp_path: Path) -> None:
    lines = played(tmp_path, rest=carrier("loses", "+2m"))
    # the second round reaches him
    assert moments(lines, "sms.sent") == ["22:01:00", "22:02:30", "22:04:00"]
    assert moments(lines, "sms.received") == ["22:04:30"]


def test_a_delayed_text_is_answered_later(db: None, tmp_path: Path) -> None:
    assert moments(played(tmp_path, rest=carrier("delays", "+2m")), "sms.received") == ["22:02:30"]


def test_a_doubled_reply_counts_once(db: None, tmp_path: Path) -> None:
    lines = played(tmp_path, rest=carrier("doubles", "+2m"))
    assert moments(lines, "sms.received") == ["22:01:30"]


@pytest.mark.clause("M12.1")
def test_deaths_at_commits_change_no_line(db: None, tmp_path: Path) -> None:
    whole = played(tmp_path)
    for commits in ([1], [2, 3], [5, 9, 14], list(range(1, 60, 2))):
        assert played(tmp_path, top=f"crash_at_commits = {commits}") == whole, commits


@pytest.mark.clause("S7.2")
def test_a_death_after_the_hand_over_does_not_shorten_the_wait(db: None, tmp_path: Path) -> None:
    """The carrier took the text a minute late; wherever the process dies, the wait is whole."""
    rest = carrier("refuses", "+2m") + carrier("loses", "+9m").replace("+0s", "+2m")
    whole = played(tmp_path, 'until = "+4m"', rest)
    assert moments(whole, "sms.sent")[:2] == ["22:01:00", "22:03:30"]
    for number in range(10, 18):
        top = f'until = "+4m"\ncrash_at_commits = [{number}]'
        assert played(tmp_path, top, rest) == whole, number


def test_other_values_of_the_terms_hold_for_their_story_alone(db: None, tmp_path: Path) -> None:
    rest = carrier("loses", "+2m")
    lines = played(tmp_path, '[terms_changes]\n"texting.wait_s" = 45', rest)
    assert moments(lines, "sms.sent")[:2] == ["22:01:00", "22:01:45"]
    assert load("securitas-2022-05").texting.wait_s == 90


def test_a_place_that_the_terms_do_not_have_is_named(tmp_path: Path) -> None:
    file = tmp_path / "story.toml"
    file.write_text(STORY.format(top='[terms_changes]\n"texting.pause_s" = 45', rest=""))
    with pytest.raises(StoryFault, match=r"terms_changes: .*pause_s is not there"):
        read(str(file))


def test_a_step_of_a_procedure_is_found_by_its_name() -> None:
    name = varied("securitas-2022-05", {"procedures.fire.steps.service.after_s": 60})
    steps = load(name).procedure("fire").steps
    assert next(step.after_s for step in steps if step.do == "request") == 60


def test_a_carrier_that_ends_before_it_begins_is_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "story.toml"
    fault = carrier("loses", "+2m").replace("+0s", "+3m")
    file.write_text(STORY.format(top="", rest=fault))
    with pytest.raises(StoryFault, match=r"carrier\[0\]\.to: a time after its beginning"):
        read(str(file))
