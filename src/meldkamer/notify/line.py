"""A line: what drives one carrier. One in the whole installation, whoever runs it.

Every worker has a thread for every carrier; an advisory lock says whose drives it, and when that
process dies another takes over at once. So a carrier has one connection, one window, one throttle,
and a message that was in the hands of a dead line is known as such.

Never: a carrier asked inside a transaction; a message given to a carrier that was not claimed; a
fault that ends the line.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice, takewhile
from typing import Protocol

import psycopg
from django.db import DatabaseError, connection, connections

from meldkamer.notify import outbox
from meldkamer.notify.carrier import Carrier, CarrierFault, Parcel, Rejected
from meldkamer.notify.kinds import SettingsFault
from meldkamer.notify.outbox import Claimed
from meldkamer.rules import routing

log = logging.getLogger(__name__)
#: the class of the advisory locks of lines; the other number is the carrier's
LOCK_CLASS = 7305010
_STANDBY_S, _IDLE_S, _CHECK_S, _BEAT_S = 1.0, 0.5, 5.0, 10.0
#: what is in a carrier's hands may come back for so long after a stop was asked for
_STOP_S = 2.0
#: a carrier that refused too often is tried with one message after so long
_PROBATION = timedelta(seconds=30)
#: of a shorter pause nobody is told: it is over before another carrier would be asked
_REST_S = 2.0
#: messages noted in one transaction
_TOGETHER = 50
_REOPEN_S = (0.2, 1.0, 2.0, 5.0, 10.0)


class Hooks(Protocol):
    """What the house does with what a line sees. Each is a transaction of its own."""

    def unwanted(self, claimed: Sequence[Claimed], now: datetime) -> Collection[int]:
        """Ids of messages that need not go any more; they are noted as cancelled."""

    def taken(self, took: Sequence[tuple[Claimed, str]], now: datetime) -> None:
        """The carrier has these, each with its reference there."""

    def refused(self, claimed: Claimed, fault: CarrierFault, now: datetime) -> None:
        """The carrier did not take it."""

    def resting(self, carrier_id: int, until: datetime) -> None:
        """The carrier asked to be left alone until then."""

    def healthy(self, carrier_id: int, now: datetime) -> None:
        """The carrier works."""

    def unhealthy(self, carrier_id: int, fault: str, now: datetime) -> None:
        """The carrier does not work, or does not for another reason than before."""


@dataclass
class Told:
    """What a line is told by who runs it, renewed all the time; read by the line's thread.

    mine: whose messages it is asked for first, or would be if it worked.
    """

    way: routing.Way
    per_second: float | None
    mine: Collection[tuple[int, bool]] = field(default_factory=frozenset)


class Line(threading.Thread):
    """The thread of one carrier. `told` may be replaced while it runs."""

    def __init__(self, told: Told, build: Callable[[], Carrier], hooks: Hooks) -> None:
        super().__init__(name=f"carrier-{told.way.id}", daemon=True)
        self.told = told
        self.wake = threading.Event()
        self._build, self._hooks = build, hooks
        self._stopping = threading.Event()
        # what came back and is not noted yet outlives a lost connection: it is not sent again
        self._landed: deque[tuple[int, Claimed, str | CarrierFault]] = deque()
        self._turn = self._crashes = 0
        self._reset()

    def _reset(self) -> None:
        """As at the beginning: nothing is known of the carrier."""
        self._health = routing.Health()
        self._up: bool | None = None
        self._fault_told = ""
        self._probation_at: datetime | None = None
        self._on_probation = False
        self._open = False
        self._tries = 0
        self._look_at_s = self._beat_at_s = self._paused_until_s = 0.0
        self._flying = 0
        self._in_hand: set[Future[str]] = set()
        self._turn += 1

    @property
    def ends(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Take no more; what is in the carrier's hands is waited for, two seconds at most."""
        self._stopping.set()
        self.wake.set()

    def run(self) -> None:
        """Until it is stopped: drive the carrier, or wait until who drives it lets go."""
        while not self.ends:
            try:
                # with one connection, however long another worker drives it
                while not (mine := self._has_lock()) and not self.ends:
                    self._wait(_STANDBY_S)
                if mine:
                    self._drive()
            except (DatabaseError, psycopg.Error) as fault:
                log.warning("%s: the database is away: %s", self.name, str(fault).strip())
                self._wait(_STANDBY_S)
            except SettingsFault as fault:
                self._cannot_run(str(fault))
            except Exception as fault:
                log.exception("%s failed; it is started again", self.name)
                self._crashes += 1
                if self._crashes < routing.FAULTS_MOST:
                    self._wait(_STANDBY_S)
                else:
                    # its own words stay in the log: nobody knows what they quote
                    self._cannot_run(f"a fault of our own: {type(fault).__name__}")
            finally:
                # the lock goes with the connection
                connections.close_all()

    def _has_lock(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_try_advisory_lock(%s, (%s %% 2147483647)::int)",
                [LOCK_CLASS, self.told.way.id],
            )
            return bool(cursor.fetchone()[0])

    def _cannot_run(self, fault: str) -> None:
        """It cannot be built or driven: told, and tried again later or when its settings change."""
        try:
            self._hooks.unhealthy(self.told.way.id, fault, _now())
        except (DatabaseError, psycopg.Error) as away:
            log.warning("%s: the database is away: %s", self.name, str(away).strip())
        self._wait(_PROBATION.total_seconds())

    def _drive(self) -> None:
        while self._note():
            pass
        self._reset()
        lost = outbox.release_lost(self.told.way.id, _now())
        if lost:
            log.warning("%s: %d messages of a line that died are sent again", self.name, lost)
        carrier = self._build()
        self._throttle = routing.Throttle(self.told.per_second, time.monotonic())
        pool = ThreadPoolExecutor(max(1, carrier.at_once), f"{self.name}-send")
        try:
            while not self.ends:
                self._look(carrier)
                sent = self._send(carrier, pool)
                self._land(self._pause_s(sent))
            self._land_all()
        except (DatabaseError, psycopg.Error):
            # what is in its hands comes back before it is closed: it need not be sent twice
            wait(self._in_hand.copy(), _STOP_S)
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            carrier.close()

    # --- the carrier's health

    def _look(self, carrier: Carrier) -> None:
        """Open it, or look whether it still works; both only from time to time."""
        now_s, now = time.monotonic(), _now()
        if now_s >= self._beat_at_s:
            self._beat_at_s = now_s + _BEAT_S
            outbox.beat(self.told.way.id, now)
        if now_s < self._look_at_s:
            if not self._open:
                self._judge(now)
            return
        try:
            if self._open:
                carrier.check()
                self._crashes = 0
            else:
                carrier.open()
            self._open, self._tries = True, 0
            self._look_at_s = now_s + _CHECK_S
            self._health = routing.Health(self._health.faults)
        except CarrierFault as fault:
            self._away(carrier, fault, now)
            return
        self._forgive(now)
        self._judge(now)

    def _away(self, carrier: Carrier, fault: CarrierFault, now: datetime) -> None:
        """It cannot be reached: disconnected, and opened again after a while."""
        carrier.close()
        self._open = False
        wait_s = _REOPEN_S[min(self._tries, len(_REOPEN_S) - 1)]
        self._tries += 1
        self._look_at_s = time.monotonic() + wait_s
        since = self._health.away_since or now
        self._health = routing.Health(self._health.faults, since, str(fault))
        self._judge(now)

    def _forgive(self, now: datetime) -> None:
        """After a while with too many refusals one message shows whether it works again."""
        if self._probation_at is not None and now >= self._probation_at:
            self._probation_at, self._on_probation = None, True

    def _judge(self, now: datetime) -> None:
        """Tell the house when the carrier began or ceased to work, or fails in another way now."""
        down = routing.is_down(self._health, now)
        fault = self._health.last_fault
        if down and (self._up is not False or fault not in ("", self._fault_told)):
            self._up, self._fault_told = False, fault
            self._hooks.unhealthy(self.told.way.id, fault, now)
        elif not down and self._open and self._up is not True:
            self._up = True
            self._hooks.healthy(self.told.way.id, now)

    # --- messages

    def _send(self, carrier: Carrier, pool: ThreadPoolExecutor) -> int:
        """Claim as many as the window and the throttle leave room for; how many went."""
        window = self._window(carrier)
        now_s = time.monotonic()
        if window <= 0 or now_s < self._paused_until_s:
            return 0
        room = self._throttle.room(now_s)
        now = _now()
        limit = int(min(window, max(1.0, room)))
        claimed = outbox.claim(
            self.told.way, self.told.mine, limit if room >= 1 else window, now, firsts=room < 1
        )
        if not claimed:
            return 0
        unwanted = self._hooks.unwanted(claimed, now)
        wanted = [one for one in claimed if one.parcel.id not in unwanted]
        self._throttle.took(len(wanted))
        for one in wanted:
            self._flying += 1
            future = pool.submit(_give, carrier, one.parcel)
            self._in_hand.add(future)
            future.add_done_callback(partial(self._came_back, self._turn, one))
            future.add_done_callback(self._in_hand.discard)
        return len(claimed)

    def _window(self, carrier: Carrier) -> int:
        """How many more it may have in hand now; on probation one at all."""
        if not self._open:
            return 0
        return (carrier.at_once if self._up else int(self._on_probation)) - self._flying

    def _came_back(self, turn: int, claimed: Claimed, done: Future[str]) -> None:
        """In a thread of the pool: the line's thread notes what came of it."""
        result: str | CarrierFault
        try:
            result = done.result()
        except CarrierFault as fault:
            result = fault
        except BaseException as fault:
            log.exception("%s: a fault of the carrier's own", self.name)
            result = CarrierFault(f"{type(fault).__name__}: {fault}")
        self._landed.append((turn, claimed, result))
        self.wake.set()

    def _land(self, wait_s: float) -> None:
        """Note what came back; wait so long when nothing did."""
        if not self._note() and not self.wake.wait(wait_s):
            return
        self.wake.clear()
        while self._note():
            pass

    def _land_all(self) -> None:
        until_s = time.monotonic() + _STOP_S
        while self._flying and time.monotonic() < until_s:
            if not self._note():
                time.sleep(0.01)

    def _note(self) -> bool:
        """Note what was taken, as much as came back in a row, or one that was not."""
        # looked at once: more may land while it is noted
        landed = list(self._landed)
        took = list(islice(takewhile(_is_taken, landed), _TOGETHER))
        now = _now()
        if took:
            self._hooks.taken([(one, ref) for _, one, ref in took if isinstance(ref, str)], now)
        elif landed:
            _, claimed, result = landed[0]
            assert isinstance(result, CarrierFault)
            self._hooks.refused(claimed, result, now)
        # only now: when the database is away it is noted later
        noted = [self._landed.popleft() for _ in took or landed[:1]]
        for turn, _, result in noted:
            if turn == self._turn:
                self._flying -= 1
                self._learn(result, now)
        return bool(noted)

    def _learn(self, result: str | CarrierFault, now: datetime) -> None:
        """What an answer says of the carrier's health."""
        if isinstance(result, str):
            self._on_probation = False
            self._health = routing.Health(0, self._health.away_since)
        else:
            self._blame(result, now)
        self._judge(now)

    def _blame(self, fault: CarrierFault, now: datetime) -> None:
        """A number that does not exist is not the carrier's fault; too much at once is a pause."""
        if isinstance(fault, Rejected) or not fault.blames:
            return
        if fault.after_s is not None:
            self._paused_until_s = time.monotonic() + fault.after_s
            if fault.after_s >= _REST_S:
                self._hooks.resting(self.told.way.id, now + timedelta(seconds=fault.after_s))
            return
        faults = self._health.faults + 1
        self._health = routing.Health(faults, self._health.away_since, str(fault))
        if faults >= routing.FAULTS_MOST:
            self._probation_at, self._on_probation = now + _PROBATION, False
        self._look_at_s = 0.0

    def _pause_s(self, sent: int) -> float:
        """How long nothing can be done, unless it is woken; not at all while there is more."""
        if sent:
            return 0.0
        now_s = time.monotonic()
        held_s = max(self._throttle.wait_s(now_s), self._paused_until_s - now_s)
        waits = [_IDLE_S, max(0.0, self._look_at_s - now_s)]
        if self._up and held_s > 0:
            waits.append(held_s)
        return max(0.005, min(waits))

    def _wait(self, wait_s: float) -> None:
        self._stopping.wait(wait_s)


def _give(carrier: Carrier, parcel: Parcel) -> str:
    """In a thread of the pool. A connection to the database that broke is not used there again."""
    try:
        return carrier.send(parcel)
    except (DatabaseError, psycopg.Error):
        connections.close_all()
        raise


def _is_taken(landed: tuple[int, Claimed, str | CarrierFault]) -> bool:
    return isinstance(landed[2], str)


def _now() -> datetime:
    return datetime.now(UTC)
