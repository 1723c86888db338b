"""A service that takes CAP 1.2 over HTTPS: a message is posted, its answer is the acceptance.

2xx is taken on, with or without an Ack in it; an Error in it is a refusal. The moment of that
answer is the moment of acceptance. The same message posted again has the same identifier, so that
who has it already knows.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from meldkamer.notify import web
from meldkamer.notify.authority import cap
from meldkamer.notify.carrier import TEST, CarrierFault, Ears, Parcel, ReceiptState, Rejected


class CapSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where, as whom, and for which services. status: Exercise or Test until both sides are ready.

    sender: what identifies the centre to them, without blanks and commas. recipient: what they are
    called, different for each carrier. zones: of the sites that it is for; none: all.
    """

    url: str
    sender: str
    services: tuple[str, ...] = ("police", "fire", "medical")
    zones: tuple[str, ...] = ()
    recipient: str = "authority"
    status: cap.Status = "Actual"
    auth_header: str = "Authorization"
    limit_s: float = 10.0

    def __post_init__(self) -> None:
        fault = web.fault_of_address(self.url)
        if fault:
            raise ValueError(f"url: {fault}")
        if not self.sender or cap.identifier(self.sender) != self.sender:
            raise ValueError("sender: expected no blank, comma, < or &, e.g. centre@example.be")
        unknown = set(self.services) - {"police", "fire", "medical"}
        if unknown or not self.services:
            raise ValueError("services: expected some of police, fire, medical")
        if not self.auth_header.replace("-", "").isalnum():
            raise ValueError("auth_header: expected the name of a header, e.g. Authorization")
        if not 1 <= self.limit_s <= 60:
            raise ValueError("limit_s: expected 1 to 60 seconds")


class CapCarrier:
    """The carrier."""

    at_once = 2

    def __init__(self, settings: CapSettings, secret: str, ears: Ears) -> None:
        self._settings, self._secret, self._ears = settings, secret, ears

    def open(self) -> None:
        """Nothing stands between two messages."""

    def check(self) -> None:
        """An authority's address is not tried without need: a message tells."""

    def close(self) -> None:
        """Nothing is open."""

    def send(self, parcel: Parcel) -> str:
        """Post the message; its reference is the number of the outbox."""
        if parcel.address != self._settings.recipient:
            # another service's: no fault of this machine
            raise CarrierFault("is for another service", after_s=0.0)
        status = "Test" if parcel.template == TEST else self._settings.status
        if f"<status>{status}</status>" not in parcel.body:
            raise Rejected(f"not written as {status}: it is not sent as such")
        answer = self._post(parcel.body.encode())
        if answer.refused:
            raise Rejected(f"the service's machine refuses: {answer.code}")
        if not answer.taken:
            raise CarrierFault(f"the service's machine answers {answer.code}")
        detail = self._ack(answer)
        ref = f"cap-{parcel.id}"
        # waits in the house until the line has noted that it was taken
        self._ears.receipt(ref, ReceiptState.ACKNOWLEDGED, detail=detail)
        return ref

    def _post(self, body: bytes) -> web.Answer:
        headers = {"Content-Type": cap.MIME, "User-Agent": "meldkamer", "Accept": cap.MIME}
        if self._secret:
            headers[self._settings.auth_header] = self._secret
        return web.ask("POST", self._settings.url, body, headers, limit_s=self._settings.limit_s)

    def _ack(self, answer: web.Answer) -> str:
        """What an Ack in the answer says; Rejected for an Error; "" for any other 2xx."""
        if b"<" not in answer.body:
            return ""
        try:
            found = cap.read_ack(answer.body)
        except cap.CapFault:
            return ""  # a 2xx is an acceptance whatever comes with it
        if found.message == "Error":
            raise Rejected(f"the service's machine refuses: {found.note[:200]}")
        return " ".join(part for part in (found.identifier, found.note) if part)[:300]


def build(settings: CapSettings, secrets: Mapping[str, str], ears: Ears) -> CapCarrier:
    """The carrier of these settings."""
    secret = secrets.get("authorization", "")
    if any(character in secret for character in "\r\n\0"):
        raise ValueError("authorization: expected one line")
    return CapCarrier(settings, secret, ears)
