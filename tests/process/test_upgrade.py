"""An upgrade without a gap (S3.1): receivers are replaced one after the other while panels dial."""

from __future__ import annotations

import pytest

from tests.process.chaos_intake import House, Traffic, doubled, lost, run_chaos, unjudgeable

pytestmark = pytest.mark.slow


def replace_oldest(house: House) -> None:
    """As an upgrade does it: the new one listens on the same port, then the old one is let go."""
    old = house.receivers.pop(0)
    assert old.poll() is None, "the one to replace was dead already"
    house.start_receiver()
    old.terminate()
    assert old.wait(10) == 0


@pytest.mark.clause("S3.1", "M12.1")
def test_receivers_are_replaced_one_after_the_other_and_every_message_is_answered() -> None:
    with House(receivers=2) as house:
        first = [process.pid for process in house.receivers]
        traffic = Traffic(house)
        house.enter(traffic.accounts())
        run_chaos(house, traffic, [lambda: replace_oldest(house)] * 2)
        assert not {process.pid for process in house.receivers} & set(first)
        assert len(traffic.sent) > 100
        # nobody had to give a message up: there was always somebody who took it
        assert traffic.sent == traffic.acknowledged
        assert (lost(traffic), doubled(traffic), unjudgeable(house)) == (set(), [], 0)
        assert "Traceback" not in house.log()


@pytest.mark.clause("S3.1")
def test_a_gap_between_two_receivers_is_found() -> None:
    """Red twin: the only receiver goes before the next one listens, longer than a panel tries."""
    with House(receivers=1) as house:
        traffic = Traffic(house)
        house.enter(traffic.accounts())

        def with_a_gap() -> None:
            import time

            old = house.receivers.pop(0)
            old.terminate()
            assert old.wait(10) == 0
            time.sleep(8)
            house.start_receiver()

        run_chaos(house, traffic, [with_a_gap])
        assert traffic.sent - traffic.acknowledged
