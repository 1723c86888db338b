"""Codes and keys: told once, then only what reveals nothing (S18.1)."""

from __future__ import annotations

import logging
from collections import Counter

import pytest
from django.db import connection

from meldkamer.people import identification, issuing
from meldkamer.people.codes import CodeFault, check_form, code_mac, random_code
from meldkamer.sites.models import IdentificationCode
from meldkamer.sites.sealing import KeyFault, read_key, seal, unseal
from tests.incidents.town import CODES, DURESS, NOW, Town

PEPPER = b"p" * 32


@pytest.mark.clause("S18.1")
def test_a_code_has_six_digits_and_its_fault_never_repeats_it() -> None:
    assert check_form(" 40 29 13") == "402913"
    for given in ("40291", "4029133", "40291a", "", "٤٠٢٩١٣", "40-29-13"):
        with pytest.raises(CodeFault) as fault:
            check_form(given)
        assert "six" in str(fault.value) or "6" in str(fault.value)
        assert not given or given not in str(fault.value)


@pytest.mark.clause("S18.1")
def test_the_stored_form_depends_on_code_provider_and_pepper_and_reveals_none_of_them() -> None:
    mac = code_mac("402913", 1, PEPPER)
    assert len(mac) == 32
    assert mac == code_mac("402 913", 1, PEPPER)
    others = {code_mac("402914", 1, PEPPER), code_mac("402913", 2, PEPPER)}
    others.add(code_mac("402913", 1, b"q" * 32))
    assert mac not in others
    assert len(others) == 3
    assert b"402913" not in mac


@pytest.mark.clause("S18.1")
def test_codes_are_random() -> None:
    codes = [random_code() for _ in range(3000)]
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert len(set(codes)) > 2900
    first = Counter(code[0] for code in codes)
    assert min(first[digit] for digit in "0123456789") > 200


@pytest.mark.clause("S18.1")
def test_a_new_code_voids_the_old_one_and_is_nowhere_to_be_read(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    person = town.contact()
    code = issuing.issue_code(person, NOW, "office")
    assert identification.check(town.site, town.key(), CODES[0]) == "wrong"
    assert identification.check(town.site, town.key(), code) == "right"
    with connection.cursor() as cursor:
        cursor.execute("SELECT j::text FROM journal_entry j")
        entries = " ".join(row[0] for row in cursor.fetchall())
        cursor.execute("SELECT c::text FROM sites_identificationcode c")
        rows = " ".join(row[0] for row in cursor.fetchall())
    assert "card.issued" in entries
    stamp = {str(NOW.timestamp())}
    assert code not in entries
    assert code not in stamp
    assert bytes(IdentificationCode.objects.get(contact=person).code_mac).hex() in rows
    assert code not in caplog.text


@pytest.mark.clause("S18.1")
def test_a_code_that_is_taken_within_the_provider_is_never_given_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = iter([CODES[1], CODES[1], "777777"])
    monkeypatch.setattr(issuing, "random_code", lambda: next(given))
    assert issuing.issue_code(town.contact(1), NOW, "office") == "777777"
    monkeypatch.setattr(issuing, "random_code", lambda: "777777")
    with pytest.raises(issuing.NoCodeLeft):
        issuing.issue_code(town.contact(2), NOW, "office")


@pytest.mark.clause("S18.1", "S19.1", "M7.1")
def test_name_and_code_are_checked_together(town: Town) -> None:
    town.give_code(town.contact(1), DURESS, duress=True)
    check = identification.check
    assert check(town.site, town.key(1), CODES[0]) == "right"
    assert check(town.site, town.key(1), " 402 913 ") == "right"
    assert check(town.site, town.key(1), DURESS) == "duress"
    assert check(town.site, town.key(2), CODES[0]) == "wrong"
    assert check(town.site, "c0", CODES[0]) == "wrong"
    assert check(town.site, "nonsense", CODES[0]) == "wrong"
    assert check(town.site, town.key(1), "  ") == "none"
    assert check(town.site, town.key(1), "12") == "wrong"
    # at the premises anybody of the list may be speaking, but nobody of another site
    assert check(town.site, identification.PREMISES, CODES[1]) == "right"
    elsewhere = town.build_site("Elsewhere", codes=False)
    assert check(elsewhere, identification.PREMISES, CODES[1]) == "wrong"


def test_a_sealed_key_opens_with_its_own_sealing_key_alone() -> None:
    key, house = b"0123456789abcdef", b"s" * 32
    sealed = seal(key, house)
    assert key not in sealed
    assert seal(key, house) != sealed
    assert unseal(sealed, house) == key
    for broken, opener in ((sealed, b"t" * 32), (sealed[:-1] + b"x", house), (b"", house)):
        with pytest.raises((KeyFault, ValueError)) as fault:
            unseal(broken, opener)
        assert "0123456789abcdef" not in str(fault.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0123456789abcdef", "starts with hex: or text:"),
        ("hex:zz", "other than 0-9 and A-F"),
        ("text:short", "5 bytes, expected 16, 24 or 32"),
        ("hex:" + "00" * 17, "17 bytes, expected 16, 24 or 32"),
        ("", "starts with hex: or text:"),
    ],
)
def test_a_key_that_cannot_be_used_says_what_was_expected(text: str, words: str) -> None:
    with pytest.raises(KeyFault, match=words) as fault:
        read_key(text)
    assert not text or text not in str(fault.value)
    assert read_key("hex:" + "0f" * 24) == b"\x0f" * 24
