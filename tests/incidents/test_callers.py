"""Somebody calls in: tries are counted per number; a locked number can only raise (S19.1)."""

import pytest

from meldkamer.incidents.incoming import someone_calls
from meldkamer.incidents.models import Incident
from tests.incidents.town import CODES, Town, at, told

NUMBER = "+32475999888"


def calls_in(town: Town, code: str, says: str = "false_alarm", *, seconds: float = 0) -> str:
    """The first contact calls from NUMBER with a code."""
    return someone_calls(
        town.emma, town.site.pk, town.key(), code, says, at(seconds), number=NUMBER
    )


@pytest.mark.clause("S19.1")
def test_after_three_wrong_codes_a_number_is_locked_and_the_right_code_does_nothing(
    town: Town,
) -> None:
    incident = town.incident()
    assert [calls_in(town, "000000", seconds=n) for n in range(3)] == ["wrong"] * 3
    assert calls_in(town, CODES[0], seconds=10) == "locked"
    incident.refresh_from_db()
    assert incident.closed_at is None
    reasons = [entry.reason for entry in told("identification.failed")]
    assert reasons == ["wrong code", "wrong code", "wrong code", "number locked"]


@pytest.mark.clause("S19.1")
def test_the_lock_ends_by_itself_and_other_numbers_are_not_locked(town: Town) -> None:
    incident = town.incident()
    for second in range(3):
        calls_in(town, "000000", seconds=second)
    found = someone_calls(
        town.emma, town.site.pk, town.key(), CODES[0], "start_test", at(20), number="+3232000001"
    )
    assert found == "right"
    assert calls_in(town, CODES[0], seconds=903) == "right"
    incident.refresh_from_db()
    assert incident.outcome == Incident.Outcome.FALSE_ALARM


@pytest.mark.clause("S24.1")
def test_a_locked_number_can_still_ask_for_help(town: Town) -> None:
    for second in range(3):
        calls_in(town, "000000", seconds=second)
    assert calls_in(town, CODES[0], "help", seconds=10) == "locked"
    assert Incident.objects.get(type="holdup").verified_by == "person"


@pytest.mark.clause("S19.1")
def test_a_right_code_forgets_the_failures_before_it(town: Town) -> None:
    for second, code in enumerate(("000000", "000000", CODES[0], "000000", "000000")):
        calls_in(town, code, "start_test", seconds=second)
    assert calls_in(town, CODES[0], "end_test", seconds=9) == "right"


@pytest.mark.clause("S18.1")
def test_no_code_is_ever_in_the_journal(town: Town) -> None:
    calls_in(town, "123456")
    calls_in(town, CODES[0], "start_test", seconds=1)
    text = " ".join(str(entry.data) + entry.reason for entry in told("identification.failed"))
    text += " ".join(str(entry.data) + entry.reason for entry in told("identified"))
    assert "123456" not in text
    assert CODES[0] not in text
