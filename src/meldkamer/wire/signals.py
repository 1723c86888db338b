"""One decoded signal: what a code of a message says, whatever the protocol.

Why: SIA and Contact ID differ in spelling only; what decides and shows signals reads this.
Invariant: `zone`, `area`, `user` are text without leading zeros, and None when the transmitter
named none: an address of only zeros ("0", "000", "0000") means none.
"""

from typing import Final, Literal, NamedTuple

from .codes import UNPARSED, CodeInfo, Role

Protocol = Literal["sia", "cid", "raw"]


class Signal(NamedTuple):
    """One signal of a message.

    `code` is "BA" or "1130"; `address` what followed it, as received; `old` marks the SIA
    block O (happened before). When it happened by the panel's clock: `Message.time_of`.
    """

    code: str
    protocol: Protocol
    info: CodeInfo
    zone: str | None = None
    area: str | None = None
    user: str | None = None
    text: str | None = None
    address: str = ""
    old: bool = False
    modifiers: tuple[tuple[str, str], ...] = ()

    @property
    def type(self) -> str:
        """What `signal.received` says (M1.2)."""
        return self.info.type

    @property
    def role(self) -> Role:
        """Whether it may open an incident, restores one, or is only written down (M1.1)."""
        return self.info.role

    @property
    def known(self) -> bool:
        """False for a code that the tables do not list (S10.5)."""
        return self.info.known

    @property
    def label(self) -> str:
        """Meaning of the code, English."""
        return self.info.meaning

    @property
    def duress(self) -> bool:
        """The code is a panel's duress code (M7.1)."""
        return self.info.duress

    @property
    def verifies(self) -> bool:
        """The code itself says that the alarm is verified (S9.1)."""
        return self.info.verifies

    @property
    def entry_exit(self) -> bool:
        """On the way in or out: does not count for verification (S9.1)."""
        return self.info.entry_exit


def number(digits: str) -> str | None:
    """Digits without leading zeros; None when there are none or only zeros."""
    return digits.lstrip("0") or None


# Kinds of address that are no zone: showing "line 1" as zone 1 would name the wrong door.
_NOT_A_ZONE: Final = frozenset(
    {
        "condition",
        "custom",
        "dealer",
        "device",
        "downloader",
        "expander",
        "hub",
        "line",
        "linecard",
        "message",
        "mfrdef",
        "network",
        "output",
        "printer",
        "receiver",
        "relay",
        "unused",
    }
)


def place(kind: str, address: str) -> tuple[str | None, str | None, str | None]:
    """(zone, area, user) that an address stands for, by the code's `address_kind`."""
    plain = number(address)
    if plain is None:
        return None, None, None
    lowered = kind.lower()
    if lowered == "user":
        return None, None, plain
    if lowered in ("area", "area number"):
        return None, plain, None
    return (None if lowered in _NOT_A_ZONE else plain), None, None


def unparsed(text: str) -> Signal:
    """The event of a message that could not be read; an operator sees its text."""
    return Signal(UNPARSED.code, "raw", UNPARSED, text=text or None)
