"""The office's side of what is watched: hours, dates, line tests, written instructions."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from meldkamer.journal.models import Entry
from meldkamer.office import activation
from meldkamer.office.views import changes
from meldkamer.sites import whole
from meldkamer.sites.models import OpeningHours, Provider, Site, Transmitter
from meldkamer.watch.models import LineTestWatch, UndefinedCode
from tests.office.conftest import NOW, draft

WEEK = {
    f"day{day}-{name}": ""
    for day in range(8)
    for name in ("opens", "closes", "opens_again", "closes_again")
}


@pytest.fixture
def shop(office: Client, securitas: Provider) -> Site:
    """A site whose plan has open/close, and nothing agreed yet."""
    site, _ = whole.bring(securitas, draft("7777", plan="proguard"), NOW, "test")
    return site


def post(office: Client, name: str, site: Site, *more: object, **values: str) -> str:
    """What the page says after a post, followed."""
    address = reverse(f"office:{name}", args=[site.pk, *more])
    return office.post(address, values, follow=True).content.decode()


@pytest.mark.clause("S11.1")
def test_the_week_has_margins_repeats_a_second_opening_and_holidays(
    office: Client, shop: Site
) -> None:
    values = WEEK | {
        "day0-opens": "08:00", "day0-closes": "12:00",
        "day0-opens_again": "13:00", "day0-closes_again": "17:00",
        "area-margin_s": "20m", "area-repeat_s": "30m", "area-holidays": "on",
    }  # fmt: skip
    page = post(office, "change_hours", shop, **values)
    assert "S11.1" in page
    rows = OpeningHours.objects.order_by("weekday", "opens")
    assert [(r.weekday, r.opens, r.margin_s, r.repeat_s) for r in rows] == [
        (0, time(8), 1200, 1800), (0, time(13), 1200, 1800), (7, None, 1200, 1800),
    ]  # fmt: skip
    form = office.get(reverse("office:change_hours", args=[shop.pk])).content.decode()
    for shown in ("13:00", "20m", "30m"):
        assert f'value="{shown}"' in form
    bad = post(office, "change_hours", shop, **values | {"area-margin_s": "9h"})
    assert "A margin is six hours at most." in bad
    assert OpeningHours.objects.count() == 3


@pytest.mark.clause("S11.1")
def test_an_area_has_hours_of_its_own_and_the_others_stay(office: Client, shop: Site) -> None:
    post(office, "change_hours", shop, **WEEK | {"day0-opens": "08:00", "day0-closes": "17:00"})
    address = reverse("office:change_hours", args=[shop.pk]) + "?area=2"
    office.post(address, WEEK | {"day1-opens": "06:00", "day1-closes": "20:00"})
    assert sorted(OpeningHours.objects.values_list("area", "weekday")) == [("", 0), ("2", 1)]


@pytest.mark.clause("S11.1")
def test_a_single_date_is_added_replaced_and_removed(office: Client, shop: Site) -> None:
    post(office, "change_hours", shop, **WEEK | {"day0-opens": "08:00", "day0-closes": "17:00"})
    post(office, "add_date", shop, on_date="2026-12-24", opens="08:00", closes="12:00", area="")
    page = post(office, "add_date", shop, on_date="2026-12-24", opens="", closes="", area="")
    assert "closed all day" in page
    row = OpeningHours.objects.get(on_date__isnull=False)
    assert (row.opens, row.closes) == (None, None)
    assert Entry.objects.filter(what="hours.changed", site_id=shop.pk).count() == 3
    half = post(office, "add_date", shop, on_date="2026-12-31", opens="08:00", closes="", area="")
    assert "Opening and closing go together, and differ. (S11.1)" in half
    post(office, "remove_date", shop, row.pk)
    assert not OpeningHours.objects.filter(on_date__isnull=False).exists()
    assert OpeningHours.objects.filter(weekday=0).exists()


@pytest.mark.clause("S10.3")
def test_clock_times_of_the_sheet_are_expected_from_the_save_on(
    office: Client, bakery: Site
) -> None:
    activation.activate(bakery, NOW, "test")
    form = office.get(reverse("office:change_site", args=[bakery.pk])).context["form"]
    values = {
        f"site-{name}": value
        for name, value in form.initial.items()
        if value not in (None, False, "", [])
    }
    values |= {"site-test_times": "15:00, 03:00", "site-test_period_s": "24h"}
    office.post(reverse("office:change_site", args=[bakery.pk]), values)
    bakery.refresh_from_db()
    assert bakery.test_times == [time(3), time(15)]
    watch = LineTestWatch.objects.get(site=bakery)
    assert watch.expected_at.astimezone().minute == 0
    wrong = office.post(
        reverse("office:change_site", args=[bakery.pk]), values | {"site-test_times": "25:00"}
    )
    assert "Expected times of day, e.g. 03:00, 15:00." in wrong.content.decode()


@pytest.mark.clause("S10.1")
def test_a_sheet_may_shorten_the_delay_of_power_and_not_lengthen_it(
    office: Client, bakery: Site
) -> None:
    form = office.get(reverse("office:change_site", args=[bakery.pk])).context["form"]
    values = {
        f"site-{name}": value
        for name, value in form.initial.items()
        if value not in (None, False, "", [])
    }
    address = reverse("office:change_site", args=[bakery.pk])
    refused = office.post(address, values | {"site-power_delay_s": "31m"}).content.decode()
    assert "The terms say 30 minutes; a sheet may say less, not more. (S10.1)" in refused
    office.post(address, values | {"site-power_delay_s": "5m"})
    bakery.refresh_from_db()
    assert bakery.power_delay_s == 300


@pytest.mark.clause("S10.3")
def test_a_line_that_is_not_supervised_is_red_and_a_letter_ends_that(
    office: Client, bakery: Site
) -> None:
    transmitter = Transmitter.objects.filter(site=bakery, active=True).first()
    LineTestWatch.objects.update_or_create(
        transmitter=transmitter,
        defaults={"site": bakery, "missed": 5, "expected_at": NOW,
                  "unsupervised_since": NOW - timedelta(days=2)},
    )  # fmt: skip
    assert "Line not supervised" in office.get(reverse("office:home")).content.decode()
    page = office.get(reverse("office:transmitters", args=[bakery.pk])).content.decode()
    assert "not supervised since" in page
    assert "line not supervised" in page  # the tag beside the name
    empty = post(office, "line_instructed", bakery, note=" ")
    assert "Say who wrote what." in empty
    assert LineTestWatch.objects.get().missed == 5
    post(office, "line_instructed", bakery, note="mail of Maes, 3 March")
    assert LineTestWatch.objects.get().missed == 0
    entry = Entry.objects.get(what="line_test.instructed")
    assert (entry.reason, entry.clause) == ("mail of Maes, 3 March", "S10.3")
    assert entry.actor.startswith("staff:")


@pytest.mark.clause("S10.5")
def test_an_unknown_code_is_handled_and_held_again_as_somebody_wrote(
    office: Client, bakery: Site
) -> None:
    code = UndefinedCode.objects.create(site=bakery, code="ZZ", told_at=NOW)
    post(office, "code_instructed", bakery, code.pk, note="")
    code.refresh_from_db()
    assert not code.handle
    page = post(office, "code_instructed", bakery, code.pk, note="letter of the customer")
    code.refresh_from_db()
    assert code.handle
    assert "Hold it back" in page
    post(office, "code_instructed", bakery, code.pk, note="mail of the installer")
    code.refresh_from_db()
    assert not code.handle
    told = Entry.objects.filter(what="undefined.instructed").order_by("id")
    assert [(entry.clause, entry.data["instruction"]) for entry in told] == [
        ("S10.5", "handle"), ("S10.5", "hold"),
    ]  # fmt: skip


@pytest.mark.clause("S10.3")
def test_a_second_transmitter_is_watched_from_its_entry_on(office: Client, bakery: Site) -> None:
    Site.objects.filter(pk=bakery.pk).update(test_period_s=86400, test_wait_s=5400)
    bakery.refresh_from_db()
    if bakery.activated_at is None:
        activation.activate(bakery, NOW, "test")
    before = LineTestWatch.objects.filter(site=bakery).count()
    address = reverse("office:new_transmitter", args=[bakery.pk])
    office.post(address, {"account": "7A7A", "supervised": "on"})
    office.post(address, {"account": "7B7B"})
    accounts = LineTestWatch.objects.filter(site=bakery).values_list("transmitter__account")
    assert LineTestWatch.objects.filter(site=bakery).count() == before + 1
    assert ("7A7A",) in list(accounts)
    assert ("7B7B",) not in list(accounts)


@pytest.mark.clause("S10.3")
def test_a_change_and_what_is_watched_because_of_it_are_stored_together_or_not_at_all(
    office: Client, shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transmitter that dials in and of which no test is expected would be dead unnoticed."""

    def dies(*_: object, **__: object) -> None:
        raise ConnectionError("the database went away")

    monkeypatch.setattr(changes, "keep_watching", dies)
    known = Transmitter.objects.get(site=shop)
    with pytest.raises(ConnectionError):
        post(office, "retire", shop, known.pk)
    known.refresh_from_db()
    assert known.active
    with pytest.raises(ConnectionError):
        post(office, "new_transmitter", shop, account="7A11")
    assert Transmitter.objects.filter(site=shop).count() == 1
