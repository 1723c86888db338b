"""Numbers as they are entered: refused for texts under S7.6, at a surcharge under D904.5."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from meldkamer.incidents.deciding.facts import site_facts
from meldkamer.journal.models import Entry
from meldkamer.sites import commands, numbers, sheet_changes, sheet_commands, whole
from meldkamer.sites.drafts import (
    ContactDraft,
    CustomerDraft,
    SiteDraft,
    TransmitterDraft,
    WholeSite,
)
from meldkamer.sites.faults import Refused
from meldkamer.sites.models import Provider, Site

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
LATER = NOW + timedelta(days=7)
MOBILE, DUTCH, FRENCH, LANDLINE = "+32470001201", "+31612345678", "+33612345678", "+3232345678"
Told = list[tuple[str, str, str, str]]


def place(house: str, *phones: str, premises: str = "") -> Site:
    """A site with contacts A, B, C … of these numbers."""
    terms, plan, formula = {
        "securitas": ("securitas-2022-05", "homeguard", "mix"),
        "dtral": ("dtral", "dtral", ""),
    }[house]
    provider = Provider.objects.create(slug=house, name=house, terms=terms)
    drafts = tuple(
        ContactDraft(chr(ord("A") + n), phone=phone, email="a@b.example")
        for n, phone in enumerate(phones)
    )
    sheet = SiteDraft("Shop", plan, formula, premises_phone=premises)
    draft = WholeSite(CustomerDraft("An"), sheet, (TransmitterDraft("1234"),), contacts=drafts)
    return whole.bring(provider, draft, NOW, "test")[0]


def told(site: Site, since: int = 0) -> Told:
    """What the journal says of numbers: (what, clause, to, reason)."""
    rows = Entry.objects.filter(site_id=site.pk, what__startswith="number.", id__gt=since)
    return [(row.what, row.clause, row.recipient, row.reason) for row in rows.order_by("id")]


def last() -> int:
    row = Entry.objects.order_by("-id").first()
    return row.pk if row else 0


pytestmark = pytest.mark.django_db


@pytest.mark.clause("S7.6")
@pytest.mark.parametrize(
    ("house", "phone", "countries"),
    [
        ("securitas", LANDLINE, "BE"),
        ("securitas", DUTCH, "BE"),
        ("securitas", FRENCH, "BE"),
        ("dtral", LANDLINE, "BE, NL, LU"),
    ],
)
def test_another_number_is_refused_for_texts_when_it_is_entered_and_the_contact_stays(
    house: str, phone: str, countries: str
) -> None:
    site = place(house, MOBILE)
    since = last()
    row = sheet_commands.add_contact(site, ContactDraft("Bo", phone=phone), NOW, "staff:1")
    reason = f"{phone} is no mobile of {countries}: not texted, phoned instead"
    assert told(site, since) == [("number.not_texted", "S7.6", "Bo", reason)]
    assert Entry.objects.get(what="number.not_texted").actor == "staff:1"
    facts = site_facts(site, NOW)
    assert [contact.name for contact in facts.contacts] == ["A", "Bo"]
    assert [contact.name for contact in facts.textable] == ["A"]
    assert row.phone == phone


@pytest.mark.clause("S7.6")
@pytest.mark.parametrize(
    ("house", "phone"),
    [("securitas", MOBILE), ("dtral", MOBILE), ("dtral", DUTCH), ("dtral", "+352621123456")],
)
def test_a_mobile_of_the_terms_countries_is_texted_and_nothing_is_said(
    house: str, phone: str
) -> None:
    site = place(house, phone)
    assert told(site) == []
    assert [contact.name for contact in site_facts(site, NOW).textable] == ["A"]


@pytest.mark.clause("S7.6")
def test_a_number_changed_to_one_that_is_not_texted_is_refused_once() -> None:
    site = place("securitas", MOBILE)
    row = site.contacts.get()
    draft = ContactDraft("A", phone=LANDLINE)
    assert sheet_commands.change_contact(row, draft, NOW, "staff:1")
    said = told(site)
    assert [(what, clause) for what, clause, _, _ in said] == [("number.not_texted", "S7.6")]
    sheet_commands.change_contact(row, replace(draft, relation="owner"), NOW, "staff:1")
    assert told(site) == said


@pytest.mark.clause("S7.6")
def test_an_import_says_it_for_each_number_once() -> None:
    site = place("securitas", MOBILE, LANDLINE, DUTCH)
    assert [(what, to) for what, _, to, _ in told(site)] == [
        ("number.not_texted", "B"), ("number.not_texted", "C"),
    ]  # fmt: skip
    again = WholeSite(
        CustomerDraft("An"), SiteDraft("Shop", "homeguard", "mix"), (TransmitterDraft("1234"),),
        contacts=(ContactDraft("B", phone=LANDLINE), ContactDraft("D", phone=FRENCH)),
    )  # fmt: skip
    since = last()
    whole.bring(site.provider, again, LATER, "test")
    assert [(what, to) for what, _, to, _ in told(site, since)] == [("number.not_texted", "D")]


@pytest.mark.clause("S7.6", "S22.1")
def test_a_change_in_writing_says_it_when_it_begins_and_not_when_it_ends() -> None:
    site = place("securitas", MOBILE)
    since = last()
    contacts = [{"name": "A", "phone": MOBILE}, {"name": "Bo", "phone": LANDLINE}]
    change = sheet_changes.ask(
        site, {"contacts": contacts}, NOW, starts_at=NOW, ends_at=LATER, by="An"
    )
    reason = f"{LANDLINE} is no mobile of BE: not texted, phoned instead"
    assert told(site, since) == [("number.not_texted", "S7.6", "Bo", reason)]
    since = last()
    sheet_changes.end(change, LATER)
    assert told(site, since) == []


@pytest.mark.clause("D904.5")
def test_a_fifth_contact_is_at_a_surcharge_until_another_leaves() -> None:
    site = place("dtral", *(f"+3247000120{n}" for n in range(4)), premises="+3232345678")
    assert told(site) == []
    fifth = sheet_commands.add_contact(site, ContactDraft("E", phone=MOBILE), NOW, "staff:1")
    reason = "plan D'Tral includes 4 contacts; this is number 5: at a surcharge"
    assert told(site) == [("number.surcharged", "D904.5", "E", reason)]
    entry = Entry.objects.get(what="number.surcharged")
    assert entry.data == {"phone": MOBILE, "position": 5, "surcharge": "extra"}
    since = last()
    sheet_commands.move_contact(fifth, -1, NOW, "staff:1")
    assert [(what, to) for what, _, to, _ in told(site, since)] == [
        ("number.included", "E"), ("number.surcharged", "D"),
    ]  # fmt: skip
    since = last()
    sheet_commands.remove_contact(site.contacts.get(name="A"), NOW, "staff:1")
    assert [(what, clause, to) for what, clause, to, _ in told(site, since)] == [
        ("number.included", "D904.5", "D")
    ]
    assert [one.surcharge for one in numbers.numbers_of(site)] == [""] * 5


@pytest.mark.clause("D904.5", "S7.6")
def test_a_number_outside_the_benelux_is_at_a_surcharge_and_a_landline_inside_is_not() -> None:
    site = place("dtral", LANDLINE, FRENCH, "+31201234567", premises="+33123456789")
    abroad = "is no number of BE, NL, LU: at a surcharge"
    assert [one for one in told(site) if one[1] == "D904.5"] == [
        ("number.surcharged", "D904.5", "Shop", f"+33123456789 {abroad}"),
        ("number.surcharged", "D904.5", "B", f"{FRENCH} {abroad}"),
    ]
    assert [to for _, clause, to, _ in told(site) if clause == "S7.6"] == ["A", "B", "C"]


@pytest.mark.clause("D904.5")
def test_a_premises_number_that_is_changed_to_one_abroad_is_at_a_surcharge() -> None:
    site = place("dtral", MOBILE, premises=LANDLINE)
    draft = SiteDraft("Shop", "dtral", premises_phone="+49301234567")
    commands.change_site(site, None, draft, NOW, "staff:1")
    reason = "+49301234567 is no number of BE, NL, LU: at a surcharge"
    assert told(site) == [("number.surcharged", "D904.5", "Shop", reason)]
    sheet_changes.ask(site, {"premises_phone": LANDLINE}, NOW, starts_at=NOW, by="An")
    assert told(site)[1:] == [("number.included", "D904.5", "Shop", "")]


@pytest.mark.clause("D904.5")
def test_where_the_terms_know_no_surcharge_there_is_none() -> None:
    site = place("securitas", MOBILE, DUTCH, FRENCH, premises="+49301234567")
    assert [one.surcharge for one in numbers.numbers_of(site)] == [""] * 4


def test_what_is_refused_is_refused_without_a_word_of_numbers() -> None:
    site = place(
        "securitas", MOBILE, MOBILE.replace("1201", "1202"), MOBILE.replace("1201", "1203")
    )
    since = last()
    with pytest.raises(Refused, match="up to 3"):
        sheet_commands.add_contact(site, ContactDraft("E", phone=LANDLINE), NOW, "staff:1")
    assert told(site, since) == []
