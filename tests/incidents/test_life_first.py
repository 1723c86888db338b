"""S15.1: "life first" is a choice of a terms file, and the operators' queue follows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from meldkamer.engine import cycle
from meldkamer.incidents.models import Incident
from meldkamer.incidents.operating import taking
from meldkamer.rules import queue
from meldkamer.terms import loader
from tests.incidents.town import NOW, Town, at, told

CHOICE = '[queue]\nageing_types = ["fire", "medical", "holdup"]\nageing_after_s = 120\n'


@pytest.fixture
def under(tmp_path: Path) -> Callable[[str], str]:
    """The shipped terms with another table of the queue, as a file; the name to load them by."""

    def write(head: str) -> str:
        text = (loader.DIRECTORY / "securitas-2022-05.toml").read_text("utf-8")
        name = "life-first" if head == CHOICE else "as-shipped"
        file = tmp_path / f"{name}.toml"
        text = text.replace('name = "securitas-2022-05"', f'name = "{name}"', 1)
        file.write_text(text.replace("[queue]", head, 1), "utf-8")
        return loader.adopt(loader.read(file))

    return write


@pytest.mark.clause("S15.1")
@pytest.mark.parametrize(
    ("head", "age_s", "first"),
    [
        (CHOICE, 119, "intrusion"),
        (CHOICE, 120, "fire"),
        ("[queue]", 120, "intrusion"),
        ("[queue]", 86_400, "intrusion"),
    ],
    ids=["not yet", "old enough", "without the choice", "without it, however old"],
)
def test_a_fire_that_waits_overtakes_where_the_terms_say_so(
    town: Town, under: Callable[[str], str], head: str, age_s: int, first: str
) -> None:
    town.provider.terms = under(head)
    town.provider.save()
    town.signal("fire", "FA", zone="2")
    cycle.judge_all(NOW)
    second = town.build_site("Second")
    town.signal("intrusion", "BA", site=second, when=at(age_s - 1))
    cycle.judge_all(at(age_s - 1))
    taken = taking.take_next(town.emma, at(age_s))
    assert taken is not None
    assert taken.type == first
    assert [entry.clause for entry in told("incident.taken")] == ["S15.1"]
    assert Incident.objects.filter(state="queued").count() == 1


@pytest.mark.clause("S15.1")
def test_the_next_of_a_long_queue_is_found_among_few_and_is_the_one_of_the_rules(
    town: Town, under: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a storm: a fire that waits long stands behind more burglaries than are read at once."""
    town.provider.terms = under(CHOICE)
    town.provider.save()
    monkeypatch.setattr(taking, "_FIRST", 3)
    town.signal("fire", "FA", zone="2")
    for number in range(5):
        town.signal("intrusion", "BA", site=town.build_site(f"Site {number}"), when=at(number))
    cycle.judge_all(at(10))
    rules = loader.load(town.provider.terms)
    waiting = [queue.Waiting(i.pk, i.type, i.priority, i.opened_at) for i in Incident.objects.all()]
    wanted = [one.id for one in sorted(waiting, key=lambda one: queue.place(one, rules, at(300)))]
    found = []
    while (taken := taking.take_next(town.emma, at(300))) is not None:
        found.append(taken.pk)
    assert found == wanted
    assert len(found) == 6


def test_a_choice_of_a_type_that_is_none_is_refused(under: Callable[[str], str]) -> None:
    with pytest.raises(loader.TermsFault, match="ageing_types"):
        under('[queue]\nageing_types = ["burning"]\nageing_after_s = 120\n')
