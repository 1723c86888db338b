"""Test mode: zones, areas and types, its end, its summary, what it leaves burning (S20.1)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from meldkamer.contracts import documents
from meldkamer.contracts.models import TestMode
from meldkamer.incidents.deciding.facts import terms_of
from meldkamer.incidents.faults import Refused
from meldkamer.incidents.models import Incident
from meldkamer.incidents.service import testing
from meldkamer.incidents.telephone import incoming
from meldkamer.incidents.telephone.incoming import Scope
from tests.incidents.town import CODES, NOW, Town, at, run, told


def ask(town: Town, **more: Any) -> TestMode:
    values = {"duration_s": 3600, **more}
    when = values.pop("when", NOW)
    incoming.someone_calls(
        town.emma, town.site.pk, town.key(), CODES[0], "start_test", when, **values
    )
    return town.site.tests.order_by("-id")[0]


@pytest.mark.clause("S20.1")
def test_a_test_of_zones_holds_those_and_no_others(town: Town) -> None:
    test = ask(town, scope=Scope(zones=("2",)), reason="pir moved")
    assert (test.zones, test.reason) == (["2"], "pir moved")
    town.signal(zone="2", when=at(10))
    town.signal(zone="1", when=at(11))
    run(at(20))
    assert len(told("signal.held")) == 1
    assert Incident.objects.get().zone == "1"


@pytest.mark.clause("S20.1")
def test_a_test_of_types_and_areas_holds_those(town: Town) -> None:
    town.site.zones.filter(number="2").update(area="4")
    ask(town, scope=Scope(areas=("4",), types=("battery",)))
    town.signal(zone="2", when=at(10), area="4")
    town.signal("battery", "YT", zone=None, when=at(11))
    town.signal("intrusion", when=at(12), area="1")
    run(at(20))
    assert len(told("signal.held")) == 2
    assert Incident.objects.count() == 1


@pytest.mark.clause("S20.1")
def test_a_zone_that_the_sheet_does_not_have_is_refused_with_those_it_has(town: Town) -> None:
    with pytest.raises(Refused, match="not on the sheet") as refused:
        ask(town, scope=Scope(zones=("2", "9")))
    assert refused.value.detail == {"found": "9", "expected": "1, 2"}
    assert not TestMode.objects.exists()


@pytest.mark.clause("S20.1")
def test_a_test_ends_by_itself_though_nobody_worked_when_it_should_have(town: Town) -> None:
    ask(town)
    town.signal(zone="1", when=at(3599))
    town.signal(zone="1", when=at(3600))
    # nobody worked for a day
    run(at(90_000))
    [ended] = told("test.ended")
    assert (ended.clause, ended.reason) == ("S20.1", "time is over")
    assert len(told("signal.held")) == 1
    assert Incident.objects.count() == 1


@pytest.mark.clause("S20.1")
def test_what_came_before_the_test_is_handled_though_it_is_judged_in_it(town: Town) -> None:
    town.signal(zone="1", when=at(-5))
    ask(town)
    run(at(10))
    assert not told("signal.held")
    assert Incident.objects.count() == 1


@pytest.mark.clause("S20.1")
def test_the_summary_says_what_came_and_what_was_not_restored(town: Town) -> None:
    test = ask(town)
    for number, (code, zone) in enumerate((("BA", "1"), ("BA", "2"), ("BA", "2"))):
        town.signal(code=code, zone=zone, when=at(10 + number))
    town.signal("restore", "BR", zone="2", role="restore", restores="intrusion", when=at(20))
    run(at(30))
    testing.end_test(test, at(40), by="An Peeters")
    test.refresh_from_db()
    assert test.summary == {
        "signals": 4,
        "codes": {"BA": 3, "BR": 1},
        "zones": {"1": 1, "2": 3},
        "unrestored": [{"type": "intrusion", "zone": "1", "code": "BA"}],
    }
    [ended] = told("test.ended")
    assert ended.data["unrestored"] == test.summary["unrestored"]
    assert (ended.clause, ended.reason) == ("S20.1", "asked")
    assert not told("mail.sent")


@pytest.mark.clause("S20.1")
@pytest.mark.parametrize("type", ["fire", "medical", "holdup"])
def test_what_still_burns_opens_an_incident_when_the_test_ends(town: Town, type: str) -> None:
    test = ask(town)
    town.signal(type, "XX", zone="1", when=at(10))
    run(at(20))
    assert not Incident.objects.exists()
    testing.end_test(test, at(40), by="An Peeters")
    testing.end_test(test, at(41), by="An Peeters")
    incident = Incident.objects.get()
    assert (incident.type, incident.origin, incident.zone) == (type, "test", "1")
    assert [entry.clause for entry in told("incident.opened")] == ["S20.1"]


@pytest.mark.clause("S20.1", "M1.2")
def test_a_zone_that_the_sheet_makes_a_fire_burns_on_too(town: Town) -> None:
    town.site.zones.filter(number="1").update(type="fire")
    test = ask(town)
    town.signal("intrusion", "BA", zone="1", when=at(10))
    run(at(20))
    testing.end_test(test, at(40), by="An Peeters")
    assert Incident.objects.get().type == "fire"


@pytest.mark.clause("S20.1")
def test_restored_or_not_selected_or_still_in_another_test_it_opens_nothing(town: Town) -> None:
    first, second = ask(town), ask(town, scope=Scope(types=("medical",)))
    town.signal("fire", "FA", zone="1", when=at(10))
    town.signal("restore", "FR", zone="1", role="restore", restores="fire", when=at(11))
    town.signal("medical", "MA", zone="2", when=at(12))
    run(at(20))
    testing.end_test(first, at(40), by="An Peeters")
    assert not Incident.objects.exists()
    town.site.types = ["intrusion"]
    town.site.save()
    testing.end_test(second, at(50), by="An Peeters")
    assert not Incident.objects.exists()


@pytest.mark.clause("S20.1")
def test_the_summary_goes_by_mail_where_the_terms_say_so(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms = terms_of(town.site)
    chosen = msgspec.structs.replace(
        terms, test_mode=msgspec.structs.replace(terms.test_mode, summary_mail=True)
    )
    monkeypatch.setattr("meldkamer.incidents.deciding.facts.load", lambda name: chosen)
    test = ask(town)
    testing.end_test(test, at(40), by="An Peeters")
    assert [(mail.recipient, mail.clause) for mail in told("mail.sent")] == [("customer", "S20.1")]


@pytest.mark.clause("S20.1")
def test_a_written_test_and_one_by_phone_do_not_count_together(town: Town) -> None:
    paper = documents.keep(town.site, "x.pdf", b"%PDF-1.7", NOW, "staff:1")
    testing.start_in_writing(
        town.site.pk, at(3 * 86_400), "works", paper, NOW, by="customer", actor="staff:1"
    )
    test = ask(town, duration_s=None, when=at(2 * 86_400))
    assert test.until == at(3 * 86_400)
