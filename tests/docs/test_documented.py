"""What cannot be looked up does not exist: commands, options, words, keys, codes, stories."""

import csv
import re
from pathlib import Path

import msgspec

from meldkamer.project.paths import PACKAGE
from meldkamer.rehearsal import story
from meldkamer.rehearsal.timeline import PRINTED
from meldkamer.terms.model import Terms
from tests.docs import checks
from tests.docs.checks import ROOT

REFERENCE = ROOT / "docs/reference"
#: words of the format that this version says it never prints
NOT_PRINTED = {
    "service.suspended", "service.resumed", "flood.started", "flood.ended", "needless.counted",
    "needless.warned",
}  # fmt: skip


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text("utf-8")


def test_every_command_and_option_is_in_the_reference() -> None:
    assert checks.undocumented(page("command-line")) == []


def test_a_missing_command_or_option_and_one_too_many_are_caught() -> None:
    reference = page("command-line")
    less = reference.replace("## meldkamer work", "## Something else").replace("`--since T`", "")
    less = less.replace("--since 2026-03-01 ", "")
    faults = checks.undocumented(less.replace("`--rate N`", "`--rate N` `--speed N`"))
    assert sorted(set(faults) - set(checks.undocumented(reference))) == [
        "meldkamer city has no --speed",
        "meldkamer journal --since is missing",
        "meldkamer work has no section",
    ]


def test_every_target_of_make_is_in_the_reference() -> None:
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    reference = page("command-line")
    assert len(targets) > 8
    assert [t for t in targets if f"`make {t}`" not in reference and t != "help"] == []


def test_every_word_that_a_rehearsal_prints_is_in_the_reference() -> None:
    reference = page("timeline")
    named = set(re.findall(r"`([a-z_]+(?:\.[a-z_]+)?)`", reference))
    assert sorted(PRINTED - NOT_PRINTED - named) == []


def test_every_key_of_a_story_is_in_the_reference() -> None:
    reference = page("story-format")
    parts = (
        story.StoryPart, story.SitePart, story.ZonePart, story.ContactPart, story.HoursPart,
        story.Person, story.InstallerPart, story.ContractPart, story.EventPart,
    )  # fmt: skip
    keys = {field.encode_name for part in parts for field in msgspec.structs.fields(part)}
    keys -= {
        "site",
        "event",
        "zone",
        "contact",
        "open_close",
    }  # tables, with a section of their own
    assert sorted(key for key in keys if f"`{key}`" not in reference) == []
    for table in (
        "[[site]]",
        "[[event]]",
        "[[site.zone]]",
        "[[site.contact]]",
        "[[site.open_close]]",
    ):
        assert f"`{table}`" in reference


def test_every_rule_that_code_and_stories_name_by_number_is_in_the_reference() -> None:
    named: set[str] = set()
    for file in PACKAGE.rglob("*.py"):
        named |= set(re.findall(r"\bR\d{1,2}\b(?!\d)", _comments(file)))
    told = set(re.findall(r"^- \*\*(R\d+)\*\*", page("story-format"), re.MULTILINE))
    assert told == {f"R{number}" for number in range(1, 33)}
    assert sorted(named - told) == []


def _comments(file: Path) -> str:
    """Docstrings and comments; account numbers and the like in code do not count."""
    text = file.read_text("utf-8")
    return "\n".join([*re.findall(r'""".*?"""', text, re.DOTALL), *re.findall(r"#.*", text)])


def test_every_class_of_the_code_tables_is_in_the_reference() -> None:
    with (PACKAGE / "wire/data/types.csv").open(encoding="utf-8", newline="") as rows:
        classes = {row["class"] for row in csv.DictReader(rows)}
    words = set(re.findall(r"[a-z_]+", page("codes")))
    assert sorted(classes - words) == []


def test_every_table_of_the_terms_is_in_the_guide() -> None:
    guide = (ROOT / "docs/how-to/write-a-terms-file.md").read_text("utf-8")
    plain = {"name", "version", "source", "timezone", "languages"}
    tables = {field.name for field in msgspec.structs.fields(Terms)} - plain
    assert sorted(t for t in tables if f"[{t}]" not in guide and f"[{t}." not in guide) == []


def test_every_key_of_the_desk_is_in_the_reference() -> None:
    """What the desk's own list of keys shows, the page shows too."""
    shown = (PACKAGE / "console/templates/console/keys.html").read_text("utf-8")
    keys = set(re.findall(r'\{% key "([^"]+)" %\}', shown)) - {"⇧1", "⇧9"}
    reference = page("keys")
    assert len(keys) > 20
    assert sorted(key for key in keys if f"`{key}`" not in reference) == []
