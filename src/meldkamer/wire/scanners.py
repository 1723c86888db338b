"""Who else knocks on an alarm port: other protocols, told by their first bytes.

Why: any open port is scanned; naming the visitor keeps the log short and the alarm list clean.
Never: decide anything by it. A DC-09 frame begins with LF, so none of these can hide one.
"""

import re
from typing import Final

_SCANNERS: Final = (
    (rb"(?:GET|POST|HEAD|PUT|DELETE|CONNECT|TRACE|PATCH|PRI) |OPTIONS [/*]", "HTTP"),
    (rb"(?:INVITE|REGISTER|OPTIONS|BYE|ACK|CANCEL|MESSAGE|NOTIFY) sips?:", "SIP"),
    (rb"SSH-", "SSH"),
    (rb"\x16\x03[\x00-\x04]", "TLS hello"),
    (rb"\*\d+\r\n\$", "Redis"),
    (rb"\x03\x00\x00[\x0b-\x40]", "RDP"),
    (rb"(?:EHLO|HELO|USER) ", "mail or FTP"),
)
_PATTERNS: Final = tuple((re.compile(pattern), name) for pattern, name in _SCANNERS)


def scanner_of(data: bytes) -> str | None:
    """Name of the foreign protocol that `data` begins with, or None."""
    for pattern, name in _PATTERNS:
        if pattern.match(data):
            return name
    return None
