"""CAP 1.2 messages: written by us, and the acknowledgement that comes back read.

As OASIS "Common Alerting Protocol Version 1.2" (2010-07) says: order of elements, identifiers
without blanks, commas, < and &, times with an offset and never "Z". Written with the standard
library, so that whatever a sheet holds is text and never markup. What comes back is read without
any document type: no entity of it is ever expanded or fetched.

Pure: no clock, no socket, no table.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from xml.parsers import expat

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MIME = "application/cap+xml; charset=utf-8"
Status = Literal["Actual", "Exercise", "Test"]
Message = Literal["Alert", "Update", "Cancel"]
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_IN_ID = re.compile(r"[\s,<&]+")
_ACK_MOST = 65_536


@dataclass(frozen=True, slots=True)
class Reference:
    """An earlier message, as a later one names it."""

    sender: str
    identifier: str
    sent: datetime

    def text(self) -> str:
        """sender,identifier,sent."""
        return f"{self.sender},{self.identifier},{moment(self.sent)}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where: position is latitude, longitude in WGS 84; geocodes are (name of the code, value)."""

    description: str
    position: tuple[float, float] | None = None
    geocodes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Alert:
    """One message with one info. parameters: (name, value) in order; empty values are left out."""

    identifier: str
    sender: str
    sent: datetime
    status: Status
    message: Message
    recipients: tuple[str, ...]
    language: str
    categories: tuple[str, ...]
    event: str
    urgency: str
    severity: str
    certainty: str
    sender_name: str
    headline: str
    description: str
    instruction: str
    contact: str
    parameters: tuple[tuple[str, str], ...]
    place: Place
    incident: str
    note: str = ""
    source: str = "meldkamer"
    response: str = "Assess"
    references: tuple[Reference, ...] = ()


class CapFault(ValueError):
    """A message that may not be written or cannot be read; says what was expected."""


@dataclass(frozen=True, slots=True)
class Ack:
    """What came back: Ack or Error, about which message, and what was said."""

    message: str
    identifier: str
    references: str
    note: str


def moment(at: datetime) -> str:
    """2026-03-02T22:00:00+01:00; UTC is written -00:00 as CAP wants it."""
    if at.tzinfo is None:
        raise CapFault("a time without its offset; expected an aware one")
    text = at.replace(microsecond=0).isoformat()
    return text[:-6] + "-00:00" if at.utcoffset() == UTC.utcoffset(at) else text


def identifier(text: str) -> str:
    """An identifier without what CAP forbids in one."""
    return _NOT_IN_ID.sub("-", _NOT_IN_XML.sub("", text)).strip("-")


def write(alert: Alert) -> str:
    """The message as XML. CapFault when something is missing that CAP or B1 asks for."""
    _check(alert)
    ET.register_namespace("", NAMESPACE)
    root = ET.Element(_tag("alert"))
    _add(root, "identifier", alert.identifier)
    _add(root, "sender", alert.sender)
    _add(root, "sent", moment(alert.sent))
    _add(root, "status", alert.status)
    _add(root, "msgType", alert.message)
    _add(root, "source", alert.source)
    _add(root, "scope", "Private")
    _add(root, "addresses", " ".join(_quoted(one) for one in alert.recipients))
    _add(root, "note", alert.note)
    _add(root, "references", " ".join(one.text() for one in alert.references))
    _add(root, "incidents", alert.incident)
    _info(root, alert)
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _check(alert: Alert) -> None:
    for name in ("identifier", "sender"):
        value = getattr(alert, name)
        if not value or identifier(value) != value:
            raise CapFault(f"{name} {value!r}: expected no blank, comma, < or &")
    if not alert.recipients:
        raise CapFault("recipients: a private message says whom it is for")
    if alert.message != "Alert" and not alert.references:
        raise CapFault(f"references: expected the message that this {alert.message} is about")
    if alert.message != "Cancel" and not dict(alert.parameters).get("verification.method"):
        raise CapFault("verification.method: nothing is handed over unverified (B1)")
    for name in ("event", "headline"):
        if not getattr(alert, name).strip():
            raise CapFault(f"{name}: is empty")
    if not alert.place.description.strip():
        raise CapFault("areaDesc: is empty; expected the address")


