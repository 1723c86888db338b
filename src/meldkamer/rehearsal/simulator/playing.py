"""Plays one story of the simulator, with every checker, in every way there is to play it."""

from __future__ import annotations

import tempfile
import traceback
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from django.db import transaction

from meldkamer.rehearsal import reading, timeline
from meldkamer.rehearsal.player import Player
from meldkamer.rehearsal.simulator import live
from meldkamer.rehearsal.simulator.checking import check
from meldkamer.rehearsal.simulator.observed import Broken, Run, observe
from meldkamer.rehearsal.simulator.watching import Watcher
from meldkamer.rehearsal.simulator.writing import to_toml
from meldkamer.rehearsal.story import Story
from meldkamer.rehearsal.world import World, build

Lines = list[dict[str, Any]]


@dataclass
class Played:
    """What a story that broke nothing amounted to."""

    days: float = 0.0
    lines: int = 0
    commits: int = 0
    faults: Counter[str] = field(default_factory=Counter)


def story_of(tables: Mapping[str, Any]) -> Story:
    """The story as its file would be read; StoryFault when it cannot be played."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
        file.write(to_toml(tables))
        file.flush()
        return reading.read(file.name)


def play(tables: Mapping[str, Any], *, as_live: bool = False) -> Played:
    """Play a story in every way; Broken at the first rule that did not hold.

    as_live: also with real commits, through the worker's own cycle. That empties the tables.
    """
    story = story_of(tables)
    lines, played = _guarded(story, watched=True)
    if story.parts.crash_at_commits:
        calm = msgspec.structs.replace(
            story, parts=msgspec.structs.replace(story.parts, crash_at_commits=[])
        )
        without, _ = _guarded(calm, watched=False)
        sentence = live.difference(without, lines)
        if sentence:
            raise Broken("crashes change nothing", sentence)
    if as_live:
        with _Steps():
            run, lived = live.play(story_of(tables))
            check(run)
            sentence = live.difference(lines, lived)
        if sentence:
            raise Broken("live agrees", sentence)
        played.faults["stories lived as well"] += 1
    return played


class _Steps:
    """What a step raises is a broken rule too, named by where it was raised."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        if isinstance(fault, Exception) and not isinstance(fault, Broken):
            last = traceback.extract_tb(fault.__traceback__)[-1]
            own = [
                f for f in traceback.extract_tb(fault.__traceback__) if "meldkamer" in f.filename
            ]
            place = own[-1] if own else last
            where = f"{Path(place.filename).name}, {place.name}, line {place.lineno}"
            words = " ".join(str(fault).split())
            raise Broken("no step fails", f"{type(fault).__name__} in {where}: {words}") from fault


def _guarded(story: Story, *, watched: bool) -> tuple[Lines, Played]:
    with _Steps(), transaction.atomic():
        try:
            return _play(story, watched=watched)
        finally:
            transaction.set_rollback(True)


def _play(story: Story, *, watched: bool) -> tuple[Lines, Played]:
    # a story is read anew by the player, which takes its lists apart
    world = build(story)
    watcher = Watcher(world)
    player = Player(world, watch=watcher.look if watched else None)
    end = player.play()
    lines = list(timeline.lines(world, end))
    played = Played((end - story.start).total_seconds() / 86400, len(lines), player.commits.count)
    if watched:
        run = observe(world, end)
        check(run)
        played.faults = faults(run, player)
    return lines, played


def faults(run: Run, player: Player) -> Counter[str]:
    """What went wrong in a story, by kind; for the summary."""
    found: Counter[str] = Counter(
        f"frames {frame.disposition.replace('_', ' ')}"
        for frame in run.frames
        if frame.disposition != "accepted"
    )
    found["crashes at a commit"] = player.commits.kills
    for fault in run.world.story.parts.carrier:
        found[f"carriers: {fault.does}"] += 1
    found["frames with a wrong clock"] += sum(
        1 for frame in run.frames if "clock skew" in frame.reasons
    )
    zone = run.terms.timezone
    with suppress(KeyError):
        found["changes of the clock"] += _clock_changes(run.world, run, zone)
    return +found


def _clock_changes(world: World, run: Run, zone: str) -> int:
    from zoneinfo import ZoneInfo

    begins = world.story.start.astimezone(ZoneInfo(zone)).utcoffset()
    return int(begins != run.end.astimezone(ZoneInfo(zone)).utcoffset())
