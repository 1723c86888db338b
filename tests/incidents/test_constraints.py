"""What the database itself keeps, each tried to be broken by the application's role."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from meldkamer.agenda.models import AgendaRow
from meldkamer.contracts.models import Handling, TestMode
from meldkamer.incidents.models import Incident, Verdict
from meldkamer.notify.models import InboundMessage, PatrolUnit
from meldkamer.sites.models import (
    Contact,
    IdentificationCode,
    OpeningHours,
    Transmitter,
    Zone,
)
from meldkamer.watch.models import UndefinedCode
from tests.incidents.town import NOW, Town, at


@pytest.fixture
def town(db: None, as_application: None) -> Town:
    """A town of the application: it owns no table."""
    return Town()


def opened(town: Town, **more: Any) -> Incident:
    """An open incident in the tables, with everything that it must have."""
    values: dict[str, Any] = {
        "provider": town.provider, "site": town.site, "type": "intrusion", "priority": 1,
        "opened_at": NOW, "state": "queued", "owner": "operators", "due": at(60),
        "terms": "securitas-2022-05",
    }  # fmt: skip
    return Incident.objects.create(**(values | more))


@contextmanager
def refused(constraint: str) -> Iterator[None]:
    """The database refuses, naming the constraint; what was before goes on."""
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        yield


ONE = "one_open_incident_per_site_and_kind"
OPEN_CLOSED = "open_has_owner_and_due_closed_has_outcome"


def test_the_application_owns_nothing(town: Town) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("meldkamer_app",)
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE incidents_incident DROP CONSTRAINT {OPEN_CLOSED}")


@pytest.mark.clause("M12.2")
@pytest.mark.parametrize(
    "broken",
    [
        {"owner": None},
        {"due": None},
        {"outcome": "handled"},
        {"state": "closed"},
        {"closed_at": NOW},
        {"closed_at": NOW, "state": "closed", "outcome": "handled"},
        {"closed_at": NOW, "state": "closed", "outcome": "handled", "owner": None},
        {"closed_at": NOW, "state": "closed", "outcome": "handled", "due": None},
        {"closed_at": NOW, "state": "closed", "owner": None, "due": None},
        {"closed_at": NOW, "outcome": "handled", "owner": None, "due": None},
    ],
)
def test_open_has_owner_and_due_and_closed_has_an_outcome_and_neither(
    town: Town, broken: dict[str, Any]
) -> None:
    with refused(OPEN_CLOSED):
        opened(town, **broken)


@pytest.mark.clause("M12.2")
def test_an_open_incident_cannot_lose_its_owner_or_due_time(town: Town) -> None:
    incident = opened(town)
    for broken in ({"owner": None}, {"due": None}):
        with refused(OPEN_CLOSED):
            Incident.objects.filter(pk=incident.pk).update(**broken)


@pytest.mark.clause("M12.2")
@pytest.mark.parametrize("state", ["taken", "held"])
def test_what_is_taken_or_held_has_a_holder(town: Town, state: str) -> None:
    with refused("taken_has_a_holder"):
        opened(town, state=state, owner="staff:1")


@pytest.mark.clause("M12.2")
@pytest.mark.parametrize("state", ["waiting", "texting", "queued"])
def test_what_nobody_took_has_no_holder(town: Town, state: str) -> None:
    with refused("taken_has_a_holder"):
        opened(town, state=state, holder=town.emma)


@pytest.mark.clause("M12.1")
def test_a_second_open_incident_of_a_site_and_type_is_refused(town: Town) -> None:
    opened(town)
    opened(town, type="sabotage")
    with refused(ONE):
        opened(town)


@pytest.mark.clause("M12.1")
def test_a_closed_incident_makes_room_for_another(town: Town) -> None:
    opened(town, state="closed", closed_at=NOW, outcome="handled", owner=None, due=None)
    opened(town)


@pytest.mark.clause("S11.1")
def test_open_close_incidents_are_one_per_area(town: Town) -> None:
    opened(town, type="open_close", area="1")
    opened(town, type="open_close", area="2")
    with refused(ONE):
        opened(town, type="open_close", area="1")


@pytest.mark.clause("M12.1")
def test_an_area_makes_no_second_incident_of_another_type(town: Town) -> None:
    opened(town)
    with refused("only_open_close_has_an_area"):
        opened(town, area="1")


@pytest.mark.clause("M12.1")
def test_a_signal_has_one_verdict(town: Town) -> None:
    Verdict.objects.create(signal_id=7, at=NOW, verdict="journaled")
    with refused("incidents_verdict_pkey"):
        Verdict.objects.create(signal_id=7, at=at(1), verdict="opened")


@pytest.mark.clause("M8.1")
def test_a_handling_is_counted_once_per_incident_and_tariff(town: Town) -> None:
    values: dict[str, Any] = {
        "site": town.site, "incident_id": 1, "period_start": NOW.date(), "counted_at": NOW,
        "used": 1, "included": 24, "billable": False,
    }  # fmt: skip
    Handling.objects.create(**values)
    Handling.objects.create(**values, tariff="other")
    with refused("an_incident_is_counted_once_per_tariff"):
        Handling.objects.create(**values)


@pytest.mark.clause("M12.1")
def test_a_thing_stands_on_the_agenda_once(town: Town) -> None:
    values: dict[str, Any] = {
        "kind": "incident.due", "subject": "incident:1", "due": NOW, "created_at": NOW
    }  # fmt: skip
    AgendaRow.objects.create(**values, done_at=NOW)
    AgendaRow.objects.create(**values)
    with refused("one_open_agenda_row_per_subject"):
        AgendaRow.objects.create(**values)


@pytest.mark.clause("M12.3")
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("journal_frame", "raw"),
        ("journal_signal", "code"),
        ("journal_entry", "reason"),
        ("journal_seal", "hash"),
    ],
)
@pytest.mark.parametrize("order", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}"])
def test_the_journal_cannot_be_changed(town: Town, table: str, column: str, order: str) -> None:
    denied = pytest.raises(ProgrammingError, match="permission denied")
    with denied, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(order.format(table, column))


@pytest.mark.clause("S18.1")
def test_a_code_is_unique_within_its_provider_and_free_in_another(town: Town) -> None:
    person = town.build_site("Zweite", codes=False).contacts.get(position=1)
    mac = bytes(IdentificationCode.objects.get(contact=town.contact()).code_mac)
    with refused("code_unique_in_provider"):
        IdentificationCode.objects.create(
            provider=town.provider, contact=person, code_mac=mac, issued_at=NOW
        )
    IdentificationCode.objects.create(
        provider=town.other, contact=person, code_mac=mac, issued_at=NOW
    )


@pytest.mark.clause("S18.1", "M7.1")
def test_a_contact_has_one_live_code_and_one_duress_code(town: Town) -> None:
    town.give_code(town.contact(), "111111", duress=True)
    for duress in (False, True):
        with refused("one_live_code_per_contact"):
            town.give_code(town.contact(), "222222", duress=duress)


@pytest.mark.clause("S20.1")
@pytest.mark.parametrize("length", [timedelta(), timedelta(seconds=-1)])
def test_a_test_ends_after_it_starts(town: Town, length: timedelta) -> None:
    with refused("a_test_ends_after_it_starts"):
        TestMode.objects.create(site=town.site, asked_by="An", started_at=NOW, until=NOW + length)


@pytest.mark.clause("S7.3")
def test_a_reply_is_stored_once(town: Town) -> None:
    InboundMessage.objects.create(sender="+32475", carrier_ref="7", received_at=NOW)
    with refused("a_reply_is_stored_once"):
        InboundMessage.objects.create(sender="+32475", carrier_ref="7", received_at=at(1))


@pytest.mark.clause("S10.5")
def test_an_undefined_code_is_told_once_per_site(town: Town) -> None:
    UndefinedCode.objects.create(site=town.site, code="ZZ", told_at=NOW)
    with refused("told_once_per_code_and_site"):
        UndefinedCode.objects.create(site=town.site, code="ZZ", told_at=at(1))


@pytest.mark.clause("S11.1")
@pytest.mark.parametrize("days", [{}, {"weekday": 1, "on_date": NOW.date()}])
def test_hours_are_for_a_weekday_or_for_a_date(town: Town, days: dict[str, Any]) -> None:
    with refused("hours_for_a_weekday_or_a_date"):
        OpeningHours.objects.create(site=town.site, **days)


def test_a_patrol_unit_has_a_name_of_its_own(town: Town) -> None:
    PatrolUnit.objects.create(provider_id=1, name="Delta 1", reported_at=NOW)
    with refused("one_unit_per_name"):
        PatrolUnit.objects.create(provider_id=1, name="Delta 1", reported_at=NOW)


def test_an_account_belongs_to_one_active_transmitter(town: Town) -> None:
    Transmitter.objects.create(site=town.site, account="B000", active=False)
    Transmitter.objects.create(site=town.site, account="B000")
    with refused("one_active_transmitter_per_account"):
        Transmitter.objects.create(site=town.site, account="B000")


def test_a_zone_and_a_place_on_the_list_are_given_once(town: Town) -> None:
    with refused("one_zone_per_number"):
        Zone.objects.create(site=town.site, number="1")
    with refused("one_contact_per_position"):
        Contact.objects.create(site=town.site, position=1, name="X")
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
