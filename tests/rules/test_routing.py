"""Which carrier is asked first, when one counts as down, and what a throttle lets through."""

from __future__ import annotations

from datetime import timedelta

import pytest

from meldkamer.rules import routing
from tests.incidents.town import at


def test_a_throttle_fills_again_with_time() -> None:
    throttle = routing.Throttle(2.0, 0.0)
    throttle.took(5)
    assert throttle.room(0.0) == -3
    assert throttle.wait_s(0.0) == pytest.approx(2.0)
    assert throttle.room(2.0) == pytest.approx(1.0)
    assert throttle.room(60.0) == 2.0
    assert routing.Throttle(None, 0.0).room(0.0) == float("inf")


def test_what_passed_a_throttle_keeps_those_after_it_ten_seconds_at_most() -> None:
    throttle = routing.Throttle(2.0, 0.0)
    throttle.took(10_000)
    assert throttle.room(10.0) == pytest.approx(0.0)
    assert throttle.wait_s(10.0) == pytest.approx(0.5)


def test_what_nobody_took_is_tried_again_later_and_later() -> None:
    assert [routing.again_after_s(tries) for tries in (0, 1, 2, 7, 8)] == [2, 2, 5, 300, 300]
    assert routing.again_after_s(1, 30) == 30
    assert routing.again_after_s(8, 30) == 300


def test_a_text_that_waits_for_an_answer_prefers_a_carrier_that_brings_it() -> None:
    cheap = routing.Way(1, "sms", None, 1, up=True, two_way=False)
    both = routing.Way(2, "sms", None, 2, up=True, two_way=True)
    own = routing.Way(3, "sms", 7, 9, up=True, two_way=False)
    assert routing.first([cheap, both], 7, "sms", answered=True) == both
    assert routing.first([cheap, both], 7, "sms", answered=False) == cheap
    assert routing.first([cheap, both, own], 7, "sms", answered=False) == own
    # an answer that nobody brings is of no use, whoever's carrier it is
    assert routing.first([cheap, both, own], 7, "sms", answered=True) == both
    assert routing.first([own], 8, "sms", answered=False) is None
    assert routing.first([cheap, both], 7, "sms", answered=True, tried=[2]) == cheap


def test_a_carrier_is_down_after_three_refusals_or_six_seconds_away() -> None:
    assert not routing.is_down(routing.Health(faults=2), at(0))
    assert routing.is_down(routing.Health(faults=3), at(0))
    away = routing.Health(away_since=at(0))
    assert not routing.is_down(away, at(5.9))
    assert routing.is_down(away, at(0) + timedelta(seconds=6))


def test_a_carrier_that_does_not_work_is_told_whose_messages_would_show_that_it_does() -> None:
    down = routing.Way(1, "sms", None, 1, up=False, two_way=True)
    behind = routing.Way(2, "sms", None, 2, up=False, two_way=True)
    works = routing.Way(3, "sms", None, 3, up=True, two_way=True)
    both = {(7, True), (7, False)}
    assert routing.mine([down, works], [7]) == {1: both, 3: both}
    assert routing.mine([down, behind], [7]) == {1: both, 2: both}
    last = routing.Way(4, "sms", None, 4, up=False, two_way=True)
    assert routing.mine([works, last], [7]) == {3: both, 4: set()}


@pytest.mark.clause("S8.3")
def test_what_is_for_one_cloud_is_never_taken_by_another_carrier_of_the_app() -> None:
    own = routing.Way(1, "app", 7, 1, up=True, two_way=True)
    ajax = routing.Way(2, "app", 7, 1, up=True, two_way=True, lane="Ajax")
    paradox = routing.Way(3, "app", 7, 1, up=True, two_way=True, lane="Paradox")
    ways = [paradox, ajax, own]
    assert routing.first(ways, 7, "app", answered=False) == own
    assert routing.first(ways, 7, "app", answered=False, lane="Ajax") == ajax
    assert routing.first(ways, 7, "app", answered=False, lane="Ajax", tried=[2]) is None
    assert routing.first(ways, 7, "app", answered=False, tried=[1]) is None
    firsts = routing.firsts(ways, [7])
    assert {way: sorted(of) for way, of in firsts.items()} == {
        number: [(7, False), (7, True)] for number in (1, 2, 3)
    }
