"""A mail server that no one here wrote (aiosmtpd), which does what the recipient's name says."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "centre", "three-grey-herons"
# local part of the recipient → what it is answered with, where
AT_RCPT = {
    "busy": "451 4.7.1 later",
    "gone": "550 5.1.1 no such user",
    "bye": "421 4.3.2 too many connections",
}
AT_DATA = {"full": "452 4.2.2 mailbox full", "spam": "554 5.7.1 not wanted"}


@dataclass
class Got:
    """One mail as it came."""

    sender: str
    to: str
    content: bytes
    connection: int
    options: list[str]

    @property
    def mail(self) -> EmailMessage:
        """Parsed."""
        return email.message_from_bytes(self.content, policy=email.policy.default)


@dataclass
class Handler:
    """Keeps what it takes."""

    got: list[Got] = field(default_factory=list)
    connections: set[int] = field(default_factory=set)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.connections.add(id(session))
        envelope.mail_from, envelope.mail_options = address, options
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := AT_RCPT.get(address.partition("@")[0]):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        local = envelope.rcpt_tos[0].partition("@")[0]
        if refusal := AT_DATA.get(local):
            return refusal
        content = envelope.content
        assert isinstance(content, bytes)
        got = Got(
            envelope.mail_from or "", envelope.rcpt_tos[0], content, id(session),
            list(envelope.mail_options),
        )  # fmt: skip
        self.got.append(got)
        if local == "hang":
            await asyncio.sleep(5)
        if local == "drop":
            server.transport.abort()
        return "250 2.0.0 queued as 4XYZ"


class Peer:
    """aiosmtpd in a thread of its own on a free port of 127.0.0.1."""

    def __init__(self, **more: Any) -> None:
        """more: as aiosmtpd's SMTP takes it; implicit: a TLS context from the first byte."""
        self.handler = Handler()
        self._implicit = more.pop("implicit", None)
        self._more = {"enable_SMTPUTF8": True, "timeout": 30, **more}
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._protocols: list[SMTP] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port = 0

    def __enter__(self) -> Peer:
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    @property
    def got(self) -> list[Got]:
        """What came so far."""
        return self.handler.got

    def cut(self) -> None:
        """Close every connection, as a server does that was idle for long."""
        done = threading.Event()

        def close() -> None:
            for protocol in self._protocols:
                if protocol.transport is not None:
                    protocol.transport.abort()
            self._protocols.clear()
            done.set()

        self._loop.call_soon_threadsafe(close)
        assert done.wait(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)

        def made() -> SMTP:
            protocol = SMTP(self.handler, loop=self._loop, **self._more)
            self._protocols.append(protocol)
            return protocol

        server = self._loop.run_until_complete(
            self._loop.create_server(made, "127.0.0.1", 0, ssl=self._implicit)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for protocol in self._protocols:
            if protocol.transport is not None:
                protocol.transport.abort()
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        self._loop.close()


def let_in(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
) -> AuthResult:
    """USER with PASSWORD, nobody else."""
    good = (
        isinstance(given, LoginPassword)
        and given.login == USER.encode()
        and given.password == PASSWORD.encode()
    )
    return AuthResult(success=good, handled=False)


def certificates(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate authority made here, and a server's TLS with a certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the test's own authority")])
    now = datetime.now(UTC)

    def begun(subject: x509.Name, public: Any) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
        )

    authority = (
        begun(name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    own = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        begun(subject, own.public_key())
        .add_extension(names, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    ca_file, pem = folder / "ca.pem", folder / "server.pem"
    ca_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    pem.write_bytes(
        own.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return ca_file, context
