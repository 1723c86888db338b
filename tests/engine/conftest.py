"""The same towns as the incidents' tests have, and one whose messages may leave the house."""

import pytest

from tests.incidents.conftest import committed_town, town
from tests.incidents.town import Town

__all__ = ["committed_town", "town"]


@pytest.fixture
def outside(town: Town) -> Town:
    """A town whose messages may leave the house."""
    town.provider.practice = False
    town.provider.save()
    return town