def _info(root: ET.Element, alert: Alert) -> None:
    info = ET.SubElement(root, _tag("info"))
    _add(info, "language", alert.language)
    for category in alert.categories:
        _add(info, "category", category)
    _add(info, "event", alert.event)
    if alert.message != "Cancel":
        _add(info, "responseType", alert.response)
    _add(info, "urgency", alert.urgency)
    _add(info, "severity", alert.severity)
    _add(info, "certainty", alert.certainty)
    _add(info, "effective", moment(alert.sent))
    _add(info, "senderName", alert.sender_name)
    _add(info, "headline", alert.headline[:160])
    _add(info, "description", alert.description)
    _add(info, "instruction", alert.instruction)
    _add(info, "contact", alert.contact)
    for name, value in alert.parameters:
        if _clean(value):
            _pair(info, "parameter", name, value)
    area = ET.SubElement(info, _tag("area"))
    _add(area, "areaDesc", alert.place.description)
    if alert.place.position is not None:
        latitude, longitude = alert.place.position
        _add(area, "circle", f"{latitude:.6f},{longitude:.6f} 0.1")
    for name, value in alert.place.geocodes:
        if value:
            _pair(area, "geocode", name, value)


def _clean(text: str) -> str:
    """As XML can hold it, without blanks around."""
    return _NOT_IN_XML.sub("", text).strip()


def _pair(parent: ET.Element, tag: str, name: str, value: str) -> None:
    pair = ET.SubElement(parent, _tag(tag))
    _add(pair, "valueName", name)
    _add(pair, "value", value)


def _add(parent: ET.Element, tag: str, text: str) -> None:
    """An element; none when it would be empty."""
    clean = _clean(text)
    if clean:
        ET.SubElement(parent, _tag(tag)).text = clean


def _quoted(text: str) -> str:
    """A recipient; one with a blank in it stands in quotes."""
    clean = text.replace('"', "")
    return f'"{clean}"' if " " in clean else clean


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def read_ack(content: bytes) -> Ack:
    """The acknowledgement in an answer. CapFault when it is no CAP message of type Ack or Error."""
    if len(content) > _ACK_MOST:
        raise CapFault(f"expected at most {_ACK_MOST} bytes")
    reader = _Reader()
    try:
        reader.parser.Parse(content, True)
    except (expat.ExpatError, UnicodeError, LookupError, ValueError) as fault:
        raise CapFault(f"no XML that can be read: {fault}") from None
    found = reader.found
    if reader.root != f"{NAMESPACE} alert":
        raise CapFault("expected an alert of CAP 1.2")
    if found.get("msgType") not in ("Ack", "Error"):
        raise CapFault(f"msgType {found.get('msgType', '')[:20]!r}: expected Ack or Error")
    return Ack(found["msgType"], found.get("identifier", ""), found.get("references", ""),
               found.get("note", ""))  # fmt: skip


class _Reader:
    """The texts of the elements right below the root; a document type ends it."""

    _WANTED = ("identifier", "msgType", "references", "note")

    def __init__(self) -> None:
        self.root = ""
        self.found: dict[str, str] = {}
        self._depth = 0
        self._at = ""
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._begins
        self.parser.EndElementHandler = self._ends
        self.parser.CharacterDataHandler = self._text

    def _doctype(self, *_: object) -> None:
        raise ValueError("a document type is not read")

    def _begins(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1:
            self.root = name
        word = name.removeprefix(f"{NAMESPACE} ")
        self._at = word if self._depth == 2 and word in self._WANTED else ""

    def _ends(self, name: str) -> None:
        self._depth -= 1
        self._at = ""

    def _text(self, text: str) -> None:
        if self._at:
            self.found[self._at] = (self.found.get(self._at, "") + text)[:2000]
