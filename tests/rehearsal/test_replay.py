"""A past that the real engine made, played again: faithfully, and under other terms."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import InternalError

from meldkamer.engine import cycle
from meldkamer.incidents import commands
from meldkamer.incidents.models import Incident
from meldkamer.journal.models import Entry
from meldkamer.people.models import Staff
from meldkamer.project.scratch import scratch_database
from meldkamer.rehearsal import happenings
from meldkamer.rehearsal.player import Player
from meldkamer.rehearsal.reading import read as read_story
from meldkamer.rehearsal.replaying import cli, past
from meldkamer.rehearsal.replaying.past import Wanted, read
from meldkamer.rehearsal.story import EventPart
from meldkamer.rehearsal.world import World, build
from meldkamer.sites import procedure_commands
from meldkamer.sites.models import ProcedureVersion, Site
from meldkamer.terms.loader import DIRECTORY, load
from meldkamer.terms.procedures import read as read_procedure

_ACCOUNTS = count()
pytestmark = pytest.mark.django_db(transaction=True)
STORY = """
title = "A week"
terms = "securitas-2022-05"
start = 2026-03-02T22:00:00+01:00
operator_pace = "33s"
[[site]]
name = "Bakkerij Peeters"
plan = "proguard"
formula = "operator"
options = ["patrol"]
account = "ACCOUNT"
premises = { phone = "+3232345678", answers = "no" }
[[site.zone]]
number = 1
detector = "door"
[[site.zone]]
number = 2
detector = "pir"
[[site.contact]]
name = "An"
phone = "+32475123456"
email = "an@example.be"
answers = "voicemail"
sms = { after = "120s", text = "what is it?" }
[[site.contact]]
name = "Bart"
phone = "+32475123457"
answers = "yes"
says = "coming"
gives_code = "wrong"
[[site.contact]]
name = "Cis"
phone = "+32475123458"
answers = "yes"
says = "send_patrol"
[[event]]
at = "+0s"
signal = "BA"
zone = 1
[[event]]
at = "+40s"
signal = "BA"
zone = 2
[[event]]
at = "+5h"
signal = "YT"
[[event]]
at = "+9h"
signal = "FA"
zone = 1
[[event]]
at = "+20h"
signal = "TA"
zone = 1
[[event]]
at = "+20h20s"
phone_from = "Cis"
says = "false_alarm"
code = "right"
[[event]]
at = "+30h"
signal = "BA"
zone = 2
[[event]]
at = "+30h10s"
camera = "intruder"
[[event]]
at = "+40h"
signal = "AT"
[[event]]
at = "+40h20m"
signal = "AR"
"""


@pytest.fixture
def recorded(tmp_path: Path) -> World:
    """The past: the story's people and the production code, committed as in production."""
    path = tmp_path / "week.toml"
    # the journal is never emptied: the same frame again would be a retransmission
    path.write_text(STORY.replace("ACCOUNT", f"{0xB000 + next(_ACCOUNTS):X}"), "utf-8")
    world = build(read_story(str(path)))
    Player(world).play()
    assert not Incident.objects.filter(closed_at=None).exists()
    assert Incident.objects.count() == 6
    return world


