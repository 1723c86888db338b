"""What holds a person's data goes when the terms say that its time is over, and not before."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from meldkamer.agenda.models import AgendaRow
from meldkamer.contracts.models import Handling, Task
from meldkamer.engine import house_keeping
from meldkamer.incidents import forgetting
from meldkamer.incidents.models import Incident
from meldkamer.notify import way_commands
from meldkamer.notify.desk.models import DeskCall, IncomingCall
from meldkamer.notify.models import (
    InboundMessage,
    OutboxMessage,
    PatrolEntry,
    PatrolJob,
    PatrolPhoto,
    PatrolUnit,
    Receipt,
    WayOut,
)
from meldkamer.notify.patrol import commands as patrols
from meldkamer.sites.models import Provider
from meldkamer.terms import loader
from tests.incidents.together import until_somebody_waits
from tests.incidents.town import NOW, Town, run, told

KEPT, OVER = NOW - timedelta(days=729), NOW - timedelta(days=731)


@pytest.fixture
def way(town: Town) -> WayOut:
    settings = {"url": "http://127.0.0.1:1/", "body": "{number}"}
    return way_commands.add(
        "pbx_http", "Exchange", NOW, provider_id=town.provider.pk, settings_given=settings
    )


def closed(town: Town, when: Any) -> Incident:
    """An incident of the town that was closed then."""
    incident = town.incident()
    Incident.objects.filter(pk=incident.pk).update(
        state="closed", closed_at=when, opened_at=when - timedelta(minutes=9), owner=None, due=None,
        outcome="handled",
    )  # fmt: skip
    return incident


def desk_call(town: Town, when: Any, incident: Incident | None = None, **more: Any) -> DeskCall:
    values = {
        "provider_id": town.provider.pk, "site_id": town.site.pk, "staff": town.emma,
        "key": "premises", "number": "+3292210017", "asked_at": when, "state": "ended",
    }  # fmt: skip
    of = {"incident_id": incident.pk} if incident else {}
    return DeskCall.objects.create(**(values | of | more))


def call_in(town: Town, way: WayOut, when: Any, **more: Any) -> IncomingCall:
    values = {"provider_id": town.provider.pk, "caller": "+32475112233", "state": "ended"}
    return IncomingCall.objects.create(way=way, ref=str(uuid4()), came_at=when, **(values | more))


def left(rows: Any) -> list[int]:
    return sorted(rows.objects.values_list("pk", flat=True))


@pytest.mark.clause("M12.3")
def test_calls_go_so_long_after_their_incident_was_closed_and_only_their_number_is_told(
    town: Town,
) -> None:
    old, young = closed(town, OVER), closed(town, KEPT)
    desk_call(town, OVER, old)
    kept = desk_call(town, OVER, young)
    assert forgetting.forget(NOW)
    assert left(DeskCall) == [kept.pk]
    [entry] = told("data.forgotten")
    assert (entry.provider_id, entry.clause, entry.data) == (
        town.provider.pk,
        "M12.3",
        {"calls": 1},
    )


def test_what_belongs_to_an_open_incident_is_kept_however_old_it_is(
    town: Town, way: WayOut
) -> None:
    ages = NOW - timedelta(days=4000)
    incident = town.incident()
    Incident.objects.filter(pk=incident.pk).update(opened_at=ages)
    text = OutboxMessage.objects.create(
        channel="sms", provider_id=town.provider.pk, site_id=town.site.pk, incident_id=incident.pk,
        recipient="An", address="+32475000001", language="nl", template="ladder", body="x",
        clause="S7.1", created_at=ages, carrier=way, carrier_ref="r1",
    )  # fmt: skip
    desk_call(town, ages, incident)
    call_in(town, way, ages, site_id=town.site.pk)
    InboundMessage.objects.create(
        sender=text.address, text="ok", received_at=ages, consumed_at=ages, carrier=way
    )
    Receipt.objects.create(
        carrier=way, ref="r1", state="delivered", received_at=ages, consumed_at=ages
    )
    unit = PatrolUnit.objects.create(
        provider_id=town.provider.pk, name="P1", reported_at=ages, has_page=True
    )
    entry(unit, ages, incident, state="done", ended_at=ages)
    kept = (DeskCall, IncomingCall, InboundMessage, Receipt, PatrolEntry)
    before = [left(rows) for rows in kept]
    assert forgetting.forget(NOW)
    assert [left(rows) for rows in kept] == before
    Incident.objects.filter(pk=incident.pk).update(
        state="closed", closed_at=ages, owner=None, due=None, outcome="handled"
    )
    assert forgetting.forget(NOW)
    assert [left(rows) for rows in kept] == [[], [], [], [], []]


@pytest.mark.clause("S13.1")
def test_a_call_of_a_handling_counted_in_a_period_that_runs_is_kept(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A contract year is longer than a provider may want to keep calls."""
    keep(town.provider, {"keeping.handling_days": 30}, monkeypatch)
    long_ago = NOW - timedelta(days=40)
    runs, over = closed(town, long_ago), closed(town, long_ago)
    for incident, began in ((runs, NOW - timedelta(days=364)), (over, NOW - timedelta(days=370))):
        Handling.objects.create(
            site=town.site, incident_id=incident.pk, period_start=began.date(),
            counted_at=long_ago, used=1, included=12, billable=False,
        )  # fmt: skip
    kept = desk_call(town, long_ago, runs)
    desk_call(town, long_ago, over)
    assert forgetting.forget(NOW)
    assert left(DeskCall) == [kept.pk]


