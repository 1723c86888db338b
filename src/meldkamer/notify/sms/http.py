"""Texts through an HTTP gateway that speaks Kannel's sendsms interface.

The gateway gives no number for what it takes. So our own message id goes into the address to which
it brings the receipt, and is the reference: a receipt finds its message, also of an attempt that we
heard no answer to. Replies and receipts come in at the web hooks (`meldkamer.api.sms`).

Never: a password, a hook's token or a text in an address, a fault or a log. They go in headers and
the body, which Kannel takes at POST.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from meldkamer.notify.carrier import CarrierFault, Ears, InDoubt, Parcel, Rejected
from meldkamer.notify.kinds import SettingsFault
from meldkamer.notify.sms import gsm
from meldkamer.notify.sms.hook_names import HookNames
from meldkamer.notify.sms.kept_lines import KeptLines
from meldkamer.notify.web import Answer, NotGiven, NotKnown, fault_of_address

#: Kannel tells of: delivered 1, failed 2, refused by the SMS centre 16
_TELLS = "19"
_PRINTABLE, _UNBROKEN = re.compile(r"[\x20-\x7e]+\Z"), re.compile(r"[\x21-\x7e]+\Z")
_NUMBER = re.compile(r"\+?[0-9]{2,20}\Z")
_QUEUED = re.compile(r"\s*(0|3):")
#: what it turns down for good is about the receiver; any other 400 is about our settings
_BARRED = re.compile(r"denied by white- and/or black-lists|receiver", re.IGNORECASE)
_CENTRE = re.compile(r"\((online|active|connecting|re-connecting|disconnected|dead|unknown)\b")


class SmsHttpSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A gateway with Kannel's interface.

    url: of sendsms, as https://gateway.example:13013/cgi-bin/sendsms. sender: the number that
    replies come to; without it the gateway's own. smsc: the SMS centre to use, where it has
    several. status_url: of the bearerbox's status page, status.txt: a gateway none of whose SMS
    centres is connected counts as down. plain_http: allow http to another machine, in a network of
    your own. ca_file: certificates that are believed instead of the system's. connections: so many
    texts at a time. limit_s: longest wait for an answer. hooks: what it calls its fields.
    """

    url: str
    username: str
    sender: str = ""
    smsc: str = ""
    status_url: str = ""
    plain_http: bool = False
    ca_file: str = ""
    connections: int = 8
    limit_s: float = 10.0
    hooks: HookNames = HookNames()

    @property
    def why_no_answers(self) -> str:
        """Why nobody can answer to what goes out with these settings (S7.3); "" when one can."""
        if not self.sender or _NUMBER.match(self.sender):
            return ""
        return (
            f"sender: nobody can answer to the name {self.sender!r} (S7.3); expected a number of "
            "our own, or a carrier over which no answers come back"
        )


