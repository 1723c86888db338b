"""The call that runs belongs to who placed it (S19.1)."""

from datetime import UTC, datetime

import pytest

from meldkamer.rules import running_call
from meldkamer.rules.facts import Past
from meldkamer.rules.procedures import targets
from tests.rules.test_requests import incident

NOW = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)
PLACED = Past(NOW, "call.placed", data={"key": "premises"})
RIGHT = Past(NOW, "identity.checked", data={"outcome": "right", "key": "c7"})
WRONG = Past(NOW, "identity.checked", data={"outcome": "wrong", "key": "c7"})


@pytest.mark.clause("S19.1")
def test_an_identification_ends_with_the_call_and_with_the_hands_it_was_given_to() -> None:
    facts = incident("intrusion", PLACED, RIGHT)
    step = targets(facts)[0]
    assert running_call.identity(facts) == ("right", "c7")
    assert running_call.runs(facts, step)
    for end in ("incident.taken_over", "incident.taken"):
        taken = incident("intrusion", PLACED, RIGHT, Past(NOW, end))
        assert running_call.identity(taken) == ("none", "")
        assert not running_call.runs(taken, step)


@pytest.mark.clause("S19.1")
def test_tries_are_counted_within_one_call() -> None:
    assert running_call.tries(incident("intrusion", PLACED, WRONG, WRONG)) == 2
    assert running_call.tries(incident("intrusion", PLACED, WRONG, PLACED)) == 0


def test_a_call_to_another_ends_the_one_before() -> None:
    other = Past(NOW, "call.placed", data={"key": "c7"})
    facts = incident("intrusion", PLACED, other)
    premises, contact = targets(facts)
    assert not running_call.runs(facts, premises)
    assert running_call.runs(facts, contact)
