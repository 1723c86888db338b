"""The same towns as the incidents' tests have, and a worker's lines."""

from collections.abc import Iterator

import pytest

from meldkamer.engine.sending import Lines
from tests.incidents.conftest import committed_town, town

__all__ = ["committed_town", "town"]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The threads of a worker that drive carriers."""
    lines = Lines()
    lines.start()
    yield lines
    lines.stop()
    lines.join(10)
    assert not lines.is_alive()
