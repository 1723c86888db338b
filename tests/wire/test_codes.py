"""The code tables and what they make of a code (M1.2, S10.5, S9.1, M7.1)."""

import csv
from pathlib import Path
from typing import get_args

import pytest

from meldkamer.wire import codes, lookup, lookup_contact_id, lookup_sia
from meldkamer.wire.codes import CONTACT_ID_CODES, EVENT_TYPES, SIA_CODES, CodeTableError, Role

DATA = Path(codes.__file__).parent / "data"


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.clause("M1.2")
def test_every_code_of_both_tables_has_a_type_and_a_role() -> None:
    assert len(SIA_CODES) == len(_rows("sia.csv")) == 325
    assert len(CONTACT_ID_CODES) == 3 * len(_rows("contact_id.csv")) == 3 * 327
    journal_only = {"restore", "cancel", "arm", "disarm", "line_test", "info"}
    for info in [*SIA_CODES.values(), *CONTACT_ID_CODES.values()]:
        assert info.role in get_args(Role)
        if info.role in ("event", "still"):
            assert info.type in EVENT_TYPES, info
        else:
            assert info.type in journal_only, info
        assert set(info.restores_types) <= EVENT_TYPES
        assert info.known


@pytest.mark.clause("M1.2")
def test_a_class_that_types_csv_does_not_list_is_refused_by_name() -> None:
    with pytest.raises(CodeTableError, match=r"'burglary' with polarity 'event'"):
        codes.role_and_type("burglary", "event")
    with pytest.raises(CodeTableError, match=r"'intrusion' with polarity 'info'"):
        codes.role_and_type("intrusion", "info")


def test_every_row_of_types_csv_has_a_known_role_and_type() -> None:
    for row in _rows("types.csv"):
        assert row["role"] in get_args(Role)
        assert (row["role"] == "event") == (row["type"] in EVENT_TYPES - {"line_test"}) or (
            row["type"] == "line_test"
        )


@pytest.mark.clause("M1.2")
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("BA", "intrusion"), ("UA", "intrusion"), ("UX", "intrusion"), ("1140", "intrusion"),
        ("1130", "intrusion"), ("1922", "intrusion"), ("TA", "sabotage"), ("1137", "sabotage"),
        ("1144", "sabotage"), ("HA", "holdup"), ("PA", "holdup"), ("1120", "holdup"),
        ("FA", "fire"), ("KA", "fire"), ("SA", "fire"), ("1110", "fire"), ("MA", "medical"),
        ("1100", "medical"), ("YT", "battery"), ("1302", "battery"), ("AT", "power"),
        ("1301", "power"), ("GA", "external_technical"), ("WA", "external_technical"),
        ("1151", "external_technical"), ("LT", "line_test"), ("XX", "line_test"),
        ("1354", "line_test"), ("1358", "line_test"), ("BT", "battery"), ("1380", "battery"),
        ("1200", "battery"), ("CI", "open_close"), ("OT", "open_close"), ("1454", "open_close"),
        ("3404", "open_close"), ("1750", "undefined"), ("1305", "undefined"), ("EE", "undefined"),
    ],
)  # fmt: skip
def test_an_event_code_opens_an_incident_of_its_type(code: str, kind: str) -> None:
    info = lookup(code)
    assert (info.role, info.type, info.known) == ("event", kind, True)
    assert info.opens


