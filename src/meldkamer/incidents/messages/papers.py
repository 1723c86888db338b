"""The papers that go with a message to a customer: what a decision about his site rests on.

Called in the transaction that puts the message into the outbox. Never: lose a message for a paper.
One that is too large for a mail, or that cannot be printed behind a letter, is left out; it is kept
with the site all the same, and the course names what went and what did not.
"""

from __future__ import annotations

from collections.abc import Iterable

from meldkamer.contracts.models import Document
from meldkamer.notify.mail.enclosures import EnclosureFault, enclose
from meldkamer.notify.models import OutboxAttachment, OutboxMessage
from meldkamer.notify.post.paper import PaperFault, pages_of


def go_with(message: OutboxMessage, numbers: Iterable[int]) -> dict[str, list[str]]:
    """Enclose these documents; the names of those that go, and of those that were left out."""
    found: dict[str, list[str]] = {}
    mine = Document.objects.filter(site_id=message.site_id or 0)
    for paper in mine.filter(pk__in=set(numbers)).order_by("pk"):
        went = _goes(message, paper)
        found.setdefault("papers" if went else "left_out", []).append(paper.name)
    return found


def go_on_with(message: OutboxMessage, before: OutboxMessage) -> dict[str, list[str]]:
    """What was enclosed in a message goes with the one in its place; named as by `go_with`."""
    found: dict[str, list[str]] = {}
    for paper in before.attachments.order_by("position"):
        went = _goes(message, paper)
        found.setdefault("papers" if went else "left_out", []).append(paper.name)
    return found


def _goes(message: OutboxMessage, paper: Document | OutboxAttachment) -> bool:
    content = bytes(paper.content)
    try:
        if message.channel == "letter":
            pages_of(content)
        enclose(message, paper.name, paper.content_type, content)
    except (EnclosureFault, PaperFault):
        return False
    return True
