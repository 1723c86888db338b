"""Texts through a GSM modem, by the tables of gammu-smsd. For a small site: some ten a minute.

A text counts as taken when the modem has sent it, not when it lies in the outbox: a modem that
hangs must not swallow an alarm. What the modem did not begin with in time is taken back and may go
another way. Our number of a message stands on its row, so a text that an earlier try left there is
found again and not sent twice.

A reply is marked as processed only after the ears have stored it; brought twice, it is stored once.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from meldkamer.notify.carrier import CarrierFault, Ears, InDoubt, Parcel, ReceiptState, Rejected
from meldkamer.notify.kinds import SettingsFault
from meldkamer.notify.sms import coding, gsm
from meldkamer.notify.sms.gammu_replies import Reply, replies
from meldkamer.notify.sms.gammu_tables import OURS, SCHEMA, Broken, NotThere, Part, Put, Tables
from meldkamer.notify.sms.senders import e164, fault_of_country

log = logging.getLogger(__name__)
#: as many as the modem needs so that it never waits for us; more would wait in the outbox
_AT_ONCE = 2
_LOOK_S = 0.25
_NUMBER = re.compile(r"\+?[0-9]{2,20}\Z")
_FAILED = frozenset(("Error", "SendingError"))
#: the network's word (3GPP TS 24.011, E.2): no such number, nobody known by it
_NOBODY = frozenset((1, 28, 30))


class GammuSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """gammu-smsd's database (PostgreSQL).

    host: a name, an address or the folder of a socket. phone_id: its PhoneID, where several modems
    share the database. receipts: ask the network for delivery reports. limit_s: how long the modem
    may take for one text. poll_s: how often replies are looked for. stale_s: a modem that gave no
    sign of life for so long is down; more than its StatusFrequency. country: of a sender's number
    that comes without its country.
    """

    database: str = "smsd"
    user: str = "smsd"
    host: str = ""
    port: int = 5432
    sslmode: Literal["disable", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    phone_id: str = ""
    receipts: bool = True
    limit_s: float = 45.0
    poll_s: float = 1.0
    stale_s: float = 180.0
    country: str = "BE"


class GammuCarrier:
    """One modem."""

    at_once = _AT_ONCE

    def __init__(self, settings: GammuSettings, password: str, ears: Ears) -> None:
        self._settings, self._ears = settings, ears
        connect: dict[str, Any] = {
            "dbname": settings.database, "user": settings.user, "host": settings.host or None,
            "port": settings.port, "sslmode": settings.sslmode, "password": password or None,
        }  # fmt: skip
        self._tables = Tables(connect, settings.phone_id)
        self._ear_tables = Tables(connect, settings.phone_id)
        self._stop = threading.Event()
        self._listener: threading.Thread | None = None
        self._deaf = ""  # why replies cannot be read
        self._alive: tuple[str, float] = ("", 0.0)
        self._since: datetime | None = None
        self._told: set[tuple[str, bool]] = set()

    def open(self) -> None:
        """Look at the tables and the modem; then listen."""
        try:
            version = self._tables.version()
        except (NotThere, Broken) as fault:
            raise CarrierFault(str(fault)) from None
        if version < SCHEMA:
            found = f"schema {version}" if version else "no tables of gammu-smsd"
            raise CarrierFault(f"found {found}; expected its schema {SCHEMA}")
        self._deaf, self._alive = "", ("", 0.0)
        self.check()
        self._stop.clear()
        self._listener = threading.Thread(target=self._listen, name="gammu-replies", daemon=True)
        self._listener.start()

    def close(self) -> None:
        """Stop listening and hang up."""
        self._stop.set()
        if self._listener is not None:
            self._listener.join(1)
            self._listener = None
        self._tables.close()
        self._ear_tables.close()

    def check(self) -> None:
        """The modem gives signs of life and has a network; replies can be read."""
        try:
            phone = self._tables.phone()
        except (NotThere, Broken) as fault:
            raise CarrierFault(str(fault)) from None
        if phone is None:
            named = f" with PhoneID {self._settings.phone_id!r}" if self._settings.phone_id else ""
            raise CarrierFault(f"no gammu-smsd{named} has ever run on these tables")
        sign, signal = phone
        now_s = time.monotonic()
        if sign != self._alive[0]:
            self._alive = (sign, now_s)
        elif now_s - self._alive[1] > self._settings.stale_s:
            raise CarrierFault(f"the modem gave no sign of life for {self._settings.stale_s:g} s")
        if signal == 0:
            raise CarrierFault("the modem has no network")
        if self._deaf:
            raise CarrierFault(self._deaf)

    def send(self, parcel: Parcel) -> str:
        """Give a text to the modem and wait until it has left."""
        if not _NUMBER.match(parcel.address):
            raise Rejected("no telephone number; expected e.g. +32475123456")
        ref = f"{OURS}{parcel.id}:{int(parcel.created_at.timestamp())}"
        try:
            put = self._tables.earlier(ref)
            if put is None:
                parts = parts_of(parcel.body.replace("\0", ""), parcel.id)
                put = self._tables.put(parcel.address, ref, parts, self._settings.receipts)
            return self._await(put, ref)
        except NotThere as fault:
            raise CarrierFault(str(fault)) from None
        except Broken as fault:
            raise InDoubt(str(fault)) from None

    def _await(self, put: Put, ref: str) -> str:
        until_s = time.monotonic() + self._settings.limit_s
        while time.monotonic() < until_s and not self._stop.is_set():
            stands = self._tables.stands(put.id)
            if stands is None:
                return self._came_of(put, ref)
            if stands[0]:
                break  # the modem failed, and would try again in minutes
            self._stop.wait(_LOOK_S)
        if self._tables.withdraw(put):
            raise CarrierFault(f"the modem did not send it within {self._settings.limit_s:g} s")
        if self._tables.stands(put.id) is None:
            return self._came_of(put, ref)
        raise InDoubt("the modem has it in its hands and did not finish")

    def _came_of(self, put: Put, ref: str) -> str:
        parts = self._tables.sent(put.id)
        if not parts:
            raise InDoubt("the text left the outbox and was not sent: somebody took it away")
        failed = [code for state, code in parts if state in _FAILED]
        if not failed:
            return ref
        if _NOBODY.intersection(failed):
            raise Rejected(f"the network knows nobody by this number (cause {failed[0]})")
        raise CarrierFault(f"the modem could not send it (cause {failed[0]})")

    def _listen(self) -> None:
        """The thread of replies and reports, until `close`."""
        while not self._stop.wait(self._settings.poll_s):
            try:
                self._hear()
                self._deaf = ""
            except (NotThere, Broken) as fault:
                self._deaf = f"replies cannot be read: {fault}"
            except Exception as fault:  # noqa: BLE001 - not stored, for whatever reason: brought again
                log.warning("gammu: a reply was not stored: %s", type(fault).__name__)

    def _hear(self) -> None:
        tables = self._ear_tables
        for reply in replies(tables.came()):
            self._take(reply)
            tables.done(reply.ids)
        for ref, failed, at in tables.reports(self._since):
            if (ref, failed) not in self._told:
                state = ReceiptState.FAILED if failed else ReceiptState.DELIVERED
                self._ears.receipt(ref, state)
            if self._since is None or at > self._since:
                # times have no fractions: others of this second may follow
                self._told.clear()
                self._since = at
            self._told.add((ref, failed))

    def _take(self, reply: Reply) -> None:
        sender = e164(reply.sender, self._settings.country)
        self._ears.reply(sender, reply.text, to=self._settings.phone_id, ref=reply.ref)


def parts_of(body: str, number: int) -> list[Part]:
    """The text as gammu takes it: in parts with their headers when it is long."""
    fits = gsm.fits(body)
    name = "Default_No_Compression" if fits else "Unicode_No_Compression"
    cut = coding.cut(body).parts
    texts = [gsm.decode(part) if fits else part.decode("utf-16-be") for part in cut]
    if len(texts) == 1:
        return [Part(name, texts[0], "")]
    return [
        Part(name, text, coding.header(coding.PieceOf(number & 0xFF, len(texts), at)).hex().upper())
        for at, text in enumerate(texts, 1)
    ]


def build(settings: GammuSettings, secrets: Mapping[str, str], ears: Ears) -> GammuCarrier:
    """A carrier. Secret: password, of the database; none where the socket knows us."""
    if not 2 <= settings.limit_s <= 90:
        raise SettingsFault("gammu: limit_s: expected 2 to 90")
    if not 0.2 <= settings.poll_s <= 10:
        raise SettingsFault("gammu: poll_s: expected 0.2 to 10")
    if settings.stale_s < 10:
        raise SettingsFault("gammu: stale_s: expected 10 or more")
    if fault := fault_of_country("country", settings.country):
        raise SettingsFault(f"gammu: {fault}")
    return GammuCarrier(settings, secrets.get("password", ""), ears)
