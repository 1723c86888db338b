"""What a mail that came back says, in the forms that servers have for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meldkamer.notify.mail.returned import Returned, read_returned
from tests.notify.mail import reports


def test_a_report_says_that_it_failed_why_and_with_which_code() -> None:
    assert read_returned(reports.report()) == Returned(
        "failed", "5.1.1", "550 5.1.1 <an@peeters.example>: user unknown"
    )


@pytest.mark.parametrize(
    ("action", "status", "kind"),
    [
        ("delayed", "4.4.1", "delayed"), ("delivered", "2.0.0", "delivered"),
        ("relayed", "2.1.5", "other"), ("FAILED", "5.7.0", "failed"),
        ("expanded", "2.0.0", "other"),
    ],
)  # fmt: skip
def test_each_action_of_a_report_is_what_it_is(action: str, status: str, kind: str) -> None:
    found = read_returned(reports.report(action, status))
    assert (found.kind, found.code) == (kind, status)


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (reports.EXIM, "failed", "5.2.1"),
        (reports.QMAIL, "failed", "5.1.1"),
        (reports.AWAY, "automatic", ""),
        (reports.OLD_AWAY, "automatic", ""),
        (reports.PERSON, "other", ""),
        (b"", "other", ""),
        (b"\xff\xfe\x00", "other", ""),
    ],
)
def test_other_forms_are_told_apart(content: bytes, kind: str, code: str) -> None:
    found = read_returned(content)
    assert (found.kind, found.code) == (kind, code)


def test_a_report_in_which_a_code_is_nonsense_is_still_a_failure() -> None:
    found = read_returned(reports.report(status="five", diagnostic="x-unix; \x00\x1bno\tuser"))
    assert (found.kind, found.code) == ("failed", "")
    assert found.detail == "no user"


@given(st.binary(max_size=400), st.integers(0, 900))
def test_whatever_is_sent_is_read_and_raises_nothing(noise: bytes, where: int) -> None:
    whole = reports.report()
    for content in (noise, whole[:where] + noise + whole[where:], whole[:where]):
        found = read_returned(content)
        assert found.kind in ("failed", "delayed", "delivered", "automatic", "other")
        assert all(char.isprintable() for char in found.detail)
