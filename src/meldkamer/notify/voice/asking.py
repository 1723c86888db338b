"""Is the exchange there? A SIP OPTIONS (RFC 3261, 11), as exchanges ask each other.

Any answer will do, a refusal too: who refuses is there. Over TLS a connection is enough: whose word
to trust there is baresip's matter. Only an exchange that is named by address or with its port is
asked; where DNS has to say the port, baresip finds it alone.
"""

from __future__ import annotations

import re
import secrets
import socket
import time
from dataclasses import dataclass

_TRIES_S = (0.5, 1.0, 1.5)
_ANSWER_MOST = 16_000
_PLACE = re.compile(r"\[?(?P<host>[0-9A-Fa-f:.]+(?=\])|[^\]\[:]+)\]?(?::(?P<port>\d+))?")
_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}


@dataclass(frozen=True, slots=True)
class Exchange:
    """Where it is, and over what. local: the address of ours to ask from; "" for any."""

    host: str
    port: int
    transport: str
    local: str = ""


def exchange(text: str, transport: str, local: str = "") -> Exchange | None:
    """host:port, [address]:port or an address; None where DNS would have to say the port."""
    found = _PLACE.fullmatch(text)
    if found is None:
        return None
    host, port = found["host"], found["port"]
    if port is None and not re.fullmatch(r"[0-9.]+|[0-9A-Fa-f:]+:[0-9A-Fa-f:]*", host):
        return None
    return Exchange(host, int(port or _PORTS[transport]), transport, local)


def fault_of(there: Exchange) -> str:
    """ "" when it answers; else what is wrong. Takes three seconds at most, when names resolve."""
    try:
        answered = _by_packets(there) if there.transport == "udp" else _by_stream(there)
    except OSError as fault:
        return f"the exchange is not there: {fault}"
    return "" if answered else f"the exchange does not answer ({sum(_TRIES_S):.0f} s)"


def _by_packets(there: Exchange) -> bool:
    family, _, _, _, to = socket.getaddrinfo(there.host, there.port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as mine:
        if there.local:
            mine.bind((there.local, 0))
        # connected: a port where nobody listens answers at once
        mine.connect(to)
        number = secrets.token_hex(8)
        message = _options(there, mine.getsockname(), number)
        for wait_s in _TRIES_S:
            mine.send(message)
            until_s = time.monotonic() + wait_s
            while (left_s := until_s - time.monotonic()) > 0:
                mine.settimeout(left_s)
                try:
                    answer = mine.recv(_ANSWER_MOST)
                except TimeoutError:
                    break
                if _answers(answer, number):
                    return True
    return False


def _by_stream(there: Exchange) -> bool:
    until_s = time.monotonic() + sum(_TRIES_S)
    mine = socket.create_connection(
        (there.host, there.port), sum(_TRIES_S), (there.local, 0) if there.local else None
    )
    with mine:
        if there.transport == "tls":
            return True
        number = secrets.token_hex(8)
        mine.sendall(_options(there, mine.getsockname(), number))
        answer = b""
        while b"\r\n\r\n" not in answer and len(answer) < _ANSWER_MOST:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return False
            mine.settimeout(left_s)
            try:
                more = mine.recv(_ANSWER_MOST)
            except TimeoutError:
                return False
            if not more:
                return False
            answer += more
        return _answers(answer, number)


def _options(there: Exchange, mine: tuple[str, int], number: str) -> bytes:
    host = f"[{there.host}]" if ":" in there.host else there.host
    own = f"[{mine[0]}]:{mine[1]}" if ":" in mine[0] else f"{mine[0]}:{mine[1]}"
    lines = (
        f"OPTIONS sip:{host}:{there.port} SIP/2.0",
        f"Via: SIP/2.0/{there.transport.upper()} {own};branch=z9hG4bK{number};rport",
        "Max-Forwards: 70",
        f"From: <sip:meldkamer@{own}>;tag={number}",
        f"To: <sip:{host}:{there.port}>",
        f"Call-ID: {number}",
        "CSeq: 1 OPTIONS",
        f"Contact: <sip:meldkamer@{own}>",
        "Accept: application/sdp",
        "Content-Length: 0",
    )
    return "\r\n".join((*lines, "", "")).encode()


def _answers(answer: bytes, number: str) -> bool:
    return answer.startswith(b"SIP/2.0 ") and number.encode() in answer
