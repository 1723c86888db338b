"""What an installation says of an SMS centre that it reaches over SMPP 3.4.

Bad settings are refused here, each with what was expected, and not by the centre at night. The
password is a secret apart from them and is in no text of this module.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from meldkamer.notify.sms.coding import PARTS_MOST, Alphabet
from meldkamer.notify.sms.senders import fault_of_country
from meldkamer.notify.web import fault_of_host

_NUMBER = re.compile(r"\+?[0-9]{3,20}")
#: type of number, numbering plan (SMPP 3.4, 5.2.5 and 5.2.6)
INTERNATIONAL, NETWORK, ALPHANUMERIC, ISDN, UNKNOWN = 1, 3, 5, 1, 0
#: a number up to here is a short code of the network
_SHORT_MOST = 6
_NAME_MOST, _SYSTEM_ID_MOST, _SYSTEM_TYPE_MOST, _SERVICE_MOST = 11, 15, 12, 5
#: SMPP's own limit of a password
PASSWORD_MOST = 8
_VALID_MOST_S = 63 * 3600
_TYPE_MOST, _PLAN_MOST = 6, 18


class SmppSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Units are in the names' ends. See docs/reference/sms-over-smpp.md for each field."""

    host: str
    port: int = 2775
    system_id: str
    system_type: str = ""
    bind: Literal["transceiver", "pair", "transmitter"] = "transceiver"
    tls: bool = False
    tls_fingerprint: str = ""

    sender: str
    sender_ton: int | None = None
    sender_npi: int | None = None
    number_ton: int = INTERNATIONAL
    number_npi: int = ISDN
    region: str = "BE"

    alphabet: Alphabet = "gsm"
    long_text: Literal["udh", "sar", "payload"] = "udh"
    parts_most: int = 8
    service_type: str = ""
    valid_s: int = 0

    receipts: bool = True
    receipt_ids: Literal["same", "hex", "decimal"] = "same"
    receipts_unmarked: bool = False
    barred_codes: tuple[int, ...] = ()

    window: int = 10
    connect_s: float = 5.0
    answer_s: float = 10.0
    alive_s: float = 30.0
    throttled_s: float = 1.0
    pieces_s: int = 120

    def __post_init__(self) -> None:
        fault = fault_of_host(self.host) or fault_of_country("region", self.region)
        _need(not fault, fault)
        _need(1 <= self.port <= 65535, f"port: expected 1 to 65535, not {self.port}")
        _text("system_id", self.system_id, _SYSTEM_ID_MOST, empty=False)
        _text("system_type", self.system_type, _SYSTEM_TYPE_MOST)
        _text("service_type", self.service_type, _SERVICE_MOST)
        _need(
            not self.tls_fingerprint or len(self.fingerprint) == 64,
            "tls_fingerprint: expected the SHA-256 of the centre's certificate, 64 hex digits",
        )
        self._check_sender()
        _between("number_ton", self.number_ton, 0, _TYPE_MOST)
        _between("number_npi", self.number_npi, 0, _PLAN_MOST)
        _between("parts_most", self.parts_most, 1, PARTS_MOST)
        _between("valid_s", self.valid_s, 0, _VALID_MOST_S)
        _between("window", self.window, 1, 500)
        _between("connect_s", self.connect_s, 0.1, 30)
        _between("answer_s", self.answer_s, 0.1, 30)
        _between("alive_s", self.alive_s, 0.1, 600)
        _between("throttled_s", self.throttled_s, 0.1, 60)
        _between("pieces_s", self.pieces_s, 1, 86_400)

    def _check_sender(self) -> None:
        if self._named:
            _text("sender", self.sender, _NAME_MOST, empty=False)
        for name, value, most in (
            ("sender_ton", self.sender_ton, _TYPE_MOST),
            ("sender_npi", self.sender_npi, _PLAN_MOST),
        ):
            if value is not None:
                _between(name, value, 0, most)

    @property
    def _named(self) -> bool:
        return _NUMBER.fullmatch(self.sender) is None

    @property
    def why_no_answers(self) -> str:
        """Why nobody can answer to what goes out with these settings (S7.3); "" when one can."""
        if self._named or self.sender_ton == ALPHANUMERIC:
            return (
                f"sender: nobody can answer to the name {self.sender!r} (S7.3); expected a number "
                "of our own, or a carrier over which no answers come back"
            )
        if self.bind == "transmitter":
            return (
                'bind: a "transmitter" hears no answers (S7.3); expected "transceiver" or "pair", '
                "or a carrier over which no answers come back"
            )
        return ""

    @property
    def fingerprint(self) -> str:
        """Of the certificate, as hex digits alone; "" when it is none."""
        plain = self.tls_fingerprint.replace(":", "").replace(" ", "").lower()
        return plain if re.fullmatch("[0-9a-f]{64}", plain) else ""

    @property
    def source(self) -> tuple[int, int, str]:
        """Type, plan and address that texts come from."""
        if self._named:
            own = (ALPHANUMERIC, UNKNOWN, self.sender)
        elif len(self.sender) <= _SHORT_MOST:
            own = (NETWORK, UNKNOWN, self.sender)
        else:
            own = (INTERNATIONAL, ISDN, self.sender.lstrip("+"))
        ton = own[0] if self.sender_ton is None else self.sender_ton
        npi = own[1] if self.sender_npi is None else self.sender_npi
        return ton, npi, own[2]

    @property
    def validity(self) -> str:
        """How long the centre is to try, as a relative time (SMPP 3.4, 7.1.1.2); "": its own."""
        if not self.valid_s:
            return ""
        minutes, seconds = divmod(self.valid_s, 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        return f"0000{days:02d}{hours:02d}{minutes:02d}{seconds:02d}000R"


def check_password(password: str) -> str:
    """The password when it fits SMPP; ValueError says what was expected, and not what came."""
    _need(
        password.isascii() and "\0" not in password and len(password) <= PASSWORD_MOST,
        f"password: expected ASCII of at most {PASSWORD_MOST} characters, SMPP's own limit",
    )
    return password


def _text(name: str, value: str, most: int, *, empty: bool = True) -> None:
    fits = value.isascii() and value.isprintable() and len(value) <= most
    _need(
        fits and (empty or bool(value.strip())),
        f"{name}: expected {'at most' if empty else '1 to'} {most} characters of ASCII, "
        f"not {value!r}",
    )


def _between(name: str, value: float, least: float, most: float) -> None:
    _need(least <= value <= most, f"{name}: expected {least} to {most}, not {value}")


def _need(fits: bool, reason: str) -> None:
    if not fits:
        raise ValueError(reason)
