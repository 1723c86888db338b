"""What no browser of ours sends: each gets a clear answer, never a failure of the server."""

from __future__ import annotations

import pytest
from django.test import Client

from meldkamer.contracts.models import TestMode
from meldkamer.people.models import Staff
from meldkamer.sites.models import Contact
from tests.console.scene import CODE, Scene

#: digits to Python but no number here; too long for int(); too large for a column; no number
ODD_NUMBERS = ("²", "٣", "9" * 5000, "9" * 20, "-1", "1e9", "NaN", "x")


@pytest.mark.parametrize("odd", ODD_NUMBERS)
def test_an_odd_number_is_no_number_wherever_one_is_read(
    scene: Scene, desk: Client, odd: str
) -> None:
    site = scene.site()
    wish = {"person": "premises", "code": "1", "says": "start_test", "hours": odd}
    assert desk.post("/take-next/", {"open": odd}).status_code == 200
    assert desk.get("/caller/", {"open": odd}).status_code == 200
    assert desk.get("/queue/", {"open": odd}).status_code == 200
    assert desk.post("/alive/", {"incident": odd, "active": "1"}).status_code == 200
    assert desk.post(f"/caller/{site.pk}/says/", wish).status_code == 200


@pytest.mark.parametrize("odd", ODD_NUMBERS)
def test_a_key_of_nobody_fits_no_code(scene: Scene, desk: Client, odd: str) -> None:
    site = scene.site()
    wish = {"person": f"c{odd}", "code": CODE, "says": "false_alarm"}
    page = desk.post(f"/caller/{site.pk}/says/", wish).content.decode()
    assert "Name and code do not fit together" in page


@pytest.mark.clause("S20.1")
def test_a_test_of_a_million_years_is_shortened_as_any_other(scene: Scene, desk: Client) -> None:
    site = scene.site()
    person = Contact.objects.get(site=site, position=1)
    wish = {
        "person": f"c{person.pk}",
        "code": f"1{CODE[1:]}",
        "says": "start_test",
        "hours": "9" * 18,
    }
    assert desk.post(f"/caller/{site.pk}/says/", wish).status_code == 200
    test = TestMode.objects.get(site=site)
    assert (test.until - test.started_at).total_seconds() <= 24 * 3600


@pytest.mark.parametrize("odd", ["0", "premises", "NaN", "%00", "[]", "console:home", "²"])
def test_where_a_choice_leads_is_an_address_never_a_view(desk: Client, odd: str) -> None:
    answer = desk.post("/choose/", {"theme": "light", "next": odd})
    assert answer.status_code == 302


@pytest.mark.parametrize("odd", ["³", "dtral", "x" * 70_000, "a\r\nSet-Cookie: b=c"])
def test_a_provider_that_is_not_his_is_not_kept(desk: Client, operator: Staff, odd: str) -> None:
    answer = desk.post("/choose/", {"provider": odd, "next": "/"})
    assert answer.status_code == 400
    assert "provider: " in answer.content.decode()
    assert "meldkamer_provider" not in answer.cookies
    chosen = desk.post("/choose/", {"provider": "securitas", "next": "/"})
    assert chosen.cookies["meldkamer_provider"].value == "securitas"
