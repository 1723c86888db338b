"""Master data: what is stored, what is journaled, what is refused; codes and keys stay secret."""

from datetime import UTC, datetime

import pytest
from django.conf import settings

from meldkamer.journal.models import Entry
from meldkamer.people.codes import code_mac
from meldkamer.people.identification import check
from meldkamer.people.issuing import issue_code
from meldkamer.sites import checking, commands, sheet_commands, whole
from meldkamer.sites.drafts import (
    ContactDraft,
    CustomerDraft,
    HoursDraft,
    SiteDraft,
    TransmitterDraft,
    WholeSite,
    ZoneDraft,
)
from meldkamer.sites.faults import Refused
from meldkamer.sites.models import Contact, IdentificationCode, Provider, Site, Transmitter
from meldkamer.sites.sealing import unseal
from meldkamer.terms.loader import load

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
KEY = bytes(range(16))


@pytest.fixture
def securitas(db: None) -> Provider:
    return Provider.objects.create(slug="securitas", name="Securitas", terms="securitas-2022-05")


@pytest.fixture
def site(securitas: Provider) -> Site:
    draft = WholeSite(
        CustomerDraft("An"),
        SiteDraft("Shop", "homeguard", "mix"),
        (TransmitterDraft("1234", key=f"hex:{KEY.hex()}"),),
        contacts=(ContactDraft("An", phone="0470000001"), ContactDraft("Bo", phone="0470000002")),
    )
    return whole.bring(securitas, draft, NOW, "test")[0]


def codes_of(refused: pytest.ExceptionInfo[Refused]) -> list[tuple[str, str, str]]:
    return [(fault.field, fault.code, fault.clause) for fault in refused.value.faults]


def test_a_key_is_sealed_and_never_in_journal_or_repr(site: Site) -> None:
    row = Transmitter.objects.get(site=site)
    assert unseal(bytes(row.key_sealed or b""), settings.MELDKAMER_SEALING_KEY) == KEY
    draft = TransmitterDraft("1235", key=f"hex:{KEY.hex()}")
    assert KEY.hex() not in repr(draft)
    commands.add_transmitter(site, draft, NOW, "test")
    commands.change_transmitter(
        row, TransmitterDraft("1234", key="text:0123456789abcdef"), NOW, "t"
    )
    told = str(list(Entry.objects.values_list("data", flat=True)))
    assert KEY.hex() not in told
    assert "0123456789abcdef" not in told
    assert "'key': '128 bits'" in told


def test_an_account_dials_in_for_one_site_only(site: Site) -> None:
    with pytest.raises(Refused) as refused:
        commands.add_transmitter(site, TransmitterDraft("1234"), NOW, "test")
    assert codes_of(refused) == [("account", "account_taken", "")]
    commands.add_transmitter(site, TransmitterDraft("1234", line="2"), NOW, "test")
    row = Transmitter.objects.get(account="1234", line="")
    commands.retire_transmitter(row, NOW, "test")
    commands.add_transmitter(site, TransmitterDraft("1234"), NOW, "test")


@pytest.mark.parametrize("account", ["", "12", "12G4", "1" * 17, "a b c"])
def test_an_account_that_no_panel_can_send_is_refused(account: str) -> None:
    _, _, faults = checking.transmitter(TransmitterDraft(account))
    assert [fault.code for fault in faults] == ["account"]


@pytest.mark.clause("S22.1")
def test_each_change_is_journaled_with_who_and_the_old_value(site: Site) -> None:
    customer = site.customer
    assert commands.change_customer(customer, CustomerDraft("An Peeters"), NOW, "staff:7")
    entry = Entry.objects.get(what="customer.changed")
    assert (entry.actor, entry.clause) == ("staff:7", "S22.1")
    assert entry.data["change"] == {"name": ["An", "An Peeters"]}
    assert not commands.change_customer(customer, CustomerDraft("An Peeters"), NOW, "staff:7")
    assert Entry.objects.filter(what="customer.changed").count() == 1


@pytest.mark.clause("S6.3", "S11.1")
def test_a_sheet_its_plan_forbids_changes_nothing(site: Site) -> None:
    draft = SiteDraft("Shop", "homeguard", "mix", types=("intrusion",), options=("open_close",))
    with pytest.raises(Refused) as refused:
        commands.change_site(site, None, draft, NOW, "test")
    assert codes_of(refused) == [
        ("types", "vital_unsigned", "S6.3"),
        ("open_close", "open_close_not_taken", "S11.1"),
    ]
    site.refresh_from_db()
    assert (site.types, site.options) == (None, [])


@pytest.mark.clause("S11.1")
def test_hours_are_refused_on_a_plan_without_them(site: Site) -> None:
    from datetime import time

    with pytest.raises(Refused) as refused:
        commands.set_hours(site, [HoursDraft(time(8), time(17), weekday=0)], NOW, "test")
    assert codes_of(refused) == [("open_close", "open_close_not_taken", "S11.1")]


