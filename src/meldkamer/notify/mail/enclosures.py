"""Papers that go with a message: put there with it, in its transaction, read when it is sent.

The only writer of `OutboxAttachment`. Limits are checked when a paper is put there, where the
refusal can still be told to somebody.
"""

from __future__ import annotations

from hashlib import sha256

from django.db import connection

from meldkamer.notify.carrier import Parcel
from meldkamer.notify.letterhead import Letterhead, letterhead_of
from meldkamer.notify.mail.composing import Enclosure, plain
from meldkamer.notify.mail.models import OutboxAttachment
from meldkamer.notify.models import OutboxMessage

#: all papers of one message together: base64 makes a third more of it, and 10 MB is what passes
BYTES_MOST = 7_000_000
PAPERS_MOST = 10
CONTENT_TYPES = ("application/pdf", "image/png", "image/jpeg", "image/tiff", "text/plain")
_NAME_MOST = 120


class EnclosureFault(ValueError):
    """A paper that cannot go with a message; says what was wrong and what was expected."""


def enclose(message: OutboxMessage, name: str, content_type: str, content: bytes) -> None:
    """Let a paper go with a message, in the transaction that sends it.

    Raises EnclosureFault for a kind or size that no mail should have.
    """
    if content_type not in CONTENT_TYPES:
        raise EnclosureFault(
            f"{name}: {content_type} does not go with a message; expected one of "
            + ", ".join(CONTENT_TYPES)
        )
    if not content:
        raise EnclosureFault(f"{name}: the paper is empty")
    there = list(message.attachments.values_list("size", flat=True))
    if len(there) >= PAPERS_MOST:
        raise EnclosureFault(f"{name}: {PAPERS_MOST} papers go with it already; no more are taken")
    if sum(there) + len(content) > BYTES_MOST:
        raise EnclosureFault(
            f"{name}: {sum(there) + len(content)} bytes go with it; expected {BYTES_MOST} at most"
        )
    own = plain(name.replace("\\", "/").rpartition("/")[2])
    OutboxAttachment.objects.create(
        message=message,
        position=len(there) + 1,
        name=own[-_NAME_MOST:] or "document",
        content_type=content_type,
        size=len(content),
        sha256=sha256(content).hexdigest(),
        content=content,
    )


def enclosures_of(message_id: int) -> list[Enclosure]:
    """The papers of a message, in their order."""
    rows = OutboxAttachment.objects.filter(message_id=message_id).order_by("position")
    return [Enclosure(row.name, row.content_type, bytes(row.content)) for row in rows]


def papers_of(parcel: Parcel) -> tuple[Letterhead, list[Enclosure]]:
    """Who writes, and what goes with it: read by a carrier's thread, outside of a transaction."""
    try:
        return letterhead_of(parcel.provider_id), enclosures_of(parcel.id)
    finally:
        # threads of carriers come and go, and a connection kept by one would go stale
        if not connection.in_atomic_block:
            connection.close()
