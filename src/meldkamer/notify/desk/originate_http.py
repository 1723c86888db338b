"""Any exchange that places a call when a web address is asked for it.

The address, the body and the method are the office's; {extension} {number} {id} are put in. The
exchange rings the desk first and then the number, and tells what came of it to the hook
`/hooks/<token>/call/` with the same id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from meldkamer.notify import web
from meldkamer.notify.carrier import CarrierFault, Ears, Parcel, Rejected
from meldkamer.notify.desk import numbers
from meldkamer.notify.desk.numbers import NumberFault


class HttpOriginateSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the exchange is asked. limit_s: for the operator's step, so short."""

    url: str
    method: Literal["GET", "POST", "PUT"] = "POST"
    body: str = ""
    content_type: str = "application/json"
    auth_header: str = "Authorization"
    number_form: numbers.Form = "e164"
    prefix: str = ""
    limit_s: float = 2.5
    # asked every few seconds whether it is there; empty: it is believed until a call fails
    health_url: str = ""
    # calls coming in: not taken for so long, and the number goes to the list
    unanswered_after_s: int = 30

    def __post_init__(self) -> None:
        _check(self)


def _check(settings: HttpOriginateSettings) -> None:
    for name, text in (("url", settings.url), ("health_url", settings.health_url)):
        bare = text.replace("{", "").replace("}", "")
        fault = web.fault_of_address(bare) if text else ""
        if fault:
            raise ValueError(f"{name}: {fault}")
    for name, text in (("url", settings.url), ("body", settings.body)):
        fault = numbers.fault_of_template(text) if settings.body or name == "url" else ""
        if fault:
            raise ValueError(f"{name}: {fault}")
    if "{number}" not in settings.url + settings.body:
        raise ValueError("url or body: expected {number} in one of them")
    check_times(settings.limit_s, settings.unanswered_after_s)
    if not settings.auth_header.replace("-", "").isalnum():
        raise ValueError("auth_header: expected the name of a header, e.g. Authorization")


def check_times(limit_s: float, unanswered_after_s: int) -> None:
    """What every exchange is told of time; ValueError names the setting and what was expected."""
    if not 0.2 <= limit_s <= 10:
        raise ValueError("limit_s: expected 0.2 to 10 seconds")
    if not 0 <= unanswered_after_s <= 3600:
        raise ValueError("unanswered_after_s: expected 0 to 3600 seconds")


class HttpOriginate:
    """The carrier."""

    at_once = 8

    def __init__(self, settings: HttpOriginateSettings, secret: str) -> None:
        self._settings = settings
        self._secret = secret

    def open(self) -> None:
        """Nothing stands between two calls."""

    def send(self, parcel: Parcel) -> str:
        """Have parcel.body, the desk's extension, rung and connected to parcel.address."""
        settings = self._settings
        try:
            values = {
                "extension": numbers.extension(parcel.body),
                "number": numbers.dialled(parcel.address, settings.number_form, settings.prefix),
                "id": str(parcel.id),
            }
        except NumberFault as fault:
            raise Rejected(str(fault)) from None
        body = numbers.in_body(settings.body, settings.content_type, values).encode()
        address = numbers.in_address(settings.url, values)
        _ask(settings.method, address, body, self._headers(bool(body)), settings.limit_s)
        return str(parcel.id)

    def check(self) -> None:
        """CarrierFault when its own address for that does not answer."""
        if self._settings.health_url:
            _ask("GET", self._settings.health_url, b"", self._headers(False), 5)

    def close(self) -> None:
        """Nothing is open."""

    def _headers(self, with_body: bool) -> dict[str, str]:
        headers = {"User-Agent": "meldkamer"}
        if with_body:
            headers["Content-Type"] = self._settings.content_type
        if self._secret:
            headers[self._settings.auth_header] = self._secret
        return headers


def _ask(method: str, address: str, body: bytes, headers: dict[str, str], limit_s: float) -> None:
    settle(web.ask(method, address, body, headers, limit_s=limit_s))


def settle(answer: web.Answer) -> None:
    """Nothing for 2xx; Rejected for what is our own fault; CarrierFault else."""
    if answer.taken:
        return
    if answer.refused:
        raise Rejected(f"the exchange refuses: {answer.code}")
    raise CarrierFault(f"the exchange answers {answer.code}")


def build(settings: HttpOriginateSettings, secrets: Mapping[str, str], ears: Ears) -> HttpOriginate:
    """The carrier of these settings. What came of a call comes by the hook, not by the ears."""
    secret = secrets.get("authorization", "")
    if any(character in secret for character in "\r\n\0"):
        raise ValueError("authorization: expected one line")
    return HttpOriginate(settings, secret)
