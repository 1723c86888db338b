"""A terms file that contradicts itself is refused: which file, which key, what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from meldkamer.terms import loader
from meldkamer.terms.loader import TermsFault, load, read

SHIPPED = loader.DIRECTORY / "securitas-2022-05.toml"
QUEUE = load("securitas-2022-05").queue
EVERYONE = f"everyone_after_s = {QUEUE.everyone_after_s}"
REMIND = f"remind_every_s = {QUEUE.remind_every_s}"


@pytest.mark.clause("S13.2", "D0")
def test_the_shipped_terms_hold_together() -> None:
    assert loader.shipped() == ["dtral", "securitas-2022-05"]
    for name in loader.shipped():
        assert load(name).name == name
        assert loader.check(load(name)) == []


def test_terms_that_nobody_has_are_named_with_those_there_are() -> None:
    with pytest.raises(TermsFault, match=r"no terms named 'acme'; there are: dtral, securitas"):
        load("acme")


def test_two_files_of_one_name_are_two_versions(tmp_path: Path) -> None:
    names = []
    for number, tries in enumerate((3, 5, 5)):
        file = tmp_path / f"{number}.toml"
        text = SHIPPED.read_text("utf-8").replace("tries = 3", f"tries = {tries}", 1)
        file.write_text(text, "utf-8")
        names.append(loader.adopt(read(file)))
        assert load(names[-1]).identification.tries == tries
    assert names[0] != names[1] == names[2]
    assert all(load(name).name == name for name in names)
    assert load("securitas-2022-05").identification.tries == 3


#: what is changed in the shipped file, and what the fault must say
FAULTS = {
    "not TOML": ("[queue]", "[queue", "not TOML"),
    "a key too many": ("tries = 3", "tries = 3\ntrials = 4", "trials"),
    "a key is missing": ("tries = 3\n", "", "tries"),
    "a number as text": ("tries = 3", 'tries = "3"', "Expected `int`, got `str` - at `$.identif"),
    "an unknown type": ('["undefined"],', '["unknown"],', "unknown"),
    "a type without a class": ('"battery", "power", "line_test",', '"power", "line_test",',
        "queue.classes: type battery is missing"),
    "a type in two classes": ('    ["undefined"],', '    ["undefined", "fire"],',
        "queue.classes: type fire stands there twice"),
    "a type without a procedure": ('types = ["holdup"]\n', 'types = []\n',
        "procedures: type holdup is missing"),
    "a type in two procedures": ('types = ["holdup"]\n', 'types = ["holdup", "fire"]\n',
        "procedures: type fire stands there twice"),
    "a written instruction without a procedure": ('types = ["undefined"]\n', 'types = []\n',
        "procedures: type undefined is missing"),
    "a formula without a type": ('battery = "app"\n', "",
        "formulas.app.treatment: type battery is missing"),
    "a suspension of fire": ('never_suspended = ["holdup", "fire", "medical"]',
        'never_suspended = ["holdup", "medical"]', "needless.never_suspended: fire is missing"),
    "a flood that holds back hold-ups": ('never_held = ["holdup", "fire", "medical"]',
        'never_held = ["fire", "medical"]', "flood.never_held: holdup is missing"),
    "a warning after the suspension": ("suspend_at = 5", "suspend_at = 3",
        "needless.suspend_at: expected more than warn_at"),
    "a flood that never ends": ("quiet_signals = 5", "quiet_signals = 300",
        "flood.quiet_signals: expected far fewer"),
    "an unknown treatment": ('battery = "app"', 'battery = "pigeon"', "pigeon"),
    "a formula that the plan does not count": ("included = { app = 8, mix = 12, operator = 12 }",
        "included = { app = 8, mix = 12 }",
        "plans.homeguard.included: expected exactly the formulas"),
    "a step twice": ('{ id = "contacts", do = "call", who = "contacts", clause = "S16.3" }',
        '{ id = "again", do = "call", who = "contacts", clause = "S16.3" }',
        "procedure open_close: step again stands there twice"),
    "nobody is called": (
        '    { id = "premises", do = "call", who = "premises_or_first", clause = "S15.4" },\n', "",
        "procedure holdup: nobody is called"),
    "a request without a service": ('do = "request", service = "fire",', 'do = "request",',
        "procedure fire, step service: a request, and only a request, has a service"),
    "a service without a request": (
        '{ id = "premises", do = "call", who = "premises", clause = "S16.2" }',
        '{ id = "premises", do = "call", who = "premises", clause = "S16.2", service = "police" }',
        "step premises: a request, and only a request, has a service"),
    "a call to nobody": ('{ id = "contacts", do = "call", who = "contacts", clause = "S16.3" }',
        '{ id = "contacts", do = "call", clause = "S16.3" }',
        "procedure open_close, step contacts: a call says who"),
    "police for what is not verified": ('when = "verified_and_consulted"', 'when = "exhausted"',
        "step police: against S15.3: police for intrusion when exhausted"),
    "an unknown time zone": ("Europe/Brussels", "Europe/Bruxelles",
        "timezone: 'Europe/Bruxelles' is not known; expected e.g. Europe/Brussels"),
    "no waiting for a reply": ("wait_s = 90", "wait_s = 0", "texting.wait_s: 0 is not above 0"),
    "no window": ("window_s = 1800", "window_s = -1", "verification.window_s: -1 is not above 0"),
    "no climbing": (EVERYONE, "everyone_after_s = 0", "queue.everyone_after_s"),
    "no reminder": (REMIND, "remind_every_s = 0", "queue.remind_every_s"),
    "no time to work": (f"idle_s = {QUEUE.idle_s}", "idle_s = 0", "queue.idle_s: 0 is not above 0"),
    "calls forgotten at once": ("handling_days = 730", "handling_days = 0",
        "keeping.handling_days: 0; expected 30 to 36500 days"),
    "one detector verifies": ("detectors = 2", "detectors = 1",
        "verification.detectors: expected 2 or more (S9.1)"),
}  # fmt: skip


@pytest.mark.clause("S13.2")
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_names_the_file_and_what_was_expected(name: str, tmp_path: Path) -> None:
    old, new, words = FAULTS[name]
    text = SHIPPED.read_text("utf-8")
    assert old in text, "the shipped file has changed: mend this test"
    file = tmp_path / "mine.toml"
    file.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(TermsFault) as fault:
        read(file)
    assert "mine.toml" in str(fault.value)
    assert words in str(fault.value)


def test_a_file_that_is_not_there_or_not_text_is_a_fault_too(tmp_path: Path) -> None:
    with pytest.raises(TermsFault, match=r"none\.toml: cannot be read"):
        read(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(TermsFault, match=r"bytes\.toml: not UTF-8"):
        read(tmp_path / "bytes.toml")
