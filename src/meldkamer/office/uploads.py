"""What is uploaded beyond the limit of a paper is not stored anywhere, not even for a moment.

Django writes uploads to disk before any view sees them. This handler lets through just enough for
the size to be found too large, and drops the rest. `keep` is the one way from a form to the papers.
"""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from meldkamer.contracts import documents
from meldkamer.contracts.documents import MOST_BYTES
from meldkamer.contracts.models import Document
from meldkamer.office.access import Office
from meldkamer.sites.models import Site


class Bounded(FileUploadHandler):
    """The first handler of an upload; the others store what it passes on."""

    passed = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Another file of the same form."""
        super().new_file(*args, **kwargs)
        self.passed = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """The chunk, or nothing once the limit is behind."""
        if self.passed > MOST_BYTES:
            return None
        self.passed += len(raw_data)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The next handler has the file."""


def keep(sent: UploadedFile[Any] | None, site: Site, office: Office) -> Document | None:
    """Keep a paper that was handed in; None without one. sites.faults.Refused."""
    if sent is None:
        return None
    if (sent.size or 0) > MOST_BYTES:
        raise documents.too_large()
    return documents.keep(site, sent.name or "", sent.read(), office.now, office.actor)
