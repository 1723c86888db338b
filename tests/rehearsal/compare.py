"""Compares a played timeline with the expected one, and checks the vocabulary of stories.

The expectations are written from the contract alone, by hand, and hold only what the contract
determines: each expected line must be there, at its place, with `what` and `at` equal and every
key it names equal; the played line may say more. The comparison must never forgive a missing, a
further or an exchanged line, save those of `NOT_OURS`, which belong to rules that most stories are
no test of; a story whose expectation names one of them is.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

Line = Mapping[str, Any]

#: lines of papers and counting that may stand between the lines these stories are about
NOT_OURS = frozenset({"needless.counted", "contract.started", "card.issued", "police.registered"})
INSTANTS = frozenset({"at", "until"})


def differences(expected: Sequence[Line], played: Sequence[Line]) -> list[str]:
    """Every difference in a sentence, none when the played timeline is the expected one."""
    forgiven = NOT_OURS - {line["what"] for line in expected}
    kept = [line for line in played if line["what"] not in forgiven]
    found = [
        sentence
        for number, (wanted, got) in enumerate(zip(expected, kept, strict=False), 1)
        for sentence in _line_differences(number, wanted, got)
    ]
    for number, line in enumerate(expected[len(kept) :], len(kept) + 1):
        found.append(f"line {number} is missing: {show(line)}")
    for number, line in enumerate(kept[len(expected) :], len(expected) + 1):
        found.append(f"line {number} is too many: {show(line)}")
    return found


def _line_differences(number: int, wanted: Line, got: Line) -> Iterable[str]:
    if wanted["what"] != got["what"] or not _same("at", wanted["at"], got["at"]):
        yield f"line {number}: expected {show(wanted)}, played {show(got)}"
        return
    for key in sorted(wanted):
        if key not in got:
            yield f"line {number}: {key} is missing in {show(got)}, expected {wanted[key]!r}"
        elif not _same(key, wanted[key], got[key]):
            yield f"line {number}: {key} is {got[key]!r} in {show(got)}, expected {wanted[key]!r}"


def _same(key: str, wanted: object, got: object) -> bool:
    if key in INSTANTS:
        first, second = datetime.fromisoformat(str(wanted)), datetime.fromisoformat(str(got))
        return first == second and first.utcoffset() == second.utcoffset()
    return wanted == got


def show(line: Line) -> str:
    """One line as JSON, for a person who reads the failure."""
    return json.dumps(dict(line), ensure_ascii=False)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The JSON objects of a file, one a line."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


TOP = {
    *("title", "clauses", "terms", "start", "until", "operators", "operator_pace"),
    *("site", "event"),
    # extensions of the format, in docs/reference/story-format.md
    *("terms_changes", "carrier"),
}
CARRIER = {"channel", "from", "to", "does", "by"}
PERSON = {"name", "phone", "email", "code", "answers", "says", "gives_code", "sms"}
SITE = {
    *("name", "address", "position", "customer", "language", "plan", "formula", "types"),
    *("options", "account", "activated", "test_period", "test_wait", "premises", "installer"),
    *("contract", "handlings_used", "needless", "zone", "contact", "open_close"),
    *("procedures", "other", "test_times", "power_delay"),
}
ZONE = {"number", "name", "detector", "kind"}
HOURS = {"days", "date", "open", "close", "margin", "area", "repeat"}
#: the kinds of event and the further keys of each
EVENTS: dict[str, set[str]] = {
    "signal": {"zone", "area"},
    "frame": set(),
    "camera": set(),
    "sms_from": {"text"},
    "phone_from": {"code", "says", "duration"},
    "written": {"duration", "code", "invoice"},
    "operator": {"reason"},
    "patrol": {"unit", "position", "state", "finding"},
    "sheet": {"from", "to"},
    "connected": set(),
    "tests_done": set(),
    "papers_received": set(),
    "activation_confirmed": set(),
    "index": {"month", "value", "base"},
    "payment": {"invoice", "amount"},
    "notice": {"end"},
    "move": {"address"},
    "crash": set(),
}


def strange_keys(story: Mapping[str, Any]) -> list[str]:
    """Every key of a story that its format does not know, and events not of one kind."""
    found = [f"story: {key}" for key in sorted(set(story) - TOP)]
    for site in story.get("site", []):
        found += _strange("site", site, SITE)
        found += _strange("premises", site.get("premises", {}), PERSON)
        found += _strange("installer", site.get("installer", {}), {"name", "email"})
        tables = (("zone", ZONE), ("contact", PERSON), ("open_close", HOURS), ("other", PERSON))
        for table, known in tables:
            for row in site.get(table, []):
                found += _strange(table, row, known)
        for contact in site.get("contact", []):
            found += _strange("sms", contact.get("sms", {}), {"after", "text"})
    for carrier in story.get("carrier", []):
        found += _strange("carrier", carrier, CARRIER)
    for number, event in enumerate(story.get("event", []), 1):
        kinds = sorted(set(event) & set(EVENTS))
        if len(kinds) != 1:
            found.append(f"event {number}: of kinds {kinds}")
            continue
        found += _strange(f"event {number}", event, {"at", "site", kinds[0]} | EVENTS[kinds[0]])
    return found


def _strange(where: str, table: Mapping[str, Any], known: set[str]) -> list[str]:
    return [f"{where}: {key}" for key in sorted(set(table) - known)]


def read_story(path: Path) -> dict[str, Any]:
    """The story's tables; raises tomllib.TOMLDecodeError when it is no TOML."""
    return tomllib.loads(path.read_text("utf-8"))
