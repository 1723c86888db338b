"""Web push: our own push to the customer's installed app (S8.3; RFC 8030, 8291, 8292).

A message goes to every phone that its contact let in. It is small and encrypted for that phone:
the push service between sees neither words nor site. The same message again takes the place of
itself, at the push service (Topic) and on the screen (tag), so that sending in doubt does no harm.

Unlike other carriers it reads and marks addresses in our own table (`book`): a contact has several
phones, and only their push services know which are still there.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from time import monotonic, time
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
from pywebpush import WebPusher, WebPushException

from meldkamer.notify.carrier import CarrierFault, Ears, InDoubt, Parcel, Rejected
from meldkamer.notify.push import outside
from meldkamer.notify.push.book import Address, Book, TableBook, installation
from meldkamer.notify.web import NotGiven, NotKnown

#: a claim of who we are holds so long; a push service refuses more than a day
_CLAIM_S = 12 * 3600
#: what fits into one message of every push service, before it is encrypted
PAYLOAD_MOST = 2_000
_GONE = (404, 410)
#: the push services of the browsers that people have. Only these say something about push as a
#: whole; any other is one that a phone named, and must not stop what goes to all others
KNOWN = (
    "fcm.googleapis.com",
    "push.services.mozilla.com",
    "push.apple.com",
    "notify.windows.com",
)
#: so many phones of a contact are pushed to
PHONES_MOST = 8
#: they have so long together: less than a claim holds (`outbox.CLAIM_S`)
_ALL_S, _LEAST_S = 60.0, 0.5
#: the order of P-256
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class WebPushSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """contact: where a push service writes when something is wrong, an address of e-mail.

    keep_s: how long a push service keeps a message for a phone that is off. limit_s: how long it
    may take to answer. at_once: how many messages are sent at a time.
    """

    contact: str
    keep_s: int = 4 * 3600
    limit_s: float = 10.0
    at_once: int = 8

    def __post_init__(self) -> None:
        before, _, host = self.contact.partition("@")
        if not before or "." not in host or any(letter <= " " for letter in self.contact):
            raise ValueError("contact: expected an address of e-mail")
        if not 60 <= self.keep_s <= 7 * 86_400:
            raise ValueError("keep_s: expected 60 seconds to 7 days")
        if not 1 <= self.limit_s <= 60:
            raise ValueError("limit_s: expected 1 to 60 seconds")
        if not 1 <= self.at_once <= 64:
            raise ValueError("at_once: expected 1 to 64")


class WebPush:
    """A carrier as `notify.carrier` describes it."""

    def __init__(
        self, settings: WebPushSettings, book: Book, key: bytes, *, anywhere: bool = False
    ) -> None:
        self.at_once = settings.at_once
        self._settings, self._book, self._anywhere = settings, book, anywhere
        self._key = vapid_key(key)

    def open(self) -> None:
        """Nothing to connect: each push service is its own, and is called for each message."""

    def check(self) -> None:
        """Push services of many makers: one that is away says nothing about the others."""

    def close(self) -> None:
        """Nothing is open between two messages."""

    def send(self, parcel: Parcel) -> str:
        """To every phone of its contact; taken when one of them took it."""
        phones = self._book.addresses(parcel.contact_id)[:PHONES_MOST] if parcel.contact_id else ()
        if not phones:
            raise Rejected(f"{parcel.recipient} has the app on no phone")
        faults: list[CarrierFault] = []
        until_s = monotonic() + _ALL_S
        for phone in phones:
            left_s = min(self._settings.limit_s, until_s - monotonic())
            if left_s < _LEAST_S:
                faults.append(CarrierFault("no time was left for this phone", blames=False))
                continue
            try:
                self._push(phone, parcel, left_s)
            except CarrierFault as fault:
                faults.append(fault)
        if len(faults) == len(phones):
            raise _gravest(faults)
        return ref_of(parcel.id)

    def _push(self, phone: Address, parcel: Parcel, limit_s: float) -> None:
        body = self._encrypted(phone, parcel)
        headers = {
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(self._settings.keep_s),
            "Urgency": "high" if parcel.incident_id else "normal",
            "Topic": _topic(parcel.id),
            **self._claim(phone.endpoint),
        }
        try:
            answer = outside.post(
                phone.endpoint, body, headers,
                limit_s=limit_s, anywhere=self._anywhere,
            )  # fmt: skip
        except NotGiven as fault:
            raise CarrierFault(
                f"{_service(phone)}: {fault}", blames=is_known(phone.endpoint)
            ) from None
        except NotKnown as fault:
            raise InDoubt(f"{_service(phone)}: {fault}", blames=is_known(phone.endpoint)) from None
        if answer.code in _GONE:
            self._book.gone(phone.id)
            raise Rejected(f"{parcel.recipient} took the app off the phone ({answer.code})")
        if answer.code in (400, 413):
            raise Rejected(f"{_service(phone)} refuses this message ({answer.code})")
        if not 200 <= answer.code < 300:
            raise CarrierFault(
                f"{_service(phone)} answers {answer.code}",
                after_s=answer.after_s or None,
                blames=is_known(phone.endpoint),
            )

    def _encrypted(self, phone: Address, parcel: Parcel) -> bytes:
        known = {
            "endpoint": phone.endpoint,
            "keys": {"p256dh": phone.p256dh, "auth": phone.auth},
        }
        try:
            encoded = WebPusher(known).encode(payload(parcel), "aes128gcm")
        except (WebPushException, ValueError) as fault:
            raise Rejected(f"the keys of {parcel.recipient}'s phone cannot be used") from fault
        body: bytes = encoded["body"]
        return body

    def _claim(self, endpoint: str) -> dict[str, str]:
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int(time()) + _CLAIM_S,
            "sub": f"mailto:{self._settings.contact}",
        }
        signed: dict[str, str] = Vapid02(self._key).sign(claims)
        return signed


def build(settings: WebPushSettings, secrets: Mapping[str, str], ears: Ears) -> WebPush:
    """A carrier of this installation: its key, its table."""
    key, anywhere = installation()
    return WebPush(settings, TableBook(), key, anywhere=anywhere)


def ref_of(message_id: int) -> str:
    """Under which the phone's acknowledgement comes back."""
    return f"push-{message_id}"


