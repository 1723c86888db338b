"""A rough HTTP gateway for what Kannel never does: break off, trickle, answer oddly."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from socket import create_server, socket

from meldkamer.notify.carrier import Parcel

Talk = Callable[[socket], object]


def parcel(body: str = "Power failure", address: str = "+32470000001", id_: int = 77) -> Parcel:
    return Parcel(
        id=id_, channel="sms", template="power", address=address, recipient="An", language="nl",
        subject="", body=body, provider_id=1, site_id=1, incident_id=1, contact_id=1,
        created_at=datetime(2026, 11, 20, 10, tzinfo=UTC), attempt=1,
    )  # fmt: skip


@contextmanager
def gateway(talk: Talk) -> Iterator[str]:
    """Its address; `talk` is run with each connection, in a thread, and may close it."""
    listening = create_server(("127.0.0.1", 0))
    lines: list[socket] = []

    def serve() -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            lines.append(line)
            threading.Thread(target=attend, args=(line,), daemon=True).start()

    def attend(line: socket) -> None:
        try:
            talk(line)
        except OSError:
            return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/cgi-bin/sendsms"
    finally:
        listening.shutdown(2)
        listening.close()
        for line in lines:
            line.close()
        thread.join(5)


def read_request(line: socket) -> bytes:
    """One request with its body; b"" when the line was closed instead."""
    found = b""
    while b"\r\n\r\n" not in found:
        more = line.recv(65536)
        if not more:
            return found
        found += more
    head, _, body = found.partition(b"\r\n\r\n")
    length = 0
    for header in head.split(b"\r\n"):
        name, _, value = header.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += line.recv(65536)
    return head + b"\r\n\r\n" + body


def answers(*replies: tuple[int, str], heard: list[bytes] | None = None) -> Talk:
    """Answers each request of a connection in turn, the last one for ever; "/" is always 404."""

    def talk(line: socket) -> None:
        turn = 0
        while request := read_request(line):
            if request.startswith(b"GET / "):
                code, text = 404, ""
            else:
                if heard is not None:
                    heard.append(request)
                code, text = replies[min(turn, len(replies) - 1)]
                turn += 1
            body = text.encode()
            line.sendall(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (code, len(body), body))

    return talk
