"""What a gateway calls its fields when it brings replies and receipts, and its words for states.

Kannel is told what to call them, in the addresses it is given; the names here are those that our
how-to gives it. Another gateway has its own: they are named in the settings of its carrier, under
`hooks`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from meldkamer.notify.sms.senders import fault_of_country

State = Literal["delivered", "failed", "expired", "on_its_way"]

#: Kannel's numbers (%d) and the words of SMS centres (SMPP 3.4, appendix B)
STATES: dict[str, State] = {
    "1": "delivered", "2": "failed", "4": "on_its_way", "8": "on_its_way", "16": "failed",
    "DELIVRD": "delivered", "UNDELIV": "failed", "REJECTD": "failed", "DELETED": "failed",
    "EXPIRED": "expired", "ACCEPTD": "on_its_way", "ENROUTE": "on_its_way",
    "DELIVERED": "delivered", "UNDELIVERED": "failed", "REJECTED": "failed", "FAILED": "failed",
    "SENT": "on_its_way", "QUEUED": "on_its_way", "ACCEPTED": "on_its_way",
}  # fmt: skip


class HookNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Names of fields, and the states that a gateway has words of its own for.

    empty_left_out: the gateway sends no text field at all for an empty reply (S7.4). Without it a
    missing field is bad input, so that a wrong name is noticed with the first reply.
    states: the gateway's word, in capitals, to delivered, failed, expired or on_its_way.
    country: of a sender's number that comes without its country.
    """

    sender: str = "from"
    to: str = "to"
    text: str = "text"
    id: str = "id"
    charset: str = "charset"
    ref: str = "ref"
    state: str = "state"
    detail: str = "detail"
    empty_left_out: bool = False
    country: str = "BE"
    states: dict[str, State] = {}

    def __post_init__(self) -> None:
        if fault := fault_of_country("country", self.country):
            raise ValueError(fault)

    def state_of(self, word: str) -> State | None:
        """What the gateway's word means; None when nobody knows it."""
        return {**STATES, **self.states}.get(word.strip().upper())

    def words(self) -> list[str]:
        """The words there are."""
        return sorted({*STATES, *self.states})


# learned while the module is imported: two threads that use a type first crash (terms.model)
msgspec.json.Decoder(HookNames)


def names_of(settings: dict[str, Any]) -> HookNames:
    """Those of a carrier with these settings, as they stand in its row."""
    return msgspec.convert(settings.get("hooks") or {}, HookNames)
