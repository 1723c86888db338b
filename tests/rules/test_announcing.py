"""Who is called with a spoken text: contacts in the rounds of texts, supervisors in turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from meldkamer.rules import ladder, reminding
from meldkamer.rules.facts import ContactFacts
from meldkamer.rules.reminding import Reminders
from meldkamer.terms.loader import TermsFault, load, varied
from meldkamer.terms.model import Announcing, Terms

NOW = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)


def terms(**announcing: object) -> Terms:
    return msgspec.structs.replace(load("dtral"), announcing=Announcing(**announcing))  # type: ignore[arg-type]


def contact(*, textable: bool, phone: str = "+3292210018") -> ContactFacts:
    return ContactFacts(1, "An", phone, "", "nl", textable)


@pytest.mark.clause("S7.6")
@pytest.mark.parametrize(
    ("textable", "announcing", "texts", "calls", "way"),
    [
        (True, {}, True, True, "sms"),
        (True, {}, False, True, ""),
        (False, {}, True, True, ""),
        (False, {"untextable": True}, True, True, "voice"),
        (False, {"untextable": True}, True, False, ""),
        (False, {"no_carrier": True}, False, True, ""),
        (True, {"untextable": True}, True, True, "sms"),
        (True, {"untextable": True}, False, True, ""),
        (True, {"no_carrier": True}, True, True, "sms"),
        (True, {"no_carrier": True}, False, True, "voice"),
        (True, {"no_carrier": True}, False, False, ""),
    ],
)
def test_a_contact_is_called_only_where_the_terms_say_so(
    textable: bool, announcing: dict[str, bool], texts: bool, calls: bool, way: str
) -> None:
    found = ladder.way(contact(textable=textable), terms(**announcing), texts=texts, calls=calls)
    assert found == way


def test_who_has_no_number_is_not_called() -> None:
    nobody = contact(textable=False, phone="")
    assert ladder.way(nobody, terms(untextable=True)) == ""


@pytest.mark.parametrize("name", ["securitas-2022-05", "dtral"])
def test_the_shipped_terms_have_nobody_called(name: str) -> None:
    assert load(name).announcing == Announcing()


def test_a_wait_of_nothing_is_refused() -> None:
    with pytest.raises(TermsFault, match=r"announcing\.wait_s: 0 is not above 0"):
        varied("dtral", {"announcing.wait_s": 0})


@pytest.mark.clause("M12.2")
@pytest.mark.parametrize(
    ("when", "past", "first", "who"),
    [
        ("never", Reminders(), False, None),
        ("notified", Reminders(), True, 4),
        ("reminded", Reminders(), True, None),
        ("reminded", Reminders(), False, 4),
        ("notified", Reminders(called=(4,)), False, 7),
        ("notified", Reminders(called=(4, 7)), False, 4),
        ("notified", Reminders(called=(4, 99)), False, 7),  # 99 has gone home
        ("notified", Reminders(busy=True), False, None),
        ("notified", Reminders(called=(4,), known_at=NOW - timedelta(seconds=899)), False, None),
        ("notified", Reminders(called=(4,), known_at=NOW - timedelta(seconds=900)), False, 7),
    ],
)
def test_supervisors_are_called_in_turn_and_left_alone_after_their_key(
    when: str, past: Reminders, first: bool, who: int | None
) -> None:
    assert reminding.whom([4, 7], past, terms(supervisor=when), NOW, first=first) == who


def test_without_a_supervisor_who_has_a_telephone_nobody_is_called() -> None:
    assert reminding.whom([], Reminders(), terms(supervisor="notified"), NOW, first=True) is None
