"""Addresses of mail: read strictly, domains in any script, local parts as they were typed.

Never: a line end or a second address out of one field. An address that no server could take is
refused before anybody is asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import idna

_LOCAL_MOST, _DOMAIN_MOST = 64, 253
_NOT_IN_LOCAL = frozenset('()<>[]:;@\\," ')


class AddressFault(ValueError):
    """No address for mail; says what is wrong, with the address."""


@dataclass(frozen=True, slots=True)
class Address:
    """local@domain. domain: as the wire wants it (IDNA, ASCII); local may be any letters."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def needs_utf8(self) -> bool:
        """Whether its server must know SMTPUTF8 (RFC 6531): letters beyond ASCII before the @."""
        return not self.local.isascii()


def read_address(text: str) -> Address:
    """One address; AddressFault for anything else."""
    local, at, domain = text.strip().rpartition("@")
    if not at or not local or not domain:
        raise AddressFault(f"{text!r} is no address for mail; expected name@domain")
    if any(char in _NOT_IN_LOCAL or not char.isprintable() for char in local):
        raise AddressFault(f"{text!r}: a character before the @ that no address has")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        raise AddressFault(f"{text!r}: dots before the @ stand between other characters only")
    if len(local.encode()) > _LOCAL_MOST:
        raise AddressFault(f"{text!r}: more than {_LOCAL_MOST} bytes before the @")
    return Address(local, read_domain(domain))


def read_domain(text: str) -> str:
    """A domain as it stands on the wire: `bücher.example` becomes `xn--bcher-kva.example`."""
    try:
        # uts46: as browsers do, so that capitals and full-width letters are what they look like
        domain = idna.encode(text, uts46=True).decode("ascii")
    except idna.IDNAError as fault:
        raise AddressFault(f"{text!r} is no domain: {fault}") from None
    if len(domain) > _DOMAIN_MOST or ("." not in domain.strip(".") and domain != "localhost"):
        raise AddressFault(f"{text!r} is no domain; expected a name with a dot")
    return domain
