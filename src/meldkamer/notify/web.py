"""HTTP to a machine that the office named in a carrier's settings: an exchange, a cloud.

One request, one answer, within one time limit however slowly it trickles. No redirect is followed
and no proxy of the environment is used: what is told goes to the address that was entered and to no
other. What went wrong never names the path or a header, which hold secrets.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from threading import Timer
from time import monotonic
from urllib.parse import urlsplit

from meldkamer.notify.carrier import CarrierFault, InDoubt

BODY_MOST = 65_536
_HOST = re.compile(r"[\w-]{1,63}(\.[\w-]{1,63})*\.?")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
#: refused, and yet not for good: too slow, too early, too many
_NOT_NOW = (408, 425, 429)


class NotGiven(CarrierFault):
    """It did not come to the other end: nobody there, a certificate that is not believed."""


class NotKnown(InDoubt):
    """The line broke, or the time was up, after it may have been given."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the code, the first of its body, how long it asks to be left alone."""

    code: int
    body: bytes
    after_s: float | None

    @property
    def text(self) -> str:
        """The body in letters; what is none becomes one that says so."""
        return self.body.decode("utf-8", "replace")

    @property
    def taken(self) -> bool:
        """2xx."""
        return 200 <= self.code < 300

    @property
    def refused(self) -> bool:
        """4xx, where the same again would be refused again."""
        return 400 <= self.code < 500 and self.code not in _NOT_NOW


def seconds_of(retry_after: str | None) -> float | None:
    """A header Retry-After in seconds; None without one, or when it names a date."""
    text = retry_after or ""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


def fault_of_host(host: str) -> str:
    """What is wrong with a setting `host`; "" for a name or an address, without anything else."""
    with suppress(ValueError):
        ip_address(host)
        return ""
    if _HOST.fullmatch(host):
        return ""
    return f"host: expected a name or an address alone, as smsc.example, not {host!r}"


def fault_of_address(address: str) -> str:
    """What is wrong with an address; "" for https, and for http to this machine itself."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is no address; expected e.g. https://exchange.example/originate"
    if parts.username or parts.password:
        return "holds a name or a password; enter it as the secret"
    if parts.scheme == "https" and host and port != 0:
        return ""
    if parts.scheme == "http" and host in _LOOPBACK and port != 0:
        return ""
    return "expected https://… (http only to 127.0.0.1)"


def reach(address: str, *, limit_s: float) -> None:
    """Whether the other end answers the telephone; nothing is said. NotGiven when it does not."""
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), limit_s).close()
    except OSError as fault:
        raise NotGiven(f"cannot be reached: {fault}") from None


def ask(
    method: str,
    address: str,
    body: bytes,
    headers: dict[str, str],
    *,
    limit_s: float,
    body_most: int = BODY_MOST,
) -> Answer:
    """Send one request; its answer in `limit_s` seconds at most. Raises NotGiven or NotKnown.

    body_most: how much of the answer's body is waited for; 0 where the code alone counts.
    """
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port
    line: http.client.HTTPConnection
    if parts.scheme == "https":
        line = http.client.HTTPSConnection(
            host, port, timeout=limit_s, context=ssl.create_default_context()
        )
    else:
        line = http.client.HTTPConnection(host, port, timeout=limit_s)
    clock = Timer(limit_s, _cut, (line,))
    clock.daemon = True
    until_s = monotonic() + limit_s
    clock.start()
    try:
        _connect(line)
        if monotonic() >= until_s:  # the clock found no line to cut, and strikes once
            raise NotGiven(f"no line to it within {limit_s:g} s")
        path = _path(parts.path, parts.query)
        return _exchange(line, method, path, body, headers, limit_s, body_most)
    finally:
        clock.cancel()
        line.close()


def _path(path: str, query: str) -> str:
    return f"{path or '/'}?{query}" if query else path or "/"


def _connect(line: http.client.HTTPConnection) -> None:
    try:
        line.connect()
    except ssl.SSLError:
        raise NotGiven("its certificate is not believed") from None
    except (OSError, UnicodeError) as fault:
        words = getattr(fault, "strerror", None) or type(fault).__name__
        raise NotGiven(f"cannot be reached: {words}") from None


def _exchange(
    line: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes,
    headers: dict[str, str],
    limit_s: float,
    body_most: int,
) -> Answer:
    try:
        line.request(method, path, body=body or None, headers=headers)
        answer = line.getresponse()
        after_s = seconds_of(answer.getheader("Retry-After"))
        return Answer(answer.status, answer.read(body_most), after_s)
    except TimeoutError:
        raise NotKnown(f"no answer within {limit_s:g} s") from None
    except (OSError, http.client.HTTPException, ValueError):
        # ValueError: what http.client says of an answer that was cut off under its hands
        raise NotKnown(f"the line broke, or no answer within {limit_s:g} s") from None


def _cut(line: http.client.HTTPConnection) -> None:
    """The time is up: whoever waits on this line wakes."""
    sock = line.sock
    if sock is not None:
        with suppress(OSError):  # it ended by itself in this instant
            sock.shutdown(socket.SHUT_RDWR)
