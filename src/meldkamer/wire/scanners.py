"""Who else knocks on an alarm port: other protocols, told by their first bytes.

Why: any open port is scanned; naming the visitor keeps the log short and the alarm list clean.
Never: decide anything by it. A DC-09 frame begins with LF, so none of these can hide one.
"""

import re
from typing import Final

_SCANNERS: Final = (
    (re.compile(rb"(?:GET|POST|HEAD|PUT|OPTIONS|DELETE|CONNECT|TRACE|PATCH|PRI) "), "HTTP"),
    (re.compile(rb"(?:INVITE|REGISTER|OPTIONS|BYE|ACK|CANCEL|MESSAGE|NOTIFY) sips?:"), "SIP"),
    (re.compile(rb"SSH-"), "SSH"),
    (re.compile(rb"\x16\x03[\x00-\x04]"), "TLS hello"),
    (re.compile(rb"\*\d+\r\n\$"), "Redis"),
    (re.compile(rb"\x03\x00\x00[\x00-\xff]\x0e?\xe0|\x03\x00\x00\x13"), "RDP"),
    (re.compile(rb"EHLO |HELO |USER "), "mail or FTP"),
)


def scanner_of(data: bytes) -> str | None:
    """Name of the foreign protocol that `data` begins with, or None."""
    # SIP shares OPTIONS with HTTP: its pattern is the narrower one, so it is asked first.
    for pattern, name in (_SCANNERS[1], _SCANNERS[0], *_SCANNERS[2:]):
        if pattern.match(data):
            return name
    return None
