"""The clause that verdict, entry, notice or refusal names is the one that the rule has."""

from __future__ import annotations

from typing import Any

import pytest

from meldkamer.engine import cycle
from meldkamer.incidents.deciding import judging
from meldkamer.incidents.deciding.facts import incident_facts
from meldkamer.incidents.faults import Refused
from meldkamer.incidents.models import Incident, Notice, Verdict
from meldkamer.incidents.operating import closing
from meldkamer.journal import store
from meldkamer.journal.records import SignalRecord, detail
from meldkamer.notify import inbox
from meldkamer.notify.models import OutboxMessage
from meldkamer.rules import procedures
from tests.incidents.town import NOW, Town, at, run, told


@pytest.mark.clause("M1.1")
@pytest.mark.parametrize(
    ("role", "type_"),
    [("restore", "restore"), ("cancel", "cancel"), ("arm", "arm"), ("disarm", "disarm"),
     ("info", "info")],
)  # fmt: skip
def test_restores_cancels_arming_and_information_open_nothing(
    town: Town, role: str, type_: str
) -> None:
    restores = "intrusion" if role == "restore" else None
    signal = town.signal(type_, "XX", role=role, restores=restores)
    cycle.judge_all(NOW)
    verdict = Verdict.objects.get(signal_id=signal)
    assert (verdict.verdict, verdict.clause) == ("journaled", "M1.1")
    assert not Incident.objects.exists()


@pytest.mark.clause("M1.1")
@pytest.mark.parametrize("role", ["restore", "cancel"])
def test_with_an_open_incident_they_join_it_and_close_nothing(town: Town, role: str) -> None:
    incident = town.incident()
    restores = "intrusion" if role == "restore" else None
    signal = town.signal(role, "XX", role=role, restores=restores)
    cycle.judge_all(NOW)
    verdict = Verdict.objects.get(signal_id=signal)
    assert (verdict.verdict, verdict.clause, verdict.incident) == ("joined", "M1.1", incident)
    incident.refresh_from_db()
    assert incident.closed_at is None


@pytest.mark.clause("S10.7")
def test_a_signal_of_an_unknown_account_goes_to_the_supervisor(db: None) -> None:
    from django.db import connection, transaction

    record = SignalRecord(code="BA", role="event", type="intrusion", account="4711",
                          protocol="sia", detail=detail(label="intrusion"))  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        (signal,) = store.store_signals(cursor, NOW, [record])
    cycle.judge_all(NOW)
    notice = Notice.objects.get()
    assert (notice.clause, notice.signal_id, notice.text) == ("S10.7", signal, "4711 BA")
    assert {entry.clause for entry in told("signal.received")} == {"S10.7"}
    assert {entry.clause for entry in told("supervisor.notified")} == {"S10.7"}
    assert Verdict.objects.get(signal_id=signal).clause == "S10.7"


@pytest.mark.clause("M12.1")
def test_a_signal_that_cannot_be_judged_is_told_under_its_clause(town: Town) -> None:
    judging._put_aside(town.signal(), NOW)
    notice = Notice.objects.get(kind="not_judged")
    assert notice.clause == "M12.1"


@pytest.mark.clause("S7.9")
def test_the_second_incident_that_one_reply_answers_says_why(town: Town) -> None:
    town.signal("battery", "YT", zone=None)
    run(NOW)
    town.signal("power", "AT", zone="0")
    run(at(1))
    OutboxMessage.objects.exists()
    run(at(1801))  # the half hour of a power failure is over: its first contact is texted
    phone = town.contact().phone
    texted = OutboxMessage.objects.filter(address=phone, template="ladder")
    assert texted.values("incident_id").distinct().count() == 2
    town.signal("line_test", "LT", zone=None, when=at(1801))
    inbox.store_inside(phone, "?", at(1812))
    run(at(1812))
    open_ones = Incident.objects.filter(closed_at=None, type__in=("battery", "power")).count()
    answered = told("sms.answered")
    assert len(answered) >= 1, open_ones
    assert {entry.clause for entry in answered} == {"S7.9"}
    assert {entry.clause for entry in told("sms.received")} == {"S7.4"}


@pytest.mark.clause("M3.1")
def test_every_step_that_is_offered_names_its_rule(town: Town) -> None:
    for kind in ("intrusion", "fire", "holdup", "battery"):
        steps = procedures.offered(incident_facts(town.incident(kind), NOW), NOW)
        assert steps
        assert all(step.clause for step in steps), kind
        # one that is forbidden now keeps its place and says why
        assert all(step.reason for step in steps if step.state == "not_allowed"), kind


@pytest.mark.clause("M3.1")
def test_closing_with_an_open_step_is_refused_with_its_clause(town: Town) -> None:
    from meldkamer.incidents.operating import taking

    incident = town.incident()
    taking.take(town.emma, incident.pk, NOW)
    with pytest.raises(Refused) as refused:
        closing.close(town.emma, incident.pk, "handled", NOW)
    assert refused.value.clause == "M3.1"


# --- the app (S8.3, S8.5)


def app_site(town: Town, **more: Any) -> None:
    for name, value in ({"formula": "app"} | more).items():
        setattr(town.site, name, value)
    town.site.save()


@pytest.mark.clause("S8.3", "S8.5")
def test_where_the_maker_s_cloud_notifies_we_write_it_down_and_send_no_second_one(
    town: Town,
) -> None:
    app_site(town, app_cloud="Ajax Cloud", app_notifies=True)
    town.signal("battery", "YT", zone=None)
    run(NOW)
    assert not OutboxMessage.objects.filter(channel="app").exists()
    assert told("app.sent") == []
    (left,) = told("app.left_to_cloud")
    assert left.clause == "S8.3"
    assert left.data["cloud"] == "Ajax Cloud"
    # nobody else is named, so the installer of the site manages it (S8.5)
    assert left.data["managed_by"] == "Elektro Maes"
    assert Incident.objects.get().outcome == "notified"


@pytest.mark.clause("S8.3", "S8.5")
def test_through_a_cloud_that_does_not_notify_ours_is_sent_and_says_through_which(
    town: Town,
) -> None:
    app_site(town, app_cloud="Ajax Cloud", app_managed_by="Alarm Dirk")
    town.signal("battery", "YT", zone=None)
    run(NOW)
    assert OutboxMessage.objects.filter(channel="app").count() == 1
    (sent,) = told("app.sent")
    assert (sent.data["cloud"], sent.data["managed_by"]) == ("Ajax Cloud", "Alarm Dirk")
    assert told("app.left_to_cloud") == []


@pytest.mark.clause("S8.3")
def test_our_own_push_says_nothing_of_a_cloud(town: Town) -> None:
    app_site(town)
    town.signal("battery", "YT", zone=None)
    run(NOW)
    (sent,) = told("app.sent")
    assert "cloud" not in sent.data
    assert told("app.left_to_cloud") == []
