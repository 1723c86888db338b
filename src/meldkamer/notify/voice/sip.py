"""The carrier of announced calls: a SIP exchange or trunk, called through baresip.

`send` returns when the telephone rings; what became of it is a receipt, later. A call without a key
is never acknowledged, whoever or whatever took it up. Each call has a baresip of its own (see
`call`), so that one which dies takes no other with it.
"""

from __future__ import annotations

import re
import secrets as randomness
import threading
import time
from array import array
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Literal, Protocol

import msgspec
from django.conf import settings as house
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from meldkamer.notify.carrier import Carrier, CarrierFault, Ears, Parcel, Rejected
from meldkamer.notify.kinds import SettingsFault
from meldkamer.notify.voice import asking, baresip, sound, speech
from meldkamer.notify.voice.baresip import Account, Baresip, BaresipFault
from meldkamer.notify.voice.call import PLACE_S, Call, Plan
from meldkamer.notify.voice.registration import Registration
from meldkamer.notify.voice.speech import SpeechFault, Voice

PRESS = gettext_noop("Press {key} to confirm that you heard this.")
THANKS = gettext_noop("Thank you. Your confirmation was received.")
#: until a phone is at an ear, and after the thanks
_LEAD_S, _TAIL_S = 0.8, 0.5
#: how long a message waits for a line that is free; together with the call less than a claim lasts
_LINE_S = 45.0
#: to start, to be told, to be answered by the exchange
_PLACED_S = 40.0
_TIDY_S, _ASK_S = 3600.0, 15.0
_TARGET = re.compile(r"sips?:[A-Za-z0-9._%+*#-]*\{number\}[A-Za-z0-9._%+*#-]*@[A-Za-z0-9.\[\]:-]+")
_WORD = re.compile(r"[A-Za-z0-9._~+*%-]*")
_HOST = re.compile(r"[A-Za-z0-9.\[\]:-]+")
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]*")
_PASSWORD = re.compile(r'[^"\s<>\\;\x00-\x1f]*')


class SipSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """target: whom to call, as sip:{number}@exchange:port. plus: what stands for the + of a number.

    caller: our number or name, as the exchange knows it; domain: after it, the exchange's when
    empty. login: of the account; empty: as the caller. register: whether the exchange wants us
    registered. encrypted: sound by SRTP, or no call; its key travels in the SIP, so with tls.
    ask: every quarter of a minute whether it is there, when it is named by address or
    with its port. proxy: where to send everything, as sip:host:port. lines: calls at a time.
    local_address: of this machine, when it has several. rtp_ports: first and last port for sound.
    ring_s: how long it may ring. repeat: how often the text is said, pause_s between. key: the one
    that acknowledges.
    """

    target: str
    plus: str = "+"
    caller: str = "meldkamer"
    domain: str = ""
    login: str = ""
    register: bool = False
    ask: bool = True
    proxy: str = ""
    transport: Literal["udp", "tcp", "tls"] = "udp"
    encrypted: bool = False
    lines: int = 1
    local_address: str = ""
    rtp_ports: tuple[int, int] = (0, 0)
    ring_s: int = 30
    repeat: int = 3
    pause_s: float = 4.0
    key: Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] = "1"

    def __post_init__(self) -> None:
        if not _TARGET.fullmatch(self.target):
            raise ValueError("target: expected sip:{number}@exchange, with {number} in it")
        if not re.fullmatch(r"[+0-9]{0,4}", self.plus):
            raise ValueError("plus: expected + or the digits that stand for it, as 00")
        if not self.caller or not _WORD.fullmatch(self.caller) or not _WORD.fullmatch(self.login):
            raise ValueError("caller, login: expected letters, digits and . _ ~ + * % -")
        if self.domain and not _HOST.fullmatch(self.domain):
            raise ValueError("domain: expected a host")
        if self.proxy and not re.fullmatch(rf"sips?:{_HOST.pattern}(;[a-z=]+)?", self.proxy):
            raise ValueError("proxy: expected sip:host:port")
        if not _ADDRESS.fullmatch(self.local_address):
            raise ValueError("local_address: expected an address, as 192.0.2.7")
        first, last = self.rtp_ports
        if self.rtp_ports != (0, 0) and not 1024 <= first < last <= 65535:
            raise ValueError("rtp_ports: expected two ports from 1024 to 65535, or 0 and 0")
        if not 1 <= self.lines <= 50:
            raise ValueError("lines: expected 1 to 50")
        if not 5 <= self.ring_s <= 120:
            raise ValueError("ring_s: expected 5 to 120 seconds")
        if not 1 <= self.repeat <= 9:
            raise ValueError("repeat: expected 1 to 9")
        if not 0.5 <= self.pause_s <= 15:
            raise ValueError("pause_s: expected 0.5 to 15 seconds")

    @property
    def host(self) -> str:
        """Of our own address."""
        return self.domain or self.host_of_target

    @property
    def host_of_target(self) -> str:
        """Of the exchange, with its port where one is given."""
        return self.target.partition("@")[2]

    def account(self, password: str, *, every_s: int = 0) -> Account:
        """Who calls; every_s: how often it is registered, 0 for not."""
        uri = f"sip:{self.caller}@{self.host};transport={self.transport}"
        login = self.login or self.caller
        return Account(uri, login, password, self.proxy, every_s, self.encrypted)


