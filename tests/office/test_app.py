"""The app of a site: our own or a maker's cloud, and who manages it there (S8.3, S8.5)."""

import pytest
from django.test import Client
from django.urls import reverse

from meldkamer.journal.models import Entry
from meldkamer.office.site_import import bring
from meldkamer.sites.models import Provider, Site
from tests.office.conftest import NOW
from tests.office.test_site_import import EXAMPLES, refused

SHEET = {
    "site-name": "Bakkerij Peeters", "site-language": "nl", "site-plan": "homeguard",
    "site-formula": "app",
}  # fmt: skip


@pytest.mark.clause("S8.3", "S8.5")
def test_the_office_records_the_cloud_and_who_manages_it(office: Client, bakery: Site) -> None:
    page = office.post(
        reverse("office:change_site", args=[bakery.pk]),
        SHEET | {"site-app_cloud": "Ajax Cloud", "site-app_notifies": "on",
                 "site-app_managed_by": "Alarm Dirk"},
    )  # fmt: skip
    assert page.status_code == 302
    bakery.refresh_from_db()
    assert (bakery.app_cloud, bakery.app_notifies) == ("Ajax Cloud", True)
    shown = office.get(reverse("office:site", args=[bakery.pk])).content.decode()
    assert 'Ajax Cloud, notifies by itself <span class="clause">S8.3</span>' in shown
    assert 'managed by Alarm Dirk <span class="clause">S8.5</span>' in shown
    change = Entry.objects.get(what="sheet.changed", site_id=bakery.pk).data["change"]
    assert change["app_managed_by"] == ["", "Alarm Dirk"]


@pytest.mark.clause("S8.3")
def test_only_a_cloud_notifies_by_itself(office: Client, bakery: Site) -> None:
    page = office.post(
        reverse("office:change_site", args=[bakery.pk]), SHEET | {"site-app_notifies": "on"}
    ).content.decode()
    assert "Name the maker’s cloud: only a cloud notifies by itself. (S8.3)" in page
    bakery.refresh_from_db()
    assert not bakery.app_notifies


@pytest.mark.clause("S8.3", "S8.5")
def test_an_import_brings_the_app_and_says_what_is_wrong_with_it(securitas: Provider) -> None:
    text = (EXAMPLES / "sites.toml").read_text("utf-8")
    head = 'name = "Bakkerij Peeters"\n'
    assert head in text
    wrong = text.replace(head, head + "app_notifies = true\n", 1)
    ((_, field, reason),) = refused(wrong, securitas)
    assert field.endswith("app_cloud")
    assert "only a maker's cloud notifies by itself" in reason
    right = text.replace(
        head, head + 'app_cloud = "Ajax Cloud"\napp_managed_by = "Alarm Dirk"\n', 1
    )
    bring(right, "toml", securitas, NOW)
    site = Site.objects.get(name="Bakkerij Peeters")
    assert (site.app_cloud, site.app_notifies, site.app_managed_by) == (
        "Ajax Cloud", False, "Alarm Dirk",
    )  # fmt: skip
