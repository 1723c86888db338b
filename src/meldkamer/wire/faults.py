"""Why a frame is refused: one tree of exceptions, each with the exact reason.

Why: a receiver must tell a scanner from a bad line from a wrong key (decision table of the
receiver: all of them stay without a reply, but they are counted and stored differently).
Never: carry key bytes or decrypted text in the reason.

    WireFault
    ├─ NotDC09          no DC-09 frame at all: scanner, other protocol, junk
    ├─ LineNoise        a frame whose CRC or length is wrong, cut off or too long
    ├─ HeaderFault      the CRC is right, the header is not DC-09
    └─ CipherFault      ciphertext that cannot be opened
       ├─ KeyMissing    no key is known for the account
       ├─ WrongKey      the key does not fit
       ├─ Tampered      the key fits, the text was altered
       └─ Downgrade     the account has a key, the frame is plain
"""


class WireFault(Exception):
    """A frame that is refused without a reply. `reason` is stable text for logs and tools."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotDC09(WireFault):
    """No DC-09 frame: a scanner, another protocol, junk."""


class LineNoise(WireFault):
    """CRC or length wrong, cut off, or longer than a frame can be. The panel will retry."""


class HeaderFault(WireFault):
    """CRC and length are right, the header does not follow DC-09."""


class CipherFault(WireFault):
    """The encrypted part cannot be opened; never answered."""


class KeyMissing(CipherFault):
    """The frame is encrypted and no key is known."""


class WrongKey(CipherFault):
    """The key does not decrypt the frame to DC-09 content."""


class Tampered(CipherFault):
    """The key is right but the content was altered on the way (CBC is malleable)."""


class Downgrade(CipherFault):
    """A plain frame for an account that has a key."""
