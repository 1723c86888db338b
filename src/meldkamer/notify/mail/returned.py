"""What a mail that came back says: it failed, it is late, it arrived, nobody read it.

Pure: bytes in, a finding out; it never raises, whatever the bytes are. Read strictly where there is
a form for it (RFC 3464, RFC 3834), and else by the few signs that large servers give. What is not
understood is `other`: kept for a person, and nothing follows from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.message import Message

FAILED, DELAYED, DELIVERED, AUTOMATIC, OTHER = (
    "failed", "delayed", "delivered", "automatic", "other",
)  # fmt: skip
_ACTIONS = {
    "failed": FAILED,
    "delayed": DELAYED,
    "delivered": DELIVERED,
    # into another system that tells no more
    "relayed": OTHER,
    "expanded": OTHER,
}
# what one report says of several recipients: the worst; ours has one
_WORST = (FAILED, DELAYED, OTHER, DELIVERED)
_CODE = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_PERMANENT = re.compile(r"\b5\.\d{1,3}\.\d{1,3}\b|\b5[05]\d[ -]")
_POSTMASTERS = ("mailer-daemon", "postmaster")
_DETAIL_MOST, _LOOKED_AT = 400, 20_000


@dataclass(frozen=True, slots=True)
class Returned:
    """kind: failed, delayed, delivered, automatic or other. code: RFC 3463, "" when it has none."""

    kind: str
    code: str = ""
    detail: str = ""


def read_returned(content: bytes) -> Returned:
    """What a mail that came to a bounce address of ours says."""
    try:
        mail = message_from_bytes(content)
        return _read(mail)
    except (MessageError, LookupError, ValueError, TypeError, AttributeError, RecursionError):
        # broken on purpose, or by a server: kept as it is
        return Returned(OTHER, "", "it could not be read")


def _read(mail: Message) -> Returned:
    reports = [_of_recipient(block) for block in _recipients(mail)]
    found = [report for report in reports if report is not None]
    if found:
        return min(found, key=lambda report: _WORST.index(report.kind))
    # some servers mark what they could not deliver as an answer too, so that nobody answers it
    if _is_automatic(mail) and "X-Failed-Recipients" not in mail:
        return Returned(AUTOMATIC, "", _line(mail.get("Subject", "")))
    return _guessed(mail)


def _recipients(mail: Message) -> Iterator[Message]:
    """The blocks of a delivery status that speak of one recipient each (RFC 3464 2.3)."""
    for part in mail.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        blocks = part.get_payload()
        if isinstance(blocks, list):
            yield from (block for block in blocks if isinstance(block, Message))


def _of_recipient(block: Message) -> Returned | None:
    kind = _ACTIONS.get(_line(block.get("Action", "")).lower())
    if kind is None:
        return None
    code = _CODE.search(_line(block.get("Status", "")))
    diagnostic = _line(block.get("Diagnostic-Code", "")).partition(";")[2].strip()
    return Returned(kind, code[1] if code else "", diagnostic[:_DETAIL_MOST])


def _is_automatic(mail: Message) -> bool:
    """An answer that no person wrote (RFC 3834), or that older programs mark in their own way."""
    submitted = _line(mail.get("Auto-Submitted", "")).lower()
    return (
        submitted.startswith("auto-replied")
        or "X-Autoreply" in mail
        or "X-Autorespond" in mail
        or _line(mail.get("Precedence", "")).lower() == "auto_reply"
    )


def _guessed(mail: Message) -> Returned:
    """Servers that send no report: those that name the recipient who failed, and postmasters."""
    words = _words(mail)
    code = _CODE.search(words)
    shown = code[1] if code else ""
    if "X-Failed-Recipients" in mail:
        return Returned(FAILED, shown, _sentence(words))
    sender = _line(mail.get("From", "")).lower()
    if any(name in sender for name in _POSTMASTERS) and _PERMANENT.search(words):
        return Returned(FAILED, shown, _sentence(words))
    return Returned(OTHER, "", _line(mail.get("Subject", ""))[:_DETAIL_MOST])


def _words(mail: Message) -> str:
    """The beginning of the first text in it."""
    for part in mail.walk():
        if part.get_content_type() == "text/plain":
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                return payload[:_LOOKED_AT].decode("utf-8", "replace")
    return ""


def _sentence(words: str) -> str:
    """The line that says why: the one with the code."""
    for line in words.splitlines():
        if _PERMANENT.search(line):
            return _line(line)[:_DETAIL_MOST]
    return ""


def _line(text: object) -> str:
    """On one line, without what is not shown."""
    shown = "".join(char if char.isprintable() else " " for char in str(text))
    return " ".join(shown.split())
