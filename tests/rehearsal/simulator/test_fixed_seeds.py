"""A few seeds that are always the same; CI plays more of them (MELDKAMER_SIM_SEEDS)."""

import os

import pytest

from meldkamer.rehearsal.simulator.generating import generate
from meldkamer.rehearsal.simulator.playing import play, story_of
from meldkamer.rehearsal.simulator.writing import to_toml

#: chosen for what meets in them: outages, duress, tests, carriers that fail, deaths, retries
FIXED = (1, 2, 4, 8, 12)
MORE = int(os.environ.get("MELDKAMER_SIM_SEEDS", "0"))
SEEDS = tuple(sorted({*FIXED, *range(1, MORE + 1)}))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_rule_is_broken_by_the_seed(seed: int, own_database: None) -> None:
    play(generate(seed), as_live=seed % 4 == 0)


def test_the_same_seed_is_the_same_story() -> None:
    assert to_toml(generate(7)) == to_toml(generate(7))
    assert to_toml(generate(7)) != to_toml(generate(8))


@pytest.mark.parametrize("first", range(1, 200, 20))
def test_every_story_can_be_read_from_its_file(first: int) -> None:
    for seed in range(first, first + 20):
        tables = generate(seed)
        story = story_of(tables)
        assert len(story.events) == len(tables["event"])
        assert len(story.parts.site) == len(tables["site"])
