"""Texts over SMPP 3.4: the carrier of an SMS centre (S7).

A text is taken when the centre answered with its number. A long one goes in parts, the first one
alone: its number is the message's ref. The line that drives this carrier connects it again when
`check` says that it is away.

Never: a text cut short, a number guessed, a password in a fault, anything of a text in a log.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from typing import Any

from meldkamer.notify.carrier import (
    Carrier,
    CarrierFault,
    Ears,
    InDoubt,
    Parcel,
    ReceiptState,
    Rejected,
)
from meldkamer.notify.kinds import SettingsFault
from meldkamer.notify.sms import coding, smpp_receipts
from meldkamer.notify.sms import smpp_pdus as pdus
from meldkamer.notify.sms.senders import e164
from meldkamer.notify.sms.smpp_link import Tls
from meldkamer.notify.sms.smpp_listening import Listener, Shelf
from meldkamer.notify.sms.smpp_receipts import LongTexts
from meldkamer.notify.sms.smpp_session import LoginRefused, NoAnswer, Session
from meldkamer.notify.sms.smpp_settings import SmppSettings, check_password

_NUMBER = re.compile(r"\+[0-9]{6,20}")
#: a login that was refused is not tried again before: some centres block an account for that
_LOGIN_AGAIN_S = 60.0
#: all parts of a text together, well below what a claim of the outbox lasts
_SEND_MOST_S = 60.0
_QUEUE_FULL_S = 5.0
_UDH = smpp_receipts.HEADER


def build(settings: SmppSettings, secrets: Mapping[str, str], ears: Ears) -> Carrier:
    """The carrier, not connected yet. SettingsFault when the password does not fit SMPP."""
    # here, for the carrier alone needs no database
    from meldkamer.notify.sms.arrivals import Shelf as DatabaseShelf

    shelf = DatabaseShelf(ears.carrier_id, settings.pieces_s)
    try:
        return SmppCarrier(settings, secrets.get("password", ""), ears, shelf)
    except ValueError as fault:
        raise SettingsFault(f"smpp: {fault}") from None


class SmppCarrier:
    """One account at one SMS centre."""

    def __init__(self, settings: SmppSettings, password: str, ears: Ears, shelf: Shelf) -> None:
        self.at_once = settings.window
        self._settings, self._password = settings, check_password(password)
        self._ears, self._shelf = ears, shelf
        self._tls = Tls(settings.fingerprint) if settings.tls else None
        self._long_texts = LongTexts()
        self._lock = threading.Lock()
        self._sending: Session | None = None
        self._hearing: Session | None = None
        self._listener: Listener | None = None
        self._refused: tuple[float, LoginRefused] | None = None

    # --- the connection

    def open(self) -> None:
        """Connect and log in. CarrierFault when that is not possible now."""
        with self._lock:
            if self._fault() == "":
                return
            self._leave()
            self._not_again_yet()
            self._listener = Listener(self._settings, self._ears, self._shelf, self._long_texts)
            try:
                self._connect()
            except LoginRefused as fault:
                self._refused = time.monotonic() + _LOGIN_AGAIN_S, fault
                self._leave()
                raise
            except CarrierFault:
                self._leave()
                raise

    def check(self) -> None:
        """CarrierFault when there is no connection now."""
        fault = self._fault()
        if fault:
            raise CarrierFault(fault)

    def close(self) -> None:
        """Log out, in about a second at most."""
        with self._lock:
            self._leave()

    def _not_again_yet(self) -> None:
        if self._refused is None:
            return
        until_s, fault = self._refused
        left_s = until_s - time.monotonic()
        if left_s > 0:
            raise LoginRefused(f"{fault}; tried again in {left_s:.0f} s", after_s=left_s)
        self._refused = None

    def _connect(self) -> None:
        if self._settings.bind == "transceiver":
            self._sending = self._hearing = self._bound("transceiver")
            return
        self._sending = self._bound("transmitter")
        if self._settings.bind == "pair":
            self._hearing = self._bound("receiver")

    def _bound(self, mode: str) -> Session:
        assert self._listener is not None
        session = Session(self._settings, self._tls, self._listener.brought)
        session.bind(mode, self._password)
        return session

    def _fault(self) -> str:
        """Why it cannot send and hear; "" when it can."""
        wanted = [self._sending]
        if self._settings.bind == "pair":
            wanted.append(self._hearing)
        for session in wanted:
            if session is None:
                return f"not connected to {self._settings.host}:{self._settings.port}"
            if session.over:
                return session.over
        return ""

    def _leave(self) -> None:
        """What is being stored is answered first, then the connections end."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close(0.5)
        sessions = {id(one): one for one in (self._sending, self._hearing) if one is not None}
        self._sending = self._hearing = None
        for session in sessions.values():
            session.close()

    # --- a text

    def send(self, parcel: Parcel) -> str:
        """Give a text to the centre; its number there, of the first part when it is long."""
        session = self._sending
        if session is None or session.over:
            raise CarrierFault(session.over if session else self._fault())
        fields = self._fields(parcel.address)
        pieces = self._pieces(parcel)
        until_s = time.monotonic() + _SEND_MOST_S
        ref = ""
        for number, piece in enumerate(pieces, 1):
            last = number == len(pieces)
            part = self._give(session, fields | piece, until_s, last=last, first=number == 1)
            if number == 1:
                ref = part
                if ref and not last:
                    self._long_texts.begin(ref)
            else:
                self._long_texts.more(ref, part)
        if len(pieces) > 1 and self._long_texts.complete(ref) and self._listener is not None:
            self._listener.tell(ref, ReceiptState.DELIVERED)
        return ref

    def _fields(self, address: str) -> dict[str, Any]:
        settings = self._settings
        number = e164(address, settings.region)
        if _NUMBER.fullmatch(number) is None:
            raise Rejected(f"{address!r} is no number; expected one like +32470123456")
        ton, npi, source = settings.source
        return {
            "service_type": settings.service_type,
            "source_addr_ton": ton,
            "source_addr_npi": npi,
            "source_addr": source,
            "dest_addr_ton": settings.number_ton,
            "dest_addr_npi": settings.number_npi,
            "destination_addr": number.removeprefix("+"),
            "validity_period": settings.validity,
            "registered_delivery": 1 if settings.receipts else 0,
        }

    def _pieces(self, parcel: Parcel) -> list[dict[str, Any]]:
        """What differs between the parts: coding, octets, and how they belong together."""
        settings, text = self._settings, parcel.body.replace("\0", "")
        cut = coding.cut(text, settings.alphabet)
        of = len(cut.parts)
        if of > settings.parts_most:
            raise Rejected(
                f"the text needs {of} parts, this carrier sends {settings.parts_most} at most "
                "(parts_most)"
            )
        coded = {"data_coding": cut.data_coding}
        if of == 1:
            return [coded | {"short_message": cut.parts[0]}]
        if settings.long_text == "payload":
            _, octets = coding.whole(text, settings.alphabet)
            return [coded | {"message_payload": octets}]
        # each attempt has the same ref, so that a phone that got some parts twice can join them
        refs = 0x100 if settings.long_text == "udh" else 0x10000
        ref = parcel.id % refs
        return [
            coded | self._joined(coding.PieceOf(ref, of, number), octets)
            for number, octets in enumerate(cut.parts, 1)
        ]

    def _joined(self, piece: coding.PieceOf, octets: bytes) -> dict[str, Any]:
        if self._settings.long_text == "udh":
            return {"esm_class": _UDH, "short_message": coding.header(piece) + octets}
        return {
            "short_message": octets,
            "sar_msg_ref_num": piece.ref,
            "sar_total_segments": piece.of,
            "sar_segment_seqnum": piece.number,
        }

    def _give(
        self, session: Session, fields: dict[str, Any], until_s: float, *, last: bool, first: bool
    ) -> str:
        """One part; its ref. Once the first is taken a throttled one waits, for a while."""
        while True:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                raise CarrierFault(f"its parts took more than {_SEND_MOST_S:g} s")
            try:
                limit_s = min(self._settings.answer_s, left_s)
                answer = session.ask("submit_sm", fields, limit_s)
            except NoAnswer as fault:
                # without its last part it is no text on any phone: nothing can be doubled
                if fault.left and last:
                    raise InDoubt(str(fault)) from None
                raise CarrierFault(str(fault)) from None
            if answer.status == pdus.OK:
                return smpp_receipts.given_ref(answer.message_id, self._settings.receipt_ids)
            refusal = self._refusal(answer.status)
            wait_s = refusal.after_s
            if first or wait_s is None or time.monotonic() + wait_s > until_s:
                raise refusal
            time.sleep(wait_s)

    def _refusal(self, status: int) -> CarrierFault:
        reason = pdus.status_text(status)
        if status in pdus.RECIPIENT_REFUSED or status in self._settings.barred_codes:
            return Rejected(f"the centre refused the number: {reason}")
        if status == pdus.THROTTLED:
            return CarrierFault(f"too much at once: {reason}", after_s=self._settings.throttled_s)
        if status == pdus.QUEUE_FULL:
            return CarrierFault(f"too much at once: {reason}", after_s=_QUEUE_FULL_S)
        return CarrierFault(f"the centre did not take it: {reason}")
