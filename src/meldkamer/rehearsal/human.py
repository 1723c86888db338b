"""A timeline for a person: one line each, with its clause, coloured on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from meldkamer.rehearsal.story import Story

_COLOURS = {
    "signal": "36",
    "incident": "1",
    "police": "31",
    "fire": "31",
    "medical": "31",
    "supervisor": "33",
    "call": "32",
    "sms": "32",
    "handling": "35",
}
_SAID = {"at", "what", "site", "incident", "type", "to", "clause", "reason"}


def show(story: Story, lines: Sequence[dict[str, Any]]) -> None:
    """Print a story's timeline."""
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print(f"{story.parts.title}  ({story.path})")
    for line in lines:
        print(_row(line, coloured))
    print()


def _row(line: dict[str, Any], coloured: bool) -> str:
    what = str(line["what"])
    rest = ", ".join(f"{key} {_plain(value)}" for key, value in line.items() if key not in _SAID)
    number = f"#{line['incident']}" if "incident" in line else ""
    words = [str(line.get(key, "")) for key in ("type", "to", "reason")]
    text = " · ".join(word for word in [*words, rest] if word)
    when = str(line.get("at", ""))[:19].replace("T", " ")
    row = f"  {when}  {number:>4} {what:<22} {line.get('clause', ''):<7} {text}"
    colour = _COLOURS.get(what.split(".")[0], "")
    return f"\x1b[{colour}m{row}\x1b[0m" if coloured and colour else row.rstrip()


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
