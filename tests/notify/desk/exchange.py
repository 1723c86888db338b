"""An exchange for tests: it takes a request, remembers it, and answers as it is told to.

It is strict where Asterisk is: a channel's id that is there already is 409, an unknown user 401.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str


@dataclass
class Exchange:
    """What it was asked, and how it answers."""

    port: int = 0
    code: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    wait_s: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    channels: set[str] = field(default_factory=set)
    auth: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, one: Asked) -> int:
        if self.auth and one.headers.get("authorization") != self.auth:
            return 401
        if one.path.startswith("/ari/channels/") and one.method == "POST":
            if one.path in self.channels:
                return 409
            self.channels.add(one.path)
        return self.code


@contextmanager
def exchange() -> Iterator[Exchange]:
    """One on a free port of the loopback."""
    peer = Exchange()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            parts = urlsplit(self.path)
            one = Asked(
                self.command,
                unquote(parts.path),
                dict(parse_qsl(parts.query)),
                {k.lower(): v for k, v in self.headers.items()},
                self.rfile.read(length).decode(),
            )
            peer.asked.append(one)
            time.sleep(peer.wait_s)
            code = peer.answer(one)
            self.send_response(code)
            self.send_header("Content-Type", peer.content_type)
            self.send_header("Content-Length", str(len(peer.body)))
            if 300 <= code < 400:
                self.send_header("Location", f"{peer.url}/elsewhere")
            self.end_headers()
            self.wfile.write(peer.body)

        do_GET = do_POST = do_PUT = _any  # noqa: N815 - the names of the library

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    peer.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield peer
    finally:
        server.shutdown()
        server.server_close()
