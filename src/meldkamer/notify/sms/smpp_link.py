"""The connection to an SMS centre: octets in and out, cut into PDUs, by one thread of its own.

One thread does all reading, and all writing that the network does not take at once, so that a slow
centre stops nobody who only wants to hand something over. Under TLS it does all of both: a TLS
connection is not made for two threads. The others `post` and are told when it breaks.

Invariant: octets leave in the order in which they were posted; `on_broken` is called once, after
the last PDU. Never: anything of what goes over it in a log.
"""

from __future__ import annotations

import hmac
import logging
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from meldkamer.notify.carrier import CarrierFault
from meldkamer.notify.sms.smpp_pdus import HEADER, LENGTH_MOST

log = logging.getLogger(__name__)
_TICK_S = 0.5
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Tls:
    """Whom to believe: the certificate with this SHA-256; "": the system's authorities."""

    fingerprint: str = ""

    def wrap(self, sock: socket.socket, host: str) -> ssl.SSLSocket:
        """A connection to who is meant, or OSError."""
        context = ssl.create_default_context()
        if self.fingerprint:
            # the certificate itself is compared: neither its name nor its authority matters
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        found = context.wrap_socket(sock, server_hostname=host)
        shown = sha256(found.getpeercert(binary_form=True) or b"").hexdigest()
        if self.fingerprint and not hmac.compare_digest(shown, self.fingerprint):
            found.close()
            raise OSError(f"its certificate is another one, with the SHA-256 {shown}")
        return found


def connect(host: str, port: int, limit_s: float, tls: Tls | None) -> socket.socket:
    """A connected socket, IPv4 or IPv6. CarrierFault says why there is none."""
    try:
        sock = socket.create_connection((host, port), limit_s)
    except OSError as fault:
        raise CarrierFault(f"{host}:{port} cannot be reached: {_why(fault)}") from fault
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            sock = tls.wrap(sock, host)
        sock.setblocking(False)
    except OSError as fault:
        sock.close()
        raise CarrierFault(f"{host}:{port} did not agree on TLS: {_why(fault)}") from fault
    return sock


def _why(fault: OSError) -> str:
    return fault.strerror or str(fault) or type(fault).__name__


class Link:
    """A connection with its thread, which ends with it."""

    def __init__(
        self,
        sock: socket.socket,
        name: str,
        *,
        on_pdu: Callable[[bytes], None],
        on_tick: Callable[[], None],
        on_broken: Callable[[str], None],
    ) -> None:
        self._sock = sock
        self._on_pdu, self._on_tick, self._on_broken = on_pdu, on_tick, on_broken
        # TLS may not be used by two threads at once, a plain socket may
        self._plain = not isinstance(sock, ssl.SSLSocket)
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._out, self._in = bytearray(), bytearray()
        self._posted = self._written = 0
        self._broken = ""
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to read and write."""
        self._thread.start()

    def post(self, octets: bytes) -> int:
        """Have these octets written; the mark that `written` reaches when they are.

        CarrierFault when the connection is broken: nothing of them will leave.
        """
        with self._lock:
            if self._broken:
                raise CarrierFault(self._broken)
            self._out += octets
            self._posted += len(octets)
            mark = self._posted
        if not (self._plain and self._write_now()):
            self._wake()
        return mark

    def _write_now(self) -> bool:
        """In the caller's thread, which saves a turn of ours; False when something is left."""
        if not self._writing.acquire(blocking=False):
            return False
        try:
            self._write_out()
        finally:
            self._writing.release()
        return not self._out

    def written(self, mark: int) -> bool:
        """Whether all up to this mark was handed to the network."""
        return self._written >= mark

    def end(self, reason: str, wait_s: float = 0.0) -> None:
        """Break it; waits for its thread so long."""
        self._break(reason)
        if self._thread is not threading.current_thread() and self._thread.is_alive():
            self._thread.join(wait_s)

    def _break(self, reason: str) -> None:
        with self._lock:
            self._broken = self._broken or reason
        self._wake()

    def _wake(self) -> None:
        try:
            self._wake_out.send(b"x")
        except (BlockingIOError, OSError):
            return  # it has enough to wake up for, or has ended

    def _run(self) -> None:
        try:
            self._turn()
            self._write()  # the last words of a connection that we end
        except Exception as fault:  # noqa: BLE001 - without its text, which may be a message's
            log.error("%s: %s", threading.current_thread().name, type(fault).__name__)
            self._break(f"a fault of our own: {type(fault).__name__}")
        finally:
            with self._writing:  # nobody is in the middle of a write
                for sock in (self._sock, self._wake_in, self._wake_out):
                    sock.close()
            self._on_broken(self._broken)

    def _turn(self) -> None:
        tick_at_s = time.monotonic() + _TICK_S
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_READ)
            selector.register(self._wake_in, selectors.EVENT_READ)
            while not self._broken:
                wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._out else 0)
                selector.modify(self._sock, wanted)
                selector.select(max(0.0, tick_at_s - time.monotonic()))
                self._drain()
                self._write()
                self._read()
                if time.monotonic() >= tick_at_s:
                    tick_at_s = time.monotonic() + _TICK_S
                    self._on_tick()

    def _drain(self) -> None:
        try:
            while self._wake_in.recv(4096):
                pass
        except BlockingIOError:
            return

    def _write(self) -> None:
        with self._writing:
            self._write_out()

    def _write_out(self) -> None:
        while self._out:
            with self._lock:
                chunk = bytes(self._out[:_CHUNK])
            try:
                sent = self._sock.send(chunk)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError as fault:
                self._break(f"the connection broke: {_why(fault)}")
                return
            with self._lock:
                del self._out[:sent]
                self._written += sent

    def _read(self) -> None:
        """All there is: TLS may hold octets that the socket does not tell of."""
        while not self._broken:
            try:
                chunk = self._sock.recv(_CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError as fault:
                self._break(f"the connection broke: {_why(fault)}")
                return
            if not chunk:
                self._break("the centre closed the connection")
                return
            self._in += chunk
            self._cut()
            self._write()

    def _cut(self) -> None:
        while len(self._in) >= 4 and not self._broken:
            length = int.from_bytes(self._in[:4], "big")
            if not HEADER.size <= length <= LENGTH_MOST:
                self._break(f"this is no SMPP: a PDU of {length} octets")
                return
            if len(self._in) < length:
                return
            octets = bytes(self._in[:length])
            del self._in[:length]
            self._on_pdu(octets)
