"""Telephone numbers as a person reads and dials them."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat

HERE = "BE"


@lru_cache(maxsize=4096)
def shown(number: str, region: str = HERE) -> str:
    """0475 00 12 36 here, +31 20 123 4567 abroad; what cannot be read is shown as it is."""
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return number
    at_home = parsed.country_code == phonenumbers.country_code_for_region(region)
    form = PhoneNumberFormat.NATIONAL if at_home else PhoneNumberFormat.INTERNATIONAL
    return str(phonenumbers.format_number(parsed, form))