class SmsHttpCarrier:
    """One gateway."""

    def __init__(self, settings: SmsHttpSettings, password: str, hook_url: str) -> None:
        self.at_once = settings.connections
        self._settings, self._password, self._hook_url = settings, password, hook_url
        parts = urlsplit(settings.url)
        self._path = parts.path or "/"
        self._lines: KeptLines | None = None
        self._status: KeptLines | None = None

    def open(self) -> None:
        """Look whether the gateway is there."""
        said = self._settings
        self._lines = KeptLines(
            # one more for the look of `check`
            said.url,
            most=said.connections + 1,
            limit_s=said.limit_s,
            ca_file=said.ca_file,
        )
        if said.status_url:
            self._status = KeptLines(
                said.status_url, most=1, limit_s=said.limit_s, ca_file=said.ca_file
            )
        self.check()

    def send(self, parcel: Parcel) -> str:
        """Give a text to the gateway; the reference is our own id."""
        if not _NUMBER.match(parcel.address):
            raise Rejected("no telephone number; expected e.g. +32475123456")
        try:
            answer = self._open_lines().ask(
                "POST", self._path, self._headers(parcel), parcel.body.encode()
            )
        except NotGiven as fault:
            raise CarrierFault(f"the gateway {fault}") from None
        except NotKnown as fault:
            raise InDoubt(f"the gateway: {fault}") from None
        self._judge(answer)
        return str(parcel.id)

    def _headers(self, parcel: Parcel) -> dict[str, str]:
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-Kannel-Username": self._settings.username,
            "X-Kannel-Password": self._password,
            "X-Kannel-To": parcel.address,
            # 7 bit where every character has one there, else UCS-2
            "X-Kannel-Coding": "0" if gsm.fits(parcel.body) else "2",
        }
        if self._settings.sender:
            headers["X-Kannel-From"] = self._settings.sender
        if self._settings.smsc:
            headers["X-Kannel-SMSC"] = self._settings.smsc
        if self._hook_url:
            headers["X-Kannel-DLR-Mask"] = _TELLS
            headers["X-Kannel-DLR-Url"] = (
                f"{self._hook_url}receipt/?ref={parcel.id}&state=%d&detail=%A"
            )
        return headers

    def _judge(self, answer: Answer) -> None:
        """Returns when the gateway has the text, else raises why not."""
        code, words = answer.code, self._words(answer.text)
        if 200 <= code < 300:
            if _QUEUED.match(answer.text):
                return
            raise InDoubt(f"the gateway answered {code} {words!r}; expected '0: …' or '3: …'")
        if code == 400 and _BARRED.search(answer.text):
            raise Rejected(f"the gateway refuses it: {words}")
        if code in (401, 403):
            # no pause: who has a wrong password is out of order, and another way is taken
            raise CarrierFault(f"the gateway does not know us: {words}")
        if code in (502, 504):
            # of a machine in between, which may have passed it on
            raise InDoubt(f"the gateway answered {code}")
        raise CarrierFault(f"the gateway answered {code}: {words}", after_s=answer.after_s)

    def _words(self, text: str) -> str:
        """What a gateway said, in one short line, without what it repeats of ours."""
        for secret in (self._password, self._hook_url):
            if secret:
                text = text.replace(secret, "…")
        return " ".join(text.split())[:120]

    def check(self) -> None:
        """The gateway answers the telephone; where its status can be read, a centre is on line."""
        try:
            # any answer will do, also that there is no such page
            self._open_lines().ask("GET", "/", {})
            if self._status is not None:
                self._look(self._status)
        except (NotGiven, NotKnown) as fault:
            raise CarrierFault(f"the gateway {fault}") from None

    def _look(self, status: KeptLines) -> None:
        parts = urlsplit(self._settings.status_url)
        answer = status.ask("GET", parts.path or "/", {})
        if answer.code != 200:
            raise CarrierFault(f"the gateway's status page answered {answer.code}")
        centres = _CENTRE.findall(answer.text.partition("SMSC connections")[2])
        if not any(state in ("online", "active") for state in centres):
            found = ", ".join(centres) or "none is named"
            raise CarrierFault(f"no SMS centre of the gateway is on line: {found}")

    def _open_lines(self) -> KeptLines:
        if self._lines is None:
            raise CarrierFault("not open")
        return self._lines

    def close(self) -> None:
        """Hang up."""
        for lines in (self._lines, self._status):
            if lines is not None:
                lines.close()
        self._lines = self._status = None


def build(settings: SmsHttpSettings, secrets: Mapping[str, str], ears: Ears) -> SmsHttpCarrier:
    """A carrier. Secrets: password; hook_url, the address of this carrier's hooks here.

    Without hook_url no receipts are asked for. SettingsFault names what cannot be used.
    """
    del ears  # what comes back comes in at the hooks
    password, hook_url = secrets.get("password", ""), secrets.get("hook_url", "")
    faults = [
        *_addresses(settings, hook_url),
        *_headers_fit(settings, password),
        *([] if 1 <= settings.connections <= 64 else ["connections: expected 1 to 64"]),
        *([] if 1 <= settings.limit_s <= 60 else ["limit_s: expected 1 to 60"]),
    ]
    if faults:
        raise SettingsFault(f"sms_http: {'; '.join(faults)}")
    if hook_url and not hook_url.endswith("/"):
        hook_url += "/"
    return SmsHttpCarrier(settings, password, hook_url)


def _addresses(settings: SmsHttpSettings, hook_url: str) -> list[str]:
    faults = []
    given = {"url": settings.url, "status_url": settings.status_url, "hook_url": hook_url}
    for name, address in given.items():
        if not address and name != "url":
            continue
        plain = settings.plain_http and address.startswith("http://")
        wrong = fault_of_address("https" + address[4:] if plain else address)
        if wrong:
            faults.append(f"{name}: {wrong}")
        elif "%" in address or not _UNBROKEN.match(address):
            # Kannel would take % in the hook's address for one of its own letters
            faults.append(f"{name}: expected letters without % and without blanks")
    return faults


def _headers_fit(settings: SmsHttpSettings, password: str) -> list[str]:
    given = {"username": settings.username, "password": password}
    faults = [
        f"{name}: expected printable ASCII, as a header takes it"
        for name, value in given.items()
        if not _PRINTABLE.match(value)
    ]
    for name, value in (("sender", settings.sender), ("smsc", settings.smsc)):
        if value and not _PRINTABLE.match(value):
            faults.append(f"{name}: expected printable ASCII, as a header takes it")
    return faults
