"""The working process: judges signals, runs the agenda, consumes replies, hands messages over.

Sleeps until something is due, at most a second, and is woken by NOTIFY; it polls as well, so a
lost notification costs a second and nothing else. Any number may run at once. A fault in one row
never stops the others: the row stays, with its fault, and the loop goes on.
"""

from __future__ import annotations

import argparse
import logging
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import psycopg
from django.db import DatabaseError, connection, connections

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.faults import is_passing
from meldkamer.agenda.listening import listen
from meldkamer.engine import cycle, house_keeping
from meldkamer.engine.sending import Lines
from meldkamer.notify import ways
from meldkamer.notify.sandbox import all_sandbox

log = logging.getLogger(__name__)
CHANNELS = ("meldkamer_signal", "meldkamer_agenda", "meldkamer_inbound", "meldkamer_outbox")
LONGEST_SLEEP_S = 1.0
#: so long a step of the cycle lasts at most: an alarm waits for no long list of other things
_STEP_S = 0.2
#: signals judged in one transaction: as many as take so long, within these bounds (fewer would
#: only cost more: most of a short transaction is its round trips)
_TOGETHER_S, _TOGETHER_LEAST, _TOGETHER_MOST = 0.15, 50, 200
_MESSAGES_A_STEP = 25
#: incidents that are due, in one transaction
_DUE_TOGETHER = 50
# nothing could be done although something is due: another worker has it, so do not spin
_LEAST_SLEEP_S = 0.02
# after a cycle without anything to do notices are looked at for alarms alone, for so long: in a
# storm every worker is woken all the time, and one is enough for what is not urgent
_QUIET_S = 0.1
# a worker that hangs inside a transaction lets go of what it holds: the others wait for it
_HANGING_S = 60
_RECONNECT_S = 0.5


def main(options: argparse.Namespace) -> int:
    """Work until SIGTERM or SIGINT; `options.ready()` is called when the loop runs."""
    worker = Worker()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    worker.run(options.ready)
    return 0


class Worker:
    """The loop, with its own connection to listen on."""

    def __init__(self) -> None:
        self.stopping = False
        self.inside = all_sandbox()
        self.lines = Lines()
        self.together = _TOGETHER_LEAST
        self.listener: psycopg.Connection[tuple[object, ...]] | None = None

    def stop(self) -> None:
        """Finish the transaction at hand, then stop."""
        self.stopping = True

    def run(self, ready: Callable[[], object]) -> None:
        """Loop; a database that is away is waited for."""
        told = False
        self.lines.start()
        while not self.stopping:
            try:
                self._listen()
                house_keeping.begin(_now())
                if not told:
                    ready()
                    told = True
                self._work()
            except (DatabaseError, psycopg.Error) as fault:
                log.warning("the database is away, trying again: %s", str(fault).strip())
                self._forget()
                time.sleep(_RECONNECT_S)
        self.lines.stop()
        self._forget()

    def _work(self) -> None:
        while not self.stopping:
            if self._cycle():
                continue
            quiet_until_s = time.monotonic() + _QUIET_S
            self._sleep()
            while not self.stopping and (left_s := quiet_until_s - time.monotonic()) > 0:
                if self._guarded(self._judge_urgent):
                    break
                self._listen_for(left_s)

    def _cycle(self) -> int:
        """One cycle; how much was done in it."""
        done = 0
        steps: tuple[Callable[[datetime], int], ...] = (
            partial(cycle.end_states, within_s=_STEP_S),
            self._judge,
            partial(cycle.consume_all, limit=_MESSAGES_A_STEP),
            self._judge_urgent,
            partial(cycle.act_on_due, within_s=_STEP_S, together=_DUE_TOGETHER),
            self._judge_urgent,
            self._hand_over,
            self._judge_urgent,
            cycle.look_at_house,
        )
        for step in steps:
            if self.stopping:
                break
            done += self._guarded(step)
        return done

    def _hand_over(self, now: datetime) -> int:
        """What stays in the house; what leaves it is the lines' (`engine.sending`)."""
        return cycle.hand_over(self.inside, now, _MESSAGES_A_STEP, ways.in_sandbox())

    def _judge(self, now: datetime) -> int:
        """Judge what waits for a while, the most urgent class first."""
        done, until_s = 0, time.monotonic() + _STEP_S
        while not self.stopping and time.monotonic() < until_s:
            began_s = time.monotonic()
            # at its own moment: a verdict is never before its signal
            judged = cycle.judge_once(_now(), self.together)
            if not judged:
                break
            done += judged
            if judged >= self.together:
                self._pace(time.monotonic() - began_s)
        return done

    def _pace(self, took_s: float) -> None:
        """The next transaction is to take so long as an alarm may wait for it."""
        wanted = int(self.together * _TOGETHER_S / max(took_s, 0.001))
        self.together = max(_TOGETHER_LEAST, min(wanted, 2 * self.together, _TOGETHER_MOST))

    def _judge_urgent(self, now: datetime) -> int:
        """Between two other steps: what cannot wait for the next cycle."""
        done = 0
        while not self.stopping and (
            judged := cycle.judge_once(_now(), _TOGETHER_MOST, urgent=True)
        ):
            done += judged
        return done

    def _guarded(self, step: Callable[[datetime], int]) -> int:
        try:
            return step(_now())
        except Exception as fault:
            if is_passing(fault):
                raise
            # the transaction was rolled back and the row put off or aside: it is tried again later
            log.exception("a step of the cycle failed; what it was about stays where it was")
            return 0

    def _listen(self) -> None:
        self._forget()
        self.listener = listen(*CHANNELS)
        with connection.cursor() as cursor:
            cursor.execute(f"SET idle_in_transaction_session_timeout = '{_HANGING_S}s'")

    def _sleep(self) -> None:
        wait_s = LONGEST_SLEEP_S
        due = agenda.next_due()
        if due is not None:
            wait_s = min(wait_s, max(_LEAST_SLEEP_S, (due - _now()).total_seconds()))
        self._listen_for(wait_s)

    def _listen_for(self, wait_s: float) -> None:
        """Until a notice comes, so long at most."""
        if self.listener is not None:
            for _ in self.listener.notifies(timeout=wait_s, stop_after=1):
                pass

    def _forget(self) -> None:
        connections.close_all()
        if self.listener is not None:
            self.listener.close()
            self.listener = None


def _now() -> datetime:
    return datetime.now(UTC)
