"""What a service was told, and by which way: its acceptance, and the electronic hand-over (B1).

A message goes out by wire only with the request that the rules allowed, so never without its
verification on record. It goes beside the call; the terms alone may say instead of it. A false alarm
takes it back, who attends changes it: each is a message of its own that names the first.
"""

from __future__ import annotations

from dataclasses import dataclass

from meldkamer.incidents.carry_out import Docket


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the service said when it took it on. reference: its own number of the matter."""

    reference: str = ""
    by: str = ""


def tell_service(
    docket: Docket, service: str, accepted: Accepted | None, attends: str, eta: str
) -> None:
    """A service was asked for: write down what it said, and hand over what goes by wire."""
    if accepted is not None:
        data = {"reference": accepted.reference, "by": accepted.by}
        docket.say("service.accepted", "B1", to=service, data=data)
