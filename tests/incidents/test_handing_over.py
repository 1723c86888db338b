"""What a service is told: the sheet, its acceptance, and the message by wire (B1)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from meldkamer.incidents import commands
from meldkamer.incidents.messages import receipts
from meldkamer.incidents.models import Incident
from meldkamer.incidents.telephone import service_sheet
from meldkamer.incidents.telephone.handing_over import Accepted
from meldkamer.notify import inbox, way_commands
from meldkamer.notify.carrier import ReceiptState
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.sites import service_numbers
from meldkamer.sites.models import Contact
from meldkamer.sites.service_numbers import EmergencyDraft, ServiceNumberDraft
from tests.incidents.town import CODES, NOW, Town, at, run, told
from tests.notify.authority.checker import NS, faults

CAP = {"url": "https://pz.example/cap", "sender": "centre@example.be", "recipient": "pz"}


@pytest.fixture
def house(town: Town) -> Town:
    town.provider.practice = False
    town.provider.emergency_phone = "+3222630000"
    town.provider.save()
    town.site.town, town.site.street = "Antwerpen", "Meir 12"
    town.site.police_zone, town.site.access_note = "PZ Antwerpen", "poort links"
    town.site.latitude, town.site.longitude = 51.2178, 4.4081
    town.site.save()
    return town


def way(house: Town, **changes: Any) -> WayOut:
    return way_commands.add("cap", "Police by wire", NOW, settings_given=CAP | changes)


def call(house: Town, incident: Incident, step: str, result: str, says: str, s: float) -> None:
    commands.dial(house.emma, incident.pk, step, at(s))
    if result == "reached":
        commands.check_code(house.emma, incident.pk, house.key(1), CODES[0], at(s + 1))
    commands.call_result(house.emma, incident.pk, step, result, says, at(s + 2))


@pytest.fixture
def verified(house: Town) -> Incident:
    """A burglary seen by two detectors, its first contact comes: police may be asked."""
    house.signal(zone="2", when=at(0))
    incident = house.incident(when=at(4))
    assert incident.verified_by == "detectors"
    commands.take(house.emma, incident.pk, at(10))
    call(house, incident, "call:premises", "no_answer", "", 20)
    call(house, incident, f"call:{house.key(1)}", "reached", "coming", 40)
    return incident


def ask(house: Town, incident: Incident, s: float = 60, **more: Any) -> bool:
    return commands.request_service(
        house.emma, incident.pk, "police", at(s), attends="An Peeters", eta="22:15", **more
    )


def messages() -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(channel="authority").order_by("pk"))


def sheet(house: Town, incident: Incident, service: str = "police", s: float = 61) -> Any:
    from meldkamer.incidents.deciding.facts import incident_facts

    incident.refresh_from_db()
    dialled = service_numbers.number_for(house.site, service, at(s).date())
    facts = incident_facts(incident, at(s))
    return service_sheet.build(facts, house.site, dialled, house.emma, at(s))


@pytest.mark.clause("B1")
def test_the_sheet_has_all_that_they_ask_in_their_language(house: Town, verified: Incident) -> None:
    service_numbers.note_site(
        house.site, EmergencyDraft("bakkerij", "oven", "gasflessen", "niemand"), NOW, "office"
    )
    house.site.postal_code = "4000"
    Contact.objects.filter(site=house.site, position=1).update(minutes_away=12)
    house.site.save()
    house.site.refresh_from_db()
    found = sheet(house, verified)
    assert found.dialled.language == "fr"
    assert (found.we, found.our_phone, found.user) == (
        "Securitas", "+3222630000", house.site.customer.name,
    )  # fmt: skip
    assert "Meir 12, 4000 Antwerpen" in found.address
    assert (found.building, found.risk, found.dangers, found.people) == (
        "bakkerij", "oven", "gasflessen", "niemand",
    )  # fmt: skip
    assert (found.access, found.premises_phone) == ("poort links", "+3292210017")
    assert found.verification.method != ""
    assert found.verification.age_min == 0
    assert any("contact-1" in line and "pir-1" in line for line in found.verification.elements)
    assert sheet(house, verified, s=60 * 9 + 5).verification.age_min == 9
    (coming,) = found.attendants
    assert (coming.name, coming.phone) == ("An Peeters", house.contact().phone)
    assert "12" in coming.note
    assert any("An Peeters" in line for line in found.consulted)


@pytest.mark.clause("B1")
def test_no_code_and_no_other_contact_stands_on_the_sheet(house: Town, verified: Incident) -> None:
    words = repr(sheet(house, verified))
    assert all(code not in words for code in CODES)
    assert house.contact(2).phone not in words


@pytest.mark.clause("B1")
def test_for_a_holdup_the_calls_are_the_verification(house: Town) -> None:
    incident = house.incident("holdup")
    commands.take(house.emma, incident.pk, NOW)
    call(house, incident, "call:premises", "no_answer", "", 5)
    found = sheet(house, incident, s=20).verification
    assert found.method != ""
    assert len(found.elements) == 1


@pytest.mark.clause("B1")
def test_the_acceptance_is_written_down_with_who_and_which_number(
    house: Town, verified: Incident
) -> None:
    assert ask(house, verified, accepted=Accepted("GE-2026-771", "inspecteur Maes"))
    (entry,) = told("service.accepted", verified)
    assert (entry.clause, entry.recipient, entry.at) == ("B1", "police", at(60))
    assert entry.data == {"reference": "GE-2026-771", "by": "inspecteur Maes"}
    (attended,) = told("service.attended", verified)
    assert attended.clause == "M3.1"
    assert messages() == []  # nobody takes it by wire


@pytest.mark.clause("B1")
def test_the_message_by_wire_goes_with_the_request_and_beside_the_call(
    house: Town, verified: Incident
) -> None:
    pz = way(house)
    assert ask(house, verified, accepted=Accepted())
    (message,) = messages()
    assert (message.carrier_id, message.clause, message.recipient) == (pz.pk, "B1", "police")
    assert message.first_of_incident
    assert faults(message.body) == []
    root = ET.fromstring(message.body)
    said = {
        pair.findtext(f"{NS}valueName"): pair.findtext(f"{NS}value")
        for pair in root.iter(f"{NS}parameter")
    }
    assert said["attends.who"] == "An Peeters"
    assert said["attends.phone"] == house.contact().phone
    assert said["verification.method"]
    assert said["zone"] == "PZ Antwerpen"
    assert root.findtext(f"{NS}status") == "Actual"
    assert "22:00 zone 2 Winkel" in str(root.findtext(f".//{NS}description"))
    assert root.findtext(f".//{NS}certainty") == "Likely"
    assert root.findtext(f".//{NS}circle") == "51.217800,4.408100 0.1"
    (entry,) = told("service.handed_over", verified)
    assert entry.clause == "B1"
    assert len(told("service.accepted", verified)) == 1


@pytest.mark.clause("B1", "S15.3")
def test_nothing_goes_by_wire_when_the_service_may_not_be_asked(house: Town) -> None:
    way(house)
    incident = house.incident()
    commands.take(house.emma, incident.pk, NOW)
    assert not ask(house, incident, 5)
    assert messages() == []
    assert told("police.refused", incident)[0].clause == "S15.3"


@pytest.mark.clause("B1")
def test_its_answer_is_the_acceptance(house: Town, verified: Incident) -> None:
    pz = way(house)
    ask(house, verified)
    (message,) = messages()
    # what a line notes when the carrier has it, and what the carrier heard
    inbox.store_receipt(pz.pk, "cap-1", ReceiptState.ACKNOWLEDGED, at(61), detail="PZ-77")
    assert not receipts.consume_next(at(61))
    OutboxMessage.objects.filter(pk=message.pk).update(
        state="handed_over", carrier_ref="cap-1", handed_over_at=at(61)
    )
    assert receipts.consume_next(at(62))
    (entry,) = told("service.accepted", verified)
    assert (entry.clause, entry.reason, entry.at) == ("B1", "PZ-77", at(62))


def test_who_attends_later_is_told_too(house: Town, verified: Incident) -> None:
    way(house)
    ask(house, verified)
    commands.close(house.emma, verified.pk, "handled", at(90), attends="Bert")
    first, second = messages()
    root = ET.fromstring(second.body)
    assert root.findtext(f"{NS}msgType") == "Update"
    assert faults(second.body) == []
    identifier = ET.fromstring(first.body).findtext(f"{NS}identifier")
    assert f",{identifier}," in str(root.findtext(f"{NS}references"))


def test_a_false_alarm_takes_it_back(house: Town, verified: Incident) -> None:
    from meldkamer.incidents.telephone import incoming

    way(house)
    ask(house, verified)
    incoming.someone_calls(house.emma, house.site.pk, house.key(1), CODES[0], "false_alarm", at(99))
    verified.refresh_from_db()
    assert verified.outcome == "false_alarm"
    cancel = ET.fromstring(messages()[-1].body)
    assert cancel.findtext(f"{NS}msgType") == "Cancel"
    assert faults(messages()[-1].body) == []
    assert [e.data["message_type"] for e in told("service.handed_over")] == ["Alert", "Cancel"]


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        ({}, True),
        ({"services": ["fire"]}, False),
        ({"zones": ["pz antwerpen"]}, True),
        ({"zones": ["PZ Gent"]}, False),
    ],
)
def test_a_service_gets_what_is_its_own(
    house: Town, verified: Incident, settings: dict[str, Any], sent: bool
) -> None:
    way(house, **settings)
    ask(house, verified)
    assert bool(messages()) is sent


def test_in_practice_it_is_an_exercise_and_stays_in_the_house(
    house: Town, verified: Incident
) -> None:
    house.provider.practice = True
    house.provider.save()
    way_commands.add("sandbox", "Sandbox", NOW, channel="authority")
    ask(house, verified)
    (message,) = messages()
    assert ET.fromstring(message.body).findtext(f"{NS}status") == "Exercise"
    run(at(61))
    message.refresh_from_db()
    assert message.state == "handed_over"
    assert message.carrier_id is None


def test_a_site_s_words_cannot_break_the_message(house: Town, verified: Incident) -> None:
    way(house)
    house.site.name = 'Bakker "]]><x/>& <!ENTITY>'
    house.site.access_note = "\x07<script>\u0000".replace("\u0000", "")
    house.site.save()
    ask(house, verified)
    assert faults(messages()[0].body) == []


def test_a_number_of_another_language_makes_a_message_in_it(
    house: Town, verified: Incident
) -> None:
    way(house)
    service_numbers.enter(
        house.provider, ServiceNumberDraft("police", "PZ Antwerpen", "101", "de"), NOW, "office"
    )
    ask(house, verified)
    assert ET.fromstring(messages()[0].body).findtext(f".//{NS}language") == "de-BE"


@pytest.mark.clause("B1", "S15.5")
def test_what_is_not_verified_is_asked_by_telephone_and_never_by_wire(house: Town) -> None:
    way(house)
    fire = house.incident("fire")
    commands.take(house.emma, fire.pk, at(125))
    assert commands.request_service(house.emma, fire.pk, "fire", at(130), attends="nobody")
    assert len(told("fire.requested", fire)) == 1
    assert messages() == []
    (entry,) = told("authority.rejected", fire)
    assert (entry.clause, entry.reason) == ("B1", "not verified")


def test_a_message_that_cannot_be_written_never_stops_the_request(
    house: Town, verified: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    from meldkamer.notify.authority import cap

    def broken(alert: cap.Alert) -> str:
        raise cap.CapFault("sender: expected no blank")

    monkeypatch.setattr(cap, "write", broken)
    way(house)
    assert ask(house, verified)
    assert len(told("police.requested", verified)) == 1
    assert "sender" in told("authority.rejected", verified)[0].reason
