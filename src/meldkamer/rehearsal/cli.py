"""meldkamer rehearse: read all stories, then play each in a transaction that is rolled back."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from meldkamer.rehearsal.faults import StoryFault
from meldkamer.rehearsal.reading import read
from meldkamer.rehearsal.story import Story

ScratchDatabase = Callable[[str], AbstractContextManager[str]]


def main(argv: Sequence[str], scratch_database: ScratchDatabase) -> int:
    """0 when all stories were played, 2 when one of them is faulty (R29).

    scratch_database: yields the connection string of a database of one's own.
    """
    options = _parser().parse_args(list(argv))
    try:
        stories = [read(path) for path in options.stories]
    except StoryFault as fault:
        print(fault, file=sys.stderr)
        return 2
    with scratch_database("rehearse") as dsn:
        os.environ["DATABASE_URL"] = dsn
        os.environ["MELDKAMER_DB_ROLE"] = "owner"
        _setup()
        try:
            _print_all(stories, as_json=options.json)
        except StoryFault as fault:
            print(fault, file=sys.stderr)
            return 2
        finally:
            from django.db import connections

            connections.close_all()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="meldkamer rehearse", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("stories", nargs="+", metavar="STORY.toml")
    return parser


def _setup() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meldkamer.project.settings")
    django.setup()


def _print_all(stories: Sequence[Story], *, as_json: bool) -> None:
    # played before anything is printed: a story that cannot be played prints nothing (R29)
    played = [(story, play(story)) for story in stories]
    several = len(played) > 1
    for story, lines in played:
        if as_json:
            for line in lines:
                told = {"story": story.path, **line} if several else line
                print(json.dumps(told, ensure_ascii=False))
        else:
            from meldkamer.rehearsal.human import show

            show(story, lines)


def play(story: Story) -> list[dict[str, Any]]:
    """Play one story; its rows are gone afterwards. StoryFault when it cannot be played."""
    from django.db import transaction

    from meldkamer.rehearsal.player import Player
    from meldkamer.rehearsal.timeline import lines
    from meldkamer.rehearsal.world import build

    with transaction.atomic():
        world = build(story)
        end = Player(world).play()
        told = list(lines(world, end))
        transaction.set_rollback(True)
    return told