def build(settings: SipSettings, secrets: Mapping[str, str], ears: Ears) -> Carrier:
    """The carrier; SettingsFault for a password that cannot be an account's."""
    return SipCarrier(settings, secrets, ears, Path(house.VAR_DIR) / "voice")


class Speaker(Protocol):
    """What speaks; see `speech.Voice`."""

    def say(self, text: str, language: str) -> array[int]:
        """The text as samples at 8 kHz."""

    def forget_old(self) -> None:
        """Take away what was kept for long enough."""


class SipCarrier:
    """See `notify.carrier.Carrier`."""

    def __init__(
        self,
        settings: SipSettings,
        secrets: Mapping[str, str],
        ears: Ears,
        place: Path,
        voice: Speaker | None = None,
    ) -> None:
        """place: a directory of its own: what was spoken, and the calls that are going on."""
        self.at_once = settings.lines
        self._settings, self._ears = settings, ears
        self._password = secrets.get("password", "")
        if not _PASSWORD.fullmatch(self._password):
            raise SettingsFault(
                "password: expected one without blanks, quotes, < > ; and backslash"
            )
        self._calls_place = place / "calls"
        self._voice = voice or Voice(place / "spoken")
        self._lines = threading.Condition()
        self._calls: set[Call] = set()
        self._closed = True
        self._registration: Registration | None = None
        self._tidy_at_s = self._ask_at_s = 0.0
        place_of = settings.proxy.partition(":")[2].partition(";")[0] or settings.host_of_target
        self._there = (
            asking.exchange(place_of, settings.transport, settings.local_address)
            if settings.ask
            else None
        )

    # --- what `Carrier` asks for

    def open(self) -> None:
        """Look that all is there; register where the exchange wants that."""
        self._look()
        self._ask()
        baresip.sweep(self._calls_place)
        if self._settings.register:
            # asks again by itself until it is registered; the first answer is waited for
            registration = Registration(lambda: self._phone(every_s=60))
            self._registration = registration
            registration.start()
            registration.wait(PLACE_S)
        with self._lines:
            self._closed = False

    def send(self, parcel: Parcel) -> str:
        """Call and speak; returns when it rings. See `notify.carrier.Carrier`."""
        target = self._target(parcel.address)
        ref = f"{parcel.id}-{parcel.attempt}-{randomness.token_hex(4)}"
        call = Call(self._plan(parcel, ref, target), self._phone, self._ears, self._ended)
        self._take_line(call)
        return _outcome(call.placed)

    def check(self) -> None:
        """CarrierFault when no call could be made now."""
        self._look()
        # while somebody is on the telephone the exchange works, and nobody is cut off for it
        if self._registration is not None and not self._calls:
            self._registration.check()
        self._ask()
        if time.monotonic() >= self._tidy_at_s:
            self._tidy_at_s = time.monotonic() + _TIDY_S
            self._voice.forget_old()

    def close(self) -> None:
        """Hang up everywhere; what nobody acknowledged is told as that."""
        with self._lines:
            self._closed = True
            calls = list(self._calls)
            self._lines.notify_all()
        if self._registration is not None:
            self._registration.stop()
        for call in calls:
            call.stop()
        until_s = time.monotonic() + 1.0
        for call in calls:
            call.join(max(0.0, until_s - time.monotonic()))
        if self._registration is not None:
            self._registration.join(max(0.0, until_s - time.monotonic()))
            self._registration = None

    # --- its parts

    def _look(self) -> None:
        try:
            baresip.program()
            baresip.modules()
            speech.program()
        except (BaresipFault, SpeechFault) as fault:
            raise CarrierFault(str(fault)) from None

    def _ask(self) -> None:
        """CarrierFault when the exchange does not answer; nobody is cut off for it."""
        with self._lines:
            talking = bool(self._calls)
        now_s = time.monotonic()
        if talking or self._there is None or now_s < self._ask_at_s:
            return
        self._ask_at_s = now_s + _ASK_S
        if fault := asking.fault_of(self._there):
            self._ask_at_s = 0.0
            raise CarrierFault(fault)

    def _phone(self, *, every_s: int = 0) -> Baresip:
        settings = self._settings
        account = settings.account(self._password, every_s=every_s)
        local, rtp = settings.local_address, settings.rtp_ports
        return Baresip(self._calls_place, account, local=local, rtp=rtp)

    def _target(self, number: str) -> str:
        digits = re.sub(r"[ ./()-]", "", number)
        if not re.fullmatch(r"\+?[0-9*#]{2,20}", digits):
            raise Rejected(f"no number that can be called: {number!r}; expected digits, as +32…")
        if digits.startswith("+"):
            digits = self._settings.plus + digits[1:]
        # baresip adds the transport of our own address
        return self._settings.target.replace("{number}", digits.replace("#", "%23"))

    def _plan(self, parcel: Parcel, ref: str, target: str) -> Plan:
        settings = self._settings
        with override(parcel.language):
            press, thanks = _(PRESS).format(key=settings.key), _(THANKS)
        try:
            once = sound.joined(
                (
                    self._voice.say(parcel.body, parcel.language),
                    sound.silence(0.4),
                    self._voice.say(press, parcel.language),
                    sound.silence(settings.pause_s),
                )
            )
            thank = sound.joined((self._voice.say(thanks, parcel.language), sound.silence(_TAIL_S)))
        except (SpeechFault, OSError) as fault:
            raise CarrierFault(f"the text was not spoken: {fault}") from None
        said = sound.joined((sound.silence(_LEAD_S), *([once] * settings.repeat)))
        return Plan(
            ref,
            target,
            sound.write_wav(said),
            len(said) / sound.RATE_HZ,
            sound.write_wav(thank),
            len(thank) / sound.RATE_HZ,
            settings.key,
            settings.ring_s,
        )

    def _take_line(self, call: Call) -> None:
        """Begin the call on a free line; CarrierFault when none is free for too long."""
        with self._lines:
            free = self._lines.wait_for(
                lambda: self._closed or len(self._calls) < self._settings.lines, _LINE_S
            )
            if self._closed:
                raise CarrierFault("the carrier is closed")
            if not free:
                raise CarrierFault(f"every line is busy: {self._settings.lines}", after_s=5.0)
            self._calls.add(call)
            call.start()

    def _ended(self, call: Call) -> None:
        with self._lines:
            self._calls.discard(call)
            self._lines.notify()


def _outcome(placed: Future[str]) -> str:
    """The ref, or the fault. A call always comes to either, within its own limits."""
    return placed.result(_PLACED_S)
