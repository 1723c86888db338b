"""`python -m tests.process.hurried COMMAND …`: meldkamer in a hurry, everything is soon due.

The folder of terms is the one that MELDKAMER_TEST_TERMS names; nothing else is changed. With
MELDKAMER_TEST_RED=acts-twice the worker breaks the agenda's promise: it acts in one transaction and
marks the row in another, and dies between the two (once for each row that ends a trial or begins a
contract). The red twin of the checker.
"""

import os
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from meldkamer.project import cli
from meldkamer.terms import loader

#: what is said in seconds in the terms, and what it is in a hurry
NUMBERS = {
    "everyone_after_s": 2, "supervisor_after_s": 4, "remind_every_s": 3, "idle_s": 3,
    "wait_s": 2, "delay_s = 1800": 3, "after_s = 600": 3, "after_s = 120": 4,
}  # fmt: skip


def write_terms(folder: Path) -> None:
    """The shipped terms, hurried, into a folder."""
    import re

    folder.mkdir(parents=True, exist_ok=True)
    for file in loader.DIRECTORY.glob("*.toml"):
        text = file.read_text("utf-8").replace("enabled = true", "enabled = false")
        for key, seconds in NUMBERS.items():
            name, _, value = key.partition(" = ")
            text = re.sub(rf"\b{name} = {value or '[0-9]+'}\b", f"{name} = {seconds}", text)
        (folder / file.name).write_text(text, "utf-8")


def _act_in_two_steps() -> None:
    from django.db import transaction

    from meldkamer.agenda import commands
    from meldkamer.agenda.models import AgendaRow

    marks = Path(os.environ["MELDKAMER_VAR"])

    def act_on(
        row_id: int,
        acts: Mapping[str, commands.Act],
        now: datetime,
        locks: Mapping[str, commands.Lock] | None = None,
    ) -> bool:
        row = AgendaRow.objects.filter(id=row_id, done_at=None, due__lte=now).first()
        if row is None:
            return False
        with transaction.atomic():
            acts[row.kind](row, now)
        if row.kind in ("trial.end", "force.start"):
            mark = marks / f"died-{row_id}"
            if not mark.exists():
                mark.touch()
                os._exit(9)
        AgendaRow.objects.filter(id=row_id, due__lte=now).update(done_at=now)
        return True

    commands.act_on = act_on


def main() -> int:
    """Run a command of meldkamer in a hurry."""
    loader.DIRECTORY = Path(os.environ["MELDKAMER_TEST_TERMS"])
    if os.environ.get("MELDKAMER_TEST_RED") == "acts-twice" and sys.argv[1] == "work":
        from meldkamer.project.commands._owner import with_django

        with_django()
        _act_in_two_steps()
    return cli.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