@pytest.mark.clause("M1.1", "M1.2")
@pytest.mark.parametrize(
    ("code", "role", "kind"),
    [
        ("BR", "restore", "restore"), ("3130", "restore", "restore"), ("BC", "cancel", "cancel"),
        ("1406", "cancel", "cancel"), ("3406", "cancel", "cancel"), ("CL", "arm", "arm"),
        ("3401", "arm", "arm"), ("OP", "disarm", "disarm"), ("1401", "disarm", "disarm"),
        ("RP", "test_message", "line_test"), ("1602", "test_message", "line_test"),
        ("3602", "test_message", "line_test"), ("RR", "info", "info"), ("DF", "info", "info"),
        ("XW", "info", "info"), ("BB", "info", "info"), ("BU", "info", "info"),
        ("TS", "info", "info"), ("RX", "info", "info"), ("1570", "info", "info"),
        ("3570", "info", "info"), ("1601", "info", "info"), ("1627", "info", "info"),
        ("1421", "info", "info"), ("3457", "info", "info"), ("CE", "info", "info"),
        ("6130", "still", "intrusion"), ("6602", "test_message", "line_test"),
    ],
)  # fmt: skip
def test_what_is_no_event_never_opens(code: str, role: str, kind: str) -> None:
    info = lookup(code)
    assert (info.role, info.type) == (role, kind)
    assert not info.opens


@pytest.mark.clause("M1.2", "S10.5")
def test_a_code_that_the_tables_do_not_know_is_undefined_but_contact_id_1xx_is_intrusion() -> None:
    assert (lookup_sia("QQ").type, lookup_sia("QQ").known) == ("undefined", False)
    assert "QQ" not in SIA_CODES
    unlisted = lookup_contact_id("1", "199")
    assert (unlisted.type, unlisted.known, unlisted.role) == ("intrusion", False, "event")
    for code in ("299", "399", "499", "599", "699", "799", "899", "999"):
        info = lookup_contact_id("1", code)
        assert (info.type, info.known, info.role) == ("undefined", False, "event")
    restored = lookup_contact_id("3", "199")
    assert (restored.role, restored.restores_types) == ("restore", ("intrusion",))
    assert lookup_contact_id("6", "199").role == "still"


@pytest.mark.clause("M1.1")
@pytest.mark.parametrize(
    ("code", "restores", "types"),
    [
        ("BR", ("BA", "BT"), ("intrusion", "battery")),
        ("BH", ("BA",), ("intrusion",)),
        ("AR", ("AT",), ("power",)),
        ("YR", ("YT", "YM"), ("battery",)),
        ("DR", ("DF", "DL", "DM", "DT"), ()),
        ("LR", ("LT",), ("line_test",)),
        ("3301", ("1301",), ("power",)),
        ("3110", ("1110",), ("fire",)),
        ("3627", ("1627",), ()),
    ],
)
def test_a_restore_names_what_it_restores(
    code: str, restores: tuple[str, ...], types: tuple[str, ...]
) -> None:
    info = lookup(code)
    assert info.role == "restore"
    assert (info.restores, info.restores_types) == (restores, types)


@pytest.mark.clause("M7.1")
def test_the_duress_codes_are_marked_and_no_other() -> None:
    marked = {code for code, info in {**SIA_CODES, **CONTACT_ID_CODES}.items() if info.duress}
    assert marked == {"1121", "1124", "1125", "ND"}
    assert not lookup("3121").duress


@pytest.mark.clause("S9.1")
def test_codes_that_verify_and_codes_of_the_way_in_and_out_are_marked() -> None:
    every = {**SIA_CODES, **CONTACT_ID_CODES}
    assert {code for code, info in every.items() if info.verifies} == {"BV", "BM", "1139"}
    entry_exit = {code for code, info in every.items() if info.entry_exit}
    assert {"EA", "EE", "EZ", "1134", "1374", "1457"} <= entry_exit
    assert "1130" not in entry_exit
    assert "BA" not in entry_exit


@pytest.mark.clause("S9.2")
def test_a_code_may_name_the_kind_of_its_detector() -> None:
    assert lookup("1115").detector == "call_point"
    assert lookup("SA").detector == "sprinkler"
    assert lookup("FA").detector is None


@pytest.mark.parametrize("code", ["", "B", "ba", "2130", "113", "11300", "1X30", "BA1"])
def test_a_code_in_no_known_form_is_refused_with_the_two_forms(code: str) -> None:
    with pytest.raises(ValueError, match="expected two capitals"):
        lookup(code)
