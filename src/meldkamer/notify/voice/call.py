"""One announced call, from dialling to its end, in a thread of its own with a baresip of its own.

Only the key acknowledges. It is thanked for after the receipt is stored: "thank you" is our ACK.
Never: a call without an end, a baresip left behind, a receipt of a number that was not dialled.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from django.db import connections

from meldkamer.notify.carrier import CarrierFault, Ears, InDoubt, ReceiptState
from meldkamer.notify.voice import outcomes
from meldkamer.notify.voice.baresip import Baresip, BaresipFault, Event, Gone

log = logging.getLogger(__name__)
#: an exchange that says nothing at all for so long is not there; less than a claim lasts
PLACE_S = 12.0
_HANG_UP_S = 2.0
#: how often a key or the end of the speech is looked for while nothing comes
_LOOK_S = 0.5
_STORE_AGAIN_S = (0.2, 1.0, 2.0, 5.0, 10.0, 20.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to call and to say. said, thanks: WAVs; the call ends where they end.

    key: the one that acknowledges. ring_s: how long it may ring.
    """

    ref: str
    target: str
    said: bytes
    said_s: float
    thanks: bytes
    thanks_s: float
    key: str
    ring_s: float


class Cut(Exception):
    """The house hangs up: it is stopping."""


class Call(threading.Thread):
    """The life of one call. `placed` gets the ref once it rings, or the fault."""

    def __init__(
        self, plan: Plan, phone: Callable[[], Baresip], ears: Ears, over: Callable[[Call], None]
    ) -> None:
        super().__init__(name=f"call-{plan.ref}", daemon=True)
        self.placed: Future[str] = Future()
        self._plan, self._phone, self._ears, self._over = plan, phone, ears, over
        self._stopping = threading.Event()
        self._dialled = False
        self._other_key = False

    def stop(self) -> None:
        """Hang up and tell that nobody acknowledged."""
        self._stopping.set()

    def run(self) -> None:
        """Call, speak, listen; then the receipt."""
        try:
            found = self._whole()
            if found is not None:
                self._tell(*found)
        except BaseException as fault:
            if not self.placed.done():
                self.placed.set_exception(CarrierFault(f"{type(fault).__name__}: {fault}"))
            raise
        finally:
            connections.close_all()
            self._over(self)

    def _whole(self) -> tuple[ReceiptState, str] | None:
        """The receipt that is still to be told; None when there is none."""
        try:
            phone = self._phone()
        except (BaresipFault, OSError) as fault:
            self.placed.set_exception(CarrierFault(str(fault)))
            return None
        try:
            phone.start()
            return self._talk(phone)
        except (BaresipFault, OSError) as fault:
            return self._broke(fault)
        except Cut:
            return self._cut()
        finally:
            phone.stop()

    def _broke(self, fault: Exception) -> tuple[ReceiptState, str] | None:
        """Before it was dialled nothing happened; after it the telephone may have rung."""
        if self.placed.done():
            return ReceiptState.FAILED, f"the call broke off: {fault}"
        kind = InDoubt if self._dialled else CarrierFault
        self.placed.set_exception(kind(str(fault)))
        return None

    def _cut(self) -> tuple[ReceiptState, str] | None:
        if self.placed.done():
            return ReceiptState.UNANSWERED, outcomes.CUT_OFF
        kind = InDoubt if self._dialled else CarrierFault
        self.placed.set_exception(kind("this centre is stopping"))
        return None

    # --- the telephone

    def _talk(self, phone: Baresip) -> tuple[ReceiptState, str] | None:
        phone.write("said.wav", self._plan.said)
        phone.write("thanks.wav", self._plan.thanks)
        self._dialled = True
        phone.tell("dial", self._plan.target)
        rings = self._await(phone, ("CALL_RINGING", "CALL_PROGRESS", "CALL_ESTABLISHED"), PLACE_S)
        if rings is None:
            self._hang_up(phone)
            raise BaresipFault(f"the exchange did not answer in {PLACE_S:.0f} s")
        if rings.kind == "CALL_CLOSED":
            return self._refused(rings.text)
        self.placed.set_result(self._plan.ref)
        answer = rings
        if rings.kind != "CALL_ESTABLISHED":
            taken_up = self._await(phone, ("CALL_ESTABLISHED",), self._plan.ring_s)
            if taken_up is None:
                self._hang_up(phone)
                return ReceiptState.UNANSWERED, outcomes.NO_ANSWER
            answer = taken_up
        if answer.kind == "CALL_CLOSED":
            return outcomes.ended(answer.text)
        return self._speak(phone)

    def _refused(self, reason: str) -> tuple[ReceiptState, str] | None:
        found = outcomes.refused(reason)
        if isinstance(found, CarrierFault):
            self.placed.set_exception(found)
            return None
        self.placed.set_result(self._plan.ref)
        return ReceiptState.UNANSWERED, found

    def _speak(self, phone: Baresip) -> tuple[ReceiptState, str] | None:
        plan = self._plan
        phone.tell("ausrc", "aufile,said.wav")
        # the file ends in silence, and with it the call
        over = self._await(phone, ("CALL_DTMF_START",), plan.said_s + _HANG_UP_S)
        while over is not None and over.kind == "CALL_DTMF_START":
            if over.text == plan.key:
                self._acknowledged(phone)
                return None
            self._other_key = True
            over = self._await(phone, ("CALL_DTMF_START",), plan.said_s + _HANG_UP_S)
        if over is None:
            self._hang_up(phone)
        hung_up = over is not None and "end of file" not in over.text
        why = outcomes.without_key(other=self._other_key, hung_up=hung_up)
        return ReceiptState.UNANSWERED, why

    def _acknowledged(self, phone: Baresip) -> None:
        self._tell(ReceiptState.ACKNOWLEDGED, outcomes.KEY)
        try:
            phone.tell("ausrc", "aufile,thanks.wav")
            if self._await(phone, (), self._plan.thanks_s + _HANG_UP_S) is None:
                self._hang_up(phone)
        except (BaresipFault, Cut) as fault:
            # it is stored; the thanks are a courtesy
            log.info("%s: no thanks: %s", self.name, fault)

    def _await(self, phone: Baresip, kinds: Sequence[str], within_s: float) -> Event | None:
        """The next of these kinds or the end of our call; None when neither comes in time."""
        until_s = time.monotonic() + within_s
        while (now_s := time.monotonic()) < until_s:
            if self._stopping.is_set():
                self._hang_up(phone)
                raise Cut
            event = phone.next(min(until_s, now_s + _LOOK_S))
            if event is None or not event.outgoing:
                continue
            if event.kind in kinds or event.kind == "CALL_CLOSED":
                return event
        return None

    def _hang_up(self, phone: Baresip) -> None:
        try:
            phone.tell("hangup")
            until_s = time.monotonic() + _HANG_UP_S
            while (event := phone.next(until_s)) is not None:
                if event.kind == "CALL_CLOSED":
                    return
        except Gone:
            return  # what hangs up harder than that?

    # --- the receipt

    def _tell(self, state: ReceiptState, detail: str) -> None:
        """Store the receipt; again and again when the database is away for a moment.

        When it never comes back, the house's own deadline of this call stands on the agenda.
        """
        for wait_s in (*_STORE_AGAIN_S, None):
            try:
                self._ears.receipt(self._plan.ref, state, detail=detail)
            except Exception:
                if wait_s is None or self._stopping.is_set():
                    raise
                log.exception("%s: the receipt is stored again", self.name)
                connections.close_all()
                self._stopping.wait(wait_s)
            else:
                return
