"""One bound connection to an SMS centre: the login, the window, answers matched by their number.

Invariant: each request gets exactly one end: the centre's answer, no answer in time, or the end of
the connection; the last two tell whether the request had left us. Never: the password in a fault.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from meldkamer.notify.carrier import CarrierFault
from meldkamer.notify.sms import smpp_pdus as pdus
from meldkamer.notify.sms.smpp_link import Link, Tls, connect
from meldkamer.notify.sms.smpp_pdus import Pdu
from meldkamer.notify.sms.smpp_settings import SmppSettings

#: the centre is let finish so long when we log out
_UNBIND_S = 0.4


class LoginRefused(CarrierFault):
    """The centre does not let us in; says what it said."""


class NoAnswer(Exception):
    """A request without an answer. left: whether all of it left us, or may yet."""

    def __init__(self, reason: str, *, left: bool) -> None:
        super().__init__(reason)
        self.left = left


@dataclass(slots=True)
class _Waiting:
    done: threading.Event = field(default_factory=threading.Event)
    answer: Pdu | None = None


class Session:
    """A connection, bound by `bind`. on_deliver gets each deliver_sm and must not block."""

    def __init__(
        self,
        settings: SmppSettings,
        tls: Tls | None,
        on_deliver: Callable[[Session, Pdu], None],
    ) -> None:
        self._settings, self._on_deliver = settings, on_deliver
        self._numbers = pdus.Numbers()
        self._lock = threading.Lock()
        self._waiting: dict[int, _Waiting] = {}
        self._asked_at_s: float | None = None
        self.name = uuid.uuid4().hex
        self.started_s = self._heard_s = time.monotonic()
        #: why it is over; "" while it is not
        self.over = ""
        sock = connect(settings.host, settings.port, settings.connect_s, tls)
        self._link = Link(
            sock,
            f"smpp-{settings.host}:{settings.port}",
            on_pdu=self._take,
            on_tick=self._tick,
            on_broken=self._ended,
        )
        self._link.start()

    def bind(self, mode: str, password: str) -> None:
        """Log in as transceiver, transmitter or receiver. CarrierFault says why not."""
        settings = self._settings
        fields = {
            "system_id": settings.system_id,
            "password": password,
            "system_type": settings.system_type,
        }
        try:
            answer = self.ask(f"bind_{mode}", fields)
        except NoAnswer as fault:
            self._link.end(str(fault))
            raise CarrierFault(f"no answer to the login: {fault}") from None
        if answer.status == pdus.OK:
            return
        self._link.end("the login was refused")
        reason = pdus.status_text(answer.status)
        if answer.status in pdus.LOGIN_REFUSED:
            raise LoginRefused(
                f"the centre refused the login as {settings.system_id!r} "
                f"(system_id, password or system_type): {reason}"
            )
        raise CarrierFault(f"the centre refused the connection: {reason}")

    def ask(self, command: str, fields: dict[str, Any], limit_s: float | None = None) -> Pdu:
        """Send a request and wait for its answer. CarrierFault: it did not leave; NoAnswer."""
        limit_s = self._settings.answer_s if limit_s is None else limit_s
        sequence, octets = pdus.request(command, self._numbers, fields)
        waiting = _Waiting()
        with self._lock:
            if self.over:
                raise CarrierFault(self.over)
            self._waiting[sequence] = waiting
        try:
            mark = self._link.post(octets)
            waiting.done.wait(limit_s)
        finally:
            with self._lock:
                self._waiting.pop(sequence, None)
        if waiting.answer is not None:
            return waiting.answer
        raise self._unanswered(mark, limit_s)

    def _unanswered(self, mark: int, limit_s: float) -> NoAnswer:
        if not self.over:
            # what waits to leave over a connection that is there may still leave
            return NoAnswer(f"no answer within {limit_s:g} s", left=True)
        return NoAnswer(self.over, left=self._link.written(mark))

    def answer(self, sequence: int, command: str, status: int = pdus.OK) -> bool:
        """Answer a request of the centre; False when the connection is over."""
        try:
            self._link.post(pdus.response(command, sequence, status))
        except CarrierFault:
            return False
        return not self.over

    def close(self) -> None:
        """Log out and disconnect, in half a second at most."""
        if not self.over:
            with suppress(NoAnswer, CarrierFault):  # it ends either way
                self.ask("unbind", {}, _UNBIND_S)
        self._link.end("closed", _UNBIND_S)

    # --- in the thread of the link

    def _take(self, octets: bytes) -> None:
        self._heard_s, self._asked_at_s = time.monotonic(), None
        pdu = pdus.read(octets)
        if pdu.command & pdus.RESPONSE:
            self._resolve(pdu)
        elif pdu.command == pdus.DELIVER_SM:
            self._on_deliver(self, pdu)
        elif pdu.command == pdus.ENQUIRE_LINK:
            self.answer(pdu.sequence, "enquire_link_resp")
        elif pdu.command == pdus.UNBIND:
            self.answer(pdu.sequence, "unbind_resp")
            self._link.end("the centre ended the session (unbind)")
        elif pdu.command not in (pdus.ALERT_NOTIFICATION, pdus.OUTBIND):
            self.answer(pdu.sequence, "generic_nack", pdus.UNKNOWN_COMMAND)

    def _resolve(self, pdu: Pdu) -> None:
        with self._lock:
            waiting = self._waiting.get(pdu.sequence)
        if waiting is not None:
            refused = pdu.command == pdus.GENERIC_NACK and pdu.status == pdus.OK
            waiting.answer = replace(pdu, status=pdus.UNKNOWN_ERROR) if refused else pdu
            waiting.done.set()
        if pdu.status == pdus.NOT_BOUND:
            self._link.end("the centre says that we are not logged in")

    def _tick(self) -> None:
        """Ask whether the centre is still there when it said nothing for a while."""
        now_s, settings = time.monotonic(), self._settings
        if self._asked_at_s is not None:
            if now_s - self._asked_at_s > settings.answer_s:
                self._link.end(f"the centre was silent for {now_s - self._heard_s:.0f} s")
        elif now_s - self._heard_s > settings.alive_s:
            self._asked_at_s = now_s
            try:
                self._link.post(pdus.request("enquire_link", self._numbers, {})[1])
            except CarrierFault:
                return  # over already

    def _ended(self, reason: str) -> None:
        with self._lock:
            self.over = reason or "closed"
            waiting, self._waiting = list(self._waiting.values()), {}
        for one in waiting:
            one.done.set()
