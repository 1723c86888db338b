"""Who may dial in: the transmitters, found by the account that a frame names.

Why: the receiver must know an account's key and site without asking the database for each frame.
Never: show a key (`repr` leaves it out), or forget what it knew because the database is away.
Invariant: look-up compares receiver, line and account as numbers (`L000` is `L0`); the most
exact entry wins: receiver and line, receiver alone, line alone, neither.
"""

from collections.abc import Iterable

from meldkamer.wire.dc09 import account_key

Triple = tuple[str | None, str | None, str]


class Transmitter:
    """One transmitter as the receiver needs it. `key`: 16, 24 or 32 bytes, None for plain.

    `clock_offset_s`: what its clock is ahead of UTC (some send local time).
    """

    __slots__ = ("clock_offset_s", "id", "key", "site_id")

    def __init__(
        self, id: int, site_id: int | None, key: bytes | None = None, clock_offset_s: int = 0
    ) -> None:
        self.id = id
        self.site_id = site_id
        self.key = key
        self.clock_offset_s = clock_offset_s

    def __repr__(self) -> str:
        kind = "plain" if self.key is None else f"{len(self.key) * 8} bit key"
        return f"<Transmitter {self.id} of site {self.site_id}, {kind}>"


class Directory:
    """A fixed map from accounts to transmitters; a new one is made when something changed."""

    __slots__ = ("_by_account",)

    def __init__(self, entries: Iterable[tuple[Triple, Transmitter]] = ()) -> None:
        self._by_account: dict[Triple, Transmitter] = dict(entries)

    def __len__(self) -> int:
        return len(self._by_account)

    def find(self, key: tuple[str, str, str]) -> Transmitter | None:
        """The transmitter of an `account_key` triple, None when nobody is known by it."""
        receiver, line, account = key
        get = self._by_account.get
        return (
            get((receiver, line, account))
            or get((receiver, None, account))
            or get((None, line, account))
            or get((None, None, account))
        )


def triple(receiver: str, line: str, account: str) -> Triple:
    """The map's key of a transmitter as the office entered it; an empty field matches any."""
    compared = account_key(receiver, line, account)
    return compared[0] if receiver else None, compared[1] if line else None, compared[2]
