"""A registration at the exchange, kept by a baresip of its own for as long as the carrier is open.

It makes no calls. Who calls back is turned away: nobody would listen.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from meldkamer.notify.carrier import CarrierFault
from meldkamer.notify.voice.baresip import Baresip, BaresipFault, Event

_LOOK_S, _AGAIN_S = 0.5, 5.0


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
            while not self._stopping.is_set():
                event = phone.next(time.monotonic() + _LOOK_S)
                if event is not None:
                    self._heard(phone, event)
        finally:
            phone.stop()

    def _heard(self, phone: Baresip, event: Event) -> None:
        if event.kind == "REGISTER_OK":
            self._fault = ""
            self._answered.set()
        elif event.kind == "REGISTER_FAIL":
            self._fault = f"the exchange refused the registration: {event.text}"
            self._answered.set()
        elif event.kind == "CALL_INCOMING":
            phone.tell("hangup")

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
