"""Transmitter keys at rest: sealed with the installation's key, opened by receivers alone.

No Django here: the receiving process reads keys too. A sealed key is never logged; `repr` of what
this module returns is the caller's care, so keep it in a `bytes` that nothing prints.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_LENGTHS_BYTES = (16, 24, 32)
_NONCE_BYTES = 12
_TRANSMITTER = b"transmitter"


class KeyFault(ValueError):
    """A transmitter key that cannot be used; the message never holds the key."""


def read_key(text: str) -> bytes:
    """The bytes of a key as typed: `hex:…` or `text:…`, 16, 24 or 32 bytes (DC-09 5.4.5).

    Raises KeyFault naming what was expected, without repeating the key.
    """
    form, _, value = text.partition(":")
    if form == "hex":
        try:
            key = bytes.fromhex(value)
        except ValueError:
            raise KeyFault("the key after hex: has characters other than 0-9 and A-F") from None
    elif form == "text":
        key = value.encode("utf-8")
    else:
        raise KeyFault("a key starts with hex: or text:")
    if len(key) not in KEY_LENGTHS_BYTES:
        raise KeyFault(f"the key has {len(key)} bytes, expected 16, 24 or 32")
    return key


def seal(secret: bytes, sealing_key: bytes, purpose: bytes = _TRANSMITTER) -> bytes:
    """Seal a secret with the installation's 32-byte sealing key, for one purpose alone."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(sealing_key).encrypt(nonce, secret, purpose)


def unseal(sealed: bytes, sealing_key: bytes, purpose: bytes = _TRANSMITTER) -> bytes:
    """The secret again; KeyFault when it was sealed by another installation's key."""
    try:
        return AESGCM(sealing_key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose)
    except InvalidTag:
        raise KeyFault("this key was sealed with another sealing key") from None
