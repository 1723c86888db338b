"""The life of the city: who does what when. All of it in one event loop; the database in a thread.

Invariant: nothing here ends the city but a signal to stop. A database or receiver that is away is
waited for: what should have been sent meanwhile is given up, as at a site without a line.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import TypeVar
from zoneinfo import ZoneInfo

import psycopg
from django.db import Error as DatabaseFault
from django.db import close_old_connections

from meldkamer.office.sandbox.orders import CHANNEL, MARK, read_order
from meldkamer.project.city import day, register
from meldkamer.project.city.codes import Beat
from meldkamer.project.city.fleet import Dialler, Fleet
from meldkamer.project.city.register import Reply
from meldkamer.project.database import conninfo

log = logging.getLogger(__name__)
QUEUE_FULL = 8
LOOK_S = 2.0
RETRY_S = 2.0
_ZONE = ZoneInfo("Europe/Brussels")
Found = TypeVar("Found")


class City:
    """Panels that dial in and people who answer, until `run` is cancelled or a signal comes."""

    def __init__(
        self, port: int, rate: float, ready: Callable[[], None], dice: Random | None = None
    ) -> None:
        self.dice = dice or Random()  # noqa: S311 - chance of a demo
        self.fleet = Fleet(port, self.dice)
        self.rate = rate
        self.ready = ready
        self.diallers: dict[int, Dialler] = {}
        self.by_clock: set[int] = set()
        self._thread = ThreadPoolExecutor(1, "city-database")
        self._tasks: set[asyncio.Task[None]] = set()
        self._started_s = 0.0

    async def run(self) -> None:
        """The whole life."""
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for order in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(order, stop.set)
        main = asyncio.create_task(self._live())
        ended = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((main, ended), return_when=asyncio.FIRST_COMPLETED)
            if main.done():
                main.result()
        finally:
            main.cancel()
            ended.cancel()
            for task in self._tasks:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await main
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _live(self) -> None:
        self._started_s = asyncio.get_running_loop().time()
        await self._wake_up()
        self.ready()
        log.info("%d panels dial in", len(self.diallers))
        async with asyncio.TaskGroup() as group:
            for part in (
                self._routine, self._tests, self._for_operators, self._technical,
                self._by_the_clock, self._answer_texts, self._orders,
            ):  # fmt: skip
                group.create_task(part())

    async def _wake_up(self) -> None:
        found = await self._read(register.panels)
        self.diallers = {dialler.place.site_id: dialler for dialler in found}
        self.by_clock = await self._read(register.with_hours)
        now = datetime.now(UTC)
        await self._read(partial(register.begin, list(self.diallers), now))

    # --- what happens

    async def _routine(self) -> None:
        """People come and go."""
        while True:
            await asyncio.sleep(self._pause(day.ROUTINE_S))
            dialler = await self._somewhere(but=self.by_clock)
            if dialler is not None:
                self._begin(dialler, [day.comes_or_goes(dialler.armed, self.dice)])

    async def _tests(self) -> None:
        """Every watched line calls in its turn, long before it is missed."""
        while True:
            for dialler in list(self.diallers.values()):
                if dialler.period_s:
                    await asyncio.sleep(self._pause(day.TEST_S))
                    self._begin(dialler, [Beat(0, "test")])
            await asyncio.sleep(1)

    async def _for_operators(self) -> None:
        """The first at once, so that a newcomer sees how it looks."""
        await asyncio.sleep(2)
        dialler = await self._somewhere(("contact", "pir"), 2)
        if dialler is not None:
            await self._armed_first(dialler, day.needless)
            self._begin(dialler, day.needless(dialler.place, self.dice))
        await asyncio.sleep(5)
        await self.burgle(None)
        while True:
            since_s = asyncio.get_running_loop().time() - self._started_s
            hour = datetime.now(_ZONE).hour
            await asyncio.sleep(day.wait_s(since_s, hour, self.rate, self.dice))
            if await self._read(register.waiting_for_operators) >= QUEUE_FULL:
                continue
            happening, kinds, count = day.choose(self.dice)
            dialler = await self._somewhere(kinds, count)
            if dialler is not None:
                await self._armed_first(dialler, happening)
                self._begin(dialler, happening(dialler.place, self.dice))

    async def _technical(self) -> None:
        """Power failures and batteries: texts, mostly."""
        await asyncio.sleep(12)
        while True:
            dialler = await self._somewhere()
            if dialler is not None:
                self._begin(dialler, day.choose_technical(self.dice)(dialler.place, self.dice))
            await asyncio.sleep(self._pause(day.TECHNICAL_S))

    async def _by_the_clock(self) -> None:
        """Shops with agreed hours open and close, most of them in time (S11.1)."""
        late: dict[int, float] = {}
        loop = asyncio.get_running_loop()
        first = True
        while True:
            now = datetime.now(UTC)
            for site_id, armed in (await self._read(partial(register.out_of_step, now))).items():
                dialler = self.diallers.get(site_id)
                if dialler is None:
                    continue
                slow_s = 1200 if self.dice.random() < 0.05 else 300
                wait_s = self.dice.uniform(1, 20) if first else self.dice.uniform(5, slow_s)
                due_s = late.setdefault(site_id, loop.time() + wait_s)
                if loop.time() >= due_s:
                    late.pop(site_id)
                    what = "arm" if armed else "disarm"
                    self._begin(dialler, [Beat(0, what, str(self.dice.randint(1, 5)))])
            first = False
            await asyncio.sleep(10)

    async def burgle(self, site_id: int | None) -> str:
        """Two detectors at a site, or somewhere; the name of the place, "" when there is none."""
        if site_id is None:
            dialler = await self._somewhere(("contact", "pir", "glass_break"), 2)
        else:
            dialler = self.diallers.get(site_id)
        if dialler is None or not day.fit([dialler.place], ("contact", "pir", "glass_break"), 2):
            return ""
        await self._armed_first(dialler, day.burglary)
        self._begin(dialler, day.burglary(dialler.place, self.dice))
        return dialler.place.name

    async def _armed_first(self, dialler: Dialler, happening: day.Happening) -> None:
        """A detector speaks only while the site is armed; the button and fire always do."""
        needs_arming = happening in (day.burglary, day.needless)
        if needs_arming and not dialler.armed and dialler.place.site_id not in self.by_clock:
            await self.fleet.say(dialler, Beat(0, "arm", "1"))

    # --- people

    async def _answer_texts(self) -> None:
        """People answer their texts after a while, as carriers bring them."""
        last = 0
        waiting: list[Reply] = []
        while True:
            await asyncio.sleep(LOOK_S)
            now = datetime.now(UTC)
            last, new = await self._read(partial(register.replies, last, now))
            waiting += new
            for reply in [reply for reply in waiting if reply.at <= now]:
                await self._read(partial(register.answer_text, reply, now))
                waiting.remove(reply)

    # --- orders of the page "sandbox"

    async def _orders(self) -> None:
        """ "Burglary now", by the button."""
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(
                    conninfo(os.environ), autocommit=True
                )
                async with connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    await connection.execute("SELECT pg_advisory_lock_shared(%s, %s)", MARK)
                    async for notice in connection.notifies():
                        order = read_order(notice.payload)
                        if order is not None:
                            await self.burgle(order.site_id)
            except (psycopg.Error, OSError) as fault:
                log.info("no orders for now: %s", str(fault).partition("\n")[0])
            await asyncio.sleep(RETRY_S)

    # --- helpers

    def _begin(self, dialler: Dialler, beats: list[Beat]) -> None:
        task = asyncio.create_task(self.fleet.play(dialler, beats))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _pause(self, mean_s: float) -> float:
        return self.dice.uniform(0.5, 1.5) * mean_s / self.rate

    async def _somewhere(
        self, kinds: tuple[str, ...] = (), count: int = 0, but: set[int] | None = None
    ) -> Dialler | None:
        """A place without an open incident where such a thing can happen."""
        busy = await self._read(register.busy_sites)
        free = [
            dialler
            for site_id, dialler in self.diallers.items()
            if site_id not in busy
            and site_id not in (but or ())
            and len(dialler.place.of(*kinds)) >= count
        ]
        return self.dice.choice(free) if free else None

    async def _read(self, work: Callable[[], Found]) -> Found:
        """Do something in the database; again and again while it is away."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return await loop.run_in_executor(self._thread, _with_fresh_connection, work)
            except DatabaseFault as fault:
                log.info("the database is away: %s", str(fault).partition("\n")[0])
                await asyncio.sleep(RETRY_S)


def _with_fresh_connection(work: Callable[[], Found]) -> Found:
    close_old_connections()
    try:
        return work()
    except DatabaseFault:
        close_old_connections()
        raise
