"""Places for servers of the tests' own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A short directory that every user can reach (pytest's own is closed to others)."""
    made = Path(tempfile.mkdtemp(prefix="mk-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def closed_dir() -> Iterator[Path]:
    """A directory that only the user who runs the tests can reach, as root's home is."""
    made = Path(tempfile.mkdtemp(prefix="mk-", dir="/tmp"))
    made.chmod(0o700)
    yield made
    shutil.rmtree(made)


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to drop")
