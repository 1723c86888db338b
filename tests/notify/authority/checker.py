"""Is it a CAP 1.2 message? A strict reading of the standard, apart from the code that writes one.

Order and number of the elements, the words that are allowed, the form of times, identifiers,
references, addresses and circles, and what one element asks of another.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

NS = "{urn:oasis:names:tc:emergency:cap:1.2}"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d\Z")
_ID = re.compile(r"[^\s,<&]+\Z")
#: name, least, most (None: any number)
_ALERT = (
    ("identifier", 1, 1), ("sender", 1, 1), ("sent", 1, 1), ("status", 1, 1), ("msgType", 1, 1),
    ("source", 0, 1), ("scope", 1, 1), ("restriction", 0, 1), ("addresses", 0, 1),
    ("code", 0, None), ("note", 0, 1), ("references", 0, 1), ("incidents", 0, 1),
    ("info", 0, None),
)  # fmt: skip
_INFO = (
    ("language", 0, 1), ("category", 1, None), ("event", 1, 1), ("responseType", 0, None),
    ("urgency", 1, 1), ("severity", 1, 1), ("certainty", 1, 1), ("audience", 0, 1),
    ("eventCode", 0, None), ("effective", 0, 1), ("onset", 0, 1), ("expires", 0, 1),
    ("senderName", 0, 1), ("headline", 0, 1), ("description", 0, 1), ("instruction", 0, 1),
    ("web", 0, 1), ("contact", 0, 1), ("parameter", 0, None), ("resource", 0, None),
    ("area", 0, None),
)  # fmt: skip
_AREA = (
    ("areaDesc", 1, 1), ("polygon", 0, None), ("circle", 0, None), ("geocode", 0, None),
    ("altitude", 0, 1), ("ceiling", 0, 1),
)  # fmt: skip
_PAIR = (("valueName", 1, 1), ("value", 1, 1))
_WORDS = {
    "status": "Actual Exercise System Test Draft",
    "msgType": "Alert Update Cancel Ack Error",
    "scope": "Public Restricted Private",
    "category": "Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other",
    "responseType": "Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None",
    "urgency": "Immediate Expected Future Past Unknown",
    "severity": "Extreme Severe Moderate Minor Unknown",
    "certainty": "Observed Likely Possible Unlikely Unknown",
}


def faults(text: str) -> list[str]:
    """Everything that is wrong with a message; empty when it is one."""
    try:
        root = ET.fromstring(text)
    except ET.ParseError as fault:
        return [f"no XML: {fault}"]
    if root.tag != f"{NS}alert":
        return [f"the root is {root.tag}"]
    found = list(_sequence(root, _ALERT))
    for info in root.findall(f"{NS}info"):
        found += _sequence(info, _INFO)
        for name in ("parameter", "eventCode"):
            for pair in info.findall(f"{NS}{name}"):
                found += _sequence(pair, _PAIR)
        for area in info.findall(f"{NS}area"):
            found += _sequence(area, _AREA)
            for pair in area.findall(f"{NS}geocode"):
                found += _sequence(pair, _PAIR)
            found += [f"circle {c.text}" for c in area.findall(f"{NS}circle") if not _circle(c)]
    for one in root.iter():
        found += _value(one)
    return found + _together(root)


def _sequence(parent: ET.Element, expected: tuple[tuple[str, int, int | None], ...]) -> list[str]:
    found, at = [], 0
    names = [name for name, _, _ in expected]
    counts = dict.fromkeys(names, 0)
    for child in parent:
        name = child.tag.removeprefix(NS)
        if name not in counts:
            found.append(f"{parent.tag}: {name} is unknown")
            continue
        if names.index(name) < at:
            found.append(f"{name} comes too late in {parent.tag}")
        at = max(at, names.index(name))
        counts[name] += 1
    for name, least, most in expected:
        if counts[name] < least or (most is not None and counts[name] > most):
            found.append(f"{name} is there {counts[name]} times")
    return found


def _value(one: ET.Element) -> list[str]:
    name, text = one.tag.removeprefix(NS), one.text or ""
    if not len(one) and not text.strip():
        return [f"{name} is empty"]
    if name in _WORDS and text not in _WORDS[name].split():
        return [f"{name}: {text!r} is no word of it"]
    if name in ("sent", "effective", "onset", "expires") and not _TIME.match(text):
        return [f"{name}: {text!r} is no time"]
    if name in ("sent", "effective", "onset", "expires") and text.endswith("+00:00"):
        return [f"{name}: UTC is written -00:00"]
    if name in ("identifier", "sender") and not _ID.match(text):
        return [f"{name}: {text!r} has a blank, a comma, < or &"]
    if name == "language" and not re.match(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*\Z", text):
        return [f"language: {text!r}"]
    if name == "references":
        return [f"references: {part!r}" for part in text.split() if not _reference(part)]
    return []


def _reference(text: str) -> bool:
    parts = text.split(",")
    return len(parts) == 3 and bool(_TIME.match(parts[2])) and all(parts)


def _circle(one: ET.Element) -> bool:
    found = re.match(r"(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?) (\d+(?:\.\d+)?)\Z", one.text or "")
    return bool(found) and abs(float(found[1])) <= 90 and abs(float(found[2])) <= 180  # type: ignore[index]


def _together(root: ET.Element) -> list[str]:
    text = {child.tag.removeprefix(NS): child.text or "" for child in root}
    found = []
    if text.get("scope") == "Private" and "addresses" not in text:
        found.append("a private message without addresses")
    if text.get("scope") == "Restricted" and "restriction" not in text:
        found.append("a restricted message without its restriction")
    if text.get("msgType") in ("Update", "Cancel", "Ack", "Error") and "references" not in text:
        found.append(f"{text['msgType']} without references")
    if text.get("msgType") == "Error" and "note" not in text:
        found.append("an error without a note")
    if text.get("msgType") in ("Alert", "Update") and "info" not in text:
        found.append("nothing to say")
    return found
