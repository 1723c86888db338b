"""The number of a service by the site's zone; the office's list with its checks."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from meldkamer.journal.models import Entry
from meldkamer.sites import regions, service_numbers
from meldkamer.sites.faults import Refused
from meldkamer.sites.models import ServiceNumber
from meldkamer.sites.service_numbers import EmergencyDraft, ServiceNumberDraft
from tests.incidents.conftest import town
from tests.incidents.town import NOW, Town

__all__ = ["town"]
TODAY = NOW.date()


def enter(town: Town, zone: str, number: str, **more: Any) -> ServiceNumber:
    draft = ServiceNumberDraft("police", zone, number, **({"language": "nl"} | more))
    return service_numbers.enter(town.provider, draft, NOW, "staff:1")


def dialled(town: Town, service: str = "police", day: date = TODAY) -> tuple[str, str, bool]:
    town.site.refresh_from_db()
    found = service_numbers.number_for(town.site, service, day)
    return found.number, found.language, found.national


@pytest.mark.clause("B1")
def test_without_a_zone_it_is_the_national_number_of_the_terms(town: Town) -> None:
    assert dialled(town) == ("101", "nl", True)
    assert dialled(town, "fire") == ("112", "nl", True)
    assert dialled(town, "medical") == ("112", "nl", True)


@pytest.mark.clause("B1")
def test_the_zone_on_the_sheet_goes_before_the_postal_code(town: Town) -> None:
    enter(town, "PZ Post", "03 338 55 11", postal_codes="1990-2010")
    assert dialled(town)[0] == "+3233385511"
    enter(town, "PZ Sheet", "03 338 55 22", language="fr")
    town.site.police_zone = " pz sheet "
    town.site.save()
    assert dialled(town) == ("+3233385522", "fr", False)


@pytest.mark.clause("B1")
def test_a_number_that_stands_on_a_site_is_never_dialled(town: Town) -> None:
    town.site.police_zone = "bel 0475 99 99 99"
    town.site.save()
    assert dialled(town)[0] == "101"


def test_a_number_holds_from_its_day_and_old_ones_are_kept(town: Town) -> None:
    enter(town, "PZ", "101", postal_codes="2000", valid_from=TODAY - timedelta(days=9))
    enter(town, "PZ", "112", postal_codes="2000", valid_from=TODAY + timedelta(days=1))
    assert dialled(town)[0] == "101"
    assert dialled(town, day=TODAY + timedelta(days=1))[0] == "112"
    assert ServiceNumber.objects.count() == 2


def test_another_provider_s_numbers_are_not_ours(town: Town) -> None:
    draft = ServiceNumberDraft("police", "PZ", "03 338 55 11", "nl", "2000")
    service_numbers.enter(town.other, draft, NOW, "staff:1")
    assert dialled(town)[2]


@pytest.mark.clause("S22.1")
def test_each_change_is_journaled_with_what_it_said(town: Town) -> None:
    row = enter(town, "PZ", "101")
    enter(town, "PZ", "112")
    service_numbers.remove(ServiceNumber.objects.get(pk=row.pk), NOW, "staff:1")
    words = list(Entry.objects.filter(what__startswith="service_number").order_by("id"))
    assert [e.what.rpartition(".")[2] for e in words] == ["entered", "changed", "removed"]
    assert words[1].data["change"]["number"] == ["101", "112"]
    assert words[2].data["change"]["number"] == "112"
    assert {e.clause for e in words} == {"S22.1"}


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"number": "call the police"}, "number", "service_number"),
        ({"number": ""}, "number", "missing"),
        ({"zone": " "}, "zone", "missing"),
        ({"zone": "z" * 81}, "zone", "long"),
        ({"zone": "a\0b"}, "zone", "nul"),
        ({"service": "coastguard"}, "service", "choice"),
        ({"language": "es"}, "language", "choice"),
        ({"postal_codes": "9000 ghent!"}, "postal_codes", "postal_code"),
        ({"postal_codes": "9000-8000"}, "postal_codes", "postal_code"),
        ({"postal_codes": "0000-9999"}, "postal_codes", "postal_code"),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_nothing_is_stored(
    town: Town, changes: dict[str, Any], field: str, code: str
) -> None:
    values = {"service": "police", "zone": "PZ", "number": "101", "language": "nl"} | changes
    with pytest.raises(Refused) as refused:
        service_numbers.enter(town.provider, ServiceNumberDraft(**values), NOW, "staff:1")
    assert (field, code) in {(f.field, f.code) for f in refused.value.faults}
    assert ServiceNumber.objects.count() == 0


@pytest.mark.parametrize(
    ("code", "own", "spoken"),
    [
        ("2000", "fr", "nl"), ("9000", "de", "nl"), ("4000", "nl", "fr"), ("7000", "en", "fr"),
        ("1300", "nl", "fr"), ("1500", "fr", "nl"), ("3500", "fr", "nl"), ("4700", "fr", "de"),
        ("4780", "nl", "de"), ("1000", "nl", "nl"), ("1000", "fr", "fr"), ("1050", "en", "fr"),
        ("", "de", "de"), ("L-1234", "de", "de"), ("٢٠٠٠", "nl", "nl"), ("99999", "fr", "fr"),
    ],
)  # fmt: skip
def test_a_place_has_the_language_of_its_region(code: str, own: str, spoken: str) -> None:
    assert regions.language_of(code, own) == spoken


def test_what_they_ask_of_a_site_is_noted_with_its_old_values(town: Town) -> None:
    draft = EmergencyDraft(" bakery ", "oven", "gas", "two")
    assert service_numbers.note_site(town.site, draft, NOW, "staff:1")
    assert not service_numbers.note_site(town.site, draft, NOW, "staff:1")
    town.site.refresh_from_db()
    assert town.site.emergency_note.building == "bakery"
    assert Entry.objects.filter(what="emergency_note.changed").count() == 1
    with pytest.raises(Refused):
        service_numbers.note_site(town.site, EmergencyDraft("a\0"), NOW, "staff:1")
