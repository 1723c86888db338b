"""How we and a panel maker's cloud know each other's messages: HMAC over time and body. Pure.

`v1=` and the hexadecimal HMAC-SHA256 of `<seconds since 1970>.<body>`. Both ways the same, with the
same key: what was tapped on the line cannot be changed, and not be sent again after a while.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

TIME_HEADER, SIGNATURE_HEADER = "Meldkamer-Time", "Meldkamer-Signature"
#: clocks may differ so much, and so old may a signed message be
APART_MOST_S = 300


class SignatureFault(ValueError):
    """A message that its sender did not sign as agreed; says what was expected."""


def sign(key: str, at_s: int, body: bytes) -> str:
    """The value of the signature's header."""
    mac = hmac.new(key.encode(), f"{at_s}.".encode() + body, sha256)
    return f"v1={mac.hexdigest()}"


def check(key: str, at: str, signature: str, body: bytes, now_s: float) -> None:
    """Raises SignatureFault when this was not signed with the key, or too long ago."""
    if not (at.isascii() and at.isdigit() and len(at) < 12):
        raise SignatureFault(f"{TIME_HEADER} is missing, expected seconds since 1970")
    expected = sign(key, int(at), body)
    if not hmac.compare_digest(expected.encode(), signature.strip().encode()):
        raise SignatureFault(f"{SIGNATURE_HEADER} does not fit, expected v1= and an HMAC-SHA256")
    if abs(now_s - int(at)) > APART_MOST_S:
        raise SignatureFault(f"{TIME_HEADER} is more than {APART_MOST_S} s from now")
