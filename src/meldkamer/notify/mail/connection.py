"""One connection to a mail server: settings, TLS, log-in, and whether it still lives.

Never: a password over a line without TLS to another machine; a certificate that is not checked,
unless the settings say so in as many words.
"""

from __future__ import annotations

import smtplib
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

import msgspec

from meldkamer.notify.kinds import SettingsFault
from meldkamer.notify.mail.addresses import AddressFault, read_address, read_domain
from meldkamer.notify.web import fault_of_host

_PORTS = {"none": 25, "starttls": 587, "implicit": 465}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
#: a connection that lay still for longer is asked whether it still lives; more often would be
#: taken for abuse by some servers
_ASK_AFTER_S = 25.0
#: as many mails as some servers take over one connection before they close it
_MAILS_MOST = 100
_OK = 250


class SmtpSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of a mail server. port 0: the usual one of its `tls`. Sizes in bytes, times in s.

    sender: the address in From. sender_name, reply_to: "" for the provider's name and office
    address. bounce_domain: what comes back goes to `bounces+…@` it (`meldkamer mail` listens
    there); "" lets it come back to the sender. user: "" logs in nowhere.
    """

    host: str
    sender: str
    port: int = 0
    tls: Literal["none", "starttls", "implicit"] = "starttls"
    verify: bool = True
    ca_file: str = ""
    user: str = ""
    sender_name: str = ""
    reply_to: str = ""
    bounce_domain: str = ""
    hello: str = ""
    connections: int = 4
    timeout_s: float = 15.0
    largest_bytes: int = 10_000_000

    def __post_init__(self) -> None:
        if fault := fault_of_host(self.host):
            raise ValueError(fault)
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port: {self.port} is no port; expected 1 to 65535")
        if not 1 <= self.connections <= 20:
            raise ValueError(f"connections: {self.connections}; expected 1 to 20")
        if not 0.5 <= self.timeout_s <= 30:
            raise ValueError(f"timeout_s: {self.timeout_s:g}; expected 0.5 to 30 seconds")
        if self.largest_bytes < 10_000:
            raise ValueError(f"largest_bytes: {self.largest_bytes}; expected 10000 or more")
        if self.user and self.tls == "none" and self.host not in _LOOPBACK:
            raise ValueError("tls: a password goes over TLS only; expected starttls or implicit")
        for name in ("sender", "reply_to"):
            if text := getattr(self, name):
                _checked(name, read_address, text)
        if not self.sender:
            raise ValueError("sender: expected the address that mails come from")
        if self.bounce_domain:
            _checked("bounce_domain", read_domain, self.bounce_domain)


def _checked(name: str, read: Callable[[str], object], text: str) -> None:
    try:
        read(text)
    except AddressFault as fault:
        raise ValueError(f"{name}: {fault}") from None


class Connection:
    """One connection to the server, logged in."""

    def __init__(
        self, settings: SmtpSettings, password: str, context: ssl.SSLContext, until_s: float
    ) -> None:
        self._timeout_s = settings.timeout_s
        hello = settings.hello or None
        wait_s = left_s(settings.timeout_s, until_s)
        port = settings.port or _PORTS[settings.tls]
        self.smtp: smtplib.SMTP = (
            smtplib.SMTP_SSL(settings.host, port, hello, timeout=wait_s, context=context)
            if settings.tls == "implicit"
            else smtplib.SMTP(settings.host, port, hello, timeout=wait_s)
        )
        try:
            if settings.tls == "starttls":
                self.hurry(until_s)
                self.smtp.starttls(context=context)
            self.hurry(until_s)
            self.smtp.ehlo_or_helo_if_needed()
            if settings.user:
                self.hurry(until_s)
                self.smtp.login(settings.user, password)
        except BaseException:
            self.smtp.close()
            raise
        self.mails = 0
        self.used_s = time.monotonic()

    def hurry(self, until_s: float) -> None:
        """Wait for the next answer no longer than is left of the whole."""
        if self.smtp.sock is not None:
            self.smtp.sock.settimeout(left_s(self._timeout_s, until_s))

    def lives(self) -> bool:
        """Whether it can still be used; asked when it lay still for a while."""
        if self.mails >= _MAILS_MOST:
            return False
        now_s = time.monotonic()
        if now_s - self.used_s < _ASK_AFTER_S:
            return True
        self.used_s = now_s
        try:
            self.hurry(now_s + self._timeout_s)
            return bool(self.smtp.noop()[0] == _OK)
        except (OSError, smtplib.SMTPException):
            return False

    def close(self, *, politely: bool = False) -> None:
        """Gone; politely: with a QUIT, for whose answer nobody waits."""
        with suppress(OSError, smtplib.SMTPException):
            if politely and self.smtp.sock is not None:
                self.smtp.sock.settimeout(0.1)
                self.smtp.putcmd("quit")
        self.smtp.close()


def left_s(most_s: float, until_s: float) -> float:
    """Seconds to wait for one answer; TimeoutError when nothing is left of the whole."""
    remaining_s = until_s - time.monotonic()
    if remaining_s <= 0:
        raise TimeoutError("the mail server took too long")
    return min(most_s, remaining_s)


def tls_context(settings: SmtpSettings) -> ssl.SSLContext:
    """What a server has to prove: its name, by who signed it, unless the settings waive it.

    SettingsFault when the file of certificates cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
    except OSError as fault:  # ssl.SSLError is one
        raise SettingsFault(
            f"smtp: ca_file: {settings.ca_file}: {fault.strerror or fault}"
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
