"""Somebody calls in: tries are counted per number; a locked number can only raise (S19.1)."""

import pytest
from django.db import IntegrityError, transaction

from meldkamer.incidents.deciding.carry_out import Docket
from meldkamer.incidents.deciding.facts import incident_facts, site_facts
from meldkamer.incidents.models import Incident
from meldkamer.incidents.telephone import incoming
from meldkamer.incidents.telephone.incoming import someone_calls
from meldkamer.journal.models import Entry
from meldkamer.notify.models import OutboxMessage, PatrolUnit
from meldkamer.rules import procedures
from meldkamer.rules.acts import BecomeHoldup
from tests.incidents.town import CODES, NOW, Town, at, run, told

NUMBER = "+32475999888"


def calls_in(town: Town, code: str, says: str = "false_alarm", *, seconds: float = 0) -> str:
    """The first contact calls from NUMBER with a code."""
    return someone_calls(
        town.emma, town.site.pk, town.key(), code, says, at(seconds), number=NUMBER
    )


@pytest.mark.clause("S19.1")
def test_after_three_wrong_codes_a_number_is_locked_and_the_right_code_does_nothing(
    town: Town,
) -> None:
    incident = town.incident()
    assert [calls_in(town, "000000", seconds=n) for n in range(3)] == ["wrong"] * 3
    assert calls_in(town, CODES[0], seconds=10) == "locked"
    incident.refresh_from_db()
    assert incident.closed_at is None
    reasons = [entry.reason for entry in told("identification.failed")]
    assert reasons == ["wrong code", "wrong code", "wrong code", "number locked"]


@pytest.mark.clause("S19.1")
def test_the_lock_ends_by_itself_and_other_numbers_are_not_locked(town: Town) -> None:
    incident = town.incident()
    for second in range(3):
        calls_in(town, "000000", seconds=second)
    found = someone_calls(
        town.emma, town.site.pk, town.key(), CODES[0], "start_test", at(20), number="+3232000001"
    )
    assert found == "right"
    assert calls_in(town, CODES[0], seconds=903) == "right"
    incident.refresh_from_db()
    assert incident.outcome == Incident.Outcome.FALSE_ALARM


@pytest.mark.clause("S24.1")
def test_a_locked_number_can_still_ask_for_help(town: Town) -> None:
    for second in range(3):
        calls_in(town, "000000", seconds=second)
    assert calls_in(town, CODES[0], "help", seconds=10) == "locked"
    assert Incident.objects.get(type="holdup").verified_by == "person"


@pytest.mark.clause("S19.1")
def test_a_right_code_forgets_the_failures_before_it(town: Town) -> None:
    for second, code in enumerate(("000000", "000000", CODES[0], "000000", "000000")):
        calls_in(town, code, "start_test", seconds=second)
    assert calls_in(town, CODES[0], "end_test", seconds=9) == "right"


@pytest.mark.clause("S18.1")
def test_no_code_is_ever_in_the_journal(town: Town) -> None:
    calls_in(town, "123456")
    calls_in(town, CODES[0], "start_test", seconds=1)
    text = " ".join(str(entry.data) + entry.reason for entry in told("identification.failed"))
    text += " ".join(str(entry.data) + entry.reason for entry in told("identified"))
    assert "123456" not in text
    assert CODES[0] not in text


@pytest.mark.clause("S6.1", "S15.3")
def test_a_caller_who_asks_for_the_patrol_closes_what_is_unverified(town: Town) -> None:
    town.site.options = ["patrol"]
    town.site.save()
    PatrolUnit.objects.create(provider_id=town.provider.pk, name="Alfa", reported_at=NOW)
    incident = town.incident()
    incoming.someone_calls(town.emma, town.site.pk, town.key(), CODES[0], "send_patrol", at(5))
    incident.refresh_from_db()
    assert incident.outcome == "handled"
    words = [entry.what for entry in Entry.objects.filter(incident_id=incident.pk).order_by("id")]
    assert words[-4:] == [
        "patrol.sent", "police.refused", "incident.closed", "handling.counted",
    ]  # fmt: skip
    assert [entry.clause for entry in told("police.refused")] == ["S15.3"]


@pytest.mark.clause("S6.1", "S15.3")
def test_verified_the_police_stay_the_operators_next_step(town: Town) -> None:
    incident = town.incident()
    town.signal(zone="2", when=at(3))
    run(at(4))
    incoming.someone_calls(town.emma, town.site.pk, town.key(), CODES[0], "send_patrol", at(5))
    incident.refresh_from_db()
    assert incident.closed_at is None
    assert [entry.clause for entry in told("patrol.refused")] == ["S6.1"]
    assert not told("police.refused")
    step = procedures.current(incident_facts(incident, at(6)), at(6))
    assert step is not None
    assert (step.do, step.service) == ("request", "police")


@pytest.mark.clause("S15.4", "S15.5")
@pytest.mark.parametrize(("type", "service"), [("holdup", "police"), ("fire", "fire")])
def test_where_a_patrol_is_no_help_the_service_is_next(town: Town, type: str, service: str) -> None:
    town.site.options = ["patrol"]
    town.site.save()
    incident = town.incident(type)
    incoming.someone_calls(town.emma, town.site.pk, town.key(), CODES[0], "send_patrol", at(5))
    incident.refresh_from_db()
    assert not told("patrol.sent")
    step = procedures.current(incident_facts(incident, at(6)), at(6))
    assert step is not None
    assert (step.do, step.service) == ("request", service)


@pytest.mark.clause("S24.1")
def test_an_incident_opened_by_hand_names_who_called_and_is_verified_by_him(town: Town) -> None:
    opened = incoming.open_by_hand(
        town.emma, town.site.pk, "holdup", "stands at the door", NOW, caller="An Peeters"
    )
    assert (opened.verified_by, opened.origin, opened.state) == ("person", "person", "queued")
    [entry] = told("incident.opened")
    assert (entry.clause, entry.reason) == ("S24.1", "stands at the door")
    assert [said.recipient for said in told("incident.help")] == ["An Peeters"]
    step = procedures.current(incident_facts(opened, at(1)), at(1))
    assert step is not None
    assert (step.do, step.service, step.clause) == ("request", "police", "S24.1")


@pytest.mark.clause("S12.1")
def test_a_text_names_the_number_of_the_centre(town: Town) -> None:
    town.provider.emergency_phone = "+3222630000"
    town.provider.save()
    town.incident("battery")
    text = OutboxMessage.objects.get(channel="sms")
    assert text.body.endswith("+3222630000.")


@pytest.mark.clause("M7.1")
def test_a_duress_code_in_a_call_makes_a_second_hold_up_beside_the_first(town: Town) -> None:
    first, second = town.incident("holdup"), town.incident()
    docket = Docket(town.site, site_facts(town.site, NOW), NOW, incident=second)
    docket.carry_out([BecomeHoldup()])
    assert Incident.objects.filter(type="holdup", closed_at=None).count() == 2
    assert told("incident.duress")[-1].clause == "M7.1"
    # a further alarm joins one of them, it opens no third
    town.incident("holdup", when=at(10))
    assert Incident.objects.filter(type="holdup").count() == 2
    with pytest.raises(IntegrityError), transaction.atomic():
        Incident.objects.filter(pk=second.pk).update(origin="signal")
    assert first.pk != second.pk
