"""Importing sites: all of a file or nothing, faults with line and field, again without effect."""

import argparse
from pathlib import Path

import pytest

from meldkamer.journal.models import Entry
from meldkamer.office import site_import
from meldkamer.office.site_import import ImportRefused, bring
from meldkamer.sites.models import Provider, Site, Transmitter
from tests.office.conftest import NOW

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
GOOD = """\
[[site]]
name = "Woning Maes"
plan = "homeguard"
formula = "mix"
test_period = "24h"
activated = 2026-01-02
[site.customer]
name = "Tom Maes"
[[site.transmitter]]
account = 7001
key = "hex:000102030405060708090A0B0C0D0E0F"
[[site.zone]]
number = 1
name = "Front door"
kind = "contact"
[[site.contact]]
name = "Tom Maes"
phone = "0470 00 33 44"
"""


def refused(text: str, provider: Provider, form: str = "toml") -> list[tuple[int, str, str]]:
    with pytest.raises(ImportRefused) as caught:
        bring(text, form, provider, NOW)
    assert not Site.objects.exists()
    return [(fault.line, fault.field, fault.reason) for fault in caught.value.faults]


@pytest.mark.parametrize(("name", "sites"), [("sites.toml", 2), ("sites.csv", 2)])
def test_the_examples_are_brought_in_and_again_change_nothing(
    securitas: Provider, name: str, sites: int
) -> None:
    text = (EXAMPLES / name).read_text("utf-8")
    form = name.rpartition(".")[2]
    assert dict(bring(text, form, securitas, NOW)) == {"new": sites}
    entries = Entry.objects.count()
    assert dict(bring(text, form, securitas, NOW)) == {"same": sites}
    assert Entry.objects.count() == entries


def test_a_site_arrives_whole_and_active(securitas: Provider) -> None:
    bring((EXAMPLES / "sites.toml").read_text("utf-8"), "toml", securitas, NOW)
    site = Site.objects.get(name="Bakkerij Peeters")
    assert site.in_force_from is not None
    assert site.in_force_from.isoformat() == "2026-01-01T23:00:00+00:00"
    assert (site.test_period_s, site.test_wait_s) == (86_400, 5400)
    assert [zone.number for zone in site.zones.all()] == ["1", "2", "3"]
    assert site.hours.count() == 6
    assert [c.name for c in site.contacts.all()] == ["An Peeters", "Tom Peeters"]
    assert Transmitter.objects.get(site=site).key_bits == 128
    assert Site.objects.get(name="Maison Lambert").in_force_from is None


def test_a_csv_site_arrives_whole(securitas: Provider) -> None:
    bring((EXAMPLES / "sites.csv").read_text("utf-8"), "csv", securitas, NOW)
    site = Site.objects.get(name="Fietsen Goossens")
    assert [(z.number, z.name, z.kind) for z in site.zones.all()] == [
        ("1", "Voordeur", "contact"), ("2", "Winkel", "pir"), ("3", "Rookmelder", "smoke"),
    ]  # fmt: skip
    assert site.options == ["patrol"]
    assert site.contacts.count() == 3
    german = Site.objects.get(name="Haus Kohnen")
    assert german.types == ["intrusion", "holdup", "fire", "medical"]


def test_all_faults_come_at_once_with_line_field_and_what_was_expected(
    securitas: Provider,
) -> None:
    text = (
        GOOD.replace('test_period = "24h"', 'test_period = "daily"')
        .replace('name = "Tom Maes"\n[[site.tr', 'nmae = "Tom"\n[[site.tr')
        .replace("number = 1", "number = [1]")
        .replace("activated = 2026-01-02", "activated = 7")
    )
    found = refused(text, securitas)
    assert (5, "test_period", "'daily'; expected a duration, e.g. 90m, 24h or 7d") in found
    assert (6, "activated", "7; expected a date, e.g. 2026-01-31") in found
    assert (7, "customer.name", "is missing") in found
    unknown = next(fault for fault in found if fault[1] == "customer.nmae")
    assert unknown[0] == 8
    assert "expected one of email, kind, language, name, phone" in unknown[2]
    assert any(line == 13 and field == "zone.1.number" for line, field, _ in found)


@pytest.mark.clause("S6.2", "S4.4", "S11.1")
def test_what_the_terms_forbid_has_its_line_and_clause(securitas: Provider) -> None:
    text = GOOD.replace('formula = "mix"', 'formula = "gold"')
    assert refused(text, securitas) == [
        (4, "formula",
         "formula 'gold'; plan homeguard expects app, mix, operator (S6.2)"),
    ]  # fmt: skip
    lonely = GOOD.partition("[[site.contact]]")[0]
    assert [(f, "S4.4" in why) for _, f, why in refused(lonely, securitas)] == [("contact", True)]
    hours = GOOD + '[[site.open_close]]\ndays = "mon-fri"\nopen = "08:00"\nclose = "17:00"\n'
    assert ("open_close", True) in [(f, "S11.1" in why) for _, f, why in refused(hours, securitas)]


def test_values_that_cannot_be_stored_have_their_line(securitas: Provider) -> None:
    text = GOOD.replace("0470 00 33 44", "many").replace('"contact"', '"magic"')
    found = refused(text, securitas)
    assert [(line, field) for line, field, _ in found] == [
        (15, "zone.1.kind"),
        (18, "contact.1.phone"),
    ]
    assert "expected e.g. +32 475 12 34 56" in found[1][2]


