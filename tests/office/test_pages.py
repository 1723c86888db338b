"""The office's pages: who sees what, entering a site of one's own, errors that say what to do."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from meldkamer.agenda.models import AgendaRow
from meldkamer.journal.models import Entry
from meldkamer.people.models import Staff
from meldkamer.sites import whole
from meldkamer.sites.models import IdentificationCode, Provider, Site, Transmitter, Zone
from tests.office.conftest import NOW, draft, person

TABS = (
    "site", "change_site", "customer", "new_installer", "zones", "new_zone", "contacts",
    "new_contact", "transmitters", "new_transmitter", "hours", "change_hours", "signals", "wire",
    "course",
)  # fmt: skip

NEW = {
    "customer-name": "Tom Maes",
    "customer-kind": "consumer",
    "customer-language": "nl",
    "customer-email": "tom@maes.example",
    "customer-phone": "0470 00 33 44",
    "site-name": "Woning Maes",
    "site-street": "Dorp 1",
    "site-postal_code": "2500",
    "site-town": "Lier",
    "site-language": "nl",
    "site-plan": "homeguard",
    "site-formula": "mix",
    "site-test_period_s": "24h",
    "transmitter-account": "7001",
    "transmitter-key": "text:sixteen bytes ok",
}


@pytest.mark.parametrize("name", TABS)
def test_every_tab_of_a_site_is_shown(office: Client, bakery: Site, name: str) -> None:
    answer = office.get(reverse(f"office:{name}", args=[bakery.pk]))
    assert answer.status_code == 200
    assert "Bakkerij Peeters" in answer.content.decode()


def test_an_operator_and_a_stranger_do_not_enter(
    bakery: Site, securitas: Provider, enter: Callable[[Staff], Client]
) -> None:
    emma = enter(person("emma", Staff.Role.OPERATOR, securitas))
    assert emma.get(reverse("office:home")).status_code == 403
    assert emma.get(reverse("office:contacts", args=[bakery.pk])).status_code == 403
    stranger = Client().get(reverse("office:home"))
    assert stranger.status_code == 302
    assert "login" in stranger.headers["Location"]


def test_a_site_of_another_provider_does_not_exist(
    bakery: Site, dtral: Provider, enter: Callable[[Staff], Client]
) -> None:
    other = enter(person("dirk", Staff.Role.OFFICE, dtral))
    for name in TABS:
        assert other.get(reverse(f"office:{name}", args=[bakery.pk])).status_code == 404
    zone = bakery.zones.first()
    contact = bakery.contacts.first()
    assert zone is not None
    assert contact is not None
    for name, key in (("remove_zone", zone.pk), ("contact_remove", contact.pk)):
        assert other.post(reverse(f"office:{name}", args=[bakery.pk, key])).status_code == 404
    assert other.post(reverse("office:activate", args=[bakery.pk])).status_code == 404
    assert "Bakkerij" not in other.get(reverse("office:found"), {"q": "Peeters"}).content.decode()
    assert Zone.objects.filter(pk=zone.pk).exists()


@pytest.mark.parametrize("words", ["peeters", "1234", "0470 001201", "bakkerij an", "0470001202"])
def test_a_site_is_found_by_name_account_contact_and_telephone(
    office: Client, bakery: Site, words: str
) -> None:
    assert "Bakkerij Peeters" in office.get(reverse("office:found"), {"q": words}).content.decode()


def test_a_search_that_finds_nothing_says_so(office: Client, bakery: Site) -> None:
    assert "Nothing found" in office.get(reverse("office:found"), {"q": "zzz"}).content.decode()


@pytest.mark.clause("S4.2", "S22.1")
def test_a_site_of_ones_own_is_entered_completed_and_activated(
    office: Client, clerk: Staff
) -> None:
    answer = office.post(reverse("office:new_site"), NEW)
    site = Site.objects.get(name="Woning Maes")
    assert answer.headers["Location"] == reverse("office:contacts", args=[site.pk])
    assert site.customer.phone == "+32470003344"
    assert (site.test_period_s, site.test_wait_s) == (86_400, 5400)
    transmitter = Transmitter.objects.get(site=site)
    assert transmitter.key_bits == 128
    assert b"sixteen" not in bytes(transmitter.key_sealed or b"")

    refused = office.post(reverse("office:activate", args=[site.pk]), follow=True)
    assert "Nobody is on the call list" in refused.content.decode()
    site.refresh_from_db()
    assert site.activated_at is None

    office.post(
        reverse("office:new_contact", args=[site.pk]),
        {"name": "Tom Maes", "phone": "0470003344", "language": "nl", "has_keys": "on"},
    )
    office.post(reverse("office:new_zone", args=[site.pk]), {"number": "007", "name": "Deur"})
    assert Zone.objects.get(site=site).number == "7"
    done = office.post(reverse("office:activate", args=[site.pk]), follow=True)
    assert "Activated" in done.content.decode()
    site.refresh_from_db()
    assert site.in_force_from is not None
    words = list(Entry.objects.filter(site_id=site.pk).values_list("what", flat=True))
    assert {"site.entered", "contact.added", "zone.added", "site.activated"} <= set(words)
    assert set(
        Entry.objects.filter(site_id=site.pk, what="zone.added").values_list("actor", flat=True)
    ) == {f"staff:{clerk.pk}"}


def test_a_refused_form_keeps_what_was_typed_and_says_how_to_mend_it(
    office: Client, bakery: Site
) -> None:
    typed = NEW | {
        "customer-phone": "nonsense",
        "transmitter-account": "1234",
        "transmitter-key": "hex:0011",
        "site-test_period_s": "soon",
    }
    answer = office.post(reverse("office:new_site"), typed)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "soon is no duration. Expected e.g. 90m, 24h or 7d." in page
    assert 'value="Woning Maes"' in page
    typed |= {"site-test_period_s": "24h"}
    page = office.post(reverse("office:new_site"), typed).content.decode()
    assert "nonsense is no telephone number. Expected e.g. +32 475 12 34 56." in page
    assert 'aria-invalid="true"' in page
    typed |= {"customer-phone": ""}
    page = office.post(reverse("office:new_site"), typed).content.decode()
    assert "Expected hex: or text: followed by 16, 24 or 32 bytes" in page
    assert "hex:0011" not in page
    typed |= {"transmitter-key": ""}
    page = office.post(reverse("office:new_site"), typed).content.decode()
    assert "Account 1234 is in use by another site" in page
    assert not Site.objects.filter(name="Woning Maes").exists()


@pytest.mark.clause("S6.3", "S11.1")
def test_a_sheet_against_its_plan_is_refused_with_the_clause(office: Client, bakery: Site) -> None:
    sheet = {
        "site-name": "Bakkerij Peeters", "site-language": "nl", "site-plan": "homeguard",
        "site-formula": "mix", "site-options": ["open_close"],
        "site-types": ["intrusion", "sabotage", "power", "battery", "line_test", "fire"],
    }  # fmt: skip
    page = office.post(reverse("office:change_site", args=[bakery.pk]), sheet).content.decode()
    assert "6 types chosen; HomeGuard has up to 5. Take some out. (S6.3)" in page
    assert "only when the customer signed for it" in page
    assert "HomeGuard has no open/close" in page
    bakery.refresh_from_db()
    assert bakery.types is None


@pytest.mark.clause("S22.1")
def test_a_change_keeps_the_old_value_with_who_made_it(
    office: Client, bakery: Site, clerk: Staff
) -> None:
    contact = bakery.contacts.get(position=2)
    answer = office.post(
        reverse("office:contact", args=[bakery.pk, contact.pk]),
        {"name": "Tom Maes", "phone": "+32 470 00 99 99", "language": "nl", "has_keys": "on",
         "knows_codes": "on"},
    )  # fmt: skip
    assert answer.status_code == 302
    entry = Entry.objects.get(what="contact.changed", site_id=bakery.pk)
    assert entry.actor == f"staff:{clerk.pk}"
    assert entry.clause == "S22.1"
    assert entry.data["change"] == {"phone": ["+32470001202", "+32470009999"]}
    course = office.get(reverse("office:course", args=[bakery.pk])).content.decode()
    assert "<del>+32470001202</del>" in course


@pytest.mark.clause("S7.6")
def test_a_number_that_may_not_be_texted_is_kept_and_said_to_be_called(
    office: Client, bakery: Site
) -> None:
    page = office.get(reverse("office:contacts", args=[bakery.pk])).content.decode()
    assert "+493000001203 is no mobile of BE: kept, not texted; an operator calls." in page
    assert page.count("no, is called") == 1


@pytest.mark.clause("S7.6", "D904.5")
def test_what_becomes_of_a_number_is_said_where_it_is_entered(
    dtral: Provider, enter: Callable[[Staff], Client]
) -> None:
    sheet = draft("4321", plan="dtral", formula="", premises_phone="+33123456789")
    site, _ = whole.bring(dtral, replace(sheet, contacts=sheet.contacts[:1]), NOW, "test")
    client = enter(person("dora", Staff.Role.OFFICE, dtral))
    landline = {"name": "Bo", "phone": "03 234 56 78", "language": "nl"}
    abroad = {"name": "Cis", "phone": "+33 6 12 34 56 78", "language": "nl"}
    texted = " is no mobile of BE, NL, LU: kept, not texted; an operator calls."
    for given, said in (
        (landline, [f"Bo: +3232345678{texted} (S7.6)"]),
        (abroad, [f"Cis: +33612345678{texted} (S7.6)",
                  "Cis: +33612345678 is no number of BE, NL, LU: at a surcharge. (D904.5)"]),
    ):  # fmt: skip
        answer = client.post(reverse("office:new_contact", args=[site.pk]), given, follow=True)
        shown = [str(one) for one in answer.context["messages"]]
        assert shown[1:] == said
    page = client.get(reverse("office:contacts", args=[site.pk])).content.decode()
    assert page.count('<tr class="remark">') == 3
    assert page.count("no, is called") == 2
    sheet_page = client.get(reverse("office:site", args=[site.pk])).content.decode()
    premises = "Premises: +33123456789 is no number of BE, NL, LU: at a surcharge. (D904.5)"
    assert premises in sheet_page
    course = client.get(reverse("office:course", args=[site.pk])).content.decode()
    assert "number refused for texts" in course
    assert "number at a surcharge" in course


@pytest.mark.clause("S17.1")
def test_a_contact_too_many_is_refused(office: Client, bakery: Site) -> None:
    answer = office.post(
        reverse("office:new_contact", args=[bakery.pk]),
        {"name": "Jan", "phone": "0470000001", "language": "nl"},
    )
    assert "HomeGuard has up to 3 contacts. Remove one first. (S17.1)" in answer.content.decode()
    assert bakery.contacts.count() == 3


@pytest.mark.clause("S18.1")
def test_a_code_is_shown_once_and_never_again(
    office: Client, bakery: Site, caplog: pytest.LogCaptureFixture
) -> None:
    contact = bakery.contacts.get(position=1)
    with caplog.at_level("DEBUG"):
        page = office.post(reverse("office:contact_code", args=[bakery.pk, contact.pk]))
    shown = page.content.decode().split('class="code issued">')[1].split("<")[0]
    code = shown.replace(" ", "")
    assert len(code) == 6
    assert code.isdigit()
    assert page.headers["Cache-Control"] == "no-store"
    again = office.get(reverse("office:contacts", args=[bakery.pk])).content.decode()
    course = office.get(reverse("office:course", args=[bakery.pk])).content.decode()
    for text in (again, course, caplog.text, str(list(Entry.objects.values_list("data")))):
        assert code not in text
        assert shown not in text
    stored = bytes(IdentificationCode.objects.get(contact=contact).code_mac)
    assert code.encode() not in stored


@pytest.mark.clause("S18.1")
def test_too_many_live_codes_are_warned_of(
    office: Client, bakery: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = bakery.contacts.get(position=1)
    url = reverse("office:contact_code", args=[bakery.pk, contact.pk])
    assert "codes or more are live" not in office.post(url).content.decode()
    monkeypatch.setattr("meldkamer.people.issuing.MANY_CODES", 1)
    assert "codes or more are live" in office.post(url).content.decode()


@pytest.mark.clause("S10.3")
def test_a_test_period_changed_on_an_active_site_is_watched_at_once(
    office: Client, bakery: Site
) -> None:
    office.post(reverse("office:activate", args=[bakery.pk]))
    due = AgendaRow.objects.filter(kind="line_test.due", done_at=None)
    assert not due.exists()
    sheet = {
        "site-name": "Bakkerij Peeters", "site-language": "nl", "site-plan": "homeguard",
        "site-formula": "mix", "site-test_period_s": "1h",
    }  # fmt: skip
    office.post(reverse("office:change_site", args=[bakery.pk]), sheet)
    first = due.get().due
    office.post(
        reverse("office:change_site", args=[bakery.pk]), sheet | {"site-test_period_s": "7d"}
    )
    assert due.get().due > first


def test_the_key_of_a_transmitter_is_never_shown_again(office: Client, bakery: Site) -> None:
    transmitter = bakery.transmitters.get()
    for name, keys in (("transmitters", []), ("transmitter", [transmitter.pk]), ("course", [])):
        page = office.get(reverse(f"office:{name}", args=[bakery.pk, *keys])).content.decode()
        assert "00112233" not in page.lower()
    kept = {"account": "1234", "receiver": "", "line": "", "key": "", "label": "IP"}
    office.post(reverse("office:transmitter", args=[bakery.pk, transmitter.pk]), kept)
    transmitter.refresh_from_db()
    assert (transmitter.key_bits, transmitter.label) == (128, "IP")
    office.post(
        reverse("office:transmitter", args=[bakery.pk, transmitter.pk]), kept | {"plain": "on"}
    )
    transmitter.refresh_from_db()
    assert (transmitter.key_bits, transmitter.key_sealed) == (None, None)


def test_a_nul_character_is_no_text(office: Client, bakery: Site) -> None:
    answer = office.post(reverse("office:new_zone", args=[bakery.pk]), {"number": "1\0"})
    assert answer.status_code == 400
    assert office.get(reverse("office:found"), {"q": "a\0"}).status_code == 400


@pytest.mark.clause("S11.1")
def test_hours_are_kept_on_a_plan_that_has_them(office: Client, securitas: Provider) -> None:
    from meldkamer.sites import whole
    from tests.office.conftest import NOW

    site, _ = whole.bring(securitas, draft("7777", plan="proguard"), NOW, "test")
    week = {f"day{day}-{name}": "" for day in range(7) for name in ("opens", "closes")}
    url = reverse("office:change_hours", args=[site.pk])
    assert (
        office.post(url, week | {"day0-opens": "08:00", "day0-closes": "17:00"}).status_code == 302
    )
    assert str(site.hours.get()) == "0"
    half = office.post(url, week | {"day1-opens": "08:00"})
    assert "Tuesday: Opening and closing go together, and differ. (S11.1)" in half.content.decode()
    assert site.hours.count() == 1


@pytest.mark.parametrize("language", ["nl", "fr", "de", "en"])
def test_the_page_speaks_the_language_of_its_reader(
    office: Client, clerk: Staff, bakery: Site, language: str
) -> None:
    clerk.language = language
    clerk.save()
    page = office.get(reverse("office:home")).content.decode()
    assert f'<html lang="{language}"' in page


def test_nothing_of_a_page_is_inline(office: Client, bakery: Site) -> None:
    for name in TABS:
        page = office.get(reverse(f"office:{name}", args=[bakery.pk])).content.decode()
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick=" not in page
        assert "<script>" not in page
