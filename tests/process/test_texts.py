"""The ladder of texts with a real worker and a real SMS centre, in two seconds a rung (S7)."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator

import pytest

from meldkamer.journal.models import Entry
from meldkamer.notify.models import InboundMessage, OutboxMessage, WayOut
from meldkamer.sites.models import Site
from tests.incidents.town import Town
from tests.notify.sms.centres import NodeCentre, node_centre
from tests.peers import free_port, until
from tests.process.texting import (
    WAIT_S,
    Work,
    a_site,
    battery_low,
    incident_of,
    over_smpp,
    phones_of,
    texts_of,
    work,
)

pytestmark = pytest.mark.slow
ROUNDS = int(os.environ.get("MELDKAMER_CHAOS_ROUNDS") or 6)
SEED = int(os.environ.get("MELDKAMER_CHAOS_SEED") or 11)


@pytest.fixture
def centre() -> Iterator[NodeCentre]:
    with node_centre() as one:
        one.behave(again_ms=400)
        yield one


def _to(centre: NodeCentre, phone: str) -> list[str]:
    return [one["text"] for one in centre.all("submitted") if one["to"] == phone]


def _state(site: Site) -> str:
    incident = incident_of(site)
    return incident.outcome or incident.state


def _said(site: Site, what: str) -> Entry:
    """The first of those words in the journal of its incident."""
    found = Entry.objects.filter(what=what, incident_id=incident_of(site).pk).order_by("id").first()
    assert found is not None, what
    return found


@pytest.mark.clause("S7.1", "S7.2", "S7.3", "S7.4", "S16.1")
def test_each_course_of_the_ladder_runs_over_a_real_centre(
    town: Town, test_dsn: str, centre: NodeCentre
) -> None:
    """Five sites at once: an "ok", an empty text, another text, nobody, a number that is barred."""
    over_smpp(centre.port)
    agrees, empty, asks, nobody, barred = (a_site(town) for _ in range(5))
    centre.behave(status={phones_of(barred)[0]: 0x0B})
    with work(test_dsn):
        until(lambda: WayOut.objects.get().state == "up", "the carrier works")
        for site in (agrees, empty, asks, nobody, barred):
            battery_low(town, site)
        for site in (agrees, empty, asks, nobody):
            until(lambda one=site: _to(centre, phones_of(one)[0]), "the first text")  # type: ignore[misc]
        until(lambda: _to(centre, phones_of(barred)[1]), "the second text")
        centre.mo(" OK ", **{"from": phones_of(agrees)[0]})
        centre.mo("", **{"from": phones_of(empty)[0]})
        centre.mo("wat is dat?", **{"from": phones_of(asks)[0]})
        until(lambda: _state(agrees) == "confirmed_by_sms", "closed")
        for site in (empty, asks):
            until(lambda one=site: _state(one) == "queued", "with the operators")  # type: ignore[misc]
        for site in (nobody, barred):
            until(lambda one=site: _state(one) == "queued", "with the operators", 12)  # type: ignore[misc]
        until(lambda: centre.answers("mo") == [0, 0, 0], "each is answered")
    assert agrees.name in _to(centre, phones_of(agrees)[0])[0]
    assert [len(_to(centre, phone)) for phone in phones_of(nobody)] == [1, 1]
    assert [len(_to(centre, phone)) for phone in phones_of(agrees)] == [1, 0]
    first, second = texts_of(nobody)
    assert first.handed_over_at
    assert second.handed_over_at
    gap_s = (second.created_at - first.handed_over_at).total_seconds()
    assert WAIT_S <= gap_s < WAIT_S + 4
    # a number that is barred costs no wait
    turned_down, at_once = texts_of(barred)
    assert (at_once.created_at - turned_down.created_at).total_seconds() < WAIT_S
    assert [(one.state, bool(one.carrier_ref)) for one in texts_of(barred)] == [
        ("failed", False), ("handed_over", True),
    ]  # fmt: skip
    assert "ESME_RINVDSTADR" in texts_of(barred)[0].last_fault
    told = {
        _said(agrees, "sms.received").clause, _said(empty, "sms.received").clause,
        _said(barred, "sms.rejected").clause, _said(nobody, "sms.sent").clause,
    }  # fmt: skip
    assert told == {"S7.3", "S7.4", "S7.2", "S7.1"}
    assert _said(nobody, "incident.queued").clause == "S16.1"


def test_killing_the_worker_in_the_middle_of_ladders_loses_nothing(
    town: Town, test_dsn: str, centre: NodeCentre
) -> None:
    """Doubled is only what the centre had and had not answered, and it is counted."""
    over_smpp(centre.port, window=4)
    centre.behave(delay_ms=120, receipt="DELIVRD")
    with work(test_dsn, wait_s=2) as worker:
        one_round(town, centre, worker, [0.03, 0.03, 0.03])
    # at most what was in the window at each kill
    assert sum(OutboxMessage.objects.values_list("doubts", flat=True)) <= 3 * 4


@pytest.mark.chaos
def test_many_rounds_of_it(town: Town, test_dsn: str, centre: NodeCentre) -> None:
    chance = random.Random(SEED)
    over_smpp(centre.port, window=4)
    with work(test_dsn, wait_s=2) as worker:
        for round_ in range(ROUNDS):
            centre.behave(
                delay_ms=chance.choice((0, 30, 120, 400)), receipt="DELIVRD",
                receipt_times=chance.choice((1, 2)), throttle=chance.choice((0, 3)),
            )  # fmt: skip
            print(f"round {round_ + 1} of {ROUNDS}, SEED={SEED}")
            one_round(town, centre, worker, [chance.random() * 0.3 for _ in range(4)])


def one_round(town: Town, centre: NodeCentre, worker: Work, pauses_s: list[float]) -> None:
    """Twelve ladders, the worker killed in the middle of them; then the books must balance."""
    centre.forget()
    begun, replies, killed = _last_message(), InboundMessage.objects.count(), worker.killed
    sites = [a_site(town) for _ in range(12)]
    until(lambda: WayOut.objects.get().state == "up", "the carrier works")
    for site in sites:
        battery_low(town, site)
    for number, pause_s in enumerate(pauses_s):
        until(lambda: len(centre.all("submitted")) >= 4, "texts leave")
        centre.mo("ok", **{"from": phones_of(sites[number])[0], "name": "ok"})
        time.sleep(pause_s)
        worker.kill()
        worker.start()
    for site in sites[len(pauses_s) : 9]:
        centre.mo("ok", **{"from": phones_of(site)[0], "name": "ok"})
    until(lambda: all(_state(site) in _ENDS for site in sites), "every ladder ended", 25)
    until(lambda: not _unsent(), "nothing waits to leave", 12)
    until(lambda: centre.answers("ok").count(0) >= 9, "every answer is taken", 10)
    until(lambda: not InboundMessage.objects.filter(consumed_at=None).exists(), "consumed")
    assert worker.killed - killed == len(pauses_s)
    # lost: nothing that is noted as gone did not reach the centre, and each answer is there, once
    own = OutboxMessage.objects.filter(pk__gt=begun, channel="sms", incident_id__isnull=False)
    at_centre = [(one["to"], one["text"]) for one in centre.all("submitted")]
    for message in own.filter(state__in=("handed_over", "delivered")):
        assert (message.address.removeprefix("+"), message.body) in at_centre
    assert InboundMessage.objects.count() - replies == 9
    assert [_state(site) for site in sites[:9]] == ["confirmed_by_sms"] * 9
    # doubled: as many as were sent again in doubt, no more, and each of them is counted
    doubled = len(at_centre) - len(set(at_centre))
    doubts = sum(own.values_list("doubts", flat=True))
    print(f"{len(at_centre)} texts at the centre, {doubled} doubled, {doubts} sent in doubt")
    assert doubled <= doubts


def _last_message() -> int:
    return OutboxMessage.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


_ENDS = ("confirmed_by_sms", "queued")


def _unsent() -> bool:
    return OutboxMessage.objects.filter(state__in=("pending", "sending", "waiting")).exists()


def test_a_centre_that_is_away_or_breaks_off_is_gone_round_and_used_again_when_it_works(
    town: Town, test_dsn: str, centre: NodeCentre
) -> None:
    port = free_port()
    over_smpp(port)
    over_smpp(centre.port, "second", priority=2)
    meanwhile, after, broken = (a_site(town) for _ in range(3))
    with work(test_dsn, wait_s=30):
        until(lambda: WayOut.objects.get(name="second").state == "up", "the second works")
        battery_low(town, meanwhile)
        until(lambda: _to(centre, phones_of(meanwhile)[0]), "over the second")
        with node_centre(port) as first:
            until(lambda: WayOut.objects.get(name="first").state == "up", "the first as well", 20)
            time.sleep(1.2)  # the lines are told whose turn it is once a second
            battery_low(town, after)
            until(lambda: _to(first, phones_of(after)[0]), "over the first")
            first.behave(close=True)
            battery_low(town, broken)
            until(lambda: _to(first, phones_of(broken)[0]), "given to the first")
            until(lambda: _to(centre, phones_of(broken)[0]), "and again to the second", 12)
        until(lambda: texts_of(broken)[0].state == "handed_over", "taken")
    assert _to(centre, phones_of(after)[0]) == []
    # it broke between the text and the answer: perhaps doubled, and counted
    assert [(one.doubts, len(_to(centre, phones_of(broken)[0]))) for one in texts_of(broken)] == [
        (1, 1)
    ]


@pytest.mark.clause("S7.3")
def test_a_centre_that_is_slow_throttles_and_repeats_itself_changes_no_outcome(
    town: Town, test_dsn: str, centre: NodeCentre
) -> None:
    over_smpp(centre.port)
    sites = [a_site(town) for _ in range(6)]
    centre.behave(delay_ms=300, throttle=4, receipt="DELIVRD", receipt_times=3)
    with work(test_dsn, wait_s=30):
        until(lambda: WayOut.objects.get().state == "up", "the carrier works")
        for site in sites:
            battery_low(town, site)
        for site in sites:
            until(lambda one=site: _delivered(one), "on the first phone")  # type: ignore[misc]
            centre.mo("ok", times=3, **{"from": phones_of(site)[0]})
        for site in sites:
            until(lambda one=site: _state(one) == "confirmed_by_sms", "closed")  # type: ignore[misc]
        until(lambda: centre.answers("mo") == [0] * 18, "each is answered")
    assert InboundMessage.objects.count() == 6
    assert [len(texts_of(site)) for site in sites] == [1] * 6
    assert {_said(site, "incident.closed").clause for site in sites} == {"S7.3"}
    assert sum(OutboxMessage.objects.values_list("doubts", flat=True)) == 0


def _delivered(site: Site) -> bool:
    return texts_of(site)[:1] != [] and texts_of(site)[0].state == "delivered"
