"""A small storm through receiver, workers, web and desk: nothing lost, one verdict each (M12.1).

How fast it is says `python -m bench.storm` on a machine of its own; a test holds no time.
"""

import argparse

import pytest

from bench.storm import lost, storm

pytestmark = pytest.mark.slow


@pytest.mark.clause("M12.1")
def test_in_a_small_storm_nothing_is_lost_and_every_burglary_stands_in_the_queue() -> None:
    options = argparse.Namespace(
        sites=400, failures=300, over=6.0, workers=2, listen=25.0, photo=None
    )
    figures = storm(options)
    assert lost(figures) == [], figures
    assert figures["outages"] > 0
    assert figures["burglaries"] > 0
