"""A failing story is made short, and what is left can be played by anybody."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from meldkamer.rehearsal.reading import read
from meldkamer.rehearsal.simulator.cli import Simulation
from meldkamer.rehearsal.simulator.generating import generate
from meldkamer.rehearsal.simulator.observed import Broken
from meldkamer.rehearsal.simulator.playing import story_of
from meldkamer.rehearsal.simulator.shrinking import shrink
from meldkamer.rules import ladder

Tables = dict[str, Any]


def _holdup(tables: Tables) -> None:
    """Fails while a hold-up comes to a site that has a contact."""
    story_of(tables)
    people = {site["name"]: site.get("contact", []) for site in tables["site"]}
    alone = next(iter(people))
    for event in tables.get("event", []):
        if event.get("signal") in ("HA", "PA") and people.get(event.get("site", alone)):
            raise Broken("no call after duress", "a hold-up")


def _seed_that_fails() -> tuple[Tables, Broken]:
    for seed in range(1, 200):
        tables = generate(seed)
        try:
            _holdup(tables)
        except Broken as broken:
            if len(tables["event"]) > 10 and len(tables["site"]) > 2:
                return tables, broken
    raise AssertionError("no seed has a hold-up at one of several sites")


def test_what_can_go_goes_and_the_rest_still_fails_alike() -> None:
    tables, broken = _seed_that_fails()
    short, found = shrink(tables, broken, _holdup)
    assert found.checker == broken.checker
    assert len(short["event"]) == 1
    assert len(short["site"]) == 1
    assert len(short["site"][0]["contact"]) == 1
    assert not {"carrier", "crash_at_commits", "terms_changes"} & set(short)
    with pytest.raises(Broken):
        _holdup(short)


def test_another_failure_on_the_way_is_not_taken_for_the_same() -> None:
    tables, broken = _seed_that_fails()

    def other_when_short(tables: Tables) -> None:
        if len(tables["event"]) < 3:
            raise Broken("everything settles", "another one")
        _holdup(tables)

    short, found = shrink(tables, broken, other_when_short)
    assert found.checker == broken.checker
    assert len(short["event"]) == 3


def test_shortening_is_bounded_in_time() -> None:
    tables, broken = _seed_that_fails()
    assert shrink(tables, broken, _holdup, longest_s=0)[0] == tables


def test_a_failing_seed_prints_and_writes_its_shortest_story(
    own_database: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    def start(*facts: Any) -> Any:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(ladder, "start", start)
    monkeypatch.setattr(
        "meldkamer.rehearsal.simulator.generating.generate",
        lambda seed: {**_battery(), "title": f"Seed {seed}"},
    )
    options = argparse.Namespace(
        seed=3, count=1, live=0, shrink=5.0, keep_going=False, out=tmp_path
    )
    assert Simulation(options).run() == 1
    said = capsys.readouterr().out
    assert "seed 3 broke a rule: no step fails: ZeroDivisionError" in said
    assert "0 clean, 1 failed" in said
    kept = read(str(tmp_path / "seed-3.toml"))
    assert (tmp_path / "seed-3.toml").read_text() in said
    assert [event.signal for _, event, _ in kept.events] == ["YT"]


def _battery() -> Tables:
    from tests.rehearsal.simulator import stories

    return stories.story(
        stories.event(5, signal="RP"),
        stories.event(60, signal="YT"),
        stories.event(70, signal="BB"),
        at=stories.site(stories.contact(1)),
    )
