"""Identification codes: six digits, personal, random, stored as keyed hashes alone (S18.1).

Six digits are guessable from any unkeyed hash; the pepper lives outside the database, so a leak of
the database does not reveal a code. A code is never returned after it was issued.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256

CODE_DIGITS = 6


class CodeFault(ValueError):
    """Not six digits; the message never repeats what was given."""


def check_form(code: str) -> str:
    """The code without blanks; CodeFault unless it has six digits."""
    plain = code.replace(" ", "")
    if len(plain) != CODE_DIGITS or not plain.isascii() or not plain.isdigit():
        raise CodeFault(f"an identification code has {CODE_DIGITS} digits")
    return plain


def code_mac(code: str, provider_id: int, pepper: bytes) -> bytes:
    """The 32-byte keyed hash under which a code is stored, bound to its provider."""
    return hmac.new(pepper, f"{provider_id}:{check_form(code)}".encode(), sha256).digest()


def random_code() -> str:
    """A fresh six-digit code from the system's random source."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
