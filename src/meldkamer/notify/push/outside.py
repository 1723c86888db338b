"""HTTP to addresses that others chose, without being led to a machine of our own house.

Where a phone is pushed to is what its browser says, so anybody with a link to the app chooses whom
our server calls. The check is made on the address that is really dialled, after the name was
resolved: a name that answers differently the second time gains nothing. Redirects are not
followed and no proxy of the environment is used, for both would go round the check. No answer may
keep us waiting longer than the limit, however slowly it trickles, and its body is not read.
"""

from __future__ import annotations

import ipaddress
import socket
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Timer
from time import monotonic
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.poolmanager import PoolManager

from meldkamer.notify.web import Answer, NotGiven, NotKnown, seconds_of

#: IPv6 that carries an IPv4 address in it: not global where the other end of the gateway is not
_CARRIES_V4 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


def is_outside(address: str) -> bool:
    """Whether an IP address is one of the world's and not of a house, a machine or a test."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if any(found in network for network in _CARRIES_V4):
            return False
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if inner is not None:
            return is_outside(str(inner))
    return found.is_global and not found.is_multicast


@dataclass(slots=True)
class _Watch:
    """One request: whether it may go anywhere, and what is cut off when its time is up."""

    anywhere: bool
    until_s: float
    dialled: list[socket.socket] = field(default_factory=list)
    over: bool = False

    def cut(self) -> None:
        self.over = True
        for line in self.dialled:
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it ended by itself in this instant

    def close(self) -> None:
        for line in self.dialled:
            line.close()


_watch: ContextVar[_Watch] = ContextVar("the request that is being made")


def _dial(host: str, port: int, timeout_s: float | None) -> socket.socket:
    """A connection to the first address of this name that may be dialled."""
    watch = _watch.get()
    fault: OSError = OSError(f"{host} has no address outside this house")
    for family, kind, protocol, _, where in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM):
        if not watch.anywhere and not is_outside(str(where[0])):
            continue
        # of one time for all its addresses: whoever holds the phone names as many as he likes
        left_s = watch.until_s - monotonic()
        if left_s <= 0:
            raise TimeoutError("no line to it in time")
        line = socket.socket(family, kind, protocol)
        try:
            line.settimeout(left_s)
            line.connect(where)
        except OSError as refused:
            line.close()
            fault = refused
            continue
        line.settimeout(timeout_s)
        # a second handle on it: TLS takes the first one away
        watch.dialled.append(line.dup())
        if watch.over:  # the clock may have found no line to cut, and strikes once
            watch.cut()
        return line
    raise fault


class _Guarded:
    """Of a connection of urllib3: the one step in which it dials."""

    def _new_conn(self) -> socket.socket:
        mine: Any = self
        try:
            return _dial(mine._dns_host, mine.port, mine.timeout)
        except TimeoutError as fault:
            raise ConnectTimeoutError(mine, str(fault)) from fault
        except OSError as fault:
            raise NewConnectionError(mine, str(fault)) from fault


class _GuardedHttp(_Guarded, HTTPConnection):
    pass


class _GuardedHttps(_Guarded, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _GuardedHttp


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedHttps


class _GuardedAdapter(HTTPAdapter):
    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **others: Any
    ) -> None:
        manager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **others)
        manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
        self.poolmanager = manager


def post(
    address: str,
    body: bytes,
    headers: dict[str, str],
    *,
    limit_s: float,
    anywhere: bool = False,
) -> Answer:
    """Send this, and the code that came back; in `limit_s` seconds at most.

    anywhere: also to addresses of this house, in the demo and in tests. Raises NotGiven or
    NotKnown.
    """
    watch = _Watch(anywhere, monotonic() + limit_s)
    token = _watch.set(watch)
    clock = Timer(limit_s, watch.cut)
    clock.daemon = True
    clock.start()
    try:
        with requests.Session() as session:
            session.trust_env = False
            for scheme in ("https://", "http://"):
                session.mount(scheme, _GuardedAdapter(max_retries=0))
            answer = session.post(
                address,
                data=body,
                headers=headers,
                timeout=limit_s,
                allow_redirects=False,
                stream=True,
            )
            after_s = seconds_of(answer.headers.get("Retry-After"))
            read = Answer(answer.status_code, b"", after_s)
            answer.close()
            if watch.over:  # headers that were cut off look like an answer
                raise NotKnown(f"no answer within {limit_s:g} s")
            return read
    except requests.RequestException as fault:
        raise _what(fault, watch, limit_s) from fault
    finally:
        clock.cancel()
        _watch.reset(token)
        watch.close()


def _what(fault: requests.RequestException, watch: _Watch, limit_s: float) -> Exception:
    """Whether the other end may have it. Never names the path of the address: it is a secret."""
    if isinstance(fault, requests.exceptions.SSLError):
        return NotGiven("its certificate is not believed")
    if not watch.dialled:
        reason = getattr(fault.args[0] if fault.args else None, "reason", None)
        cause = getattr(reason, "__cause__", None)
        return NotGiven(f"cannot be reached: {cause}" if cause else "cannot be reached")
    if watch.over or isinstance(fault, requests.Timeout):
        return NotKnown(f"no answer within {limit_s:g} s")
    return NotKnown("the line broke before the answer")
