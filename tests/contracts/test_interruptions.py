"""Suspensions start told and end on evidence (S12.2); interruptions have causes (D908.1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from meldkamer.agenda.models import AgendaRow
from meldkamer.contracts import documents, interruptions, needless
from meldkamer.contracts.models import Interruption, NeedlessIncident
from meldkamer.incidents.models import Notice
from meldkamer.incidents.service import interrupting
from meldkamer.journal import commands as journal
from meldkamer.sites.faults import Refused
from meldkamer.sites.models import Customer
from meldkamer.terms.loader import load
from tests.incidents.town import NOW, Town, at, run, told

TERMS = load("securitas-2022-05")
TOLD = {"phone": {"to": "An Peeters"}, "writing": {"way": "mail"}}
DAY_S = 86_400


def codes(refused: Any) -> list[str]:
    return [fault.code for fault in refused.value.faults]


def suspend(town: Town, told_how: dict[str, Any] = TOLD, **more: Any) -> Interruption:
    values: dict[str, Any] = {"reason": "5 needless alarms", "actor": "staff:1", **more}
    types = values.pop("types", ["intrusion"])
    return interruptions.suspend(town.site, types, told_how, TERMS, NOW, **values)


@pytest.mark.clause("S12.2")
@pytest.mark.parametrize("way", ["phone", "writing"])
def test_nothing_is_suspended_before_the_customer_was_told_both_ways(town: Town, way: str) -> None:
    with pytest.raises(Refused, match=way) as refused:
        suspend(town, {key: value for key, value in TOLD.items() if key != way})
    assert codes(refused) == ["not_told"]
    assert not Interruption.objects.exists()


@pytest.mark.clause("S12.2")
def test_a_suspension_names_types_and_a_review_date_and_says_how_it_was_told(town: Town) -> None:
    row = suspend(town, types=["fire", "intrusion", "holdup"])
    assert row.types == ["intrusion"]
    assert row.review_at == NOW + timedelta(days=TERMS.needless.review_days)
    [entry] = told("service.suspended")
    assert (entry.clause, entry.data["cause"]) == ("S12.2", "suspended")
    assert entry.data["types"] == ["intrusion"]
    assert entry.data["review"] == "2026-04-01"
    assert entry.data["told"] == TOLD


@pytest.mark.clause("S12.2")
def test_what_may_never_be_suspended_cannot_be_suspended_alone(town: Town) -> None:
    with pytest.raises(Refused) as refused:
        suspend(town, types=["fire", "medical", "holdup"])
    assert codes(refused) == ["nothing_to_suspend"]


@pytest.mark.clause("S12.2")
def test_a_suspension_ends_on_evidence_alone(town: Town) -> None:
    row = suspend(town)
    with pytest.raises(Refused) as refused:
        interrupting.resume(row.pk, "mended, he says", at(60), actor="staff:1")
    assert codes(refused) == ["evidence_missing"]
    paper = documents.keep(town.site, "report.pdf", b"%PDF-1.7", at(60), "staff:1")
    with pytest.raises(Refused) as refused:
        interrupting.resume(row.pk, "  ", at(60), actor="staff:1", document=paper)
    assert codes(refused) == ["missing"]
    interrupting.resume(row.pk, "detector replaced", at(60), actor="staff:1", document=paper)
    [entry] = told("service.resumed")
    assert (entry.clause, entry.reason) == ("S12.2", "detector replaced")
    assert entry.data["document"] == paper.pk
    with pytest.raises(Refused) as refused:
        interrupting.resume(row.pk, "again", at(61), actor="staff:1", document=paper)
    assert codes(refused) == ["resumed_already"]


@pytest.mark.clause("S12.2")
def test_the_review_is_told_and_told_again_and_resumes_nothing(town: Town) -> None:
    row = suspend(town)
    days = TERMS.needless.review_days
    for times in (1, 2):
        run(at(times * days * DAY_S - 1))
        assert Notice.objects.filter(kind="review").count() == times - 1
        run(at(times * days * DAY_S))
        assert Notice.objects.filter(kind="review").count() == times
    row.refresh_from_db()
    assert row.ended_at is None
    assert row.review_at == at(3 * days * DAY_S)
    assert [entry.clause for entry in told("suspension.review_due")] == ["S12.2"] * 2


@pytest.mark.clause("S12.2")
def test_after_a_resumption_no_review_stands_on_the_agenda(town: Town) -> None:
    row = suspend(town)
    paper = documents.keep(town.site, "report.pdf", b"%PDF-1.7", NOW, "staff:1")
    interrupting.resume(row.pk, "mended", at(60), actor="staff:1", document=paper)
    assert not AgendaRow.objects.filter(kind=interruptions.REVIEW, done_at=None).exists()


@pytest.mark.clause("S12.2")
def test_a_resumption_begins_a_new_count(town: Town) -> None:
    for number in range(5):
        needless.count(town.site, number + 1, "intrusion", TERMS, at(number))
    assert needless.tally(town.site, TERMS, at(10)).count == 5
    row = suspend(town)
    paper = documents.keep(town.site, "report.pdf", b"%PDF-1.7", NOW, "staff:1")
    interrupting.resume(row.pk, "mended", at(60), actor="staff:1", document=paper)
    assert needless.tally(town.site, TERMS, at(61)).count == 0


@pytest.mark.clause("S12.2")
def test_the_window_slides_and_an_incident_is_counted_once(town: Town) -> None:
    window_s = TERMS.needless.window_days * DAY_S
    needless.count(town.site, 1, "intrusion", TERMS, NOW)
    assert needless.count(town.site, 2, "sabotage", TERMS, at(window_s - 1)).count == 2
    late = needless.tally(town.site, TERMS, at(window_s))
    assert (late.count, late.types) == (1, ("sabotage",))
    with pytest.raises(IntegrityError), transaction.atomic():
        needless.count(town.site, 2, "sabotage", TERMS, at(window_s))
    assert NeedlessIncident.objects.count() == 2


@pytest.mark.clause("D908.1")
@pytest.mark.parametrize("cause", ["broken", "out_of_service"])
def test_an_interruption_has_a_cause_and_a_reason_and_the_customer_is_told(
    town: Town, cause: str
) -> None:
    with pytest.raises(Refused) as refused:
        interrupting.interrupt(town.site.pk, cause, " ", NOW, actor="staff:1")
    assert codes(refused) == ["missing"]
    interrupting.interrupt(town.site.pk, cause, "cable cut", NOW, actor="staff:1")
    [entry] = told("service.suspended")
    assert (entry.clause, entry.data["cause"], entry.actor) == ("D908.1", cause, "staff:1")
    assert [mail.clause for mail in told("mail.sent")] == ["D908.1"]
    with pytest.raises(Refused) as refused:
        interrupting.interrupt(town.site.pk, cause, "again", NOW, actor="staff:1")
    assert codes(refused) == ["interrupted_already"]
    with pytest.raises(Refused) as refused:
        interrupting.interrupt(town.site.pk, "holiday", "away", NOW, actor="staff:1")
    assert codes(refused) == ["choice"]


@pytest.mark.clause("D908.1")
def test_the_contacts_get_received_not_handled_while_it_lasts(town: Town) -> None:
    row = interrupting.interrupt(town.site.pk, "broken", "cable cut", NOW, actor="staff:1")
    town.signal("fire", "FA", when=at(10))
    run(at(10))
    [held] = told("signal.held")
    assert (held.clause, held.reason, held.data["cause"]) == ("D908.1", "suspended", "broken")
    texts = told("sms.sent")
    assert [text.clause for text in texts] == ["D908.1"] * 2
    assert not told("incident.opened")
    interrupting.resume(row.pk, "cable mended", at(20), actor="staff:1")
    town.signal("fire", "FA", when=at(30))
    run(at(30))
    assert len(told("incident.opened")) == 1


@pytest.mark.clause("D908.1")
def test_non_payment_interrupts_after_the_notice_alone(town: Town) -> None:
    Customer.objects.filter(pk=town.site.customer_id).update(kind=Customer.Kind.BUSINESS)
    days = TERMS.interruption.unpaid_notice_days

    def unpaid(days_ago: float, way: str, actor: str = "staff:1") -> None:
        interrupting.interrupt(
            town.site.pk, "unpaid", "invoice 12", NOW,
            actor=actor, notice_at=at(-days_ago * DAY_S), notice_way=way,
        )  # fmt: skip

    for days_ago, way, code in (
        (days - 1, "registered", "notice_runs"),
        (days, "", "notice_missing"),
    ):
        with pytest.raises(Refused) as refused:
            unpaid(days_ago, way)
        assert codes(refused) == [code]
    unpaid(days, "registered", journal.SYSTEM)  # a business, by itself
    [entry] = told("service.suspended")
    assert entry.data["told"]["writing"]["way"] == "registered"


@pytest.mark.clause("D908.1")
def test_non_payment_never_interrupts_a_consumer_by_itself(town: Town) -> None:
    Customer.objects.filter(pk=town.site.customer_id).update(kind=Customer.Kind.CONSUMER)

    def unpaid(actor: str) -> None:
        interrupting.interrupt(
            town.site.pk, "unpaid", "invoice 12", NOW,
            actor=actor, notice_at=at(-30 * DAY_S), notice_way="letter",
        )  # fmt: skip

    with pytest.raises(Refused) as refused:
        unpaid(journal.SYSTEM)
    assert codes(refused) == ["never_automatic"]
    unpaid("staff:1")  # somebody decided it


@pytest.mark.clause("D908.2")
def test_nothing_is_refunded_and_nothing_of_the_contract_moves(town: Town) -> None:
    before = (town.site.contract_start, town.site.in_force_from, town.site.activated_at)
    row = interrupting.interrupt(town.site.pk, "out_of_service", "works", NOW, actor="staff:1")
    interrupting.resume(row.pk, "works done", at(90 * DAY_S), actor="staff:1")
    [entry] = told("interruption.not_refunded")
    assert (entry.clause, entry.data["refund"]) == ("D908.2", "none")
    assert entry.data["since"] == NOW.isoformat()
    town.site.refresh_from_db()
    assert (
        town.site.contract_start,
        town.site.in_force_from,
        town.site.activated_at,
    ) == before
