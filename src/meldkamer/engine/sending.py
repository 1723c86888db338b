"""The lines of a worker: who drives the carriers, and what the house does with what they see.

One thread looks which carriers there are, which is asked first for whose messages, and wakes the
lines when something is put into the outbox. Every note of a line is one transaction: the message,
the incident's deadline and its course change together (site first, then the message).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import partial

import psycopg
from django.db import DatabaseError, connection, connections, transaction

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.faults import is_passing
from meldkamer.agenda.listening import listen
from meldkamer.incidents.messages import carrier_faults, sent
from meldkamer.notify import outbox, ways
from meldkamer.notify.carrier import TEST, Carrier, CarrierFault, Rejected
from meldkamer.notify.commands import OUTBOX
from meldkamer.notify.line import Line, Told
from meldkamer.notify.outbox import REMINDER, RUNGS, Claimed
from meldkamer.rules import routing

log = logging.getLogger(__name__)
#: nobody is asked about an incident that is closed
_ASK = (*RUNGS, REMINDER)
_LOOK_S, _RECONNECT_S, _JOIN_S = 1.0, 0.5, 2.5


class House:
    """What the house does with what a line sees (see `notify.line.Hooks`)."""

    def unwanted(self, claimed: Sequence[Claimed], now: datetime) -> Collection[int]:
        """Texts of the ladder whose incident was closed meanwhile; they are cancelled."""
        of = {
            one.parcel.incident_id
            for one in claimed
            if one.parcel.template in _ASK and one.parcel.incident_id is not None
        }
        closed = sent.closed(of)
        found = [one for one in claimed if one.parcel.incident_id in closed]
        gone = [one for one in found if one.parcel.template in _ASK]
        for one in gone:
            with transaction.atomic():
                sent.lock_for(one.parcel.site_id, one.parcel.incident_id)
                message = outbox.locked(one)
                if message is not None:
                    outbox.note_cancelled(message, "the incident is closed", now)
        return {one.parcel.id for one in gone}

    def taken(self, took: Sequence[tuple[Claimed, str]], now: datetime) -> None:
        """Their carrier has them; the ladders wait from now on (S7.2)."""
        try:
            self._taken(took, now)
        except Exception as fault:
            if is_passing(fault):
                raise
            if len(took) > 1:
                # one of them is at fault: alone it stands in nobody's way
                for one in took:
                    self.taken([one], now)
                return
            # it is gone and must not go again: noted alone; the incident keeps its own deadline
            log.exception("message %d went, its incident did not follow", took[0][0].parcel.id)
            self._taken(took, now, move=False)

    def _taken(
        self, took: Sequence[tuple[Claimed, str]], now: datetime, *, move: bool = True
    ) -> None:
        with transaction.atomic(), agenda.gathered():
            sent.lock_sites_of(claimed.parcel for claimed, _ in took)
            noted = outbox.note_all_taken(took, now)
            if move:
                sent.handed_over(noted, now)
            else:
                for one in noted:
                    sent.left_behind(one, now)

    def refused(self, claimed: Claimed, fault: CarrierFault, now: datetime) -> None:
        """Not taken: for good, then the ladder moves on (S7.2); else by another, or later."""
        try:
            self._refused(claimed, fault, now)
        except Exception as wrong:
            if is_passing(wrong):
                raise
            # it stands in nobody's way: noted alone; the incident keeps its own deadline
            log.exception("message %d failed, its incident did not follow", claimed.parcel.id)
            self._refused(claimed, fault, now, move=False)

    @transaction.atomic
    def _refused(
        self, claimed: Claimed, fault: CarrierFault, now: datetime, *, move: bool = True
    ) -> None:
        parcel = claimed.parcel
        sent.lock_for(parcel.site_id, parcel.incident_id)
        message = outbox.locked(claimed)
        if message is None:
            return
        # a test is of this carrier alone: what it said is the answer
        if isinstance(fault, Rejected) or parcel.template == TEST:
            outbox.note_rejected(message, str(fault), now)
            if move:
                sent.turned_down(message, now)
            else:
                sent.left_behind(message, now)
        else:
            outbox.note_fault(message, fault, ways.outside(now), now)

    def resting(self, carrier_id: int, until: datetime) -> None:
        """The carrier asked to be left alone: others are asked meanwhile."""
        outbox.note_rest(carrier_id, until)

    def healthy(self, carrier_id: int, now: datetime) -> None:
        """The carrier works."""
        carrier_faults.works(carrier_id, now)

    def unhealthy(self, carrier_id: int, fault: str, now: datetime) -> None:
        """The carrier does not work: an operator is told, and others take its messages."""
        carrier_faults.fails(carrier_id, fault, now)


class Lines(threading.Thread):
    """A line for every carrier that is switched on, in this process."""

    def __init__(self) -> None:
        super().__init__(name="carriers", daemon=True)
        self._stopping = threading.Event()
        self._lines: dict[int, tuple[int, Line]] = {}

    def stop(self) -> None:
        """Stop every line; two seconds and a half at most."""
        self._stopping.set()
        for _, line in self._lines.values():
            line.stop()
        self.join(_JOIN_S)

    def run(self) -> None:
        """Look at the carriers every second, and when something is put into the outbox."""
        while not self._stopping.is_set():
            try:
                self._listen()
            except (DatabaseError, psycopg.Error) as fault:
                log.warning("the database is away: %s", str(fault).strip())
                self._stopping.wait(_RECONNECT_S)
            except Exception:
                # without it no carrier would hear of what changes: it is looked at again
                log.exception("%s failed; it is started again", self.name)
                self._stopping.wait(_LOOK_S)
            finally:
                connections.close_all()
        for _, line in self._lines.values():
            line.join(_JOIN_S)

    def _listen(self) -> None:
        connection.ensure_connection()
        with listen(OUTBOX, outbox.WAYS) as listener:
            renew_at_s = 0.0
            while not self._stopping.is_set():
                if time.monotonic() >= renew_at_s:
                    self._renew()
                    renew_at_s = time.monotonic() + _LOOK_S
                for notice in listener.notifies(timeout=_LOOK_S, stop_after=1):
                    if notice.channel == outbox.WAYS:
                        renew_at_s = 0.0
                    for _, line in self._lines.values():
                        line.wake.set()

    def _renew(self) -> None:
        """Start what is new, stop what is switched off or changed, tell each what is its own."""
        now = datetime.now(UTC)
        outbox.unpin_idle(now)
        rows = {int(row.pk): row for row in ways.enabled()}
        facts = [ways.facts(row, now) for row in rows.values()]
        mine = routing.mine(facts, ways.providers_outside()) if facts else {}
        for carrier_id, (version, line) in list(self._lines.items()):
            row = rows.get(carrier_id)
            if row is None or row.version != version:
                line.stop()
                if not line.is_alive():
                    del self._lines[carrier_id]
            elif not line.is_alive():
                del self._lines[carrier_id]
        for way in facts:
            told = Told(way, rows[way.id].per_second, frozenset(mine.get(way.id, ())))
            known = self._lines.get(way.id)
            if known is None:
                line = Line(told, partial(_build, way.id), House())
                self._lines[way.id] = (rows[way.id].version, line)
                line.start()
            elif known[1].told != told:
                known[1].told = told
                known[1].wake.set()


def _build(carrier_id: int) -> Carrier:
    return ways.carrier_of(ways.get(carrier_id))
