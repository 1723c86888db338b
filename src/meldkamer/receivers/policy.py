"""What an installation may choose about intake, as values."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Literal


@dataclass(frozen=True, slots=True)
class Policy:
    """Choices of the decision table.

    `unknown_account`: whether a plain frame of an unknown account is acknowledged once stored.
    `unsupported`: the answer to a well-formed frame of a kind we cannot read; DUH makes the
    panel give it up, ACK keeps it quiet. `allowed_sources`: networks that may dial in; none
    named means everybody.
    """

    unknown_account: Literal["silent", "ack"] = "silent"
    unsupported: Literal["duh", "ack"] = "duh"
    allowed_sources: tuple[IPv4Network | IPv6Network, ...] = ()

    def allows(self, address: str) -> bool:
        """Whether a sender's IP address may dial in."""
        if not self.allowed_sources:
            return True
        try:
            parsed = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(parsed in network for network in self.allowed_sources)
