"""The patrol units in the office: entered, given shifts, let in over a link and a PIN (S6.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.test import Client

from meldkamer.journal.models import Entry
from meldkamer.notify.models import PatrolAccess, PatrolUnit
from meldkamer.people.models import Staff
from meldkamer.sites.models import Provider, Site, SiteCode
from tests.office.conftest import person


@pytest.fixture
def unit(securitas: Provider) -> PatrolUnit:
    return PatrolUnit.objects.create(
        provider_id=securitas.pk, name="Gent-Zuid", reported_at=datetime.now(UTC)
    )


@pytest.mark.clause("S6.1")
def test_a_unit_is_entered_and_changed(office: Client, securitas: Provider) -> None:
    typed = {
        "provider": "securitas", "name": "R12", "phone": "0475 12 34 56", "language": "nl",
        "place": "51.0543, 3.7174", "has_page": "on",
    }  # fmt: skip
    assert office.post("/office/patrols/new/", typed).status_code == 302
    row = PatrolUnit.objects.get()
    assert (row.name, row.phone, row.latitude, row.has_page, row.timezone) == (
        "R12", "+32475123456", 51.0543, True, "Europe/Brussels",
    )  # fmt: skip
    page = office.get("/office/patrols/").content.decode()
    assert "R12" in page
    assert "no link given out" in page
    office.post(f"/office/patrols/{row.pk}/", typed | {"name": "R13"})
    row.refresh_from_db()
    assert row.name == "R13"
    [changed] = Entry.objects.filter(what="patrol.unit_changed")
    assert (changed.clause, changed.data["fields"]) == ("S6.1", ["name"])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "This field is required"), ({"place": "Gent"}, "51.0543, 3.7174"),
        ({"place": "99, 3"}, "51.0543, 3.7174"), ({"phone": "abc"}, "is no telephone number"),
        ({"name": "Gent-Zuid"}, "There is a unit of this name already."),
    ],
)  # fmt: skip
def test_a_faulty_unit_is_named_and_nothing_is_lost(
    office: Client, unit: PatrolUnit, wrong: dict[str, str], words: str
) -> None:
    typed = {"name": "R12", "language": "nl", "phone": "0475123456", "provider": "securitas"}
    answer = office.post("/office/patrols/new/", typed | wrong)
    assert answer.status_code == 422
    assert words in unescape(answer.content.decode())
    assert PatrolUnit.objects.count() == 1


@pytest.mark.clause("S6.1")
def test_shifts_of_every_week_and_of_a_date(office: Client, unit: PatrolUnit) -> None:
    weekly = {"days": ["0", "4"], "begins": "22:00", "ends": "06:00"}
    office.post(f"/office/patrols/{unit.pk}/shifts/weekly/", weekly)
    day = datetime.now(UTC) + timedelta(days=2)
    planned = {"starts": f"{day:%Y-%m-%d}T08:00", "stops": f"{day:%Y-%m-%d}T16:00"}
    office.post(f"/office/patrols/{unit.pk}/shifts/planned/", planned)
    unit.refresh_from_db()
    assert unit.shifts[0] == {"days": [0, 4], "from": "22:00", "until": "06:00"}
    begins = datetime.fromisoformat(unit.shifts[1]["from"])
    assert begins.utcoffset() is not None
    assert f"{begins:%H:%M}" == "08:00"
    page = office.get(f"/office/patrols/{unit.pk}/").content.decode()
    assert "Monday, Friday 22:00–06:00" in page
    wrong = weekly | {"ends": "22:00"}
    answer = office.post(f"/office/patrols/{unit.pk}/shifts/weekly/", wrong)
    assert answer.status_code == 422
    assert "It must not end when it begins." in answer.content.decode()
    office.post(f"/office/patrols/{unit.pk}/shifts/0/remove/")
    unit.refresh_from_db()
    assert len(unit.shifts) == 1
    assert office.post(f"/office/patrols/{unit.pk}/shifts/7/remove/").status_code == 404


def test_link_and_pin_are_shown_once_and_open_the_page(office: Client, unit: PatrolUnit) -> None:
    answer = office.post(f"/office/patrols/{unit.pk}/access/")
    page = unescape(answer.content.decode())
    assert "no-store" in answer.headers["Cache-Control"]
    link = re.search(r'id="issued-link">([^<]+)<', page)
    pin = re.search(r'id="issued-pin">([^<]+)<', page)
    assert link
    assert pin
    address, _, token = link[1].partition("#")
    assert address.endswith("/patrol/enter/")
    phone = Client()
    sent = {"token": token, "pin": pin[1].replace(" ", "")}
    assert phone.post("/patrol/enter/", sent).status_code == 302
    assert phone.get("/patrol/").status_code == 200
    again = office.get(f"/office/patrols/{unit.pk}/").content.decode()
    assert token not in again
    assert pin[1] not in again
    # a new one voids the old, and the phone that it let in is out
    office.post(f"/office/patrols/{unit.pk}/access/")
    assert phone.get("/patrol/").status_code == 302
    assert PatrolAccess.objects.filter(unit=unit, voided_at=None).count() == 1
    office.post(f"/office/patrols/{unit.pk}/access/void/")
    assert not PatrolAccess.objects.filter(unit=unit, voided_at=None).exists()


def test_another_providers_units_do_not_exist(
    office: Client, dtral: Provider, enter: Callable[[Staff], Client]
) -> None:
    theirs = PatrolUnit.objects.create(
        provider_id=dtral.pk, name="Delta", reported_at=datetime.now(UTC)
    )
    assert "Delta" not in office.get("/office/patrols/").content.decode()
    assert office.get(f"/office/patrols/{theirs.pk}/").status_code == 404
    for act in ("access", "access/void", "shifts/0/remove", "shifts/weekly"):
        assert office.post(f"/office/patrols/{theirs.pk}/{act}/").status_code == 404
    assert (
        office.post("/office/patrols/new/?provider=dtral", {"provider": "dtral"}).status_code == 404
    )
    operator = enter(person("emma", Staff.Role.OPERATOR, dtral))
    assert operator.get("/office/patrols/").status_code == 403


@pytest.mark.clause("S6.1")
def test_codes_of_a_site_are_entered_replaced_and_never_shown(office: Client, bakery: Site) -> None:
    address = f"/office/sites/{bakery.pk}/codes/patrol/"
    assert office.post(address, {"kind": "gate", "code": "7204#"}).status_code == 302
    page = office.get(address).content.decode()
    assert "Gate code" in page
    assert "7204" not in page
    office.post(address, {"kind": "gate", "code": "9911"})
    assert SiteCode.objects.count() == 1
    too_long = office.post(address, {"kind": "gate", "code": "4" * 25})
    assert too_long.status_code == 422
    assert "4" * 25 not in too_long.content.decode()
    words = Entry.objects.filter(what__startswith="site_code.").order_by("id")
    assert [(e.what, e.data) for e in words] == [
        ("site_code.entered", {"kind": "gate"}), ("site_code.replaced", {"kind": "gate"}),
    ]  # fmt: skip
    office.post(f"{address}gate/remove/")
    assert not SiteCode.objects.exists()
