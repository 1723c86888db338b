"""The number a reply came from, in the form in which contacts' numbers are kept.

A reply answers what was texted to exactly that number (S7.9), and carriers write the same number
as +32470…, 32470…, 0032470… or 0470…. What is no telephone number (a name, a short code) stays as
it came: it goes to the operators' list (S7.10) and must not be lost.
"""

from __future__ import annotations

import phonenumbers

#: a number without its country has no more digits than this, one with its country no fewer
_WITH_COUNTRY_LEAST = 10


def fault_of_country(name: str, country: str) -> str:
    """What is wrong with a setting that names a country; "" for one whose numbers are known."""
    if country in phonenumbers.SUPPORTED_REGIONS:
        return ""
    return f"{name}: expected two capitals of a country (ISO 3166), as BE, not {country!r}"


def e164(sender: str, region: str = "BE") -> str:
    """+32470123456 for each way to write that number; anything else stripped, as it came.

    region: the country (ISO 3166) of a number that was sent without its country.
    """
    text = sender.strip()
    digits = text.removeprefix("+")
    if not digits.isascii() or not digits.isdecimal():
        return text
    tries = [text] if text.startswith("+") else []
    if not tries and text.startswith("00"):
        tries = ["+" + text[2:]]
    elif not tries:
        tries = [text]
        if len(text) >= _WITH_COUNTRY_LEAST and not text.startswith("0"):
            tries.insert(0, "+" + text)
    for one in tries:
        found = _valid(one, region)
        if found:
            return found
    return text


def _valid(text: str, region: str) -> str:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return ""
    # the tables may not know a new range yet: what has a possible length and a country is kept so
    known = phonenumbers.is_valid_number(number)
    if not known and not (text.startswith("+") and phonenumbers.is_possible_number(number)):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
