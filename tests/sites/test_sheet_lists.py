"""The call list, the hours, the zones and the installer, changed in writing (S22.1)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from meldkamer.agenda.models import AgendaRow
from meldkamer.journal.models import Entry
from meldkamer.people.identification import check
from meldkamer.people.issuing import issue_code
from meldkamer.sites import sheet_changes, whole
from meldkamer.sites.drafts import (
    ContactDraft,
    CustomerDraft,
    HoursDraft,
    InstallerDraft,
    SiteDraft,
    TransmitterDraft,
    WholeSite,
    ZoneDraft,
)
from meldkamer.sites.models import OpeningHours, Provider, SheetChange, Site
from meldkamer.watch import commands as watch
from meldkamer.watch.hours import HOURS_DUE

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=7)
AN = {"name": "An", "phone": "0470 00 00 11"}
CIS = {"name": "Cis", "phone": "0470 00 00 03"}


@pytest.fixture
def securitas(db: None) -> Provider:
    return Provider.objects.create(slug="securitas", name="Securitas", terms="securitas-2022-05")


def place(provider: Provider, plan: str) -> Site:
    draft = WholeSite(
        CustomerDraft("An"),
        SiteDraft("Shop", plan, "operator"),
        (TransmitterDraft("1234"),),
        installer=InstallerDraft("Elektro Maes", "maes@example.be"),
        zones=(ZoneDraft("1", "Door"),),
        contacts=(ContactDraft("An", phone="0470000001"), ContactDraft("Bo", phone="0470000002")),
    )
    return whole.bring(provider, draft, NOW, "test")[0]


@pytest.fixture
def site(securitas: Provider) -> Site:
    return place(securitas, "homeguard")


def ask(site: Site, changes: dict[str, Any], ends_at: datetime | None = None) -> SheetChange:
    return sheet_changes.ask(site, changes, NOW, starts_at=NOW, ends_at=ends_at, by="An")


def listed(site: Site) -> list[tuple[int, str, str]]:
    rows = site.contacts.order_by("position")
    return [(row.position, row.name, row.phone) for row in rows]


def refusals() -> list[tuple[str, str]]:
    rows = Entry.objects.filter(what="sheet.refused").order_by("id")
    return [(row.clause, row.reason) for row in rows]


@pytest.mark.clause("S22.1")
def test_a_contact_who_stays_keeps_his_row_and_code_and_the_old_list_is_kept(site: Site) -> None:
    an = site.contacts.get(name="An")
    code = issue_code(an, NOW, "office")
    change = ask(site, {"contacts": [CIS, AN]})
    assert listed(site) == [(1, "Cis", "+32470000003"), (2, "An", "+32470000011")]
    assert site.contacts.get(name="An").pk == an.pk
    assert check(site, f"c{an.pk}", code) == "right"
    assert [row["phone"] for row in change.before["contacts"]] == ["+32470000001", "+32470000002"]
    entry = Entry.objects.get(what="sheet.changed")
    assert (entry.clause, entry.data["without_code"]) == ("S22.1", ["Cis"])
    assert "id" not in entry.data["before"]["contacts"][0]


@pytest.mark.clause("S22.1")
def test_who_is_away_for_a_period_comes_back_as_he_was_with_his_code(site: Site) -> None:
    bo = site.contacts.get(name="Bo")
    code = issue_code(bo, NOW, "office")
    change = ask(site, {"contacts": [CIS]}, LATER)
    assert check(site, f"c{bo.pk}", code) == "wrong"
    kept = [str(row.data) for row in Entry.objects.all()]
    kept += [str(row.payload) for row in AgendaRow.objects.all()]
    macs = [row["mac"] for row in change.before["codes"]]
    assert len(macs) == 1
    assert not [text for text in kept if macs[0] in text or code in text]
    assert code not in str(change.before) + str(change.changes)
    sheet_changes.end(change, LATER)
    assert listed(site) == [(1, "An", "+32470000001"), (2, "Bo", "+32470000002")]
    assert check(site, f"c{bo.pk}", code) == "right"


@pytest.mark.clause("S22.1")
def test_who_left_for_good_has_no_code_any_more(site: Site) -> None:
    bo = site.contacts.get(name="Bo")
    code = issue_code(bo, NOW, "office")
    change = ask(site, {"contacts": [AN]})
    assert "codes" not in change.before
    assert check(site, f"c{bo.pk}", code) == "wrong"


@pytest.mark.clause("S22.1")
def test_the_end_leaves_a_list_that_was_changed_again_since(site: Site) -> None:
    first = ask(site, {"contacts": [CIS]}, LATER)
    ask(site, {"contacts": [AN, CIS]})
    sheet_changes.end(first, LATER)
    assert [name for _, name, _ in listed(site)] == ["An", "Cis"]


@pytest.mark.clause("S22.1")
def test_after_two_periods_that_overlap_the_list_of_before_both_is_back(site: Site) -> None:
    code = issue_code(site.contacts.get(name="Bo"), NOW, "office")
    first = ask(site, {"contacts": [CIS], "premises_person": "Cis"}, LATER)
    second = ask(site, {"contacts": [{"name": "Dirk", "phone": "0470000004"}]}, LATER)
    sheet_changes.end(first, LATER)
    assert [name for _, name, _ in listed(site)] == ["Dirk"]
    assert site.premises_person == ""
    second.refresh_from_db()
    sheet_changes.end(second, LATER)
    assert [name for _, name, _ in listed(site)] == ["An", "Bo"]
    assert check(site, f"c{site.contacts.get(name='Bo').pk}", code) == "right"


@pytest.mark.clause("S22.1")
@pytest.mark.clause("S17.1")
def test_too_many_contacts_nobody_and_somebody_without_a_number_are_refused(site: Site) -> None:
    before = listed(site)
    four = [{"name": name, "phone": f"047000000{n}"} for n, name in enumerate("ABCD")]
    for contacts in (four, [], [{"name": "Cis"}]):
        assert ask(site, {"contacts": contacts}).state == SheetChange.State.REFUSED
    assert [clause for clause, _ in refusals()] == ["S17.1", "S4.4", "S17.1"]
    assert listed(site) == before


@pytest.mark.clause("S22.1")
@pytest.mark.clause("S11.1")
def test_opening_hours_are_refused_on_homeguard(site: Site) -> None:
    hours = [{"weekday": 0, "opens": "08:00:00", "closes": "17:00:00"}]
    assert ask(site, {"hours": hours}).state == SheetChange.State.REFUSED
    assert refusals() == [("S11.1", "plan HomeGuard has no open/close")]
    assert not OpeningHours.objects.exists()


@pytest.mark.clause("S22.1")
def test_what_was_refused_before_does_not_refuse_another_change(site: Site) -> None:
    Site.objects.filter(pk=site.pk).update(options=["open_close"])
    site.refresh_from_db()
    assert ask(site, {"contacts": [AN]}).state == SheetChange.State.IN_FORCE
    assert ask(site, {"options": ["open_close", "patrol"]}).state == SheetChange.State.REFUSED


@pytest.mark.clause("S22.1")
def test_other_hours_for_a_period_are_watched_and_end(securitas: Provider) -> None:
    site = place(securitas, "proguard")
    monday = {"weekday": 0, "opens": "08:00:00", "closes": "20:00:00", "margin_s": 600}
    change = ask(site, {"hours": [monday]}, LATER)
    watch.sheet_changed(site, change.changes, NOW)
    due = AgendaRow.objects.get(kind=HOURS_DUE, done_at=None)
    assert due.due == datetime(2026, 3, 2, 19, 10, tzinfo=UTC)
    sheet_changes.end(change, LATER)
    watch.sheet_changed(site, change.changes, LATER)
    assert not OpeningHours.objects.exists()
    assert not AgendaRow.objects.filter(kind=HOURS_DUE, done_at=None).exists()


@pytest.mark.clause("S22.1")
def test_a_day_of_hours_is_put_back_as_it_was(securitas: Provider) -> None:
    site = place(securitas, "proguard")
    old = HoursDraft(None, None, on_date=NOW.date())
    OpeningHours.objects.create(site=site, on_date=old.on_date)
    change = ask(site, {"hours": []}, LATER)
    assert not OpeningHours.objects.exists()
    sheet_changes.end(change, LATER)
    row = OpeningHours.objects.get()
    assert (row.on_date, row.weekday, row.opens) == (NOW.date(), None, None)


@pytest.mark.clause("S22.1")
def test_zones_installer_and_address_for_a_period_are_put_back(site: Site) -> None:
    door, installer = site.zones.get(), site.installer
    changes = {
        "zones": [{"number": "007", "name": "Till", "type": "holdup"}, {"number": "1"}],
        "installer": {"name": "Elektro Smets", "email": "smets@example.be"},
        "language": "fr",
        "street": "Meir 12",
        "test_times": ["03:00:00"],
    }
    change = ask(site, changes, LATER)
    assert [(z.number, z.type) for z in site.zones.order_by("number")] == [
        ("1", ""),
        ("7", "holdup"),
    ]
    assert site.zones.get(number="1").pk == door.pk
    assert site.installer is not None
    assert (site.installer.name, site.language) == ("Elektro Smets", "fr")
    sheet_changes.end(change, LATER)
    site = Site.objects.get(pk=site.pk)
    assert [z.number for z in site.zones.all()] == ["1"]
    assert (site.installer, site.language, site.street) == (installer, "nl", "")
    assert site.test_times == []


@pytest.mark.clause("S22.1")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"contacts": "An"}, "list of tables"),
        ({"contacts": [{"name": "An", "code": "402913"}]}, "found code; expected name"),
        ({"contacts": [{"name": "An", "phone": "x"}]}, "contacts.1.phone"),
        ({"contacts": [{"name": "An\0", "phone": "0470000001"}]}, "NUL"),
        ({"contacts": [{"phone": "0470000001"}]}, "name"),
        ({"contacts": [AN, AN]}, "An stands there twice"),
        ({"hours": [{"weekday": 9, "opens": None, "closes": None}]}, "weekday"),
        ({"zones": [{"number": 1}]}, "zones.1"),
        ({"language": "it"}, "expected nl, fr, de, en"),
        ({"codes": []}, "found codes"),
    ],
)
def test_what_is_no_list_is_a_fault_that_says_what_was_expected(
    site: Site, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(sheet_changes.SheetFault, match=words):
        ask(site, changes)
    assert not SheetChange.objects.exists()
