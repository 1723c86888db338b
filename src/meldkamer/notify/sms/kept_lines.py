"""HTTP over connections that are kept, for a gateway that takes many texts a second.

What matters to a carrier is one question: can the other end have it? So a fault says whether the
line was ever there, and no request lasts longer than its limit, however slowly the answer trickles.
No redirect is followed and no proxy of the environment is used. A fault never names the path, a
header or the body: they hold secrets.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from math import ceil
from socket import SHUT_RDWR
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, SSLError

from meldkamer.notify.web import Answer, NotGiven, NotKnown, seconds_of

_BODY_MOST, _CONNECT_MOST_S = 4096, 5.0


class _Request:
    """One request while it lasts: its connection, whether anything was given, whether it is over"""

    line: Any = None
    given = False
    over = False

    def cut(self) -> None:
        """The time is up: whoever waits on the line wakes."""
        self.over = True
        sock = getattr(self.line, "sock", None)
        if sock is not None:
            with suppress(OSError):  # it ended by itself in this instant
                sock.shutdown(SHUT_RDWR)


_mine = threading.local()


class _Known:
    """Of a connection of urllib3: from here on the other end may have it."""

    def request(self, *args: Any, **values: Any) -> None:
        line: Any = self
        request: _Request = _mine.request
        request.line = line
        if line.sock is None:
            line.connect()
        if request.over:  # the clock found no line to cut, and strikes once
            raise TimeoutError
        request.given = True
        super().request(*args, **values)  # type: ignore[misc]


class _Http(_Known, HTTPConnection):
    pass


class _Https(_Known, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class KeptLines:
    """Up to `most` connections to the host of one address; safe for as many threads."""

    def __init__(self, address: str, *, most: int, limit_s: float, ca_file: str = "") -> None:
        parts = urlsplit(address)
        self.limit_s = limit_s
        self._pool: HTTPConnectionPool
        common: dict[str, Any] = {
            "port": parts.port, "maxsize": most, "block": True, "retries": False,
            "timeout": Timeout(connect=min(_CONNECT_MOST_S, limit_s), read=limit_s),
        }  # fmt: skip
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=ca_file or None)
            self._pool = _HttpsPool(parts.hostname or "", ssl_context=context, **common)
        else:
            self._pool = _HttpPool(parts.hostname or "", **common)

    def close(self) -> None:
        """Hang up."""
        self._pool.close()

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """One request; its answer within the limit. Raises NotGiven or NotKnown."""
        request = _mine.request = _Request()
        clock = Timer(self.limit_s, request.cut)
        clock.daemon = True
        clock.start()
        try:
            answer = self._pool.urlopen(
                method, path, body, dict(headers), redirect=False, preload_content=False,
                decode_content=False, pool_timeout=ceil(self.limit_s),
            )  # fmt: skip
            content = answer.read(_BODY_MOST, decode_content=False)
            if answer.read(1):
                answer.close()  # a long tale: not worth the connection
            answer.release_conn()
            after_s = seconds_of(answer.headers.get("Retry-After"))
            return Answer(answer.status, content, after_s)
        except (HTTPError, OSError, ValueError) as fault:
            # ValueError: what is said of an answer that was cut off under the reader's hands
            raise self._fault(request, fault) from None
        finally:
            clock.cancel()

    def _fault(self, request: _Request, fault: Exception) -> Exception:
        if not request.given:
            if isinstance(fault, SSLError):
                return NotGiven("its certificate is not believed")
            cause = fault.__cause__ or fault.__context__
            words = getattr(cause, "strerror", None) or type(cause or fault).__name__
            return NotGiven(f"cannot be reached: {words}")
        if request.over:
            return NotKnown(f"no answer within {self.limit_s:g} s")
        return NotKnown("the line broke before the answer")
