"""Nothing acknowledged is lost and nothing is handled twice, whatever is killed (M12.1, M12.2).

`make chaos` runs more rounds, N of them; SEED repeats the first.
"""

import os
import random

import pytest

from tests.process.centre import Centre, Panels, play
from tests.process.chaos_intake import doubled, lost

pytestmark = pytest.mark.slow
ROUNDS = int(os.environ.get("MELDKAMER_CHAOS_ROUNDS") or 6)
SEED = int(os.environ.get("MELDKAMER_CHAOS_SEED") or 11)
VICTIMS = ("receive", "work", "web", "postgres", "work", "operator")


def one_run(seed: int, kills: list[str], pause_s: float) -> None:
    chance = random.Random(seed)
    chance.shuffle(kills)
    with Centre() as centre:
        traffic = Panels(centre)
        centre.staff_up(traffic)
        found = play(centre, traffic, kills, chance, pause_s)
        found += centre.settle()
        figures = {
            "seed": seed,
            "killed": centre.figures.kills,
            "acknowledged": len(traffic.acknowledged),
            "frames": centre.rows("journal_frame"),
            "verdicts": centre.rows("incidents_verdict"),
            "incidents": centre.rows("incidents_incident"),
            "still open": centre.rows("incidents_incident", "closed_at IS NULL"),
            "agenda rows done": centre.rows("agenda_agendarow", "done_at IS NOT NULL"),
            "messages": centre.rows("notify_outboxmessage"),
            "replies": centre.rows("notify_inboundmessage"),
        }
        print(figures, *centre.said("FAULT"), sep="\n")
        assert found == []
        assert lost(traffic) == set()
        assert doubled(traffic) == []
        assert centre.said("DEADLOCK") == []
        assert centre.said("FAULT") == []
        assert sum(centre.figures.kills.values()) == len(kills)
        centre.watch_until(centre.web_answers, 10)
        assert centre.rows("journal_seal") > 0
        # the run was worth something
        assert len(traffic.acknowledged) > 50
        assert figures["incidents"] > 20
        assert figures["agenda rows done"] > 20
        assert figures["replies"]


@pytest.mark.clause("M12.1", "M12.2", "S3.1")
def test_a_centre_whose_processes_are_killed_at_random_loses_and_doubles_nothing() -> None:
    one_run(SEED, [*VICTIMS, "work", "postgres"], pause_s=0.6)


@pytest.mark.chaos
@pytest.mark.clause("M12.1", "M12.2")
@pytest.mark.parametrize("number", range(ROUNDS))
def test_many_rounds_of_it(number: int) -> None:
    one_run(SEED + number, list(VICTIMS) * 4, pause_s=0.7)


@pytest.mark.clause("M12.1")
def test_the_checker_catches_a_worker_that_acts_and_then_marks_the_row() -> None:
    """Red twin: acts in one transaction, dies, and the next one acts on the row again."""
    with Centre(red="acts-twice", workers=1, operators=1) as centre:
        traffic = Panels(centre, panels=4)
        centre.staff_up(traffic, web=False)
        assert play(centre, traffic, [], random.Random(SEED), pause_s=2.0) == []
        centre.watch_until(lambda: list((centre.home / "var").glob("died-*")), 20)
        centre.watch_for(5.0)
        found = " ".join(centre.faults_now())
    assert "a trial ended twice" in found or "a contract came into force twice" in found