def payload(parcel: Parcel) -> bytes:
    """What the phone shows: only what the message says, in its reader's language."""
    said = {
        "id": parcel.id,
        "title": parcel.subject or "",
        "body": parcel.body,
        "lang": parcel.language,
    }
    written = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    if len(written) > PAYLOAD_MOST:
        room = len(parcel.body.encode()) - (len(written) - PAYLOAD_MOST) - 8
        said["body"] = parcel.body.encode()[: max(0, room)].decode("utf-8", "ignore") + "…"
        written = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    return written


def vapid_key(key: bytes) -> ec.EllipticCurvePrivateKey:
    """The installation's 32 bytes as a key of P-256; every value gives one."""
    return ec.derive_private_key(int.from_bytes(key) % (_ORDER - 1) + 1, ec.SECP256R1())


def public_key(key: bytes) -> str:
    """What a browser must know of us to be subscribed, base64url without padding."""
    point = vapid_key(key).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def _topic(message_id: int) -> str:
    """At most 32 letters of base64url (RFC 8030, 5.4)."""
    return f"m{message_id}"


def is_known(endpoint: str) -> bool:
    """Whether this push service is one of those that people's browsers have."""
    host = urlsplit(endpoint).hostname or ""
    return any(host == known or host.endswith(f".{known}") for known in KNOWN)


def _service(phone: Address) -> str:
    """The host of its push service: the rest of the address is a secret of that phone."""
    return urlsplit(phone.endpoint).hostname or "the push service"


def _gravest(faults: Sequence[CarrierFault]) -> CarrierFault:
    """What is said of all of them: in doubt, else to be tried again, else turned down."""
    for wanted in (InDoubt, CarrierFault):
        for fault in faults:
            if isinstance(fault, wanted) and not isinstance(fault, Rejected):
                return fault
    return faults[0]
