"""The number on the receipt of a registered letter: read loosely, refused when it cannot be one.

Pure. What a customer is later shown as proof must be a number that the post can look up. Numbers
in the form of the Universal Postal Union (S10: two letters, nine digits, two letters) have a check
digit, which is checked; other forms of the post are digits and letters alone.
"""

from __future__ import annotations

import re

_S10 = re.compile(r"([A-Z]{2})(\d{8})(\d)([A-Z]{2})")
_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_OTHER = re.compile(r"[A-Z0-9]{10,30}")


class NumberFault(ValueError):
    """No number of a registered letter; says why."""


def read_number(text: str) -> str:
    """The number without blanks and dashes, in capitals; NumberFault for what can be none."""
    number = re.sub(r"[\s.\-]", "", text).upper()
    if found := _S10.fullmatch(number):
        if _check_digit(found[2]) != int(found[3]):
            raise NumberFault(f"{number}: its check digit is wrong; a digit was mistyped")
        return number
    if not _OTHER.fullmatch(number) or sum(char.isdigit() for char in number) < 8:
        raise NumberFault(
            f"{number or 'nothing'}: expected the number of the receipt, as RR123456785BE"
        )
    return number


def _check_digit(digits: str) -> int:
    rest = 11 - sum(int(d) * w for d, w in zip(digits, _WEIGHTS, strict=True)) % 11
    return {10: 0, 11: 5}.get(rest, rest)
