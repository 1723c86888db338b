"""Papers that are handed in: kept byte for byte, by what they are, not by what they say they are.

Why: a test in writing (S20.1), a resumption (S12.2) and a written instruction (S10.5) rest on a
paper that can be shown later. Never: believe a sender's name or content type, keep what a browser
could run, or change a paper. Invariant: its digest is in the journal, which cannot be changed.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from meldkamer.contracts.models import Document
from meldkamer.journal import commands as journal
from meldkamer.sites.faults import Fault, Refused
from meldkamer.sites.models import Site

MOST_BYTES = 10 * 1024 * 1024
KINDS = ("PDF", "PNG", "JPEG", "TIFF", "text")
_BEGINNINGS = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
)
_LONGEST_NAME = 120


def keep(site: Site, name: str, content: bytes, now: datetime, actor: str) -> Document:
    """Keep a paper of a site; Refused when it is empty, too large or of no known kind."""
    kind = _kind(content)
    row = Document.objects.create(
        site=site,
        name=_plain(name),
        content_type=kind,
        size=len(content),
        sha256=sha256(content).hexdigest(),
        content=content,
        kept_at=now,
        kept_by=actor,
    )
    journal.write(
        "document.kept",
        now,
        provider_id=site.provider_id,
        site_id=site.pk,
        clause="S22.1",
        actor=actor,
        data={"document": row.pk, "name": row.name, "size": row.size, "sha256": row.sha256},
    )
    return row


def too_large() -> Refused:
    """A paper above the limit, found before it is read."""
    most = MOST_BYTES // (1024 * 1024)
    return _refused("document_large", f"larger than {most} MB", {"most": most})


def _kind(content: bytes) -> str:
    if not content:
        raise _refused("document_missing", "no document; expected a file", {})
    if len(content) > MOST_BYTES:
        raise too_large()
    for beginning, kind in _BEGINNINGS:
        if content.startswith(beginning):
            return kind
    if _is_text(content):
        return "text/plain"
    reason = f"of no kind that is kept; expected one of: {', '.join(KINDS)}"
    raise _refused("document_kind", reason, {"expected": ", ".join(KINDS)})


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char in "\r\n\t\f\ufeff" for char in text)


def _plain(name: str) -> str:
    """A file's own name without any path or character that is not shown."""
    own = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(char for char in own if char.isprintable()).strip()
    return shown[-_LONGEST_NAME:] or "document"


def _refused(code: str, reason: str, numbers: dict[str, object]) -> Refused:
    return Refused([Fault("document", code, reason, "S22.1", numbers)])
