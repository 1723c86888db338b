"""Telephone numbers: one written form, and which of them may be texted (S7.6, D904.5)."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers

# national numbers of mobiles: first digit and length, for numbers that the tables do not know yet
_CODES = {
    country: f"+{phonenumbers.country_code_for_region(country)}" for country in ("BE", "NL", "LU")
}
_MOBILE = {"BE": ("4", 9), "NL": ("6", 9), "LU": ("6", 9)}


class PhoneFault(ValueError):
    """Not a telephone number; names what was expected."""


def normal(text: str, region: str = "BE") -> str:
    """The number in E.164 form (+32475123456); "" stays "". PhoneFault when it cannot be one."""
    if not text.strip():
        return ""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise PhoneFault(f"{text!r} is not a telephone number; expected e.g. +32 475 12 34 56")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


#: 101, 112, 1722: dialled as they are
_SHORT = re.compile(r"1[0-9]{2,4}\Z")
#: what exchanges and networks write where a caller withholds his number
_WITHHELD = re.compile(
    r"(?i)anonymous|anonyme|anoniem|unknown|private|restricted|unavailable|withheld|blocked|none"
)
_SHOWN_MOST = 40


def of_service(text: str, region: str = "BE") -> str:
    """A service's number: a short one as it is, another in E.164. PhoneFault says what is meant."""
    digits = "".join(text.split())
    if _SHORT.match(digits):
        return digits
    number = normal(text, region)
    if not number:
        raise PhoneFault("no telephone number; expected e.g. 101 or +32 9 266 61 11")
    return number


def heard(text: str, region: str = "BE") -> tuple[str, str]:
    """What the network shows of a caller: (E.164, "") or ("", what was shown).

    ("", "") when he withholds it. Never a fault: whatever is sent, the call is there. A name beside
    the number is dropped: anybody can write one.
    """
    plain = "".join(one for one in text if one.isprintable()).strip()
    inner = re.search(r"<([^>]*)>", plain)
    bare = (inner.group(1) if inner else plain).strip()
    bare = re.sub(r"(?i)\A(sips?|tel):", "", bare).partition("@")[0].partition(";")[0].strip()
    if not bare or _WITHHELD.search(bare):
        return "", ""
    try:
        number = normal(bare, region)
    except PhoneFault:
        number = ""
    return (number, "") if number else ("", bare[:_SHOWN_MOST])


@lru_cache(maxsize=65536)
def may_be_texted(phone: str, countries: tuple[str, ...]) -> bool:
    """Whether a number is a mobile of one of these countries (S7.6)."""
    if any(_plainly(phone, country) for country in countries):
        return True
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return False
    national = str(number.national_number)
    for country in countries:
        if phonenumbers.country_code_for_region(country) != number.country_code:
            continue
        if phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE:
            return True
        first, length = _MOBILE.get(country, ("", 0))
        if first and national.startswith(first) and len(national) == length:
            return True
    return False


def is_of(phone: str, countries: tuple[str, ...]) -> bool:
    """Whether a number, of whatever kind, is of one of these countries (D904.5)."""
    try:
        code = phonenumbers.parse(phone, None).country_code
    except phonenumbers.NumberParseException:
        return False
    return any(phonenumbers.country_code_for_region(country) == code for country in countries)


def _plainly(phone: str, country: str) -> bool:
    """Whether that can be seen without the tables, which take a hundred times as long."""
    first, length = _MOBILE.get(country, ("", 0))
    code = _CODES.get(country, "")
    national = phone[len(code) :]
    return bool(
        first
        and phone.startswith(code + first)
        and len(national) == length
        and national.isascii()
        and national.isdecimal()
    )
