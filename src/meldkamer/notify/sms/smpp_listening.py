"""What an SMS centre brings: receipts, and what people send. Stored first, then answered.

One thread takes them one after the other, so that the thread of the connection never waits for
the database. When something cannot be stored the centre is asked to bring it again; when more
waits than can be kept, it is asked to come later.

Invariant: the centre hears "taken" only of what is stored. Never: a person's text in a log.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from time import monotonic
from typing import Protocol

from meldkamer.notify.carrier import Ears, ReceiptState
from meldkamer.notify.sms import coding, smpp_receipts
from meldkamer.notify.sms import smpp_pdus as pdus
from meldkamer.notify.sms.arriving import Arrival, Connection
from meldkamer.notify.sms.senders import e164
from meldkamer.notify.sms.smpp_pdus import Delivered, Pdu
from meldkamer.notify.sms.smpp_receipts import LongTexts
from meldkamer.notify.sms.smpp_session import Session
from meldkamer.notify.sms.smpp_settings import ALPHANUMERIC, INTERNATIONAL, SmppSettings

log = logging.getLogger(__name__)
_WAITING_MOST = 1_000


class Shelf(Protocol):
    """Where texts of people are stored (see `arrivals.Shelf`)."""

    def store(self, arrival: Arrival, over: Connection) -> int:
        """Stored when it returns; raises when it is not."""

    def answered(self, arrival_id: int) -> None:
        """The centre was told that we have it."""

    def leave(self) -> None:
        """The thread ends."""


@dataclass(frozen=True, slots=True)
class _Brought:
    session: Session
    pdu: Pdu


class Listener:
    """The thread that stores and answers. It lives as long as its carrier is open."""

    def __init__(
        self, settings: SmppSettings, ears: Ears, shelf: Shelf, long_texts: LongTexts
    ) -> None:
        self._settings, self._ears, self._shelf = settings, ears, shelf
        self._long_texts = long_texts
        self._queue: queue.Queue[_Brought | Callable[[], None] | None] = queue.Queue(_WAITING_MOST)
        self._ends = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"smpp-in-{settings.host}:{settings.port}", daemon=True
        )
        self._thread.start()

    def brought(self, session: Session, pdu: Pdu) -> None:
        """A deliver_sm came; called in the thread of the connection, which does not wait."""
        try:
            self._queue.put_nowait(_Brought(session, pdu))
        except queue.Full:
            session.answer(pdu.sequence, "deliver_sm_resp", pdus.QUEUE_FULL)

    def tell(self, ref: str, state: ReceiptState) -> None:
        """Tell the house of a receipt that came together only now; in the listener's thread."""
        try:
            self._queue.put_nowait(lambda: self._ears.receipt(ref, state))
        except queue.Full:
            log.warning("a receipt could not be told: too many are waiting")

    def close(self, wait_s: float) -> None:
        """Finish what is being stored; what waits is brought again by the centre."""
        self._ends.set()
        # when it is full, it sees that it ends at the next one
        with suppress(queue.Full):
            self._queue.put_nowait(None)
        self._thread.join(wait_s)

    def _run(self) -> None:
        try:
            while True:
                item = self._queue.get()
                if item is None or self._ends.is_set():
                    return
                try:
                    self._one(item)
                except Exception as fault:  # noqa: BLE001 - without its text, see above
                    log.warning("a receipt could not be stored: %s", type(fault).__name__)
        finally:
            self._shelf.leave()

    def _one(self, item: _Brought | Callable[[], None]) -> None:
        if not isinstance(item, _Brought):
            item()
        elif not item.session.over:
            # of a connection that is over: it has no answer, so it is brought again
            self._take(item.session, item.pdu)

    def _take(self, session: Session, pdu: Pdu) -> None:
        arrival_id, status = None, pdus.OK
        try:
            delivered = pdus.read_delivered(pdu.body)
            if smpp_receipts.is_receipt(delivered, unmarked=self._settings.receipts_unmarked):
                status = self._receipt(delivered)
            else:
                arrival_id = self._text(session, delivered)
        except pdus.BadPdu as fault:
            log.warning("the centre brought a deliver_sm that cannot be read: %s", fault)
            status = pdus.BAD_LENGTH
        except Exception as fault:  # noqa: BLE001 - whatever it was, only the centre still has it
            log.warning("not stored, the centre is asked again: %s", type(fault).__name__)
            status = pdus.NOT_NOW
        answered = session.answer(pdu.sequence, "deliver_sm_resp", status)
        if answered and arrival_id is not None:
            self._shelf.answered(arrival_id)

    def _receipt(self, delivered: Delivered) -> int:
        receipt = smpp_receipts.read(delivered)
        if receipt is None:
            log.warning("the centre brought a receipt that does not say of which message")
            return pdus.NEVER
        if receipt.state is None:
            return pdus.OK
        ref = smpp_receipts.told_ref(receipt.message_id, self._settings.receipt_ids)
        told = self._long_texts.told(ref, receipt.state)
        if told is not None:
            self._ears.receipt(told[0], told[1], detail=receipt.detail)
        return pdus.OK

    def _text(self, session: Session, delivered: Delivered) -> int:
        age_s = monotonic() - session.started_s
        since = datetime.fromtimestamp(datetime.now(UTC).timestamp() - age_s, UTC)
        return self._shelf.store(
            read_text(delivered, self._settings), Connection(session.name, since)
        )


def read_text(delivered: Delivered, settings: SmppSettings) -> Arrival:
    """What a person sent, readable; the empty text is one as well (S7.4)."""
    octets, piece = delivered.octets, _sar(delivered)
    if delivered.esm_class & smpp_receipts.HEADER:
        found, octets = coding.take_header(octets)
        piece = found or piece
    return Arrival(
        digest=_digest(delivered),
        sender=_number(delivered.source_ton, delivered.source, settings.region),
        to=_number(delivered.destination_ton, delivered.destination, settings.region),
        text=coding.decode(delivered.data_coding, octets, settings.alphabet),
        piece=piece,
    )


def _sar(delivered: Delivered) -> coding.PieceOf | None:
    ref, of, number = (
        delivered.number(tag) for tag in (pdus.TLV_SAR_REF, pdus.TLV_SAR_OF, pdus.TLV_SAR_NUMBER)
    )
    if ref is None or of is None or number is None:
        return None
    return coding.piece_or_none(coding.PieceOf(ref, of, number))


def _number(ton: int, address: str, region: str) -> str:
    if ton == ALPHANUMERIC:
        return address
    plain = address if ton != INTERNATIONAL or address.startswith("+") else f"+{address}"
    return e164(plain, region)


def _digest(delivered: Delivered) -> str:
    """Of everything that the centre said of it, so that only the very same is the same."""
    of = sha256()
    for part in (
        delivered.source,
        delivered.destination,
        f"{delivered.esm_class} {delivered.data_coding}",
    ):
        of.update(part.encode() + b"\0")
    of.update(len(delivered.octets).to_bytes(4, "big") + delivered.octets)
    for tag, value in sorted(delivered.tlvs.items()):
        of.update(tag.to_bytes(2, "big") + len(value).to_bytes(4, "big") + value)
    return of.hexdigest()
