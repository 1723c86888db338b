"""The tests have a state directory, keys and settings of their own, never an installation's."""

import os
from pathlib import Path

from django.conf import settings


def test_the_settings_were_read_after_the_tests_made_their_own_state() -> None:
    assert os.environ["MELDKAMER_VAR"] == str(settings.VAR_DIR)
    assert Path(settings.VAR_DIR).name.startswith("meldkamer-test-")
    assert settings.MELDKAMER_DEMO
