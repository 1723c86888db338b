"""A setting or a command that nobody can look up does not exist."""

import re
from pathlib import Path

from meldkamer.project.paths import PACKAGE

ROOT = Path(__file__).resolve().parents[2]
#: of the system and of Django, not ours
OTHERS = {"PATH", "DJANGO_SETTINGS_MODULE", "PYTHONUNBUFFERED", "DATABASE_URL"}
OURS = re.compile(r"[\"'](MELDKAMER_[A-Z0-9_]+|CITY|DEMO|NOTIFY_SOCKET)[\"']")
#: names of Django settings, which other parts read; no environment variables
SETTINGS_ONLY = {"MELDKAMER_SEALING_KEY", "MELDKAMER_CODE_PEPPER"}
#: what an exchange is given with a call, for its dialplan
OF_THE_EXCHANGE = {"MELDKAMER_CALL"}


def read_variables() -> set[str]:
    found: set[str] = set()
    for file in PACKAGE.rglob("*.py"):
        found |= set(OURS.findall(file.read_text("utf-8")))
    return found - OTHERS - SETTINGS_ONLY - OF_THE_EXCHANGE


def test_every_environment_variable_is_in_the_reference() -> None:
    reference = (ROOT / "docs/reference/settings.md").read_text("utf-8")
    missing = sorted(name for name in read_variables() if f"`{name}`" not in reference)
    assert missing == []


def test_the_reference_names_no_variable_that_nothing_reads() -> None:
    reference = (ROOT / "docs/reference/settings.md").read_text("utf-8")
    everywhere = "".join(
        file.read_text("utf-8")
        for folder in ("src", "scripts", "tests")
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and (file.suffix == ".py" or folder == "scripts")
    ) + (ROOT / "Makefile").read_text("utf-8")
    named = set(re.findall(r"`((?:MELDKAMER_|CITY|DEMO|NOTIFY_)[A-Z0-9_]*)`", reference))
    assert sorted(name for name in named if name not in everywhere) == []


def test_what_an_exchange_is_given_is_in_its_manual() -> None:
    manual = (ROOT / "docs/how-to/connect-the-pbx.md").read_text("utf-8")
    assert sorted(name for name in OF_THE_EXCHANGE if f"${{{name}}}" not in manual) == []
