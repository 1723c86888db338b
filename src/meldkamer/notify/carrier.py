"""What a carrier is: the small interface between the outbox and the world outside.

A carrier sends, and tells what came back: a receipt for what it sent, a reply from a person. It
never decides: which carrier takes a message, when it is tried again and what a reply means is the
house's business. It never touches the database itself and never runs inside a transaction.

One line (see `notify.line`) drives one carrier in the whole installation, so a carrier need not
know of others; `send` is called by up to `at_once` threads at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

#: the template of a message that tries a carrier out (`trying_out`)
TEST = "carrier_test"
#: a reference of a carrier's is kept up to here
REF_MOST = 120
_REASON_MOST = 2000
#: a carrier may ask to be left alone for days; after so long it is asked again all the same (M12.1)
AFTER_MOST_S = 120.0


def storable(said: str, most: int) -> str:
    """What a machine of somebody else said, so that it can be stored: no NUL, no half character."""
    return said.replace("\0", "").encode("utf-8", "replace").decode()[:most]


class CarrierFault(Exception):
    """Not taken, and it may be taken later or by another: refused, unreachable, too much at once.

    after_s: how long this carrier asks to be left alone, AFTER_MOST_S at most; None when it says
    nothing.
    blames: False when it says nothing about the carrier, only about the recipient's own end (a
    push service that one phone chose): that must not stop what goes to all others.
    """

    def __init__(self, reason: str, *, after_s: float | None = None, blames: bool = True) -> None:
        super().__init__(storable(reason, _REASON_MOST))
        self.after_s = None if after_s is None else min(max(after_s, 0.0), AFTER_MOST_S)
        self.blames = blames


class Rejected(CarrierFault):
    """Turned down for good: the number does not exist, it is barred, there is no address (S7.2)."""


class InDoubt(CarrierFault):
    """The connection broke after the message was given and before the carrier answered.

    It may have been taken. It is sent again, and counted as perhaps doubled: losing an alarm's
    text is worse than sending it twice.
    """


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message as its carrier gets it. id is ours and stays the same at each attempt."""

    id: int
    channel: str
    template: str
    address: str
    recipient: str
    language: str
    subject: str
    body: str
    provider_id: int
    site_id: int | None
    incident_id: int | None
    contact_id: int | None
    created_at: datetime
    attempt: int


class ReceiptState(StrEnum):
    """What a carrier can tell later of a message that it took."""

    DELIVERED = "delivered"  # it is on the phone, in the mailbox
    FAILED = "failed"  # it never will be: as if it had been rejected (S7.2)
    EXPIRED = "expired"  # it was tried long enough
    ACKNOWLEDGED = "acknowledged"  # a person acted: a key was pressed, the app's button was used
    UNANSWERED = "unanswered"  # rung at, and nobody acted: no answer, voicemail, no key


class Ears(Protocol):
    """What a carrier tells the house. Each returns after COMMIT and raises when it is not stored.

    So whoever waits for an answer from us (an SMS centre) gets it only for what is stored.
    """

    #: the row of the carrier whose ears these are
    carrier_id: int

    def reply(self, sender: str, text: str, *, to: str = "", ref: str = "") -> None:
        """A person sent this. ref: the carrier's own number of it; the same one is stored once."""

    def receipt(self, ref: str, state: ReceiptState, *, detail: str = "") -> None:
        """What became of the message that `send` returned this ref for."""


class Carrier(Protocol):
    """One way out, with its own connection."""

    #: how many `send` may run at a time: the window of an SMS centre, connections of a mail server
    at_once: int

    def open(self) -> None:
        """Connect. CarrierFault when that is not possible now."""

    def send(self, parcel: Parcel) -> str:
        """Give a message to the carrier; its reference, "" when it gives none.

        Returning means: taken. Raises CarrierFault, Rejected or InDoubt; never hangs for longer
        than its own time limit.
        """

    def check(self) -> None:
        """Called every few seconds: CarrierFault when this carrier could not take a message now."""

    def close(self) -> None:
        """Finish and disconnect, in a second at most; no error when it was not open."""
