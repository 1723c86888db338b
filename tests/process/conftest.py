"""`make test` runs each chaos test once; the many rounds only `make chaos`."""

import pytest

from tests.incidents.conftest import committed_town
from tests.incidents.town import Town

__all__ = ["committed_town"]


@pytest.fixture
def town(committed_town: Town) -> Town:
    """A town whose messages leave the house."""
    committed_town.provider.practice = False
    committed_town.provider.save()
    return committed_town


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the rounds out unless `-m chaos` selects them."""
    if "chaos" in str(config.getoption("-m")):
        return
    rounds = [
        item for item in items if getattr(item, "originalname", "") == "test_many_rounds_of_it"
    ]
    if rounds:
        config.hook.pytest_deselected(items=rounds)
        items[:] = [item for item in items if item not in rounds]
