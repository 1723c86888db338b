"""A line drives its carrier: it claims, sends in parallel, and outlives what breaks."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction

from meldkamer.notify import outbox, ways
from meldkamer.notify.carrier import CarrierFault, InDoubt, Parcel
from meldkamer.notify.line import Line, Told
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.notify.outbox import Claimed
from meldkamer.sites.models import Provider
from tests.peers import until

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)
_LIMIT_S = 20.0


class Box:
    """A carrier that takes, refuses or hangs as the test says."""

    def __init__(self, at_once: int = 4) -> None:
        self.at_once = at_once
        self.took: list[int] = []
        self.most = 0
        self.fault: CarrierFault | None = None
        self.shut: CarrierFault | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.opened = 0
        self._lock, self._now = threading.Lock(), 0

    def open(self) -> None:
        self.opened += 1
        if self.shut is not None:
            raise self.shut

    def check(self) -> None:
        if self.shut is not None:
            raise self.shut

    def send(self, parcel: Parcel) -> str:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self.gate.wait(_LIMIT_S)
        with self._lock:
            self._now -= 1
            self.took.append(parcel.id)
        if self.fault is not None:
            raise self.fault
        return f"r{parcel.id}"

    def close(self) -> None:
        pass


class Notes:
    """The house of these tests: it only notes."""

    def __init__(self) -> None:
        self.health: list[bool] = []
        self.reasons: list[str] = []
        self.rests: list[int] = []
        self.away = 0

    def unwanted(self, claimed: Sequence[Claimed], now: datetime) -> Collection[int]:
        return ()

    def taken(self, took: Sequence[tuple[Claimed, str]], now: datetime) -> None:
        if self.away:
            self.away -= 1
            raise DatabaseError("the database is away")
        with transaction.atomic():
            outbox.note_all_taken(took, now)

    def refused(self, claimed: Claimed, fault: CarrierFault, now: datetime) -> None:
        message = OutboxMessage.objects.get(pk=claimed.parcel.id)
        outbox.note_fault(message, fault, ways.outside(NOW), now)

    def resting(self, carrier_id: int, until: datetime) -> None:
        self.rests.append(round((until - datetime.now(UTC)).total_seconds()))

    def healthy(self, carrier_id: int, now: datetime) -> None:
        self.health.append(True)

    def unhealthy(self, carrier_id: int, fault: str, now: datetime) -> None:
        self.health.append(False)
        self.reasons.append(fault)


@pytest.fixture
def row() -> WayOut:
    return WayOut.objects.create(channel="sms", kind="smpp", name="one", state="up")


@pytest.fixture
def provider() -> Provider:
    return Provider.objects.create(slug="p", name="P", terms="securitas-2022-05")


def put(provider: Provider, count: int = 1) -> list[int]:
    rows = [
        OutboxMessage.objects.create(
            channel="sms", provider_id=provider.pk, recipient="An", address="+32475000001",
            language="nl", template="information", body="x", clause="S7.1", created_at=NOW,
        )
        for _ in range(count)
    ]  # fmt: skip
    return [int(one.pk) for one in rows]


@contextmanager
def running(
    row: WayOut, provider: Provider, box: Box, notes: Notes, per_second: float | None = None
) -> Iterator[Line]:
    mine = frozenset({(provider.pk, False), (provider.pk, True)})
    line = Line(Told(ways.facts(row, NOW), per_second, mine), lambda: box, notes)
    line.start()
    try:
        yield line
    finally:
        box.gate.set()
        line.stop()
        line.join(_LIMIT_S)
        assert not line.is_alive()
        connections.close_all()


def states() -> list[str]:
    return list(OutboxMessage.objects.order_by("id").values_list("state", flat=True))


def test_messages_go_in_parallel_as_far_as_the_window_allows(
    row: WayOut, provider: Provider
) -> None:
    box, notes = Box(at_once=3), Notes()
    ids = put(provider, 8)
    box.gate.clear()
    with running(row, provider, box, notes):
        until(lambda: box.most == 3)
        assert states().count("sending") == 3
        box.gate.set()
        until(lambda: states() == ["handed_over"] * 8)
    assert sorted(box.took) == ids
    assert box.most == 3
    assert notes.health == [True]


@pytest.mark.clause("M12.1")
def test_two_lines_of_one_carrier_never_send_at_the_same_time(
    row: WayOut, provider: Provider
) -> None:
    first, second, notes = Box(), Box(), Notes()
    with running(row, provider, first, notes):
        until(lambda: first.opened == 1)
        with running(row, provider, second, notes):
            ids = put(provider, 5)
            until(lambda: states() == ["handed_over"] * 5)
            assert second.opened == 0
    assert sorted(first.took) == ids


@pytest.mark.clause("M12.1")
def test_what_was_sent_while_the_database_was_away_is_noted_later_and_not_sent_again(
    row: WayOut, provider: Provider
) -> None:
    box, notes = Box(), Notes()
    notes.away = 2
    put(provider)
    with running(row, provider, box, notes):
        until(lambda: states() == ["handed_over"])
    assert len(box.took) == 1
    assert OutboxMessage.objects.get().doubts == 0


def test_a_carrier_that_cannot_be_opened_is_tried_again_and_told_once(
    row: WayOut, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meldkamer.rules.routing.UNREACHABLE", timedelta(seconds=0.3))
    box, notes = Box(), Notes()
    box.shut = CarrierFault("connection refused")
    put(provider)
    with running(row, provider, box, notes):
        until(lambda: box.opened >= 3 and notes.health == [False])
        assert states() == ["pending"]
        box.shut = None
        until(lambda: states() == ["handed_over"])
    assert notes.health == [False, True]


def test_a_carrier_that_fails_in_another_way_than_before_is_told(
    row: WayOut, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meldkamer.rules.routing.UNREACHABLE", timedelta(seconds=0.1))
    box, notes = Box(), Notes()
    box.shut = CarrierFault("connection refused")
    with running(row, provider, box, notes):
        until(lambda: notes.health == [False] and box.opened >= 2)
        box.shut = CarrierFault("the login was refused")
        until(lambda: notes.reasons == ["connection refused", "the login was refused"])


def test_a_carrier_that_refuses_everything_is_down_and_gets_another_chance(
    row: WayOut, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meldkamer.notify.line._PROBATION", timedelta(seconds=0.5))
    monkeypatch.setattr("meldkamer.notify.line._CHECK_S", 0.1)
    box, notes = Box(at_once=1), Notes()
    box.fault = CarrierFault("system error")
    put(provider, 3)
    with running(row, provider, box, notes):
        until(lambda: notes.health == [True, False])
        box.fault = None
        OutboxMessage.objects.update(state="pending", carrier=None)
        until(lambda: states() == ["handed_over"] * 3)
    assert notes.health == [True, False, True]


def test_a_throttle_spreads_messages_over_time(row: WayOut, provider: Provider) -> None:
    box, notes = Box(at_once=10), Notes()
    put(provider, 6)
    began_s = time.monotonic()
    with running(row, provider, box, notes, per_second=5.0):
        until(lambda: len(box.took) == 5)
        until(lambda: len(box.took) == 6)
    # five at once, the sixth after a fifth of a second: a throttle that lets all go takes none
    assert time.monotonic() - began_s >= 0.19


class LandsMeanwhile(deque[Any]):
    """What came back; the next lands in the very instant after it was looked at."""

    def __init__(self, follows: object) -> None:
        super().__init__()
        self._follows = [follows]

    def __iter__(self) -> Iterator[Any]:
        yield from [self.popleft() for _ in range(len(self))]
        self.extend(self._follows)
        self._follows = []


def test_a_carrier_that_still_refuses_is_asked_once_and_is_not_said_to_work(
    row: WayOut, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meldkamer.notify.line._PROBATION", timedelta(seconds=0.3))
    monkeypatch.setattr("meldkamer.notify.line._CHECK_S", 0.05)
    box, notes = Box(at_once=4), Notes()
    box.fault = CarrierFault("system error")
    put(provider, 3)
    with running(row, provider, box, notes):
        until(lambda: notes.health == [True, False] and len(box.took) == 3)
        put(provider, 8)
        until(lambda: len(box.took) == 4)
        time.sleep(0.15)
        assert len(box.took) == 4
        until(lambda: len(box.took) == 5)
        assert notes.health == [True, False]
        box.fault = None
        until(lambda: states().count("handed_over") >= 6)
        assert notes.health == [True, False, True]


@pytest.mark.clause("M12.2")
def test_a_carrier_that_cannot_even_be_opened_for_a_fault_of_ours_counts_as_down(
    row: WayOut, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meldkamer.notify.line._STANDBY_S", 0.05)
    monkeypatch.setattr("meldkamer.notify.line._PROBATION", timedelta(seconds=0.3))
    box, notes = Box(), Notes()
    box.shut = ValueError("a bug")  # type: ignore[assignment]
    put(provider)
    with running(row, provider, box, notes):
        until(lambda: notes.health == [False])
        assert box.opened == 3
        box.shut = None
        until(lambda: states() == ["handed_over"])
    assert notes.health == [False, True]


def test_a_carrier_away_is_told_when_its_seconds_are_over_not_when_it_is_tried_next(
    row: WayOut, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meldkamer.rules.routing.UNREACHABLE", timedelta(seconds=0.5))
    monkeypatch.setattr("meldkamer.notify.line._REOPEN_S", (60.0,))
    box, notes = Box(), Notes()
    box.shut = CarrierFault("connection refused")
    with running(row, provider, box, notes):
        until(lambda: notes.health == [False])
        assert box.opened == 1


class Fragile(Box):
    """It cannot say what became of a message that it has when it is closed."""

    def __init__(self) -> None:
        super().__init__(at_once=2)
        self._closed = threading.Event()

    def open(self) -> None:
        super().open()
        self._closed.clear()

    def send(self, parcel: Parcel) -> str:
        self.took.append(parcel.id)
        if len(self.took) == 2 and self._closed.wait(0.5):
            raise InDoubt("the connection was closed")
        return f"r{parcel.id}"

    def close(self) -> None:
        self._closed.set()


@pytest.mark.clause("M12.1")
def test_what_a_carrier_has_in_hand_when_the_database_goes_away_is_waited_for(
    row: WayOut, provider: Provider
) -> None:
    box, notes = Fragile(), Notes()
    notes.away = 1
    ids = put(provider, 2)
    with running(row, provider, box, notes):
        until(lambda: states() == ["handed_over"] * 2)
    assert sorted(box.took) == ids
    assert set(OutboxMessage.objects.values_list("doubts", flat=True)) == {0}


class Reading(Box):
    """It reads in the database, whose connection breaks once."""

    def send(self, parcel: Parcel) -> str:
        first = not self.took
        self.took.append(parcel.id)
        with connection.cursor() as cursor:
            if first:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            cursor.execute("SELECT 1")
        return f"r{parcel.id}"


def test_a_connection_to_the_database_that_broke_under_a_carrier_is_made_anew(
    row: WayOut, provider: Provider
) -> None:
    box, notes = Reading(at_once=1), Notes()
    put(provider, 3)
    with running(row, provider, box, notes):
        until(lambda: states() == ["waiting", "handed_over", "handed_over"])
    assert notes.health == [True]


@pytest.mark.clause("M12.1")
@pytest.mark.parametrize("result", ["r1", CarrierFault("refused")])
def test_what_lands_while_nothing_had_landed_is_noted_and_not_thrown_away(
    row: WayOut, provider: Provider, result: str | CarrierFault
) -> None:
    put(provider)
    facts = ways.facts(row, NOW)
    line = Line(Told(facts, None), Box, Notes())
    [claimed] = outbox.claim(facts, {(provider.pk, False)}, 1, NOW)
    line._landed = LandsMeanwhile((line._turn, claimed, result))
    assert line._note() is False
    assert len(line._landed) == 1


def test_a_fault_of_a_carriers_own_making_is_a_refusal(row: WayOut, provider: Provider) -> None:
    box, notes = Box(), Notes()
    box.fault = ValueError("a bug")  # type: ignore[assignment]
    put(provider)
    with running(row, provider, box, notes):
        until(lambda: states() == ["waiting"])
    assert "ValueError: a bug" in OutboxMessage.objects.get().last_fault


def test_only_of_a_pause_that_lasts_the_house_is_told(row: WayOut, provider: Provider) -> None:
    box, notes = Box(at_once=1), Notes()
    box.fault = CarrierFault("throttled", after_s=0.1)
    put(provider)
    with running(row, provider, box, notes):
        until(lambda: len(box.took) == 1 and states() == ["waiting"])
        assert notes.rests == []
        box.fault = CarrierFault("come back in a minute", after_s=60)
        OutboxMessage.objects.update(state="pending", carrier=None)
        until(lambda: len(box.took) == 2 and states() == ["waiting"])
    assert notes.rests == [60]
    assert notes.health == [True]
