"""A town whose messages leave the house, and what a line of it would take."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from meldkamer.agenda.models import AgendaRow
from meldkamer.engine.sending import House
from meldkamer.notify import outbox, ways
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.notify.outbox import Claimed
from meldkamer.rules import routing

HOUSE = House()
MORE = 10


def carrier(name: str = "first", priority: int = 1, **more: object) -> WayOut:
    """A carrier for texts that works."""
    values = {"channel": "sms", "kind": "smpp", "two_way": True, "state": "up", **more}
    return WayOut.objects.create(name=name, priority=priority, **values)


def claim(row: WayOut, when: datetime, *, firsts: bool = False) -> list[Claimed]:
    """What its line would take now."""
    facts = ways.outside(when)
    mine = routing.firsts(facts, ways.providers_outside()).get(row.pk, set())
    row.refresh_from_db()
    return outbox.claim(ways.facts(row, when), mine, MORE, when, firsts=firsts)


def one(row: WayOut, when: datetime) -> Claimed:
    """The one message that its line takes."""
    claimed = claim(row, when)
    assert len(claimed) == 1
    return claimed[0]


def message_of(claimed: Claimed) -> OutboxMessage:
    return OutboxMessage.objects.get(pk=claimed.parcel.id)


def again_rows() -> Iterable[AgendaRow]:
    return AgendaRow.objects.filter(kind=outbox.AGAIN, done_at=None)
