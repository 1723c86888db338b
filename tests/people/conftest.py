"""The same towns as the incidents' tests have."""

from tests.incidents.conftest import committed_town, town

__all__ = ["committed_town", "town"]
