"""What tests share that start other programs: a free port, and waiting for a state."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from typing import Any


def until(
    true: Callable[[], object], what: str = "what was waited for", limit_s: float = 20
) -> Any:
    """What `true` returns once that is something; fails after the limit."""
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s:
        found = true()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"not within {limit_s:g} s: {what}")


def free_port() -> int:
    """A number that is free for TCP and UDP on the loopback address."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind(("127.0.0.1", 0))
            port = int(tcp.getsockname()[1])
            with contextlib.suppress(OSError):
                udp.bind(("127.0.0.1", port))
                return port
