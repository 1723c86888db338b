"""The carrier `print_queue`: a letter is made and lies in the office's queue to be printed.

It takes a message when the finished letter is committed; people do the rest (see `commands`). The
letter is made before any transaction begins. Never two letters for one message: handed over again
it is the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
import psycopg
from django.db import DatabaseError, connection

from meldkamer.notify.carrier import CarrierFault, Ears, Parcel, Rejected
from meldkamer.notify.letterhead import Letterhead
from meldkamer.notify.mail.composing import Enclosure
from meldkamer.notify.mail.enclosures import papers_of
from meldkamer.notify.post import commands
from meldkamer.notify.post.paper import Paper, PaperFault, Window, address_lines, make_letter

#: name, street and a town
_LINES_LEAST, _LINES_MOST = 3, 6


class PrintSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the window of the envelopes is, in mm from the top left corner of the folded letter.

    late_after_h: a letter that is not posted after so many hours is told to the supervisors.
    """

    window_left_mm: float = 110
    window_top_mm: float = 45
    window_width_mm: float = 80
    window_height_mm: float = 35
    late_after_h: float = 24

    @property
    def window(self) -> Window:
        """The four together."""
        return Window(
            self.window_left_mm, self.window_top_mm, self.window_width_mm, self.window_height_mm
        )

    def __post_init__(self) -> None:
        self.window.check()
        if not 1 <= self.late_after_h <= 24 * 14:
            raise ValueError(f"late_after_h: {self.late_after_h:g}; expected 1 to 336 hours")


Papers = Callable[[Parcel], tuple[Letterhead, Sequence[Enclosure]]]


def build(settings: PrintSettings, secrets: Mapping[str, str], ears: Ears) -> PrintQueue:
    """The queue of this carrier."""
    return PrintQueue(settings, ears.carrier_id, papers_of)


class PrintQueue:
    """Makes letters and puts them into the queue."""

    at_once = 2

    def __init__(self, settings: PrintSettings, carrier_id: int, papers: Papers) -> None:
        self.settings = settings
        self._carrier_id, self._papers = carrier_id, papers

    def open(self) -> None:
        """Whether a letter can be made at all: the typesetter works on this machine."""
        try:
            make_letter(_SPECIMEN, Letterhead("meldkamer"), self.settings.window)
        except PaperFault as fault:
            raise CarrierFault(str(fault)) from None

    def check(self) -> None:
        """Nothing to ask: the queue is in the house."""

    def close(self) -> None:
        """Nothing is held."""

    def send(self, parcel: Parcel) -> str:
        """Make the letter and queue it; its reference."""
        lines = address_lines(parcel.recipient, parcel.address)
        if not _LINES_LEAST <= len(lines) <= _LINES_MOST:
            raise Rejected(
                f"{', '.join(lines) or 'nothing'}: no address for a letter; "
                "expected name, street, postal code and town"
            )
        letterhead, enclosures = self._papers(parcel)
        strange = [one.name for one in enclosures if one.content_type != "application/pdf"]
        if strange:
            raise Rejected(f"only PDF papers can be printed with a letter: {', '.join(strange)}")
        try:
            behind = [one.content for one in enclosures]
            paper = make_letter(parcel, letterhead, self.settings.window, behind)
        except PaperFault as fault:
            raise Rejected(str(fault)) from None
        return self._queue(parcel, paper)

    def _queue(self, parcel: Parcel, paper: Paper) -> str:
        try:
            letter = commands.queue(
                parcel, self._carrier_id, paper, self.settings.late_after_h, datetime.now(UTC)
            )
        except (DatabaseError, psycopg.Error) as fault:
            raise CarrierFault(f"the letter could not be stored: {type(fault).__name__}") from fault
        finally:
            if not connection.in_atomic_block:
                connection.close()
        return commands.ref_of(letter)


_SPECIMEN = Parcel(
    id=0,
    channel="letter",
    template="",
    address="Straat 1, 1000 Brussel",
    recipient="A",
    language="nl",
    subject="A",
    body="A",
    provider_id=0,
    site_id=None,
    incident_id=None,
    contact_id=None,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    attempt=1,
)
