"""The manuals hold: links lead somewhere, commands parse, clauses exist. Each with its red twin."""

from pathlib import Path

import pytest

from meldkamer.project.clauses import known_clauses
from tests.docs import checks
from tests.docs.checks import ROOT, manuals

PAGES = [str(page.relative_to(ROOT)) for page in manuals()]


def read(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_leads_somewhere(page: str) -> None:
    assert checks.dead_links(ROOT / page, read(page)) == []


def test_a_dead_link_and_a_dead_fragment_are_caught() -> None:
    text = "# Here\n[a](nowhere.md) [b](#not-here) [c](#here) [d](https://example.org/x)\n"
    faults = checks.dead_links(ROOT / "README.md", text)
    assert faults == [
        "README.md: nowhere.md does not exist",
        "README.md: #not-here: no such heading",
    ]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_is_shown_would_be_understood(page: str) -> None:
    shown = checks.shown_commands(read(page))
    faults = [checks.faulty_command(line, typed) for line, typed in shown]
    assert [fault for fault in faults if fault] == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("```sh\nmeldkamer fly\n```\n", "no command 'fly'"),
        ("```sh\n.venv/bin/meldkamer decode --loud x\n```\n", "--loud"),
        ("```sh\necho x | meldkamer journal export\n```\n", "--json"),
        ("```ini\nExecStart=/opt/meldkamer/bin/meldkamer receive --port 1\n```\n", "--port"),
        ("Say `meldkamer run --sitty off`.\n", "no --sitty"),
    ],
)
def test_a_command_that_does_not_exist_is_caught(text: str, named: str) -> None:
    faults = [checks.faulty_command(*shown) for shown in checks.shown_commands(text)]
    assert len(faults) == 1
    assert named in str(faults[0])


def test_the_manuals_show_commands_at_all() -> None:
    shown = [line for page in PAGES for line, typed in checks.shown_commands(read(page)) if typed]
    assert len(shown) > 30


@pytest.mark.parametrize("page", PAGES)
def test_every_clause_that_is_mentioned_exists(page: str) -> None:
    assert checks.unknown_clauses(page, read(page), set(known_clauses(ROOT))) == []


def test_an_unknown_clause_is_caught() -> None:
    text = "By S15.3 and S99.9, not `S98.1`.\n"
    assert checks.unknown_clauses("x", text, set(known_clauses(ROOT))) == ["x: no clause S99.9"]


@pytest.mark.parametrize("page", PAGES)
def test_no_page_names_a_place_of_somebodys_own(page: str) -> None:
    assert checks.private_places(page, read(page)) == []


def test_a_place_of_somebodys_own_is_caught() -> None:
    assert checks.private_places("x", "see /home/an/notes") == ["x: /home/"]


@pytest.mark.parametrize("page", PAGES)
def test_every_frame_that_is_shown_is_a_right_one(page: str) -> None:
    assert checks.wrong_frames(page, read(page)) == []


def test_a_frame_with_a_wrong_checksum_is_caught_also_with_quotes_escaped() -> None:
    right = r's.sendall(b"\n53AC0024\"SIA-DCS\"0001L0#D000[#D000|Nri1/BA1]\r")'
    assert checks.wrong_frames("x", right) == []
    assert len(checks.wrong_frames("x", right.replace("53AC", "53AD"))) == 1


def test_every_page_is_listed_where_a_reader_looks() -> None:
    """A page that nothing links to does not exist."""
    linked: set[Path] = set()
    for page in manuals():
        for target in checks._LINK.findall(checks.without_code(page.read_text("utf-8"))):
            linked.add((page.parent / target.partition("#")[0]).resolve())
    assert [
        page.name for page in manuals() if page not in linked and page.name != "README.md"
    ] == []
