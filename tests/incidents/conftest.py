"""Towns: one inside a transaction that is rolled back, one committed, for several connections."""

from collections.abc import Iterator

import pytest
from django.db import connection

from tests.incidents.town import Town

_JOURNAL = "journal_frame, journal_signal, journal_entry, journal_pending, journal_first"


@pytest.fixture
def town(db: None) -> Town:
    """A town of the test's own."""
    return Town()


@pytest.fixture
def committed_town(transactional_db: None) -> Iterator[Town]:
    """A town that other connections see; the journal, which Django does not know, is emptied."""
    _empty_journal()  # of what a test before committed and left
    yield Town()
    _empty_journal()


def _empty_journal() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {_JOURNAL}, journal_seal")
