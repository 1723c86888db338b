"""The browser's scripts have no semicolons: a line may not begin where it continues the last."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import meldkamer

SOURCE = Path(meldkamer.__file__).parent
#: a bracket here is a call of, or an index into, what stands on the line before
OPENS = re.compile(r"\s*(/\*.*?\*/\s*)?[(\[`]")
#: the line before is not at its end
GOES_ON = re.compile(r"([;{},(\[=>&|?:+]|^)\s*$")


def test_no_line_of_a_script_is_taken_for_a_call_of_the_line_before() -> None:
    scripts = sorted(SOURCE.rglob("static/**/*.js"))
    assert len(scripts) > 5
    found = []
    for script in scripts:
        lines = script.read_text().splitlines()
        for number, (before, line) in enumerate(pairwise(lines), start=2):
            told = before.strip()
            if told.startswith(("//", "/*", "*")) or not OPENS.match(line):
                continue
            if not GOES_ON.search(before):
                found.append(f"{script.name}:{number}: {line.strip()}")
    assert not found
