"""One seed, one story: terms, time, sites, operators, events, carriers that fail, crashes.

A story has a safety phase, in which all that can go wrong may go wrong, and a liveness phase after
its last event and fault, in which everything must settle.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from meldkamer.rehearsal.simulator.happening import Script
from meldkamer.rehearsal.simulator.places import sites
from meldkamer.terms.loader import load, shipped, varied

_ZONE = ZoneInfo("Europe/Brussels")
#: shortly before the clock goes forward and back, the year's end, and a plain night
_STARTS = (
    datetime(2026, 3, 28, 21, 30),  # noqa: DTZ001 - the zone is added below
    datetime(2026, 10, 24, 20, 15),  # noqa: DTZ001
    datetime(2027, 12, 31, 23, 40),  # noqa: DTZ001
    datetime(2028, 2, 28, 22, 0),  # noqa: DTZ001
    datetime(2026, 3, 2, 22, 0),  # noqa: DTZ001
    datetime(2026, 6, 17, 7, 30),  # noqa: DTZ001
)
_CHANGES: dict[str, tuple[Any, ...]] = {
    "texting.wait_s": (30, 60, 120),
    "texting.rounds": (1, 3),
    "texting.rounds_before_operator": (2,),
    "power.delay_s": (0, 60, 600),
    "verification.window_s": (60, 600, 7200),
    "queue.everyone_after_s": (30, 45),
    "queue.supervisor_after_s": (120,),
    "queue.remind_every_s": (120, 3600),
    "outage.sites": (2, 3),
    "outage.share": (0.1, 0.9),
    "line_test.handled": (1, 2),
    "flood.signals": (6,),
    "flood.quiet_s": (60,),
    "needless.suspend_at": (4,),
    "trial.days": (0, 1, 30),
    "test_mode.phone_max_s": (3600,),
}


def generate(seed: int) -> dict[str, Any]:
    """The tables of the seed's story, as they would stand in its file."""
    dice = Random(seed)  # noqa: S311 - it must be the same each time
    terms = dice.choice(shipped())
    start = dice.choice(_STARTS).replace(tzinfo=_ZONE) + timedelta(minutes=dice.randrange(240))
    story: dict[str, Any] = {
        "title": f"Seed {seed}",
        "clauses": [],
        "terms": terms,
        "start": start,
        "operators": dice.choice((0, 1, 1, 1, 2, 3)),
        "operator_pace": dice.choice(("1s", "10s", "20s", "20s", "45s", "2m", "130s")),
        "terms_changes": _changes(dice, terms),
    }
    places = sites(dice, terms, start)
    script = Script(dice, places, start)
    story["event"] = script.write()
    if not story["operators"]:
        # nobody takes anything, so nothing settles; the reminders would go on for a week, and each
        # incident brings its own
        changes = {**story["terms_changes"], "queue.remind_every_s": 7200}
        story["terms_changes"] = changes
        story["until"] = f"+{int(max(at for at, _ in script.events)) + 3600}s"
    _force(dice, story, places)
    story["crash_at_commits"] = _crashes(dice)
    story["site"] = places
    story["carrier"] = _carriers(dice, script.horizon_s)
    return {key: value for key, value in story.items() if value or key in ("operators", "clauses")}


def _changes(dice: Random, terms: str) -> dict[str, Any]:
    """Other numbers in one story of three, and now and then another treatment."""
    if dice.random() > 0.35:
        return {}
    names = dice.sample(list(_CHANGES), dice.randint(1, 4))
    changes = {name: dice.choice(_CHANGES[name]) for name in names}
    if load(terms).formulas and dice.random() < 0.4:
        formula = dice.choice(list(load(terms).formulas))
        place = f"formulas.{formula}.treatment.{dice.choice(('battery', 'power'))}"
        changes[place] = dice.choice(("app", "ladder", "ladder+operator", "operator"))
    varied(terms, changes)
    return changes


def _carriers(dice: Random, horizon_s: int) -> list[dict[str, Any]]:
    found = []
    for _ in range(dice.choice((0, 0, 1, 1, 2, 3))):
        begin = dice.randrange(horizon_s)
        fault: dict[str, Any] = {
            "channel": dice.choice(("sms", "sms", "sms", "mail", "app")),
            "from": f"+{begin}s",
            "to": f"+{begin + dice.choice((20, 95, 600, 3600))}s",
            "does": dice.choice(("refuses", "rejects", "loses", "delays", "doubles")),
        }
        if fault["does"] in ("delays", "doubles"):
            fault["by"] = dice.choice(("5s", "60s", "10m"))
        found.append(fault)
    return found


def _crashes(dice: Random) -> list[int]:
    """At commits anywhere in the story; two close together is a crash while it gets up."""
    if dice.random() < 0.35:
        return []
    found = {dice.randrange(1, 160) for _ in range(dice.randint(1, 8))}
    return sorted(found | {number + 1 for number in found if dice.random() < 0.3})


def _force(dice: Random, story: dict[str, Any], places: list[dict[str, Any]]) -> None:
    """Sometimes a site that is not in force yet: the four facts of its activation."""
    if dice.random() > 0.1:
        return
    site = dice.choice(places)
    site.pop("activated", None)
    named = {"site": site["name"]} if len(places) > 1 else {}
    for kind in ("connected", "tests_done", "papers_received", "activation_confirmed"):
        if dice.random() < 0.9:
            story["event"].append({"at": f"+{dice.randrange(3 * 86400)}s", **named, kind: True})
