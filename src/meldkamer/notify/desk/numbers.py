"""A number in the form that an exchange wants it, and templates filled without a way around them.

Invariant: what is put into an address, a form or JSON is escaped for that place; a value can never
become a second field, header or path.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote

import phonenumbers
from phonenumbers import PhoneNumberFormat

Form = Literal["e164", "00", "national"]
PLACES = ("extension", "number", "id")
_PLACE = re.compile(r"\{(\w+)\}")
_DIALLED = re.compile(r"\+?[0-9]{2,20}\Z")
_EXTENSION = re.compile(r"[A-Za-z0-9_.+-]{1,24}\Z")


class NumberFault(ValueError):
    """A number or an extension that no exchange can dial; says what was expected."""


def dialled(number: str, form: Form, prefix: str, region: str = "BE") -> str:
    """The digits for the exchange: 112 and its like as they are, others in the form it wants.

    prefix: what goes before a number outside ("0" where one dials 0 for a line).
    """
    if not _DIALLED.match(number):
        raise NumberFault(f"{number[:24]!r} is no number to dial; expected e.g. +32475123456")
    if not number.startswith("+"):
        return prefix + number
    if form == "e164":
        return prefix + number
    if form == "00":
        return f"{prefix}00{number[1:]}"
    parsed = phonenumbers.parse(number, None)
    if parsed.country_code != phonenumbers.country_code_for_region(region):
        return f"{prefix}00{number[1:]}"
    national = phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
    return prefix + re.sub(r"\D", "", national)


def extension(text: str) -> str:
    """A desk's extension as it was entered. NumberFault names what was expected."""
    if not _EXTENSION.match(text):
        raise NumberFault(f"{text[:24]!r} is no extension; expected e.g. 201 or desk-3")
    return text


def fault_of_template(template: str) -> str:
    """What is wrong with a template; "" when it can be filled."""
    unknown = sorted(set(_PLACE.findall(template)) - set(PLACES))
    if unknown:
        expected = ", ".join(f"{{{place}}}" for place in PLACES)
        return f"{{{unknown[0]}}} is unknown; there are: {expected}"
    return ""


def in_address(template: str, values: Mapping[str, str]) -> str:
    """A template of an address: each value stays within its part of the path or query."""
    return _fill(template, {name: quote(value, safe="") for name, value in values.items()})


def in_body(template: str, content_type: str, values: Mapping[str, str]) -> str:
    """A template of a body: values are escaped as its content type asks."""
    if "json" in content_type:
        return _fill(template, {name: json.dumps(text)[1:-1] for name, text in values.items()})
    return in_address(template, values)


def _fill(template: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda found: values[found.group(1)], template)
