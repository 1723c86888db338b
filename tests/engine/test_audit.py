"""The auditor finds what is broken, says it once, and is quiet when it is mended.

Each check has a red twin here: the tables are broken by hand, past every constraint, and the check
of that name must see it; in an unbroken town none sees anything.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.models import AgendaRow
from meldkamer.contracts import commands as contracts
from meldkamer.contracts import interruptions, tasks
from meldkamer.contracts.models import Handling, Interruption, Task, TestMode
from meldkamer.engine import cycle, house_keeping
from meldkamer.engine.audit import run as audits
from meldkamer.engine.audit.check import Check
from meldkamer.incidents import commands, house_checks
from meldkamer.incidents.models import AreaOutage, HouseCheck, Incident
from meldkamer.incidents.operating import dispatching
from meldkamer.journal import commands as journal
from meldkamer.journal.models import Entry
from meldkamer.journal.seal import seal_all
from meldkamer.notify import inbox
from meldkamer.notify.models import OutboxMessage, PatrolUnit, Receipt, WayOut
from meldkamer.notify.patrol import jobs
from meldkamer.terms.loader import load
from tests.incidents.town import NOW, Town, at, row_of, run, told

NAMES = [check.name for check in audits.CHECKS]


def sql(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)


def without(table: str, *constraints: str) -> None:
    """Whoever owns the tables can take their constraints away; the auditor still looks."""
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    for name in constraints:
        sql(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        sql(f"DROP INDEX IF EXISTS {name}")


def audit(now: Any) -> list[str]:
    """As the agenda does it: the next audit is due before this one looks."""
    agenda.schedule("house.audit", "house", now + timedelta(seconds=30), now, rank=cycle.HOUSE)
    return audits.audit(now)


@pytest.fixture
def house(town: Town) -> Town:
    """A town in which all kinds of things run, and all of them rightly."""
    house_keeping.begin(NOW)
    burglary = town.incident()
    commands.take(town.emma, burglary.pk, NOW)
    town.signal("battery", "YT", zone=None)
    town.signal("power", "AT", zone="0", site=town.build_site("Second"))
    contracts.start_test(town.build_site("Third"), at(7200), NOW, by="An")
    Interruption.objects.create(
        site=town.site, kind="unpaid", clause="D908.1", types=["intrusion"], started_at=NOW
    )
    AreaOutage.objects.create(
        provider=town.provider, area="9999", declared_at=NOW, last_power_at=NOW
    )
    outage = AreaOutage.objects.get()
    agenda.schedule("outage.end", f"outage:{outage.pk}", at(3600), NOW, rank=0,
                    payload={"outage": outage.pk})  # fmt: skip
    going_on(town)
    run(at(30))
    return town


def going_on(town: Town) -> None:
    """A trial, a task, a flood and a suspension, and a patrol that thinks."""
    site = town.build_site("Fourth")
    contracts.activate(site, load("securitas-2022-05"), at(-3600), NOW)
    tasks.open_task(site, tasks.SUSPENSION_CALL, "S12.2", tasks.OPERATORS, 3600, {}, NOW)
    suspended = {"phone": {"by": "emma"}, "writing": {"mail": 1}}
    interruptions.suspend(
        site, ["intrusion"], suspended, load("securitas-2022-05"), NOW, reason="five", actor="x"
    )
    flood = Interruption.objects.create(
        site=site, kind="flood", clause="D908.3", transmitter=site.transmitters.get(),
        started_at=NOW,
    )  # fmt: skip
    agenda.schedule("flood.end", f"interruption:{flood.pk}", at(600), NOW, rank=0,
                    payload={"interruption": flood.pk, "site": site.pk})  # fmt: skip
    unit = PatrolUnit.objects.create(
        provider_id=town.provider.pk, name="P1", has_page=True, reported_at=NOW
    )
    job = jobs.offer(unit, site.pk, None, at(30), at(90), km=None, roads={}, passed=[])
    assert job is not None
    agenda.schedule("patrol.offer_end", f"patrol-job:{job.pk}", at(90), NOW,
                    payload={"job": job.pk, "site": site.pk})  # fmt: skip


@pytest.mark.clause("M12.1", "M12.2", "M12.3")
def test_a_house_that_keeps_its_rules_is_told_so(house: Town) -> None:
    for seconds in (40, 70, 100):
        run(at(seconds))
        assert audit(at(seconds)) == []
    assert {row.name for row in HouseCheck.objects.all()} == set(NAMES)
    found = house_checks.house(at(100))
    assert (found.holds, found.broken, found.looked_at) == (True, (), at(100))
    assert told("audit.broken") == []


# --- the red twins


def pending(urgency: int) -> Callable[[Town], None]:
    def breaks(town: Town) -> None:
        town.signal("intrusion", when=at(0))
        sql("UPDATE journal_pending SET urgency = %s", urgency)

    return breaks


def lost(town: Town) -> None:
    town.signal()
    sql("DELETE FROM journal_pending")


def reply(town: Town) -> None:
    inbox.store_inside("+32475000000", "?", at(31))


def message(town: Town) -> None:
    OutboxMessage.objects.update(state="pending", created_at=at(0))


def untried(town: Town) -> None:
    OutboxMessage.objects.update(state="waiting", created_at=at(39))


def unread_receipt(town: Town) -> None:
    carrier = WayOut.objects.create(channel="sms", kind="smpp", name="one")
    OutboxMessage.objects.filter(template="ladder").update(carrier=carrier, carrier_ref="r1")
    Receipt.objects.create(carrier=carrier, ref="r1", state="failed", received_at=at(31))


def ownerless(town: Town) -> None:
    without("incidents_incident", "open_has_owner_and_due_closed_has_outcome")
    Incident.objects.filter(type="intrusion").update(owner="")


def undue(town: Town) -> None:
    without("incidents_incident", "open_has_owner_and_due_closed_has_outcome")
    Incident.objects.filter(type="intrusion").update(due=None)


def off_the_agenda(town: Town) -> None:
    row_of(Incident.objects.get(type="intrusion")).delete()


def due_too_late(town: Town) -> None:
    AgendaRow.objects.filter(kind="incident.due").update(due=at(90_000))


def no_text(town: Town) -> None:
    OutboxMessage.objects.filter(template="ladder").delete()


def waits_for_ever(town: Town) -> None:
    Incident.objects.filter(state="texting").update(due=at(90_000))


def holderless(town: Town) -> None:
    without("incidents_incident", "taken_has_a_holder")
    Incident.objects.filter(state="taken").update(holder=None)


def long_aside(town: Town) -> None:
    signal = town.signal(when=at(0))
    sql("UPDATE journal_pending SET urgency = 101")
    agenda.schedule("signal.again", f"signal:{signal}", at(900), NOW, rank=1)


def past_its_end(town: Town) -> None:
    TestMode.objects.update(until=at(30))


def beside(town: Town) -> None:
    without("incidents_incident", "one_open_incident_per_site_and_kind")
    Incident.objects.filter(type="power").update(
        type="battery", site=Incident.objects.get(type="battery").site
    )


def overdue(town: Town) -> None:
    AgendaRow.objects.filter(kind="journal.seal", done_at=None).update(due=at(30))


def failing(town: Town) -> None:
    AgendaRow.objects.filter(kind="journal.seal", done_at=None).update(attempts=3)


def unsealing(town: Town) -> None:
    AgendaRow.objects.filter(kind="journal.seal").delete()


def endless_test(town: Town) -> None:
    AgendaRow.objects.filter(kind="test.end").delete()


def endless_interruption(town: Town) -> None:
    Interruption.objects.update(until=at(30))


def off_its_agenda(kind: str) -> Callable[[Town], None]:
    def breaks(town: Town) -> None:
        AgendaRow.objects.filter(kind=kind, done_at=None).delete()

    breaks.__name__ = kind
    return breaks


def ownerless_task(town: Town) -> None:
    without("contracts_task", "an_open_task_has_owner_and_due")
    Task.objects.update(owner=None)


def task_due_too_late(town: Town) -> None:
    AgendaRow.objects.filter(kind="task.due").update(due=at(90_000))


def thinks_for_ever(town: Town) -> None:
    AgendaRow.objects.filter(kind=dispatching.OFFER_END).update(due=at(900))


def endless_outage(town: Town) -> None:
    AgendaRow.objects.filter(kind="outage.end").delete()


def twice_texted(town: Town) -> None:
    text = Entry.objects.get(what="sms.sent")
    journal.write(
        "sms.sent", at(31), incident_id=text.incident_id, site_id=text.site_id, data=text.data,
        incident_type="battery",
    )  # fmt: skip


def twice_counted(town: Town) -> None:
    without("contracts_handling", "an_incident_is_counted_once_per_tariff")
    incident = Incident.objects.get(type="intrusion")
    for _ in range(2):
        Handling.objects.create(
            site=incident.site, incident_id=incident.pk, period_start=NOW.date(),
            counted_at=NOW, used=1, included=9, billable=False,
        )  # fmt: skip
        journal.write("handling.counted", at(31), incident_id=incident.pk,
                      incident_type="intrusion")  # fmt: skip


def police(town: Town) -> None:
    incident = Incident.objects.get(type="intrusion")
    journal.write(
        "police.requested", at(31), incident_id=incident.pk, site_id=incident.site_id,
        incident_type="intrusion", clause="S15.3", data={"method": "calls"},
    )  # fmt: skip


def police_asked(town: Town, how: dict[str, Any], **before: dict[str, Any]) -> None:
    """A request for the intrusion, after these words of its journal."""
    incident = Incident.objects.get(type="intrusion")
    told_of = {"incident_id": incident.pk, "site_id": incident.site_id,
               "incident_type": "intrusion"}  # fmt: skip
    for what, data in before.items():
        journal.write(what.replace("_", "."), at(31), data=data, **told_of)
    journal.write("police.requested", at(31), clause="S15.3", data=how, **told_of)


def police_unconsulted(town: Town) -> None:
    police_asked(
        town, {"method": "detectors"}, incident_verified={"by": "detectors"},
        call_result={"key": "c1", "result": "reached", "accepted": False},
    )  # fmt: skip


def police_without_saying_how(town: Town) -> None:
    police_asked(
        town, {}, incident_verified={"by": "detectors"},
        call_result={"key": "c1", "result": "reached", "accepted": True},
    )  # fmt: skip


def police_overridden_unverified(town: Town) -> None:
    police_asked(
        town, {"method": "calls", "override": True},
        call_result={"key": "c1", "result": "reached", "accepted": True},
    )  # fmt: skip


def no_outcome(town: Town) -> None:
    without("incidents_incident", "open_has_owner_and_due_closed_has_outcome", "taken_has_a_holder")
    incident = Incident.objects.get(type="intrusion")
    journal.write("incident.closed", at(31), incident_id=incident.pk, incident_type="intrusion")
    Incident.objects.filter(pk=incident.pk).update(closed_at=at(31), state="closed", due=None,
                                                   owner=None, holder=None)  # fmt: skip


def otherwise(town: Town) -> None:
    Incident.objects.filter(type="battery").update(state="queued")


def seal_stops(town: Town) -> None:
    sql("DELETE FROM journal_seal")
    AgendaRow.objects.filter(kind="journal.seal", done_at=None).update(due=at(900))


#: what is broken, which check must see it, and how long after
BREAKS: list[tuple[Callable[[Town], None], str, int]] = [
    (lost, "signal_without_verdict", 200),
    (pending(1), "signal_waits", 100),
    (pending(4), "signal_waits", 1000),
    (pending(101), "signal_put_aside", 40),
    (long_aside, "signal_put_aside", 200),
    (reply, "reply_waits", 200),
    (message, "message_waits", 200),
    (untried, "message_untried", 40),
    (unread_receipt, "receipt_waits", 200),
    (ownerless, "open_without_owner", 40),
    (undue, "open_without_owner", 40),
    (off_the_agenda, "open_without_agenda", 40),
    (due_too_late, "open_without_agenda", 40),
    (no_text, "ladder_without_wait", 40),
    (holderless, "open_without_owner", 40),
    (waits_for_ever, "ladder_without_wait", 40),
    (beside, "opened_beside_another", 40),
    (overdue, "agenda_overdue", 100),
    (failing, "agenda_failing", 40),
    (unsealing, "recurring_missing", 40),
    (endless_test, "test_without_end", 40),
    (past_its_end, "test_without_end", 100),
    (endless_interruption, "interruption_without_end", 100),
    (off_its_agenda("suspension.review"), "interruption_without_end", 40),
    (off_its_agenda("flood.end"), "flood_without_end", 40),
    (off_its_agenda("trial.end"), "trial_without_end", 40),
    (off_its_agenda("task.due"), "task_without_agenda", 40),
    (ownerless_task, "task_without_agenda", 40),
    (task_due_too_late, "task_without_agenda", 40),
    (off_its_agenda(dispatching.OFFER_END), "patrol_unanswered", 40),
    (thinks_for_ever, "patrol_unanswered", 200),
    (endless_outage, "outage_without_end", 40),
    (twice_texted, "texted_twice", 60),
    (twice_counted, "counted_twice", 60),
    (police, "police_unverified", 60),
    (police_unconsulted, "police_unverified", 60),
    (police_without_saying_how, "police_unverified", 60),
    (police_overridden_unverified, "police_unverified", 60),
    (no_outcome, "closed_without_outcome", 60),
    (otherwise, "not_as_told", 60),
    (seal_stops, "sealed_late", 400),
]


def test_every_check_has_a_red_twin() -> None:
    assert {name for _, name, _ in BREAKS} | {"chain_broken"} == set(NAMES)


@pytest.mark.clause("M12.3")
@pytest.mark.parametrize(
    ("breaks", "name", "seconds"), BREAKS, ids=[f"{b.__name__}-{n}" for b, n, _ in BREAKS]
)
def test_what_is_broken_is_found(
    house: Town, breaks: Callable[[Town], None], name: str, seconds: int
) -> None:
    breaks(house)
    assert name in audit(at(seconds))
    row = HouseCheck.objects.get(name=name)
    assert row.count == len(row.findings) >= 1
    assert row.broken_since == at(seconds)
    said = [entry for entry in told("audit.broken") if entry.reason == name]
    assert [(entry.clause, entry.data["count"]) for entry in said] == [("M12.3", row.count)]
    assert not house_checks.house(at(seconds)).holds


@pytest.mark.clause("M12.3")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seals", ["newest", "in turn"])
def test_a_sealed_row_that_was_changed_is_found(committed_town: Town, seals: str) -> None:
    for number in range(8):
        committed_town.signal(zone=str(number % 2 + 1))
        cycle.judge_all(NOW)
        seal_all(connection, at(number), alone=True)
    house_keeping.begin(NOW)
    assert "chain_broken" not in audit(at(40))
    (first, last) = (
        Entry.objects.filter(what="signal.received").order_by("id")[0],
        (Entry.objects.filter(what="signal.received").order_by("-id")[0]),
    )
    wanted = last if seals == "newest" else first
    sql("UPDATE journal_entry SET reason = 'never happened' WHERE id = %s", wanted.pk)
    assert "chain_broken" in audit(at(70))
    assert str(wanted.pk) in str(HouseCheck.objects.get(name="chain_broken").findings)
    sql("UPDATE journal_entry SET reason = '' WHERE id = %s", wanted.pk)
    assert "chain_broken" not in audit(at(100))


# --- said once, and gone when it is mended


@pytest.mark.clause("M12.3")
def test_breaking_and_mending_are_journaled_once_each(house: Town) -> None:
    off_the_agenda(house)
    for seconds in (40, 70, 100):
        assert "open_without_agenda" in audit(at(seconds))
    assert house_checks.house(at(100)).broken[0].broken_since == at(40)
    house_keeping.begin(at(110))
    run(at(120))
    assert audit(at(130)) == []
    words = [e.what for e in Entry.objects.filter(what__startswith="audit.").order_by("id")]
    assert words == ["audit.broken", "audit.mended"]


@pytest.mark.clause("M12.1")
def test_a_lost_signal_stays_found_after_the_walk_went_on_and_goes_once_it_has_its_verdict(
    house: Town,
) -> None:
    lost(house)
    for seconds in (200, 230, 260):
        house.signal("fire", "FA", zone="2", when=at(seconds - 100))
        cycle.judge_all(at(seconds))
        assert "signal_without_verdict" in audit(at(seconds))
    (finding,) = HouseCheck.objects.get(name="signal_without_verdict").findings
    sql("INSERT INTO journal_pending VALUES (%s, %s, 1)", finding[1], at(0))
    cycle.judge_all(at(280))
    assert "signal_without_verdict" not in audit(at(290))


@pytest.mark.clause("S15.3")
def test_an_unverified_request_for_police_is_shown_for_a_day(house: Town) -> None:
    police(house)
    day = timedelta(hours=24)
    assert "police_unverified" in audit(at(60))
    assert "police_unverified" in audit(at(31) + day - timedelta(seconds=1))
    assert "police_unverified" not in audit(at(32) + day)


@pytest.mark.clause("S15.3", "B1")
def test_a_verified_and_consulted_request_for_police_is_none(town: Town) -> None:
    incident = town.incident()
    town.signal(zone="2")
    run(NOW)
    commands.take(town.emma, incident.pk, NOW)
    commands.dial(town.emma, incident.pk, "call:premises", NOW)
    commands.call_result(
        town.emma, incident.pk, "call:premises", "reached", "real", NOW, identity="right"
    )
    assert commands.request_service(town.emma, incident.pk, "police", NOW)
    assert "police_unverified" not in audit(at(60))


# --- bounded, and honest about what it could not do


def test_a_check_that_takes_too_long_is_not_taken_for_one_that_holds(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(NOW)
    assert audit(NOW) is not None
    monkeypatch.setattr(audits, "_CHECK_MOST_MS", 50)

    def slow(given: Any) -> Any:
        sql("SELECT pg_sleep(5)")

    checks = tuple(
        Check(c.name, c.clause, slow) if c.name == "agenda_overdue" else c for c in audits.CHECKS
    )
    for seconds in (30, 60, 91):
        audits.audit(at(seconds), checks)
    row = HouseCheck.objects.get(name="agenda_overdue")
    assert row.checked_at == NOW
    found = house_checks.house(at(91))
    assert found.stale
    assert not found.holds


def test_an_audit_stops_after_its_time_and_begins_with_the_oldest_next(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(NOW)
    audit(NOW)
    monkeypatch.setattr(audits, "_ALL_MOST_S", -1)
    audit(at(30))
    assert HouseCheck.objects.filter(checked_at=at(30)).count() == 1
    monkeypatch.undo()
    HouseCheck.objects.filter(name="chain_broken").update(checked_at=NOW - timedelta(seconds=9))
    looked: list[str] = []
    real = audits._look
    monkeypatch.setattr(audits, "_look", lambda c, r, n: looked.append(c.name) or real(c, r, n))
    audit(at(60))
    assert looked[0] == "chain_broken"


def test_a_check_that_is_no_more_is_forgotten(town: Town) -> None:
    HouseCheck.objects.create(name="gone", clause="M12.1", checked_at=NOW, broken_since=NOW)
    assert "gone" not in audit(NOW)
    assert not HouseCheck.objects.filter(name="gone").exists()


# --- on the agenda


def test_an_audit_is_made_in_slices_until_it_is_complete(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    house_keeping.begin(NOW)
    run(NOW)
    monkeypatch.setattr(audits, "_SLICE_S", 0.0)  # one look a slice
    for number in range(1, 4):
        cycle.look_at_house(at(number))
        assert HouseCheck.objects.filter(checked_at__gt=NOW).count() == number
        assert AgendaRow.objects.get(kind="house.audit", done_at=None).due == at(number)
    monkeypatch.setattr(audits, "_SLICE_S", 60.0)
    cycle.look_at_house(at(4))
    assert not HouseCheck.objects.filter(checked_at__lte=NOW).exists()
    assert AgendaRow.objects.get(kind="house.audit", done_at=None).due == at(34)


def test_a_check_that_cannot_be_made_keeps_no_other_from_its_turn_and_lets_the_worker_sleep(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    house_keeping.begin(NOW)
    audit(NOW)

    def broken(given: Any) -> Any:
        sql("SELECT 1 / 0")

    checks = tuple(
        Check(c.name, c.clause, broken) if c.name == "agenda_overdue" else c for c in audits.CHECKS
    )
    monkeypatch.setattr(audits.audit, "__defaults__", (checks,))
    monkeypatch.setattr(audits, "_SLICE_S", 0.0)  # one look a slice
    for number in range(len(checks)):
        cycle.look_at_house(at(30 + number * 0.1))
    left = HouseCheck.objects.filter(checked_at=NOW)
    assert [row.name for row in left] == ["agenda_overdue"]
    assert AgendaRow.objects.get(kind="house.audit", done_at=None).due > at(60)


def test_it_is_made_every_thirty_seconds_whatever_waits_to_be_judged(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audits, "_SLICE_S", 60.0)
    house_keeping.begin(NOW)
    town.signal(when=at(-500))
    for seconds in (0, 29, 30, 59, 61):
        cycle.look_at_house(at(seconds))
    row = AgendaRow.objects.get(kind="house.audit", done_at=None)
    assert row.due == at(91)
    assert AgendaRow.objects.filter(kind="house.audit").count() == 4
    assert HouseCheck.objects.get(name="signal_waits").checked_at == at(61)


def test_a_result_that_grew_old_is_as_bad_as_a_broken_one(house: Town) -> None:
    assert house_checks.house(NOW).stale
    audit(at(40))
    assert house_checks.house(at(130)).holds
    assert not house_checks.house(at(131)).holds
