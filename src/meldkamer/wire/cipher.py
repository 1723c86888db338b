"""AES-CBC as DC-09 uses it: IV of 16 zero bytes, random pad in front, hex on the line.

Why: key objects are expensive to build and cheap to keep, so they are cached per key.
Never: put a key or decrypted bytes into an exception or a log line; never treat a frame as
authentic because it decrypts: there is no MAC, only structure and the timestamp speak for it.
"""

import os
import re
from binascii import Error as HexError
from binascii import unhexlify
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from .faults import CipherFault, Tampered, WrongKey

KEY_SIZES: Final = (16, 24, 32)
_IV: Final = bytes(16)
_NOT_IN_PAD: Final = b"|[]"
_LONGEST_PAD: Final = 31
"""The 2026 edition pads with 16-31 bytes, older ones with fewer."""

_TIMESTAMP_TAIL: Final = re.compile(rb"_\d\d:\d\d:\d\d,\d\d-\d\d-\d{4}\Z")
_LAST_BLOCK: Final = re.compile(rb"\d\d:\d\d,\d\d-\d\d-\d{4}\Z")
_PRINTABLE: Final = re.compile(rb"\|[\x20-\x7e]{8,}\Z")

ALTERED: Final = (
    "decrypts to garbage or altered head (CBC is malleable: pad only, verify structure)"
)


@lru_cache(maxsize=16384)
def _cipher(key: bytes) -> Cipher[CBC]:
    if len(key) not in KEY_SIZES:
        raise ValueError(f"key of {len(key)} bytes: expected 16, 24 or 32")
    return Cipher(AES(key), CBC(_IV))


def ciphertext_of(content: bytes) -> bytes:
    """Hex of the frame as bytes. Raises CipherFault when it is no whole number of blocks."""
    if not content:
        raise CipherFault("ciphertext empty")
    if len(content) % 32:
        raise CipherFault("ciphertext not hex / not a multiple of 16 bytes")
    try:
        return unhexlify(content)
    except HexError:
        raise CipherFault("ciphertext not hex") from None


def decrypt(ciphertext: bytes, key: bytes) -> bytes:
    """Decrypt whole blocks. Raises WrongKey, Tampered or CipherFault unless it ends in a time."""
    plain: bytes = _cipher(key).decryptor().update(ciphertext)
    if _TIMESTAMP_TAIL.search(plain, len(plain) - 20 if len(plain) > 20 else 0):
        return plain
    if _LAST_BLOCK.search(plain):
        raise Tampered(ALTERED)
    if _PRINTABLE.search(plain):
        raise CipherFault("decrypts to garbage (no timestamp)")
    raise WrongKey("decrypts to garbage (wrong key)")


def cut_pad(plain: bytes) -> tuple[int, bytes]:
    """Split decrypted bytes into (pad length, content from the data on).

    The pad ends at the first "|"; with empty data some senders leave that out and the pad ends
    at "]". dc09_spt writes brackets into its pad: a "]" before the "|" that is followed by
    neither "[" nor "_" belongs to the pad. Raises Tampered when no edition could have written it.
    """
    bar = plain.find(b"|")
    bracket = plain.find(b"]")
    if bracket < 0:
        raise Tampered(ALTERED)
    if bar >= 0 and (bar < bracket or plain[bracket + 1 : bracket + 2] not in (b"[", b"_")):
        pad, start = bar, bar + 1
    else:
        pad = start = bracket
    if pad > _LONGEST_PAD:
        raise Tampered(ALTERED)
    return pad, plain[start:]


def random_pad(size: int) -> bytes:
    """`size` random bytes without "|", "[" and "]"."""
    pad = b""
    while len(pad) < size:
        pad += os.urandom(size + 8).translate(None, _NOT_IN_PAD)
    return pad[:size]


def encrypt(text: bytes, key: bytes, pad: bytes | None = None) -> bytes:
    """Pad (16-31 random bytes) + `text`, encrypted, as upper-case hex.

    `text` begins with "|". `pad` replaces the random one, for tests and for showing.
    Raises ValueError for a key that is not 16, 24 or 32 bytes.
    """
    if pad is None:
        pad = random_pad(32 - len(text) % 16 if len(text) % 16 else 16)
    encrypted: bytes = _cipher(key).encryptor().update(pad + text)
    return encrypted.hex().upper().encode()
