"""What the tests of the patrol's page share."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def quick_pins(settings: Any) -> None:
    """A good hash takes its time; how good it is is no matter of these tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