def test_a_key_is_never_repeated_in_a_fault(securitas: Provider) -> None:
    found = refused(GOOD.replace("hex:000102", "hex:00SECRET"), securitas)
    assert found[0][1] == "transmitter.1.key"
    assert "SECRET" not in str(found)
    found = refused(GOOD.replace('"hex:000102030405060708090A0B0C0D0E0F"', "12345678"), securitas)
    assert "12345678" not in str(found)


def test_a_broken_file_names_the_line(securitas: Provider) -> None:
    assert refused("[[site]]\nname = \n", securitas)[0][0] == 2
    assert refused("", securitas) == [(1, "site", "no site; expected tables [[site]]")]
    assert "too deep" in refused("a = " + "[" * 5000, securitas)[0][2]
    assert "too many digits" in refused("a = " + "9" * 5000, securitas)[0][2]
    assert refused("account,name\n7001\n", securitas, "csv")
    too_long = refused("account,name\n7001,a,b\n", securitas, "csv")
    assert (2, "", "3 fields; the first line names 2") in too_long


def test_one_faulty_site_keeps_all_others_out(securitas: Provider) -> None:
    text = GOOD + GOOD.replace("7001", "7001").replace("Woning Maes", "Copy")
    second = GOOD.replace("7001", "7002").replace("0470 00 33 44", "x")
    refused(GOOD + second, securitas)
    assert dict(bring(text, "toml", securitas, NOW)) == {"new": 1, "changed": 1}


def test_a_csv_fault_has_line_and_column(securitas: Provider) -> None:
    text = (EXAMPLES / "sites.csv").read_text("utf-8").replace("0470 00 91 11,1=", "soon,1=")
    found = refused(text, securitas, "csv")
    assert found == [
        (3, "customer.phone",
         "'soon' is not a telephone number; expected e.g. +32 475 12 34 56"),
    ]  # fmt: skip


@pytest.mark.clause("S22.1")
def test_a_changed_file_changes_only_what_differs(securitas: Provider) -> None:
    bring(GOOD, "toml", securitas, NOW)
    before = Entry.objects.count()
    changed = GOOD.replace("Front door", "Back door")
    assert dict(bring(changed, "toml", securitas, NOW)) == {"changed": 1}
    entry = Entry.objects.order_by("-id").first()
    assert entry is not None
    assert Entry.objects.count() == before + 1
    assert entry.data["change"] == {"name": ["Front door", "Back door"]}


def test_an_account_of_another_provider_is_not_taken_over(
    securitas: Provider, dtral: Provider
) -> None:
    bring(GOOD, "toml", securitas, NOW)
    other = GOOD.replace('"homeguard"', '"dtral"').replace('formula = "mix"\n', "")
    with pytest.raises(ImportRefused) as caught:
        bring(other, "toml", dtral, NOW)
    assert "account 7001 is in use by another site" in caught.value.faults[0].reason
    assert Transmitter.objects.get(account="7001").site.provider == securitas


def test_a_dry_run_stores_nothing(securitas: Provider) -> None:
    assert dict(bring(GOOD, "toml", securitas, NOW, dry_run=True)) == {"new": 1}
    assert not Site.objects.exists()
    assert not Entry.objects.exists()


def run(path: Path, provider: str | None = None) -> int:
    return site_import.main(argparse.Namespace(file=path, provider=provider, dry_run=False))


def test_the_command_says_what_it_did_and_what_is_wrong(
    securitas: Provider, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sites.toml"
    file.write_text(GOOD)
    assert run(file) == 0
    assert capsys.readouterr().out == "1 new, 0 changed, 0 same\n"
    file.write_text(GOOD.replace("0470 00 33 44", "x"))
    assert run(file) == 1
    said = capsys.readouterr().err
    assert f"{file}:18: contact.1.phone: 'x' is not a telephone number" in said
    assert "nothing was stored" in said
    assert run(tmp_path / "none.toml") == 2
    assert "No such file" in capsys.readouterr().err
    assert run(file, "nobody") == 2
    assert "there are: securitas" in capsys.readouterr().err
    odd = tmp_path / "sites.xml"
    odd.write_text("")
    assert run(odd) == 2


@pytest.mark.clause("S7.6", "D904.5")
@pytest.mark.parametrize("form", ["toml", "csv"])
def test_an_import_says_which_numbers_are_not_texted_or_cost_more(
    dtral: Provider, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = """\
[[site]]
name = "Woning Maes"
plan = "dtral"
[site.customer]
name = "Tom Maes"
[[site.transmitter]]
account = 7001
[[site.contact]]
name = "Tom Maes"
phone = "0470 00 33 44"
[[site.contact]]
name = "Bo"
phone = "+33 6 12 34 56 78"
"""
    csv = (
        "name,plan,account,customer.name,contact.1.name,contact.1.phone,contact.2.name,"
        "contact.2.phone\nWoning Maes,dtral,7001,Tom Maes,Tom Maes,0470 00 33 44,Bo,+33612345678\n"
    )
    file = tmp_path / f"sites.{form}"
    file.write_text(toml if form == "toml" else csv)
    options = argparse.Namespace(file=file, provider="dtral", dry_run=False)
    assert site_import.main(options) == 0
    said = capsys.readouterr()
    assert said.out == "1 new, 0 changed, 0 same\n"
    line = 13 if form == "toml" else 2
    number = f"{file}:{line}: contact.2.phone: +33612345678 is no"
    assert said.err.splitlines() == [
        f"{number} mobile of BE, NL, LU: not texted, phoned instead (S7.6)",
        f"{number} number of BE, NL, LU: at a surcharge (D904.5)",
    ]
    assert Site.objects.get().contacts.count() == 2
