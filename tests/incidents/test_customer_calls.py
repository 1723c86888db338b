"""Needless alarms, from the count to the call before a suspension (S12.2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from meldkamer.contracts import tasks
from meldkamer.contracts.models import Interruption, NeedlessIncident, Task
from meldkamer.incidents.deciding.carry_out import Docket
from meldkamer.incidents.deciding.facts import site_facts
from meldkamer.incidents.faults import Gone, Refused
from meldkamer.incidents.models import Incident, Notice
from meldkamer.incidents.service import customer_calls, needless
from meldkamer.incidents.telephone import incoming
from meldkamer.sites.models import Customer
from meldkamer.terms.loader import load
from tests.incidents.town import CODES, DURESS, NOW, Town, at, run, told

RULES = load("securitas-2022-05").needless


def false_alarm(town: Town, number: int, type: str = "intrusion") -> Incident:
    """A signal comes and An Peeters says false alarm."""
    when = at(number * 100)
    incident = town.incident(type, when=when)
    incoming.someone_calls(
        town.emma, town.site.pk, town.key(), CODES[0], "false_alarm", when + timedelta(seconds=5)
    )
    incident.refresh_from_db()
    assert incident.outcome == "false_alarm"
    return incident


def five(town: Town) -> Task:
    """Enough for a suspension; the task that follows."""
    for number in range(RULES.suspend_at):
        false_alarm(town, number)
    return Task.objects.get()


LATER = at(RULES.suspend_at * 100)


def call(town: Town, task: Task, result: str = "reached", code: str = CODES[0]) -> str:
    callee = customer_calls.next_callee(Task.objects.get(pk=task.pk))
    assert callee is not None
    customer_calls.dial(town.emma, task.pk, callee.key, LATER)
    if result == "reached":
        customer_calls.check_code(town.emma, task.pk, code, LATER)
    return customer_calls.result(town.emma, task.pk, result, LATER)


@pytest.mark.clause("S12.2")
def test_each_false_alarm_is_counted_after_the_handling_and_the_third_warned_of(town: Town) -> None:
    for number in range(RULES.warn_at):
        false_alarm(town, number)
    counted = told("needless.counted")
    assert [(entry.data["count"], entry.clause) for entry in counted] == [
        (1, "S12.2"), (2, "S12.2"), (3, "S12.2"),
    ]  # fmt: skip
    assert [entry.clause for entry in told("needless.warned")] == ["S12.2"]
    [mail] = [entry for entry in told("mail.sent") if entry.clause == "S12.2"]
    assert mail.recipient == "customer"
    order = [e.what for e in _of(counted[-1].incident_id)][-5:]
    assert order == [
        "incident.closed", "handling.counted", "needless.counted", "needless.warned", "mail.sent",
    ]  # fmt: skip


def _of(incident_id: int | None):  # type: ignore[no-untyped-def]
    from meldkamer.journal.models import Entry

    return Entry.objects.filter(incident_id=incident_id).order_by("id")


@pytest.mark.clause("S12.2")
def test_a_false_alarm_in_trial_is_counted_too(town: Town) -> None:
    town.site.activated_at = NOW
    town.site.save()
    false_alarm(town, 0)
    assert not told("handling.counted")
    assert [entry.data["count"] for entry in told("needless.counted")] == [1]


@pytest.mark.clause("S12.2")
def test_the_fifth_is_a_task_with_owner_and_due_time_and_suspends_nothing(town: Town) -> None:
    task = five(town)
    assert (task.owner, task.due) == (
        "operators", task.opened_at + timedelta(seconds=RULES.call_due_s),
    )  # fmt: skip
    assert Notice.objects.filter(kind="suspension").count() == 1
    assert not Interruption.objects.exists()
    false_alarm(town, RULES.suspend_at)
    assert Task.objects.count() == 1


@pytest.mark.clause("S12.2", "S19.1")
def test_told_by_phone_the_customer_is_written_to_and_only_then_suspended(town: Town) -> None:
    task = five(town)
    assert call(town, task) == "told"
    mail = told("mail.sent")[-1]
    [suspended] = told("service.suspended")
    assert mail.id < suspended.id
    assert (mail.clause, suspended.clause) == ("S12.2", "S12.2")
    row = Interruption.objects.get()
    assert (row.kind, row.types) == ("suspended", ["intrusion"])
    assert row.notice["phone"]["to"] == "An Peeters"
    assert row.notice["writing"]["way"] == "mail"
    task.refresh_from_db()
    assert (task.outcome, task.closed_by) == ("done", town.emma)
    with pytest.raises(Gone):
        call(town, task)


@pytest.mark.clause("S12.2", "S19.1")
@pytest.mark.parametrize("code", ["000000", ""])
def test_who_is_not_identified_was_not_told(town: Town, code: str) -> None:
    task = five(town)
    assert call(town, task, code=code) == "next"
    assert [entry.clause for entry in told("identification.failed")] == ["S19.1"]
    assert not Interruption.objects.exists()


@pytest.mark.clause("S12.2")
def test_not_reached_the_task_comes_back_and_in_the_end_to_the_supervisor(town: Town) -> None:
    task = five(town)
    found = []
    for _ in range(RULES.call_rounds):
        found += [call(town, task, "no_answer"), call(town, task, "voicemail")]
    assert found == ["next", "again"] * (RULES.call_rounds - 1) + ["next", "supervisor"]
    task.refresh_from_db()
    assert (task.owner, task.closed_at) == ("supervisor", None)
    assert task.ready_at == LATER + timedelta(seconds=RULES.call_again_s)
    assert not Interruption.objects.exists()


@pytest.mark.clause("S12.2", "M12.2")
def test_a_task_that_nobody_does_is_told_to_the_supervisor_for_ever(town: Town) -> None:
    task = five(town)
    assert task.due is not None
    for times in range(1, 4):
        when = task.due + timedelta(seconds=(times - 1) * RULES.call_due_s)
        run(when - timedelta(seconds=1))
        assert Notice.objects.filter(kind="task").count() == times - 1
        run(when)
        assert Notice.objects.filter(kind="task").count() == times
    task.refresh_from_db()
    assert task.owner == "supervisor"
    assert customer_calls.ready_for(town.emma, when)[0] == task


@pytest.mark.clause("S12.2")
def test_two_operators_do_not_call_the_same_customer(town: Town) -> None:
    task = five(town)
    customer_calls.take(town.emma, task.pk, LATER)
    assert customer_calls.ready_for(town.jef, LATER) == []
    with pytest.raises(Refused, match="taken by another"):
        customer_calls.dial(town.jef, task.pk, town.key(), LATER)
    with pytest.raises(Refused, match="nobody was called yet"):
        customer_calls.result(town.jef, task.pk, "reached", LATER)
    with pytest.raises(Refused, match="another provider"):
        customer_calls.take(town.stranger, task.pk, LATER)


@pytest.mark.clause("M7.1", "S12.2")
def test_a_duress_code_in_that_call_is_a_hold_up_and_suspends_nothing(town: Town) -> None:
    town.give_code(town.contact(), DURESS, duress=True)
    task = five(town)
    call(town, task, code=DURESS)
    assert Incident.objects.filter(type="holdup", closed_at=None).count() == 1
    assert [entry.clause for entry in told("incident.duress")] == ["M7.1"]
    assert not Interruption.objects.exists()


@pytest.mark.clause("S12.2")
def test_needless_fires_alone_propose_no_suspension(town: Town) -> None:
    for number in range(RULES.suspend_at):
        false_alarm(town, number, "fire")
    assert not Task.objects.exists()
    assert Notice.objects.filter(kind="needless").count() == 1


@pytest.mark.clause("S12.2")
def test_where_the_terms_leave_it_to_the_office_the_operators_have_nothing(town: Town) -> None:
    for number in range(RULES.suspend_at - 1):
        false_alarm(town, number)
    incident = town.incident(when=LATER)
    facts = site_facts(town.site, LATER)
    chosen = msgspec.structs.replace(
        facts.terms, needless=msgspec.structs.replace(RULES, proposed_to="office")
    )
    facts = replace(facts, terms=chosen)
    needless.count(Docket(town.site, facts, LATER, incident=incident))
    task = Task.objects.get()
    assert task.owner == tasks.OFFICE
    assert customer_calls.ready_for(town.emma, LATER) == []
    customer_calls.ask_for(town.site.pk, facts.terms, LATER)
    assert customer_calls.ready_for(town.emma, LATER) == [task]


@pytest.mark.clause("S12.2")
def test_a_customer_without_an_address_for_mail_gets_a_letter(town: Town) -> None:
    Customer.objects.filter(pk=town.site.customer_id).update(email="")
    task = five(town)
    assert call(town, task) == "told"
    assert [entry.clause for entry in told("letter.sent")] == ["S12.2"] * 2
    assert Interruption.objects.get().notice["writing"]["way"] == "letter"


@pytest.mark.clause("S12.2")
def test_the_customers_own_number_is_called_first_and_each_number_once(town: Town) -> None:
    first = town.contact()
    Customer.objects.filter(pk=town.site.customer_id).update(phone="+32470000001")
    town.site.customer.refresh_from_db()
    assert [one.key for one in customer_calls.callees(town.site)] == [
        "customer", f"c{first.pk}", "premises",
    ]  # fmt: skip
    Customer.objects.filter(pk=town.site.customer_id).update(phone=first.phone)
    town.site.customer.refresh_from_db()
    assert [one.key for one in customer_calls.callees(town.site)] == ["customer", "premises"]


def test_an_incident_is_needless_once(town: Town) -> None:
    false_alarm(town, 0)
    assert NeedlessIncident.objects.count() == 1


@pytest.mark.clause("S12.2")
def test_who_is_suspended_already_is_not_called_for_another_suspension(town: Town) -> None:
    assert call(town, five(town)) == "told"
    terms = load("securitas-2022-05")
    with pytest.raises(Refused, match="suspended already"):
        customer_calls.ask_for(town.site.pk, terms, LATER)
    # a task that is there all the same (a restored database) ends without a second one
    needless.propose(town.site, terms, LATER, owner=tasks.OPERATORS, count=RULES.suspend_at)
    assert call(town, Task.objects.get(closed_at=None)) == "nothing"
    assert Interruption.objects.filter(kind="suspended").count() == 1