def replay(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """`meldkamer replay --json`: its exit code and its lines."""
    code = cli.main(["--since", "2026-03-01", "--until", "2026-04-01", "--json", *arguments],
                    scratch_database)  # fmt: skip
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def ours(tmp_path: Path, *changes: tuple[str, str]) -> str:
    """A terms file of our own: the shipped one with some texts replaced."""
    text = (DIRECTORY / "securitas-2022-05.toml").read_text("utf-8")
    for old, new in changes:
        assert old in text, "the shipped file has changed: mend this test"
        text = text.replace(old, new)
    file = tmp_path / "ours.toml"
    file.write_text(text, "utf-8")
    return str(file)


@pytest.mark.clause("S14.1")
def test_under_the_same_terms_the_past_goes_as_it_went(
    recorded: World, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = replay(capsys, "--terms", "securitas-2022-05")
    assert [(x["type"], x["unfaithful"], x["differences"]) for x in lines[:-1]] == [
        (kind, [], []) for kind in
        ("intrusion", "battery", "fire", "sabotage", "intrusion", "power")
    ]  # fmt: skip
    summary = {"what": "summary", "incidents": 6, "differ": 0, "faithful": 6, "left_out": 0}
    assert [x for x in lines[:-1] if not x["faithful"]] == []
    assert (code, lines[-1]) == (0, summary)


@pytest.mark.clause("S14.1")
def test_a_changed_terms_file_tells_what_would_have_gone_differently(
    recorded: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = ours(tmp_path, ("window_s = 1800", "window_s = 30"))
    before = Entry.objects.count(), Incident.objects.count()
    code, lines = replay(capsys, "--terms", file)
    assert (Entry.objects.count(), Incident.objects.count()) == before  # nothing was written
    assert code == 1
    assert lines[-1]["faithful"] == 6
    # two detectors 40 s apart verify no more, and police are refused to the contact
    (burglary,) = [line for line in lines[:-1] if line["differs"]]
    assert (burglary["type"], burglary["old"], burglary["new"]) == ("intrusion", *["handled"] * 2)
    assert burglary["services"] == [["patrol", "police"], ["patrol"]]
    told = [(c["sign"], c["what"], c["clause"]) for c in burglary["differences"]]
    assert ("-", "incident.verified", "S9.1") in told
    assert ("-", "police.requested", "S15.3") in told
    assert ("+", "police.refused", "S15.3") in told


@pytest.mark.clause("S14.1")
def test_a_draft_is_played_before_it_is_released(
    recorded: World, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Site.objects.get()
    steps = [
        {"do": "call", "who": "contact", "name": "Cis"},
        {"do": "call", "who": "contacts"},
        {"do": "request", "service": "police", "when": "verified_and_consulted"},
        {"do": "tell"},
    ]
    procedure = read_procedure(load("securitas-2022-05"), "intrusion", steps)
    draft = procedure_commands.draft(site.provider, site, procedure, datetime.now(UTC), "staff:1")
    code, lines = replay(capsys, "--terms", f"procedure:{draft.pk}")
    assert code == 1
    differing = [line for line in lines[:-1] if line["differs"]]
    assert [line["type"] for line in differing] == ["intrusion", "intrusion"]
    # Cis, who answers, is called at once: the others are not called any more
    gone = [(c["sign"], c["to"]) for c in differing[0]["differences"] if c["what"] == "call.placed"]
    assert gone == [("-", "premises"), ("-", "An"), ("-", "Bart")]
    assert differing[0]["differences"][0] == {
        "sign": "-", "after_s": 33, "what": "call.placed", "to": "premises", "clause": "S15.2"
    }  # fmt: skip
    assert differing[0]["seconds"][1] < differing[0]["seconds"][0]
    assert ProcedureVersion.objects.get().state == "draft"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--terms", "nothing"), "no terms named 'nothing'"),
        (("--terms", "procedure:99999"), "expected procedure:ID"),
        (("--terms", "procedure:x"), "expected procedure:ID"),
        (("--terms", "dtral", "--since", "soon"), "--since 'soon' is no moment"),
        (("--terms", "dtral", "--until", "2026-02-01"), "--until is not after --since"),
        (("--terms", "dtral", "--most", "0"), "--most 0; expected 1 or more"),
        (("--terms", "dtral", "--site", "a\0"), "NUL"),
        (("--terms", "/nowhere/ours.toml"), "cannot be read"),
    ],
)
def test_a_wrong_command_line_is_named(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--since", "2026-03-01", *arguments], scratch_database) == 2
    assert words in capsys.readouterr().err


def by_hand(world: World, now: datetime) -> None:
    """A burglary that a person handled in his own way: calls out of turn, and a note."""
    happenings.signal(world, EventPart(at=now, signal="BA", zone=1), now)
    cycle.judge_all(now)
    staff, incident = world.operators[0], Incident.objects.latest("id")
    later = now + timedelta(seconds=71)
    commands.take(staff, incident.pk, later)
    for after_s, name, result, identity, says in (
        (30, "Cis", "voicemail", "none", ""),
        (50, "An", "reached", "right", "coming"),
    ):
        contact = next(row for row, part in world.contacts.items() if part.name == name)
        at = later + timedelta(seconds=after_s)
        commands.dial(staff, incident.pk, f"call:c{contact}", at)
        commands.call_result(
            staff, incident.pk, f"call:c{contact}", result, says, at, identity=identity
        )
    commands.note(staff, incident.pk, "as agreed with the customer", at)
    commands.close_as_proposed(staff, incident.pk, at)


def test_what_an_operator_did_out_of_turn_is_told_as_not_faithful(
    recorded: World, capsys: pytest.CaptureFixture[str]
) -> None:
    at = datetime(2026, 3, 20, 3, tzinfo=UTC)
    by_hand(recorded, at)
    code = cli.main(
        ["--since", "2026-03-15", "--until", "2026-04-01", "--terms", "securitas-2022-05"],
        scratch_database,
    )
    text = capsys.readouterr().out
    assert code == 0  # under the same terms nothing differs from the play under the old
    assert "not faithful: recorded (-), and played under the old terms (+)" in text
    assert "call.placed premises S15.2" in text
    assert "1 incidents: 0 would have gone differently, 0 were played as they were recorded" in text


def test_the_past_is_read_without_the_right_to_write(
    recorded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Wanted(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC), most=2)
    pasts, left = read(wanted)
    assert (sum(len(one.incidents) for one in pasts), left) == (2, 4)

    def write(*_arguments: object) -> None:
        Staff.objects.create(username="nobody")

    monkeypatch.setattr(past, "_signals", write)
    with pytest.raises(InternalError, match="read-only"):
        read(wanted)
