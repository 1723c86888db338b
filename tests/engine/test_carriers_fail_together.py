"""Two carriers fail at once: the operator has the number of each one's own help desk (S16.2)."""

from __future__ import annotations

import pytest
from django.test import Client

from meldkamer.engine import cycle
from meldkamer.incidents.deciding.facts import incident_facts
from meldkamer.incidents.messages import carrier_faults
from meldkamer.incidents.models import Incident
from meldkamer.incidents.operating import calling, taking
from meldkamer.notify.models import WayOut
from meldkamer.rules import procedures
from meldkamer.rules.procedures import Step
from tests.engine.outside import carrier
from tests.incidents.town import Town, at

pytestmark = pytest.mark.clause("S16.2", "D904.2")
A, B = "+3222000001", "+3222000002"


@pytest.fixture
def both(outside: Town) -> tuple[WayOut, WayOut]:
    """Both are down, and emma has the incident."""
    rows = carrier("A", help_phone=A), carrier("B", help_phone=B)
    for row in rows:
        carrier_faults.fails(row.pk, "connection refused", at(10))
    cycle.judge_all(at(12))
    taking.take_next(outside.emma, at(15))
    return rows


def of_the_house() -> Incident:
    return Incident.objects.get(site__house=True)


def due(s: float) -> Step | None:
    return procedures.current(incident_facts(of_the_house(), at(s)), at(s))


def call(town: Town, s: float, result: str = "reached") -> str:
    """The call that is due: its number."""
    step, incident = due(s), of_the_house()
    assert step is not None
    calling.place(town.emma, incident.pk, step.id, at(s))
    calling.call_result(
        town.emma, incident.pk, step.id, result, "nothing" if result == "reached" else "", at(s)
    )
    return step.phone


def test_each_help_desk_is_called_about_its_own_carrier_whoever_was_told(
    outside: Town, both: tuple[WayOut, WayOut]
) -> None:
    facts = incident_facts(of_the_house(), at(16))
    assert [(step.name, step.phone) for step in procedures.targets(facts)][:2] == [
        ("sms: A", A), ("sms: B", B),
    ]  # fmt: skip
    assert call(outside, 20) == A
    assert procedures.proposed_close(incident_facts(of_the_house(), at(21)), at(21)) is None
    assert call(outside, 30) == B
    # told, both of them: nobody else need be called
    assert due(31) is None
    assert procedures.proposed_close(incident_facts(of_the_house(), at(31)), at(31)) is not None


def test_one_that_fails_after_the_other_s_help_desk_was_told_is_called_about_too(
    outside: Town,
) -> None:
    first, second = carrier("A", help_phone=A), carrier("B", help_phone=B)
    carrier_faults.fails(first.pk, "connection refused", at(10))
    cycle.judge_all(at(12))
    taking.take_next(outside.emma, at(15))
    assert call(outside, 20) == A
    assert due(21) is None
    carrier_faults.fails(second.pk, "connection refused", at(25))
    cycle.judge_all(at(26))
    assert Incident.objects.filter(site__house=True).count() == 1
    assert call(outside, 30) == B


def test_nobody_is_called_about_what_works_again_and_a_call_that_runs_is_finished(
    outside: Town, both: tuple[WayOut, WayOut]
) -> None:
    first, second = both
    step = due(20)
    assert step is not None
    calling.place(outside.emma, of_the_house().pk, step.id, at(20))
    for row in (first, second):
        carrier_faults.works(row.pk, at(22))
    cycle.judge_all(at(23))
    calling.call_result(outside.emma, of_the_house().pk, step.id, "reached", "nothing", at(25))
    facts = incident_facts(of_the_house(), at(26))
    assert [one.phone for one in procedures.targets(facts)] == [A, "+3222632400"]
    assert due(26) is None


def test_a_carrier_without_a_help_desk_leaves_it_to_the_contacts_of_the_house(
    outside: Town,
) -> None:
    carrier_faults.fails(carrier("A").pk, "connection refused", at(10))
    cycle.judge_all(at(12))
    taking.take_next(outside.emma, at(15))
    assert call(outside, 20) == "+3222632400"


def test_the_desk_shows_each_carrier_with_its_own_number(
    outside: Town, both: tuple[WayOut, WayOut], client: Client
) -> None:
    client.force_login(outside.emma, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/incident/{of_the_house().pk}/").content.decode()
    for number, name in ((A, "sms: A"), (B, "sms: B")):
        assert f'<a href="tel:{number}">' in page
        assert f"<b>{name}, connection refused</b>" in page
