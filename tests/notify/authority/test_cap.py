"""CAP 1.2 as the standard asks, whatever a sheet holds; an answer read without opening anything."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meldkamer.notify.authority import cap
from tests.notify.authority.checker import NS, faults

AT = datetime(2026, 3, 2, 22, 0, 7, 123456, tzinfo=timezone(timedelta(hours=1)))


def alert(**changes: Any) -> cap.Alert:
    found = cap.Alert(
        identifier="meldkamer-12-police-1",
        sender="centre@example.be",
        sent=AT,
        status="Actual",
        message="Alert",
        recipients=("Zone Gent", "hcp"),
        language="nl-BE",
        categories=("Security",),
        event="Inbraak",
        urgency="Immediate",
        severity="Moderate",
        certainty="Likely",
        sender_name="Securitas",
        headline="Inbraak: Apotheek <Van Damme> & zoon",
        description="22:00 zone 3\n22:01 zone 5",
        instruction="Ter plaatse: An Peeters",
        contact="Securitas, 02 263 00 00",
        parameters=(("verification.method", "door meerdere detectoren"), ("keys", "")),
        place=cap.Place("Kortrijksesteenweg 214, Gent", (51.0406, 3.7172), (("postal", "9000"),)),
        incident="meldkamer-12",
    )
    return replace(found, **changes)


def text_of(found: str, name: str) -> str:
    element = ET.fromstring(found).find(f".//{NS}{name}")
    return "" if element is None else element.text or ""


def test_a_message_holds_against_the_standard() -> None:
    written = cap.write(alert())
    assert faults(written) == []
    assert text_of(written, "sent") == "2026-03-02T22:00:07+01:00"
    assert text_of(written, "headline") == "Inbraak: Apotheek <Van Damme> & zoon"
    assert text_of(written, "addresses") == '"Zone Gent" hcp'
    assert "<keys>" not in written
    assert text_of(written, "circle") == "51.040600,3.717200 0.1"


def test_utc_is_written_as_the_standard_wants_it() -> None:
    assert cap.moment(datetime(2026, 3, 2, 21, tzinfo=UTC)) == "2026-03-02T21:00:00-00:00"
    with pytest.raises(cap.CapFault, match="offset"):
        cap.moment(datetime(2026, 3, 2, 21))


@pytest.mark.parametrize("message", ["Update", "Cancel"])
def test_what_follows_names_the_first(message: Any) -> None:
    with pytest.raises(cap.CapFault, match="references"):
        cap.write(alert(message=message))
    first = cap.Reference("centre@example.be", "meldkamer-12-police-1", AT)
    written = cap.write(alert(message=message, references=(first,)))
    assert faults(written) == []
    named = "centre@example.be,meldkamer-12-police-1,2026-03-02T22:00:07+01:00"
    assert text_of(written, "references") == named


@pytest.mark.clause("B1")
def test_nothing_is_written_without_its_verification() -> None:
    with pytest.raises(cap.CapFault, match="B1"):
        cap.write(alert(parameters=(("verification.method", ""),)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"identifier": "a b"}, "identifier"),
        ({"sender": "a,b"}, "sender"),
        ({"recipients": ()}, "recipients"),
        ({"event": " "}, "event"),
        ({"place": cap.Place(" ")}, "areaDesc"),
    ],
)
def test_what_the_standard_forbids_is_not_written(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(cap.CapFault, match=said):
        cap.write(alert(**changes))


@settings(max_examples=80, deadline=None)
@given(st.text(), st.text(), st.text(min_size=1))
@example("", " ", "0")
def test_any_text_of_a_sheet_stays_text(headline: str, value: str, place: str) -> None:
    try:
        written = cap.write(
            alert(
                headline=f"x{headline}",
                parameters=(("verification.method", "m"), ("dangers", value)),
                place=cap.Place(f"x{place}"),
                identifier="m-" + (cap.identifier(value) or "1"),
            )
        )
    except cap.CapFault:
        return
    assert [fault for fault in faults(written) if "empty" not in fault] == []


def test_the_checker_sees_what_is_wrong() -> None:
    written = cap.write(alert())
    for old, new in (
        ("<status>Actual</status>", "<status>Real</status>"),
        ("+01:00</sent>", "Z</sent>"),
        ("<scope>Private</scope>", ""),
        ("<urgency>Immediate</urgency>", "<urgency>Immediate</urgency><urgency>Past</urgency>"),
        ("<event>Inbraak</event>", "<event></event>"),
        ("<category>Security</category>", ""),
        ("<source>meldkamer</source>", "<origin>meldkamer</origin>"),
        ("51.040600,3.717200", "151.040600,3.717200"),
        ("<msgType>Alert</msgType>", "<msgType>Update</msgType>"),
    ):
        assert old in written
        assert faults(written.replace(old, new)) != [], old
    moved = written.replace("<source>meldkamer</source>", "").replace(
        "<identifier>", "<source>meldkamer</source><identifier>"
    )
    assert faults(moved) != []


ACK = (
    '<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>PZ-77</identifier>'
    "<sender>pz</sender><sent>2026-03-02T22:00:09+01:00</sent><status>Actual</status>"
    "<msgType>{kind}</msgType><scope>Private</scope><note>{note}</note>"
    "<references>centre@example.be,m-1,2026-03-02T22:00:07+01:00</references></alert>"
)


def test_an_acknowledgement_is_read() -> None:
    found = cap.read_ack(ACK.format(kind="Ack", note="taken on").encode())
    assert (found.message, found.identifier, found.note) == ("Ack", "PZ-77", "taken on")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"OK",
        b"<alert/>",
        ACK.format(kind="Alert", note="").encode(),
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode(
            "utf-16"
        ),
        b"<a>" * 100_000,
        ACK.format(kind="Ack", note="").encode() + b"<",
        b"\x00\xff",
    ],
)
def test_what_is_no_acknowledgement_is_refused_and_opens_nothing(content: bytes) -> None:
    with pytest.raises(cap.CapFault):
        cap.read_ack(content)


def test_an_entity_is_never_expanded() -> None:
    bomb = '<!DOCTYPE alert [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + ACK.format(
        kind="Ack", note="&b;"
    )
    with pytest.raises(cap.CapFault, match="document type"):
        cap.read_ack(bomb.encode())
