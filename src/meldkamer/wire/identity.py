"""Which transmitter, and is its clock right: the two questions every frame is asked first.

Why: panels write the same account in many ways, and a replay is told by its time.
Never: a clock of its own; `now` is passed in.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

WINDOW_EARLY: Final = timedelta(seconds=-40)
WINDOW_LATE: Final = timedelta(seconds=20)


@lru_cache(maxsize=65536)
def account_key(
    receiver: str | None, line: str | None, account: str | None
) -> tuple[str, str, str]:
    """The triple that identifies a transmitter, for comparing: capitals, no leading zeros.

    `L000` is `L0`, `R0001` is `R1`, `#001234` is `#1234`; a field that was not sent is "0".
    """
    return _plain(receiver), _plain(line), _plain(account)


def _plain(digits: str | None) -> str:
    return (digits or "").upper().lstrip("0") or "0"


def within_window(timestamp: datetime | None, now: datetime) -> bool:
    """True when -40 s <= timestamp - now <= +20 s. A missing timestamp is outside."""
    if timestamp is None:
        return False
    return WINDOW_EARLY <= timestamp - now <= WINDOW_LATE
