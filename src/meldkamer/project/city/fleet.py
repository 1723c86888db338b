"""The city's panels: each dials the receiver by itself, by TCP or UDP, plain or encrypted.

Never: dial anything but the loopback address, or more than `AT_ONCE` at a time. A panel speaks one
dialect and one transport all its life, chosen by its account; it sends its messages one by one. A
message that nobody acknowledged is given up after the tries of `Panel`, as panels do.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from meldkamer.project.city.codes import Beat, contact_id, sia
from meldkamer.project.city.day import Place
from meldkamer.receivers.panel import Account, Outcome, Panel

AT_ONCE = 20
LOOPBACK = "127.0.0.1"
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Dialler:
    """One panel: where it stands and how it talks."""

    place: Place
    account: Account
    dialect: Literal["sia", "cid"]
    transport: Literal["tcp", "udp"]
    armed: bool
    period_s: int | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    panel: Panel | None = None


def dialect_of(number: int) -> Literal["sia", "cid"]:
    """A third speak Contact ID."""
    return "cid" if number % 3 == 2 else "sia"


def transport_of(number: int) -> Literal["tcp", "udp"]:
    """Two in five use UDP."""
    return "udp" if number % 5 in (1, 3) else "tcp"


class Fleet:
    """All panels of the city."""

    def __init__(self, port: int, dice: Random, host: str = LOOPBACK) -> None:
        if host != LOOPBACK:
            raise ValueError(f"the city dials {LOOPBACK} alone, not {host}")
        self.port = port
        self.dice = dice
        self.sent = self.lost = 0
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def play(self, dialler: Dialler, beats: list[Beat]) -> None:
        """Send the messages of a happening, each after its pause."""
        for beat in beats:
            await asyncio.sleep(beat.after_s)
            await self.say(dialler, beat)

    async def say(self, dialler: Dialler, beat: Beat) -> Outcome:
        """Send one message; a panel never talks twice at once."""
        async with dialler.turn, self._gate:
            panel = self._panel(dialler)
            if dialler.dialect == "cid":
                outcome = await panel.cid(contact_id(beat))
            else:
                outcome = await panel.sia(sia(beat))
        if beat.what in ("arm", "disarm"):
            dialler.armed = beat.what == "arm"
        if outcome.answer == "ack":
            self.sent += 1
        else:
            self.lost += 1
            log.info("%s: %s was not acknowledged", dialler.account.account, beat.what)
        return outcome

    def _panel(self, dialler: Dialler) -> Panel:
        """Made once; the sequence starts anywhere, as after a long life."""
        if dialler.panel is None:
            dialler.panel = Panel(
                LOOPBACK,
                self.port,
                dialler.account,
                transport=dialler.transport,
                seq=self.dice.randrange(9000),
                keep_open=False,
            )
        return dialler.panel
