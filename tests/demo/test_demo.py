"""The demo: 200 believable sites, logins that are made anew, a past that is over."""

import json
import stat
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.hashers import check_password

from meldkamer.agenda.models import AgendaRow
from meldkamer.incidents.models import Incident
from meldkamer.notify.models import OutboxMessage, PatrolUnit
from meldkamer.office.activation import findings
from meldkamer.office.sandbox.scene import demo_code
from meldkamer.people.identification import check
from meldkamer.people.models import Staff
from meldkamer.project.demo import plan
from meldkamer.project.demo.loading import load, rest
from meldkamer.sites.models import Contact, IdentificationCode, Provider, Site, Transmitter
from meldkamer.terms.loader import load as terms_named

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_the_plan_has_200_sites_in_four_languages_over_all_of_belgium() -> None:
    sites = plan.sites(NOW)
    assert len(sites) == 200
    languages = Counter(site.whole.site.language for site in sites)
    assert set(languages) == {"nl", "fr", "de", "en"}
    assert min(languages.values()) >= 5
    assert len({site.whole.site.town for site in sites}) > 50
    for site in sites:
        sheet = site.whole.site
        assert 49.4 < (sheet.latitude or 0) < 51.6
        assert 2.4 < (sheet.longitude or 0) < 6.5
        assert 3 <= len(site.whole.zones) <= 12
        assert 3 <= len(site.whole.contacts) <= 5


def test_the_plan_is_the_same_everywhere_but_for_the_keys() -> None:
    one, other = plan.sites(NOW), plan.sites(NOW)
    assert [s.whole.site for s in one] == [s.whole.site for s in other]
    assert [s.whole.contacts for s in one] == [s.whole.contacts for s in other]
    keys = {s.whole.transmitters[0].key for s in (*one, *other) if s.whole.transmitters[0].key}
    assert len(keys) == 2 * sum(1 for s in one if s.whole.transmitters[0].key)


def test_the_plan_mixes_plans_formulas_and_keys() -> None:
    sites = plan.sites(NOW)
    assert len({(s.whole.site.plan, s.whole.site.formula) for s in sites}) == 7
    sizes = Counter(len(s.whole.transmitters[0].key) for s in sites)
    assert set(sizes) == {0, 4 + 32, 4 + 48, 4 + 64}
    assert sum(1 for s in sites if "patrol" in s.whole.site.options) > 50
    assert sum(1 for s in sites if s.whole.hours) >= 3
    assert sum(1 for s in sites if s.activated is None) == 4
    in_trial = [s for s in sites if s.activated and s.activated > NOW - timedelta(days=14)]
    assert 5 <= len(in_trial) <= 20


@pytest.mark.slow
def test_every_sheet_of_the_demo_may_stand_under_its_terms(demo: str) -> None:
    assert Provider.objects.count() == 2
    sites = list(Site.objects.select_related("provider"))
    assert len(sites) == 200
    assert Transmitter.objects.filter(active=True).count() == 200
    assert Transmitter.objects.exclude(key_bits=None).count() > 100
    for site in sites:
        assert not [finding for finding in findings(site) if finding.refused], site
    assert PatrolUnit.objects.count() == 16


@pytest.mark.slow
def test_the_past_of_the_demo_is_over_and_seen(demo: str) -> None:
    incidents = list(Incident.objects.all())
    assert len(incidents) >= 15
    assert all(incident.closed_at is not None for incident in incidents)
    assert {"false_alarm", "handled", "restored"} <= {i.outcome for i in incidents}
    assert not OutboxMessage.objects.filter(state="pending").exists()


@pytest.mark.slow
def test_nobody_is_expected_to_call_before_the_city_is_there(demo: str) -> None:
    waiting = AgendaRow.objects.filter(done_at=None, kind__in=("line_test.due", "hours.due"))
    assert not waiting.exists()


@pytest.mark.slow
def test_filling_again_changes_nothing(demo: str) -> None:
    staff = dict(Staff.objects.values_list("username", "password"))
    counts = (Site.objects.count(), Contact.objects.count(), IdentificationCode.objects.count())
    incidents = Incident.objects.count()
    assert load(datetime.now(UTC)) == 0
    assert dict(Staff.objects.values_list("username", "password")) == staff
    again = (Site.objects.count(), Contact.objects.count(), IdentificationCode.objects.count())
    assert again == counts
    assert Incident.objects.count() == incidents


@pytest.mark.slow
def test_the_logins_are_made_at_random_and_for_the_owner_alone(demo: str, logins: Path) -> None:
    rows = json.loads(logins.read_text("utf-8"))
    assert stat.S_IMODE(logins.stat().st_mode) == 0o600
    assert {row["role"] for row in rows} == {"operator", "supervisor", "office"}
    assert rows[0]["role"] == "operator"
    for row in rows:
        assert len(row["password"]) >= 12
        assert check_password(row["password"], Staff.objects.get(username=row["username"]).password)
    assert len({row["password"] for row in rows}) == len(rows)


@pytest.mark.slow
@pytest.mark.clause("S18.1", "M7.1")
def test_a_demo_person_knows_his_code_and_the_house_only_its_hash(demo: str) -> None:
    contact = Contact.objects.filter(position=1).select_related("site").order_by("pk")[7]
    code = demo_code(contact).replace(" ", "")
    assert len(code) == 6
    assert check(contact.site, f"c{contact.pk}", code) == "right"
    duress = demo_code(contact, duress=True)
    assert check(contact.site, f"c{contact.pk}", duress) == "duress"
    other = Contact.objects.exclude(site=contact.site).first()
    assert other is not None
    assert check(other.site, f"c{other.pk}", code) == "wrong"


@pytest.mark.slow
def test_a_week_without_the_city_begins_without_a_storm(demo: str) -> None:
    from meldkamer.office.activation import start_watching

    past = datetime.now(UTC) - timedelta(days=20)
    for site in Site.objects.filter(test_period_s__isnull=False)[:20]:
        start_watching(site, past)
    overdue = AgendaRow.objects.filter(done_at=None, due__lt=datetime.now(UTC))
    assert overdue.filter(kind="line_test.due").count() == 20
    rest(datetime.now(UTC))
    assert not overdue.filter(kind="line_test.due").exists()


def test_the_terms_of_both_providers_are_shipped() -> None:
    assert terms_named("securitas-2022-05").house.slug == "securitas"
    assert terms_named("dtral").house.slug == "dtral"
