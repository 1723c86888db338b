"""Each checker catches a fault that was planted for it, and is silent without one."""

import pytest

from meldkamer.rehearsal.simulator.checking import CHECKERS, NAMES
from meldkamer.rehearsal.simulator.observed import Broken
from meldkamer.rehearsal.simulator.playing import play
from meldkamer.rehearsal.simulator.writing import to_toml
from tests.rehearsal.simulator.planted import PLANTED, Planted


def test_every_checker_has_a_planted_fault() -> None:
    assert {planted.checker for planted in PLANTED} == set(NAMES)


#: stories that broke nothing without a fault; several faults share one
CLEAN: set[tuple[str, bool]] = set()


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.what)
def test_the_planted_fault_is_caught_by_its_checker(
    planted: Planted, own_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = (to_toml(planted.story), planted.lived)
    if played not in CLEAN:
        play(planted.story, as_live=planted.lived)
        CLEAN.add(played)
    planted.plant(monkeypatch)
    with pytest.raises(Broken) as caught:
        play(planted.story, as_live=planted.lived)
    assert caught.value.checker == planted.checker, str(caught.value)


def test_every_checker_names_the_clauses_it_holds() -> None:
    assert all(checker.clauses for checker in CHECKERS)
    assert len(set(NAMES)) == len(NAMES)
