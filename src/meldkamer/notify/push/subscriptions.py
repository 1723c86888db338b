"""What a browser says of where it is pushed to, checked before it is kept. Pure.

The address is chosen by whoever holds the phone: an https address of a name, never of a number,
on the usual port. Whether the name leads into our house is checked again at each call
(`outside`).
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from meldkamer.notify.push.faults import SubscriptionFault

ENDPOINT_MOST, AUTH_BYTES, POINT_BYTES = 1000, 16, 65


@dataclass(frozen=True, slots=True)
class Subscribed:
    """Where to push, and the two keys of the browser (base64url without padding)."""

    endpoint: str
    p256dh: str
    auth: str


def read(endpoint: str, p256dh: str, auth: str, *, anywhere: bool = False) -> Subscribed:
    """The three as they may be kept. SubscriptionFault says what was expected.

    anywhere: also plain http, numbers and odd ports: the demo and tests.
    """
    _check_address(endpoint, anywhere)
    point, secret = _decoded("p256dh", p256dh), _decoded("auth", auth)
    if len(secret) != AUTH_BYTES:
        raise SubscriptionFault(f"auth has {len(secret)} bytes, expected {AUTH_BYTES}")
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise SubscriptionFault(
            f"p256dh is no point of P-256, expected {POINT_BYTES} bytes that start with 04"
        ) from None
    return Subscribed(endpoint, _encoded(point), _encoded(secret))


def _check_address(endpoint: str, anywhere: bool) -> None:
    if not endpoint.isascii() or any(letter <= " " for letter in endpoint):
        raise SubscriptionFault("the endpoint is no address")
    if len(endpoint) > ENDPOINT_MOST:
        raise SubscriptionFault(f"the endpoint is longer than {ENDPOINT_MOST} characters")
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise SubscriptionFault("the endpoint is no address") from None
    if not host or parts.username is not None or parts.scheme not in ("https", "http"):
        raise SubscriptionFault("the endpoint is no https address")
    if anywhere:
        return
    if parts.scheme != "https" or port not in (None, 443):
        raise SubscriptionFault("the endpoint is no https address on the usual port")
    if _is_number(host) or "." not in host:
        raise SubscriptionFault("the endpoint names no host of the internet")


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # 2130706433 and 0x7f.1 are addresses to some resolvers
        last = host.rstrip(".").rpartition(".")[2]
        return last[:1].isdigit()
    return True


def _decoded(name: str, text: str) -> bytes:
    try:
        return base64.b64decode(
            text.rstrip("=").encode("ascii") + b"=" * (-len(text.rstrip("=")) % 4),
            altchars=b"-_",
            validate=True,
        )
    except (UnicodeEncodeError, binascii.Error, ValueError):
        raise SubscriptionFault(f"{name} is not base64url") from None


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