def test_a_call_of_a_task_waits_for_its_end(town: Town) -> None:
    task = Task.objects.create(
        site=town.site, kind="suspension_call", clause="S12.2", opened_at=OVER, ready_at=OVER,
        owner="operators", due=OVER,
    )  # fmt: skip
    desk_call(town, OVER, task_id=task.pk)
    forgetting.forget(NOW)
    assert DeskCall.objects.exists()
    Task.objects.filter(pk=task.pk).update(closed_at=OVER, owner=None, due=None, outcome="done")
    forgetting.forget(NOW)
    assert not DeskCall.objects.exists()


def test_each_provider_s_own_terms_count_and_the_longest_for_what_is_nobody_s(
    town: Town, way: WayOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(town.other, {"keeping.handling_days": 60}, monkeypatch)
    ago = NOW - timedelta(days=61)
    mine, nobodys = call_in(town, way, ago), call_in(town, way, ago, provider_id=None)
    call_in(town, way, ago, provider_id=town.other.pk)
    call_in(town, way, OVER, provider_id=None)
    forgetting.forget(NOW)
    assert left(IncomingCall) == [mine.pk, nobodys.pk]


def test_replies_and_receipts_go_when_they_are_consumed(town: Town, way: WayOut) -> None:
    waiting, young = OVER, NOW - timedelta(days=89)
    for consumed in (OVER, None):
        InboundMessage.objects.create(
            sender="+32475000001", text="ok", received_at=OVER, consumed_at=consumed, carrier=way
        )
        Receipt.objects.create(
            carrier=way, ref=f"{consumed}", state="failed", received_at=waiting,
            consumed_at=consumed,
        )  # fmt: skip
    Receipt.objects.create(
        carrier=way, ref="young", state="failed", received_at=young, consumed_at=young
    )
    forgetting.forget(NOW)
    assert list(InboundMessage.objects.values_list("consumed_at", flat=True)) == [None]
    assert sorted(Receipt.objects.values_list("ref", flat=True)) == ["None", "young"]


def entry(unit: PatrolUnit, when: Any, incident: Incident | None, **job: Any) -> PatrolEntry:
    """A photo that a unit took in a job."""
    made = PatrolJob.objects.create(
        provider_id=unit.provider_id, unit=unit, site_id=1, offered_at=when, answer_by=when,
        incident_id=incident.pk if incident else None, **job,
    )  # fmt: skip
    row = PatrolEntry.objects.create(
        unit=unit, job=made, client_id=uuid4(), kind="photo", received_at=when
    )
    PatrolPhoto.objects.create(
        job=made, entry=row, content_type="image/jpeg", size=1, sha256="0", content=b"x",
        received_at=when,
    )  # fmt: skip
    return row


@pytest.mark.clause("S6.1")
def test_what_a_patrol_entered_goes_with_its_photos_and_never_from_a_job_that_runs(
    town: Town,
) -> None:
    units = [
        PatrolUnit.objects.create(provider_id=town.provider.pk, name=name, reported_at=OVER)
        for name in ("P1", "P2")
    ]
    entry(units[0], OVER, closed(town, OVER), state="done", ended_at=OVER)
    kept = entry(units[1], OVER, None, state="accepted")
    forgetting.forget(NOW)
    assert left(PatrolEntry) == [kept.pk]
    assert list(PatrolPhoto.objects.values_list("entry", flat=True)) == [kept.pk]


@pytest.mark.clause("S6.1")
def test_where_a_phone_was_is_forgotten_after_a_day_and_where_the_office_put_a_unit_is_not(
    town: Town,
) -> None:
    ago = NOW - timedelta(hours=25)
    made = {
        name: PatrolUnit.objects.create(
            provider_id=town.provider.pk, name=name, reported_at=ago, has_page=True,
        )
        for name in ("shared", "young", "sent", "placed")
    }  # fmt: skip
    for name in ("shared", "sent", "placed"):
        patrols.stands_at(made[name], 51.2, 4.4, ago)
    patrols.stands_at(made["young"], 51.2, 4.4, NOW - timedelta(hours=23))
    PatrolJob.objects.create(
        provider_id=town.provider.pk, unit=made["sent"], site_id=town.site.pk, state="accepted",
        offered_at=ago, answer_by=ago,
    )  # fmt: skip
    patrols.change_unit(made["placed"].pk, {"latitude": 51.0, "longitude": 4.0}, ago, "staff:1")
    forgetting.forget(NOW)
    stands = PatrolUnit.objects.exclude(latitude=None).exclude(positioned_at=None)
    assert sorted(stands.values_list("name", flat=True)) == ["placed", "sent", "young"]


@pytest.mark.django_db(transaction=True)
def test_where_a_phone_says_it_is_in_that_moment_is_not_forgotten(committed_town: Town) -> None:
    ago = NOW - timedelta(hours=25)
    unit = PatrolUnit.objects.create(
        provider_id=committed_town.provider.pk, name="P1", reported_at=ago, has_page=True
    )
    patrols.stands_at(unit, 51.2, 4.4, ago)

    def forgets() -> None:
        forgetting.forget(NOW)
        connection.close()

    thread = threading.Thread(target=forgets)
    with transaction.atomic():
        patrols.stands_at(unit, 51.3, 4.5, NOW)
        thread.start()
        until_somebody_waits()
    thread.join(20)
    unit.refresh_from_db()
    assert (unit.latitude, unit.positioned_at) == (51.3, NOW)


def test_the_hourly_purge_forgets_in_parts_and_the_rest_soon(
    town: Town, way: WayOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "MOST", 2)
    for _ in range(3):
        call_in(town, way, OVER)
    house_keeping.begin(NOW)
    run(NOW)
    assert IncomingCall.objects.count() == 1
    assert AgendaRow.objects.get(kind="journal.purge", done_at=None).due <= NOW + timedelta(
        seconds=2
    )
    run(NOW + timedelta(seconds=2))
    assert not IncomingCall.objects.exists()
    row = AgendaRow.objects.get(kind="journal.purge", done_at=None)
    assert row.due == NOW + timedelta(seconds=3602)


def keep(provider: Provider, values: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider's terms with other days."""
    monkeypatch.setattr(loader, "_VARIED", dict(loader._VARIED))
    provider.terms = loader.varied(provider.terms, values)
    provider.save()
