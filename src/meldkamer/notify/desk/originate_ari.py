"""Asterisk, by its REST interface (ARI): POST /ari/channels rings the desk's telephone.

When the desk answers, the channel goes on in the dialplan at the number dialled; the dialplan does
the rest and tells what came of it to the hook (docs/how-to/connect-the-pbx.md). The channel's id
holds our number of the call, so that a request that is sent twice cannot ring twice.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from urllib.parse import quote, urlencode

import msgspec

from meldkamer.notify import web
from meldkamer.notify.carrier import Ears, Parcel, Rejected
from meldkamer.notify.desk import numbers
from meldkamer.notify.desk.numbers import NumberFault
from meldkamer.notify.desk.originate_http import check_times, settle

CHANNEL = "meldkamer-{id}"
VARIABLE = "MELDKAMER_CALL"


class AriSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where Asterisk is, and the dialplan. endpoint: of a desk, with {extension} in it."""

    url: str
    user: str
    context: str
    endpoint: str = "PJSIP/{extension}"
    caller_id: str = ""
    # so long the desk's own telephone rings
    ring_s: int = 20
    number_form: numbers.Form = "e164"
    prefix: str = ""
    limit_s: float = 2.5
    unanswered_after_s: int = 30

    def __post_init__(self) -> None:
        fault = web.fault_of_address(self.url) or (
            "" if self.url.rstrip("/").endswith("/ari") else "expected it to end in /ari"
        )
        if fault:
            raise ValueError(f"url: {fault}")
        if "{extension}" not in self.endpoint or numbers.fault_of_template(self.endpoint):
            raise ValueError("endpoint: expected {extension} in it, e.g. PJSIP/{extension}")
        if not self.context.strip():
            raise ValueError("context: expected the name of a context of the dialplan")
        check_times(self.limit_s, self.unanswered_after_s)


class Ari:
    """The carrier."""

    at_once = 8

    def __init__(self, settings: AriSettings, password: str) -> None:
        self._settings = settings
        pair = f"{settings.user}:{password}".encode()
        self._headers = {
            "User-Agent": "meldkamer",
            "Authorization": f"Basic {base64.b64encode(pair).decode()}",
        }

    def open(self) -> None:
        """Nothing stands between two calls; `check` says whether Asterisk is there."""

    def send(self, parcel: Parcel) -> str:
        """Ring parcel.body, the desk's extension; then parcel.address in the dialplan."""
        settings = self._settings
        try:
            desk = numbers.extension(parcel.body)
            number = numbers.dialled(parcel.address, settings.number_form, settings.prefix)
        except NumberFault as fault:
            raise Rejected(str(fault)) from None
        channel = CHANNEL.replace("{id}", str(parcel.id))
        query = {
            "endpoint": settings.endpoint.replace("{extension}", desk),
            "extension": number,
            "context": settings.context,
            "priority": "1",
            "timeout": str(settings.ring_s),
        }
        if settings.caller_id:
            query["callerId"] = settings.caller_id
        body = json.dumps({"variables": {VARIABLE: str(parcel.id)}}).encode()
        address = f"{self._base}/channels/{quote(channel, safe='')}?{urlencode(query)}"
        self._ask("POST", address, body, settings.limit_s)
        return channel

    def check(self) -> None:
        """CarrierFault when Asterisk does not answer, or does not know us."""
        self._ask("GET", f"{self._base}/asterisk/info?only=status", b"", 5)

    def close(self) -> None:
        """Nothing is open."""

    @property
    def _base(self) -> str:
        return self._settings.url.rstrip("/")

    def _ask(self, method: str, address: str, body: bytes, limit_s: float) -> None:
        headers = dict(self._headers)
        if body:
            headers["Content-Type"] = "application/json"
        answer = web.ask(method, address, body, headers, limit_s=limit_s)
        if method == "POST" and answer.code == 409:
            return  # this channel is there already: we asked before
        settle(answer)


def build(settings: AriSettings, secrets: Mapping[str, str], ears: Ears) -> Ari:
    """The carrier of these settings. What came of a call comes by the hook, not by the ears."""
    return Ari(settings, secrets.get("password", ""))
