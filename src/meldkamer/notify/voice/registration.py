"""A registration at the exchange, kept by a baresip of its own for as long as the carrier is open.

It makes no calls. Who calls back is turned away: nobody would listen.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

from meldkamer.notify.carrier import CarrierFault
from meldkamer.notify.voice.baresip import Baresip, BaresipFault, Event

_LOOK_S, _FIRST_LOOK_S, _AGAIN_S = 0.5, 0.1, 5.0
_REFUSED = "the exchange refused the registration"
_REASON = re.compile(r"^reg: .*: (\d{3} [^(]*?) *\(", re.MULTILINE)


class Registration(threading.Thread):
    """Keeps a baresip registered; starts another when it dies."""

    def __init__(self, phone: Callable[[], Baresip]) -> None:
        super().__init__(name="registration", daemon=True)
        self._phone = phone
        self._stopping = threading.Event()
        self._answered = threading.Event()
        self._fault = "not registered yet"

    def run(self) -> None:
        """Until it is stopped."""
        while not self._stopping.is_set():
            try:
                self._keep(self._phone())
            except (BaresipFault, OSError) as fault:
                self._fault = str(fault)
                self._answered.set()
                self._stopping.wait(_AGAIN_S)

    def _keep(self, phone: Baresip) -> None:
        try:
            phone.start()
            known = False
            while not self._stopping.is_set():
                # the first answer may have come before we listened
                known = known or self._asked(phone)
                event = phone.next(time.monotonic() + (_LOOK_S if known else _FIRST_LOOK_S))
                if event is not None:
                    known = self._heard(phone, event) or known
                phone.forget_said()
        finally:
            phone.stop()

    def _asked(self, phone: Baresip) -> bool:
        """Ask it how its registration stands; whether it knows."""
        answer = phone.tell("reginfo")
        if re.search(r"\bOK\b", answer):
            return self._stands("")
        if re.search(r"\bERR\b", answer):
            reasons = _REASON.findall(phone.said())
            return self._stands(f"{_REFUSED}: {reasons[-1] if reasons else 'no reason given'}")
        return False

    def _heard(self, phone: Baresip, event: Event) -> bool:
        if event.kind == "REGISTER_OK":
            return self._stands("")
        if event.kind == "REGISTER_FAIL":
            return self._stands(f"{_REFUSED}: {event.text}")
        if event.kind == "CALL_INCOMING":
            phone.tell("hangup")
        return False

    def _stands(self, fault: str) -> bool:
        self._fault = fault
        self._answered.set()
        return True

    def wait(self, most_s: float) -> None:
        """Until the exchange answered; CarrierFault when it refused or did not."""
        if not self._answered.wait(most_s):
            self._fault = f"the exchange did not answer the registration in {most_s:.0f} s"
        self.check()

    def check(self) -> None:
        """CarrierFault when it is not registered now."""
        if self._fault:
            raise CarrierFault(self._fault)

    def stop(self) -> None:
        """Sign off and end."""
        self._stopping.set()