@pytest.mark.clause("S17.1", "S4.4")
def test_the_call_list_has_no_gap_and_keeps_its_last_person(site: Site) -> None:
    sheet_commands.add_contact(site, ContactDraft("Cy", email="cy@example.be"), NOW, "test")
    with pytest.raises(Refused) as refused:
        sheet_commands.add_contact(site, ContactDraft("Di", phone="0470000004"), NOW, "test")
    assert codes_of(refused) == [("name", "contacts_many", "S17.1")]
    second = site.contacts.get(position=2)
    assert sheet_commands.move_contact(second, -1, NOW, "test")
    assert [c.name for c in site.contacts.order_by("position")] == ["Bo", "An", "Cy"]
    assert not sheet_commands.move_contact(site.contacts.get(name="Bo"), -1, NOW, "test")
    sheet_commands.remove_contact(site.contacts.get(name="An"), NOW, "test")
    sheet_commands.remove_contact(site.contacts.get(name="Cy"), NOW, "test")
    assert [c.position for c in site.contacts.all()] == [1]
    site.in_force_from = NOW
    site.save()
    with pytest.raises(Refused) as refused:
        sheet_commands.remove_contact(site.contacts.get(), NOW, "test")
    assert codes_of(refused) == [("name", "contacts_none", "S4.4")]


def test_somebody_who_cannot_be_reached_is_no_contact(site: Site) -> None:
    with pytest.raises(Refused) as refused:
        sheet_commands.add_contact(site, ContactDraft("Cy"), NOW, "test")
    assert codes_of(refused) == [("phone", "unreachable", "S17.1")]


@pytest.mark.clause("S9.2", "M1.2")
def test_a_zone_is_known_as_the_panel_sends_it_whatever_its_zeros(site: Site) -> None:
    row = sheet_commands.put_zone(site, ZoneDraft("005", kind="smoke"), NOW, "test")
    assert row.number == "5"
    with pytest.raises(Refused) as refused:
        sheet_commands.put_zone(site, ZoneDraft("5"), NOW, "test")
    assert codes_of(refused) == [("number", "twice", "")]
    assert sheet_commands.put_zone(site, ZoneDraft("0"), NOW, "test").number == "0"


@pytest.mark.clause("S18.1")
def test_a_code_is_six_digits_unique_in_the_house_and_voids_the_old(site: Site) -> None:
    contact = site.contacts.get(position=1)
    first = issue_code(contact, NOW, "test")
    assert len(first) == 6
    assert check(site, f"c{contact.pk}", first) == "right"
    second = issue_code(contact, NOW, "test")
    assert check(site, f"c{contact.pk}", second) == "right"
    assert second == first or check(site, f"c{contact.pk}", first) == "wrong"
    assert IdentificationCode.objects.filter(contact=contact).count() == 1


@pytest.mark.clause("S18.1")
def test_a_code_that_another_has_is_never_issued(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = iter(["111111", "111111", "222222"])
    monkeypatch.setattr("meldkamer.people.issuing.random_code", lambda: next(taken))
    one, other = site.contacts.order_by("position")
    assert issue_code(one, NOW, "test") == "111111"
    assert issue_code(other, NOW, "test") == "222222"
    assert check(site, f"c{one.pk}", "111111") == "right"
    assert check(site, f"c{other.pk}", "111111") == "wrong"


@pytest.mark.clause("M7.1")
def test_a_duress_code_lives_beside_the_code(site: Site) -> None:
    contact = site.contacts.get(position=1)
    code = issue_code(contact, NOW, "test")
    duress = issue_code(contact, NOW, "test", duress=True)
    assert check(site, f"c{contact.pk}", code) == "right"
    assert check(site, f"c{contact.pk}", duress) == "duress"


@pytest.mark.clause("S18.1")
def test_what_is_stored_of_a_code_does_not_reveal_it(site: Site) -> None:
    contact = site.contacts.get(position=1)
    code = issue_code(contact, NOW, "test")
    row = IdentificationCode.objects.get(contact=contact)
    stored = bytes(row.code_mac)
    assert len(stored) == 32
    # all million codes with a guessed pepper do not find it; a few thousand are enough to see
    wrong = b"another pepper of 32 bytes, maybe"
    guesses = (f"{n:06d}" for n in (*range(3000), int(code)))
    assert stored not in {code_mac(guess, site.provider_id, wrong) for guess in guesses}
    assert code not in str(list(Entry.objects.values_list("data", "reason", "recipient")))


@pytest.mark.clause("S10.3")
@pytest.mark.parametrize(("period_s", "wait_s"), [(3600, 900), (86_400, 5400), (900_000, 21_600)])
def test_the_waiting_time_follows_the_period_by_the_terms(period_s: int, wait_s: int) -> None:
    terms = load("securitas-2022-05")
    draft, faults = checking.site(
        SiteDraft("Shop", "homeguard", "mix", test_period_s=period_s), 3, False, terms
    )
    assert faults == []
    assert draft.test_wait_s == wait_s


def test_text_with_a_nul_is_refused_everywhere(site: Site) -> None:
    drafts = (
        lambda: commands.enter_customer(site.provider, CustomerDraft("A\0"), NOW, "test"),
        lambda: sheet_commands.put_zone(site, ZoneDraft("1", name="a\0"), NOW, "test"),
        lambda: sheet_commands.add_contact(
            site, ContactDraft("a\0", email="a@b.be"), NOW, "test"
        ),
        lambda: commands.add_transmitter(site, TransmitterDraft("77AA", label="\0"), NOW, "test"),
    )  # fmt: skip
    for enter in drafts:
        with pytest.raises(Refused) as refused:
            enter()
        assert "nul" in {fault.code for fault in refused.value.faults}


@pytest.mark.usefixtures("as_application")
def test_the_application_itself_may_do_all_of_this(site: Site) -> None:
    assert Contact.objects.count() == 2
    commands.change_site(site, None, SiteDraft("Shop 2", "homeguard", "app"), NOW, "test")
    site.refresh_from_db()
    assert site.formula == "app"
