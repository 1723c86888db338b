"""What the end of a call means for the message it carried."""

from __future__ import annotations

import pytest

from meldkamer.notify.carrier import CarrierFault, ReceiptState, Rejected
from meldkamer.notify.voice import outcomes


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("486 Busy Here", "busy"),
        ("600 Busy Everywhere", "busy"),
        ("480 Temporarily Unavailable", "not available"),
        ("408 Request Timeout", "no answer"),
        ("603 Decline", "turned away"),
    ],
)
def test_who_does_not_take_it_up_has_not_answered(reason: str, word: str) -> None:
    assert outcomes.refused(reason) == word
    assert outcomes.ended(reason) == (ReceiptState.UNANSWERED, word)


@pytest.mark.parametrize("reason", ["404 Not Found", "484 Address Incomplete", "410 Gone"])
def test_a_number_that_does_not_exist_is_turned_down_for_good(reason: str) -> None:
    found = outcomes.refused(reason)
    assert isinstance(found, Rejected)
    assert reason in str(found)


@pytest.mark.parametrize(
    "reason",
    ["403 Forbidden", "401 Unauthorized", "502 Bad Gateway", "503 Service Unavailable",
     "Connection refused", ""],
)  # fmt: skip
def test_trouble_of_the_exchange_is_no_fault_of_the_number(reason: str) -> None:
    found = outcomes.refused(reason)
    assert isinstance(found, CarrierFault)
    assert not isinstance(found, Rejected)
    # one number that is barred takes no carrier from the others
    assert found.blames == (not reason.startswith("403"))
    assert outcomes.ended(reason)[0] == ReceiptState.FAILED
