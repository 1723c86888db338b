"""The panel maker's cloud as a carrier of the app: a signed web hook there, another back (S8.3).

The installer who manages the app does so in that cloud (S8.5). Where it notifies by itself it gets
nothing from us: the rules see to that, before there is a message. The same message again carries
the same id and the same Idempotency-Key, so a cloud that keeps to it never shows it twice.

Both hooks are described in docs/reference/app-cloud.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from time import monotonic, time
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from meldkamer.notify import web
from meldkamer.notify.carrier import (
    CarrierFault,
    Ears,
    InDoubt,
    Parcel,
    ReceiptState,
    Rejected,
)
from meldkamer.notify.kinds import SettingsFault
from meldkamer.notify.push import signing

KEY = "key"
#: so long after the last answer the cloud is asked whether it is there
_QUIET_S = 30.0
#: the message itself is refused: to send it again would change nothing
_FOR_GOOD = (400, 404, 410, 413, 422)


class AppCloudSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """address: of the cloud's web hook, https. limit_s: how long it may take to answer."""

    address: str
    limit_s: float = 10.0
    at_once: int = 8

    def __post_init__(self) -> None:
        if fault := web.fault_of_address(self.address):
            raise ValueError(f"address: {fault}")
        if not 1 <= self.limit_s <= 60:
            raise ValueError("limit_s: expected 1 to 60 seconds")
        if not 1 <= self.at_once <= 64:
            raise ValueError("at_once: expected 1 to 64")


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a cloud tells us: of which message (our id), and what became of it."""

    id: int
    state: Literal["delivered", "failed", "expired", "acknowledged", "unanswered"]
    detail: str = ""


# learned while the module is imported: two threads that use a type first crash (terms.model)
msgspec.json.Decoder(Told)


class AppCloud:
    """A carrier as `notify.carrier` describes it."""

    def __init__(self, settings: AppCloudSettings, key: str) -> None:
        self.at_once = settings.at_once
        self._settings, self._key = settings, key
        self._heard_at_s = 0.0

    def open(self) -> None:
        """Whether somebody is there; each message then has a connection of its own."""
        try:
            web.reach(self._settings.address, limit_s=self._settings.limit_s)
        except web.NotGiven as fault:
            raise CarrierFault(f"{self._host()}: {fault}") from None
        self._heard_at_s = monotonic()

    def check(self) -> None:
        """Asked only when nothing was heard of it for a while."""
        if monotonic() - self._heard_at_s > _QUIET_S:
            self.open()

    def close(self) -> None:
        """Nothing is open between two messages."""

    def send(self, parcel: Parcel) -> str:
        """One message, signed; our id is its reference."""
        body, at_s = written(parcel), int(time())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "meldkamer",
            "Idempotency-Key": ref_of(parcel.id),
            signing.TIME_HEADER: str(at_s),
            signing.SIGNATURE_HEADER: signing.sign(self._key, at_s, body),
        }
        try:
            answer = web.ask(
                "POST", self._settings.address, body, headers,
                limit_s=self._settings.limit_s, body_most=0,
            )  # fmt: skip
        except web.NotGiven as fault:
            raise CarrierFault(f"{self._host()}: {fault}") from None
        except web.NotKnown as fault:
            raise InDoubt(f"{self._host()}: {fault}") from None
        self._heard_at_s = monotonic()
        if answer.code in _FOR_GOOD:
            raise Rejected(f"{self._host()} refuses this message ({answer.code})")
        # 409: it has this message already
        if not answer.taken and answer.code != 409:
            raise CarrierFault(f"{self._host()} answers {answer.code}", after_s=answer.after_s)
        return ref_of(parcel.id)

    def _host(self) -> str:
        """Its path may hold what is nobody's business."""
        return urlsplit(self._settings.address).hostname or "the cloud"


def build(settings: AppCloudSettings, secrets: Mapping[str, str], ears: Ears) -> AppCloud:
    """A carrier; without its key nothing would be believed at the other end."""
    if not secrets.get(KEY):
        raise SettingsFault("key: is missing, expected the one that was agreed with the cloud")
    return AppCloud(settings, secrets[KEY])


def ref_of(message_id: int) -> str:
    """Under which its receipts come back."""
    return f"cloud-{message_id}"


def written(parcel: Parcel) -> bytes:
    """The message as JSON: to whom, and what it says; nothing else of the site."""
    said: dict[str, Any] = {
        "id": parcel.id,
        "made_at": parcel.created_at.isoformat(),
        "recipient": {"name": parcel.recipient, "address": parcel.address},
        "language": parcel.language,
        "title": parcel.subject,
        "text": parcel.body,
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def read_receipt(
    body: bytes, headers: Mapping[str, str], key: str, now_s: float
) -> tuple[str, ReceiptState, str]:
    """(ref, state, detail) of what the cloud told us.

    Raises ValueError, which says what was expected.
    """
    signing.check(
        key,
        headers.get(signing.TIME_HEADER, ""),
        headers.get(signing.SIGNATURE_HEADER, ""),
        body,
        now_s,
    )
    try:
        told = msgspec.json.decode(body, type=Told)
    except msgspec.DecodeError as fault:
        raise ValueError(f"the body is not as expected: {fault}") from None
    return ref_of(told.id), ReceiptState(told.state), told.detail
