"""A push service as browsers' makers run one: it believes nobody, and opens what it gets.

It stands for the far end: decryption is http_ece's, the claim's signature is checked with
`cryptography` alone, so that neither is checked by what made it.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import http_ece
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from http_ece import ECEException


def unpadded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def padded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Got:
    """One message as the phone reads it."""

    path: str
    headers: dict[str, str]
    said: dict[str, Any]
    claims: dict[str, Any]


@dataclass
class Browser:
    """One phone's browser: its keys, and where it is pushed to."""

    path: str
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    @property
    def p256dh(self) -> str:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return unpadded(point)


class PushService:
    """Listens on the loopback address. `answers` says what a path is answered with, in order."""

    def __init__(self) -> None:
        self.browsers: dict[str, Browser] = {}
        self.got: list[Got] = []
        self.refused: list[str] = []
        self.answers: dict[str, list[tuple[int, dict[str, str]]]] = {}
        self.silent: set[str] = set()
        self.trickles: set[str] = set()
        self.voters: str | None = None
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                service._take(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def browser(self) -> Browser:
        """A phone that is subscribed here."""
        made = Browser("/push/" + secrets.token_urlsafe(12))
        self.browsers[made.path] = made
        return made

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        if request.path in self.silent:
            request.close_connection = True
            return
        if request.path in self.trickles:
            with suppress(ConnectionError):  # the other end hangs up
                for letter in b"HTTP/1.1 201 Created\r\nX-Slow: " + b"a" * 400:
                    request.wfile.write(bytes([letter]))
                    time.sleep(0.05)
            return
        browser = self.browsers.get(request.path)
        code, headers = 201, {"Location": f"{self.address}/m/1"}
        if self.answers.get(request.path):
            code, headers = self.answers[request.path].pop(0)
        elif browser is None:
            code = 410
        else:
            try:
                self._open(request, body, browser)
            except (AssertionError, InvalidSignature, ECEException, ValueError, KeyError) as fault:
                self.refused.append(repr(fault))
                code = 403
        request.send_response(code)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _open(self, request: BaseHTTPRequestHandler, body: bytes, browser: Browser) -> None:
        assert request.headers["Content-Encoding"] == "aes128gcm"
        assert int(request.headers["TTL"]) > 0
        claims = self._claims(request.headers["Authorization"])
        assert claims["aud"] == self.address
        assert time.time() < claims["exp"] <= time.time() + 86_400
        assert claims["sub"].startswith("mailto:")
        said = http_ece.decrypt(body, private_key=browser.key, auth_secret=browser.auth)
        headers = {k.lower(): v for k, v in request.headers.items()}
        self.got.append(Got(request.path, headers, json.loads(said), claims))

    def _claims(self, authorization: str) -> dict[str, Any]:
        scheme, _, rest = authorization.partition(" ")
        assert scheme == "vapid"
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        head, claims, signature = parts["t"].split(".")
        assert json.loads(padded(head))["alg"] == "ES256"
        raw = padded(signature)
        der = utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), padded(parts["k"]))
        key.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
        # the subscription was made for one key, and no other may push to it (RFC 8292, 4.2)
        assert self.voters is None or parts["k"] == self.voters, "another key"
        read: dict[str, Any] = json.loads(padded(claims))
        return read
