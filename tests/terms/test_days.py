"""Holidays and the time of the report in a terms file: refused when they cannot be read."""

from __future__ import annotations

import pytest

from meldkamer.terms.loader import TermsFault, varied


@pytest.mark.parametrize(
    ("place", "value", "named"),
    [
        ("open_close.holidays", ["01-01", "32-01"], "'32-01' is no holiday"),
        ("open_close.holidays", ["easter+"], "expected MM-DD, easter or easter+39"),
        ("line_test.report_at", "25:00", "expected a time of day as 07:00"),
        ("line_test.report_at", "7", "line_test.report_at"),
    ],
)
def test_a_day_or_time_that_cannot_be_read_is_named(place: str, value: object, named: str) -> None:
    with pytest.raises(TermsFault) as fault:
        varied("securitas-2022-05", {place: value})
    assert named in str(fault.value)
