"""Sender addresses that say which message came back: bounces+ID.MAC@domain.

Why: what a server says about a mail that it could not deliver names no recipient that one could
trust; the address it comes back to does. The MAC is made with the installation's key, so nobody can
make a mail "come back" that he was not sent. Lower case alone: some servers write addresses so.
"""

from __future__ import annotations

import hmac
import re

from django.utils.crypto import salted_hmac

_LOCAL = re.compile(r"bounces\+(\d{1,18})\.([0-9a-f]{20})")
_MAC_LENGTH = 20


def mac_of(message_id: int) -> str:
    """20 hexadecimal digits that only this installation can make for this message."""
    made = salted_hmac("meldkamer.notify.mail.bounces", str(message_id), algorithm="sha256")
    return str(made.hexdigest())[:_MAC_LENGTH]


def bounce_address(message_id: int, domain: str) -> str:
    """Where a mail that could not be delivered comes back to."""
    return f"bounces+{message_id}.{mac_of(message_id)}@{domain}"


def message_of(address: str) -> int | None:
    """The message that an address belongs to; None when it is no address of ours."""
    found = _LOCAL.fullmatch(address.rpartition("@")[0].lower())
    if found is None:
        return None
    number = int(found[1])
    if not hmac.compare_digest(mac_of(number), found[2]):
        return None
    return number
